//! Ports of the string table whose host stands elsewhere.
//!
//! How it works: a port is that of a server when the function that fetches it is the one that writes
//! the server's address, with the same number. Where the C2's host comes from outside, the only
//! port that the function fetches which writes it is the C2's.
//!
//! False positives: a port fetched for something else by the function that writes the address of a
//! server with the same port. False negatives: ports fetched by another function than the one that
//! writes the address, or by several.

use crate::endpoints::consumers::{EntryReference, references_to};
use crate::endpoints::{Contacts, Role};
use crate::string_table::Entry;
use miyaburi_image::Address;
use rustc_hash::FxHashMap;

/// What the ports among `entries` are for, by id, as far as `contacts` say.
#[must_use]
pub fn purposes(
    entries: &[Entry],
    references: &[EntryReference],
    contacts: &Contacts,
) -> FxHashMap<u32, Role> {
    let ports: Vec<(u32, u16, Address)> = entries
        .iter()
        .filter_map(|entry| Some((entry.id, entry.as_port()?, only_reader(entry.id, references)?)))
        .collect();
    let fetched_by = |function: Address| {
        let mut fetched = ports.iter().filter(move |(_, _, reader)| *reader == function);
        fetched.next().filter(|_| fetched.next().is_none())
    };
    let outside = contacts.external.as_ref().and_then(|external| fetched_by(external.function));
    let of_server = |(id, port, reader): &(u32, u16, Address)| {
        let server = contacts.endpoints.iter().find(|endpoint| {
            endpoint.port == *port
                && endpoint.function == *reader
                && matches!(endpoint.role, Role::C2 | Role::ScanReceiver)
        })?;
        Some((*id, server.role))
    };
    let mut found: FxHashMap<u32, Role> =
        outside.map(|(id, ..)| (*id, Role::C2)).into_iter().collect();
    found.extend(ports.iter().filter_map(of_server));
    found
}

/// The one function that refers to an entry.
fn only_reader(id: u32, references: &[EntryReference]) -> Option<Address> {
    let readers = references_to(references, id);
    let function = readers.first()?.function;
    readers.iter().all(|reader| reader.function == function).then_some(function)
}

#[cfg(test)]
mod tests {
    use super::purposes;
    use crate::endpoints::consumers::EntryReference;
    use crate::endpoints::external::{External, Outside};
    use crate::endpoints::{Contacts, Endpoint, Role, Source};
    use crate::string_table::Entry;
    use miyaburi_image::Address;

    /// The function that writes the server's address, and another.
    const WRITER: Address = Address(0x1000);
    const OTHER: Address = Address(0x2000);

    fn entry(id: u32, port: u16) -> Entry {
        Entry {
            id,
            decoded: port.to_be_bytes().to_vec(),
            encoded: Vec::new(),
            cell: Address(0),
            buffer: Address(0),
            added_at: None,
            stale_key: None,
            own_key: None,
            made_of: None,
        }
    }

    fn read(id: u32, function: Address) -> EntryReference {
        EntryReference { id, site: function.offset(u64::from(id)), function }
    }

    fn server(port: u16, role: Role) -> Contacts {
        let endpoint = Endpoint {
            host: "192.0.2.1".to_owned(),
            port,
            role,
            source: Source::Computed,
            is_observed: true,
            site: WRITER,
            function: WRITER,
            handovers: Vec::new(),
            overwritten_by: None,
            forced: Vec::new(),
            place: None,
        };
        Contacts { endpoints: vec![endpoint], ..Contacts::default() }
    }

    fn role_of_first(
        entries: &[Entry],
        references: &[EntryReference],
        contacts: &Contacts,
    ) -> Option<Role> {
        purposes(entries, references, contacts).get(&1).copied()
    }

    #[test]
    fn a_port_is_that_of_the_server_whose_address_its_reader_writes() {
        let entries = [entry(1, 48101)];
        let read_there = [read(1, WRITER)];
        let role = |contacts: &Contacts| role_of_first(&entries, &read_there, contacts);
        assert_eq!(role(&server(48101, Role::C2)), Some(Role::C2));
        assert_eq!(role(&server(48101, Role::ScanReceiver)), Some(Role::ScanReceiver));
        assert_eq!(role(&server(48101, Role::Decoy)), None);
        assert_eq!(role(&server(48102, Role::C2)), None);
        let c2 = server(48101, Role::C2);
        assert_eq!(role_of_first(&entries, &[read(1, OTHER)], &c2), None);
        assert_eq!(role_of_first(&entries, &[read(1, WRITER), read(1, OTHER)], &c2), None);
        assert_eq!(role_of_first(&entries, &[], &c2), None);
    }

    #[test]
    fn the_port_of_a_host_from_outside_is_the_only_one_that_is_fetched_there() {
        let external = External {
            source: Outside::Argument,
            name: None,
            record: None,
            transform: None,
            forced: Vec::new(),
            site: WRITER,
            function: WRITER,
            place: Some(Address(0x8000)),
            handovers: Vec::new(),
        };
        let contacts = Contacts { external: Some(external), ..Contacts::default() };
        let entries = [entry(1, 48101), entry(2, 23)];
        let role = |references: &[EntryReference]| role_of_first(&entries, references, &contacts);
        assert_eq!(role(&[read(1, WRITER), read(2, OTHER)]), Some(Role::C2));
        assert_eq!(role(&[read(1, WRITER), read(2, WRITER)]), None);
        assert_eq!(role(&[read(2, WRITER)]), None);
    }
}
