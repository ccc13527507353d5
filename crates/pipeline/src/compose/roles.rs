//! What entries and strings are for in the terms of the report.

use miyaburi_extractors::endpoints::{self, Role, Source};
use miyaburi_extractors::roles::Purpose;
use miyaburi_model::EntryRole;

/// The role of an entry that is the port of a server of this role.
pub(super) const fn port_role_of(server: Role) -> Option<EntryRole> {
    match server {
        Role::C2 => Some(EntryRole::C2Port),
        Role::ScanReceiver => Some(EntryRole::ScanReceiverPort),
        _ => None,
    }
}

/// The role of an entry by who reads it.
pub(super) fn role_of(purpose: Purpose) -> EntryRole {
    match purpose {
        Purpose::Resolver => EntryRole::Resolver,
        Purpose::ScannerDialogue => EntryRole::ScannerDialogue,
        Purpose::Killer => EntryRole::Killer,
        Purpose::Watchdog => EntryRole::Watchdog,
        Purpose::AttackPayload => EntryRole::AttackPayload,
        Purpose::HttpFragment => EntryRole::HttpFragment,
        Purpose::UserAgent => EntryRole::UserAgent,
        Purpose::ExecutionMessage => EntryRole::ExecutionMessage,
    }
}

/// The role of an entry that an endpoint is made of.
pub(super) fn endpoint_role_of(id: u32, endpoints: &[endpoints::Endpoint]) -> Option<EntryRole> {
    endpoints.iter().find_map(|endpoint| {
        let Source::Table { host, port } = endpoint.source else { return None };
        match endpoint.role {
            Role::C2 if id == host => Some(EntryRole::C2Host),
            Role::C2 if id == port => Some(EntryRole::C2Port),
            Role::ScanReceiver if id == host => Some(EntryRole::ScanReceiverHost),
            Role::ScanReceiver if id == port => Some(EntryRole::ScanReceiverPort),
            _ => None,
        }
    })
}

/// The role of a text that is the host of endpoints of one role.
pub(super) fn host_role_of(text: &str, endpoints: &[endpoints::Endpoint]) -> Option<EntryRole> {
    let mut roles = endpoints.iter().filter(|endpoint| endpoint.host == text).map(|endpoint| {
        match endpoint.role {
            Role::C2 => Some(EntryRole::C2Host),
            Role::ScanReceiver => Some(EntryRole::ScanReceiverHost),
            _ => None,
        }
    });
    let first = roles.next()?;
    first.filter(|_| roles.all(|role| role == first))
}
