//! Ports of the string table that nobody was seen reading, or that a routine reads which is not seen
//! connecting: told by what is left when all others are known.

use miyaburi_extractors::endpoints::{Contacts, Role};
use miyaburi_model::{EntryRole, EntryValue, TableEntry};

/// Gives the role of a server's port to the one entry that can be it, where no other entry
/// has that role: for a server whose port is known, the entry of the same number; for a C2 that
/// comes from outside, the only port that is left.
///
/// False positives: another number that happens to be the server's port, when the server's own port
/// is no entry; beside a C2 from outside, the port of something else. False negatives: two entries
/// of the same number.
pub(super) fn add_port_roles(entries: &mut [TableEntry], contacts: &Contacts) {
    for (server, role) in
        [(Role::C2, EntryRole::C2Port), (Role::ScanReceiver, EntryRole::ScanReceiverPort)]
    {
        if entries.iter().any(|entry| entry.role == role) {
            continue;
        }
        let mut known: Vec<u16> = contacts
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.role == server)
            .map(|endpoint| endpoint.port)
            .collect();
        known.dedup();
        let is_outside = server == Role::C2 && contacts.external.is_some();
        let is_port = |port: u16| match known.as_slice() {
            [known] => port == *known,
            _ => known.is_empty() && is_outside,
        };
        let mut left = entries.iter_mut().filter(|entry| {
            let port = match entry.value {
                EntryValue::Port { port } => Some(port),
                _ => None,
            };
            // Who reads a port says little about it: a part may resolve names for another.
            let is_taken = [EntryRole::C2Port, EntryRole::ScanReceiverPort].contains(&entry.role);
            !is_taken && port.is_some_and(is_port)
        });
        if let (Some(entry), None) = (left.next(), left.next()) {
            entry.role = role;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::add_port_roles;
    use miyaburi_extractors::endpoints::external::{External, Outside};
    use miyaburi_extractors::endpoints::{Contacts, Endpoint, Role, Source};
    use miyaburi_image::Address;
    use miyaburi_model::{EntryRole, EntryValue, TableEntry};

    fn port(id: u32, port: u16) -> TableEntry {
        TableEntry {
            id,
            value: EntryValue::Port { port },
            hex: port.to_be_bytes().to_vec().into(),
            role: EntryRole::Unknown,
            cipher: None,
            effective_key: None,
            stale: false,
            code_hex: None,
            stored: None,
            cell: None,
            references: Vec::new(),
            evidence: Vec::new(),
        }
    }

    fn server(port: u16, role: Role) -> Endpoint {
        Endpoint {
            host: "192.0.2.1".to_owned(),
            port,
            role,
            source: Source::Computed,
            is_observed: true,
            site: Address(0),
            function: Address(0),
            handovers: Vec::new(),
            overwritten_by: None,
            forced: Vec::new(),
            place: None,
        }
    }

    fn roles(entries: &[TableEntry], contacts: &Contacts) -> Vec<EntryRole> {
        let mut entries = entries.to_vec();
        add_port_roles(&mut entries, contacts);
        entries.into_iter().map(|entry| entry.role).collect()
    }

    const UNKNOWN: EntryRole = EntryRole::Unknown;

    #[test]
    fn the_only_entry_with_a_servers_port_is_it() {
        let c2 = Contacts { endpoints: vec![server(3778, Role::C2)], ..Contacts::default() };
        let entries = [port(1, 3778), port(2, 23)];
        assert_eq!(roles(&entries, &c2), [EntryRole::C2Port, UNKNOWN]);
        assert_eq!(roles(&[port(1, 3778), port(2, 3778)], &c2), [UNKNOWN, UNKNOWN]);
        let known = TableEntry { role: EntryRole::C2Port, ..port(1, 3778) };
        assert_eq!(roles(&[known, port(2, 3778)], &c2), [EntryRole::C2Port, UNKNOWN]);
        let read_by_an_attack = TableEntry { role: EntryRole::AttackPayload, ..port(1, 3778) };
        assert_eq!(roles(&[read_by_an_attack], &c2), [EntryRole::C2Port]);
        let text = EntryValue::Text { text: "3778".to_owned() };
        assert_eq!(roles(&[TableEntry { value: text, ..port(1, 3778) }], &c2), [UNKNOWN]);
    }

    #[test]
    fn the_only_port_left_is_that_of_a_c2_from_outside() {
        let external = Some(External {
            source: Outside::Argument,
            name: None,
            record: None,
            transform: None,
            site: Address(0),
            function: Address(0),
            place: None,
            handovers: Vec::new(),
            forced: Vec::new(),
        });
        let outside = Contacts { external, ..Contacts::default() };
        assert_eq!(roles(&[port(1, 55629)], &outside), [EntryRole::C2Port]);
        assert_eq!(roles(&[port(1, 55629), port(2, 23)], &outside), [UNKNOWN, UNKNOWN]);
        let nothing = Contacts::default();
        assert_eq!(roles(&[port(1, 55629)], &nothing), [UNKNOWN]);
    }
}
