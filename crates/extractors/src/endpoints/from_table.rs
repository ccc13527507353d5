//! Endpoints that the string table names.
//!
//! How it works: the function that uses a host and a port of the string table connects to them;
//! whether it serves the scanner tells the scan receiver from the C2.
//!
//! False positives: a function that uses a host and a port of the table without connecting to
//! them; of such, those that nothing else speaks for are [`Role::Unknown`]. False negatives: hosts
//! that never meet a port in one function.

use crate::endpoints::constant_addresses::ConstantAddresses;
use crate::endpoints::consumers::EntryReference;
use crate::endpoints::{Endpoint, Role, Source, host, serves};
use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// Hosts and ports of the table that the same function uses.
pub(super) fn endpoints(
    subject: &Subject<'_>,
    table: &Table<'_>,
    references: &[EntryReference],
    scanner: Option<Address>,
) -> Vec<Endpoint> {
    let entry = |id: u32| table.entries.iter().find(|entry| entry.id == id);
    let functions: BTreeSet<Address> =
        references.iter().map(|reference| reference.function).collect();
    let mut endpoints = Vec::new();
    for function in functions {
        let used = |wanted: &dyn Fn(&Entry) -> bool| -> Vec<(&Entry, Address)> {
            let mut found: Vec<(&Entry, Address)> = Vec::new();
            for reference in references.iter().filter(|r| r.function == function) {
                let Some(entry) = entry(reference.id).filter(|entry| wanted(entry)) else {
                    continue;
                };
                if !found.iter().any(|(known, _)| known.id == entry.id) {
                    found.push((entry, reference.site));
                }
            }
            found
        };
        let hosts = used(&|entry| host::parse(&entry.decoded).is_some());
        let ports = used(&|entry| entry.as_port().is_some());
        let [(port_entry, _)] = ports.as_slice() else { continue };
        let role = if serves(subject, function, scanner) { Role::ScanReceiver } else { Role::C2 };
        for (host_entry, site) in hosts {
            let (Some(host), Some(port)) = (host::parse(&host_entry.decoded), port_entry.as_port())
            else {
                continue;
            };
            let source = Source::Table { host: host_entry.id, port: port_entry.id };
            let is_observed = false;
            endpoints.push(Endpoint {
                host,
                port,
                role,
                source,
                is_observed,
                site,
                function,
                handovers: Vec::new(),
                overwritten_by: None,
                forced: Vec::new(),
                place: None,
            });
        }
    }
    endpoints
}

/// Drops endpoints without a role that mix the host of one that has a role with the port of another:
/// where several were inlined into one function, every host meets every port. Gives the dropped.
///
/// False negatives: a server that shares its host with one endpoint and its port with another.
pub(super) fn drop_mixed(endpoints: &mut Vec<Endpoint>) -> Vec<Endpoint> {
    let known: Vec<Endpoint> =
        endpoints.iter().filter(|endpoint| endpoint.role != Role::Unknown).cloned().collect();
    let is_mixed = |endpoint: &Endpoint| {
        endpoint.role == Role::Unknown
            && known.iter().any(|one| one.host == endpoint.host && one.port != endpoint.port)
            && known.iter().any(|one| one.port == endpoint.port && one.host != endpoint.host)
    };
    endpoints.extract_if(.., |endpoint| is_mixed(endpoint)).collect()
}

/// Takes the role of C2 from functions for which too little speaks. A function keeps it that fills
/// in an address kept in the program's data, for another to connect to; or, when the scanner is
/// known, one whose callers are known not to serve it. Of several, only the one that fills in.
pub(super) fn doubt_rivals(
    subject: &Subject<'_>,
    endpoints: &mut [Endpoint],
    constants: &ConstantAddresses,
    scanner: Option<Address>,
) {
    let fills_in = |function: Address| {
        constants
            .assignments
            .iter()
            .filter(|assignment| assignment.function == function)
            .any(|assignment| assignment.computes_host || assignment.computes_port)
    };
    let has_callers = |function: Address| {
        let function = subject.program.function_at(function);
        function.is_some_and(|function| subject.program.callers(function).next().is_some())
    };
    let rivals: BTreeSet<Address> = endpoints
        .iter()
        .filter(|endpoint| endpoint.role == Role::C2)
        .map(|endpoint| endpoint.function)
        .collect();
    let filling: Vec<Address> = rivals.iter().copied().filter(|rival| fills_in(*rival)).collect();
    for endpoint in endpoints.iter_mut().filter(|endpoint| endpoint.role == Role::C2) {
        let believed = match rivals.len() {
            1 => fills_in(endpoint.function) || scanner.is_some() && has_callers(endpoint.function),
            _ => filling == [endpoint.function],
        };
        if !believed {
            endpoint.role = Role::Unknown;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::drop_mixed;
    use crate::endpoints::{Endpoint, Role, Source};
    use miyaburi_image::Address;

    fn endpoint(host: &str, port: u16, role: Role) -> Endpoint {
        Endpoint {
            host: host.to_owned(),
            port,
            role,
            source: Source::Table { host: 1, port: 2 },
            is_observed: false,
            site: Address(0),
            function: Address(0),
            handovers: Vec::new(),
            overwritten_by: None,
            forced: Vec::new(),
            place: None,
        }
    }

    #[test]
    fn a_mixture_of_known_endpoints_is_dropped_and_nothing_else() {
        let c2 = endpoint("a.test", 23, Role::C2);
        let receiver = endpoint("b.test", 48101, Role::ScanReceiver);
        let mut found = vec![
            c2.clone(),
            receiver.clone(),
            endpoint("a.test", 48101, Role::Unknown),
            endpoint("a.test", 80, Role::Unknown),
            endpoint("c.test", 23, Role::Unknown),
        ];
        let dropped = drop_mixed(&mut found);
        assert_eq!(dropped, [endpoint("a.test", 48101, Role::Unknown)]);
        let kept = [endpoint("a.test", 80, Role::Unknown), endpoint("c.test", 23, Role::Unknown)];
        assert_eq!(found, [&[c2, receiver][..], &kept[..]].concat());
    }
}
