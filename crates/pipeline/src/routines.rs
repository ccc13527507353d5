//! Which routines and data of the program play which role.

use crate::findings::Findings;
use core::net::Ipv6Addr;
use miyaburi_analysis::Program;
use miyaburi_extractors::endpoints::Role;
use miyaburi_extractors::string_table::Table;
use miyaburi_extractors::string_table::accessors::Access;
use miyaburi_image::Address;
use miyaburi_model::{DataItem, Function, VirtualAddress};
use std::collections::BTreeMap;

/// The routines whose role is known, by address; a routine in which several were inlined has the
/// first of its roles in the order in which they are gathered here.
pub(crate) fn of(program: &Program<'_>, findings: &Findings<'_>) -> Vec<Function> {
    let mut roles: BTreeMap<Address, &str> = BTreeMap::new();
    let mut add = |address: Option<Address>, role: &'static str| {
        if let Some(address) = address {
            roles.entry(address).or_insert(role);
        }
    };
    if let Some(table) = &findings.table {
        add(Some(table.initialiser).filter(|_| table.is_filled), "table_init");
        for accessor in &table.accessors {
            let role = match accessor.access {
                Access::Toggles => "toggle_obf",
                Access::Retrieves => "table_retrieve_val",
            };
            add(Some(accessor.routine.function), role);
        }
    }
    if let Some(list) = &findings.list {
        add(list.adder, "add_auth_entry");
        add(Some(list.scanner), "scanner_init");
    }
    if let Some(registry) = &findings.registry {
        add(Some(registry.initialiser), "attack_init");
        for handler in registry.handlers() {
            add(Some(handler), "attack");
        }
    }
    for endpoint in &findings.contacts.endpoints {
        let role = match endpoint.role {
            // Seen at the connection alone.
            Role::C2 if endpoint.handovers.iter().any(|it| it.site == endpoint.site) => continue,
            Role::C2 => "resolve_cnc_addr",
            Role::ScanReceiver => "report_working",
            Role::SingleInstance => "ensure_single_instance",
            Role::Resolver | Role::Decoy | Role::Peer | Role::DeadDrop | Role::Unknown => continue,
        };
        add(Some(endpoint.function), role);
    }
    // Last: the routines above may have connected themselves.
    let c2 = findings.contacts.endpoints.iter().filter(|endpoint| endpoint.role == Role::C2);
    for handover in c2.flat_map(|endpoint| &endpoint.handovers) {
        let function = program.function_containing(handover.site);
        let function = function.and_then(|function| program.function(function));
        add(function.map(|function| function.entry), "establish_connection");
    }
    let extent = |entry: Address| {
        let function = program.function(program.function_at(entry)?)?;
        let end = function.blocks().iter().map(|block| block.end).max()?;
        end.distance_from(entry).filter(|size| *size > 0)
    };
    roles
        .into_iter()
        .map(|(entry, role)| Function {
            address: VirtualAddress(entry.0),
            size: extent(entry),
            role: role.to_owned(),
        })
        .collect()
}

/// The data whose role is known.
pub(crate) fn data_of(findings: &Findings<'_>) -> Vec<DataItem> {
    let table = findings.table.iter().filter_map(string_table);
    let registry = findings.registry.iter().filter_map(|registry| registry.place);
    let registry = registry.map(|(address, size)| DataItem {
        address: VirtualAddress(address.0),
        size: Some(size),
        role: "attack_registry".to_owned(),
    });
    table.chain(registry).chain(c2_addresses(findings)).collect()
}

/// The socket addresses through which C2s are connected to.
fn c2_addresses(findings: &Findings<'_>) -> impl Iterator<Item = DataItem> {
    /// `struct sockaddr_in` and `struct sockaddr_in6` of Linux.
    const SIZES: [u64; 2] = [16, 28];
    let endpoints = findings.contacts.endpoints.iter();
    let c2 = endpoints.filter(|endpoint| endpoint.role == Role::C2);
    let places: BTreeMap<Address, u64> = c2
        .filter_map(|c2| {
            let [short, long] = SIZES;
            let size = if c2.host.parse::<Ipv6Addr>().is_ok() { long } else { short };
            Some((c2.place?, size))
        })
        .collect();
    places.into_iter().map(|(place, size)| DataItem {
        address: VirtualAddress(place.0),
        size: Some(size),
        role: "c2_socket_address".to_owned(),
    })
}

/// The table, as far as it has entries and lies in the program's own data.
fn string_table(table: &Table<'_>) -> Option<DataItem> {
    if table.is_allocated || table.stride == 0 {
        return None;
    }
    let last = table.entries.iter().map(|entry| entry.cell).max()?;
    let size = last.distance_from(table.base)?.checked_add(table.stride)?;
    let address = VirtualAddress(table.record_at(table.base).0);
    Some(DataItem { address, size: Some(size), role: "string_table".to_owned() })
}
