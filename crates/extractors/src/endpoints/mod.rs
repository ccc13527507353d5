//! Whom the program talks to, and what for.
//!
//! How it works: the function that uses a host and a port of the string table connects to them;
//! whether it serves the scanner tells the scan receiver from the C2. Socket addresses that the
//! code spells out get their role from the call they are given to: what is bound serves to run
//! only one instance, port 53 is asked for names, and the one constant that is
//! overwritten with a computed address is a decoy.
//!
//! False positives: a function that uses a host and a port of the table without connecting to
//! them; the server of any program that keeps the address it connects to in its data and has
//! another function fill it in, which is why a C2 alone makes no finding of the family. False
//! negatives: hosts that never meet a port in one function; C2s at port 53.

pub mod constant_addresses;
pub mod consumers;
pub mod host;
pub mod observed;
pub mod socket_address;
pub mod socket_calls;

use crate::found::{Diagnostic, Found};
use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use constant_addresses::{Assignment, ConstantAddresses, Use};
use consumers::EntryReference;
use miyaburi_analysis::FunctionId;
use miyaburi_emulator::SocketCall;
use miyaburi_image::Address;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// The port of name servers.
const DNS: u16 = 53;

/// What an endpoint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Commands come from there.
    C2,
    /// Working logins are reported there.
    ScanReceiver,
    /// Asked for names.
    Resolver,
    /// Written first, replaced before use.
    Decoy,
    /// Bound to keep a second instance from starting.
    SingleInstance,
    /// Connected to, for what is not known.
    Unknown,
}

/// Where an endpoint's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The string table, host and port under these ids.
    Table {
        /// The host's id.
        host: u32,
        /// The port's id.
        port: u32,
    },
    /// Constants in code.
    Constant,
    /// Something that a routine works out when it is run.
    Computed,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What it is for.
    pub role: Role,
    /// Where it comes from.
    pub source: Source,
    /// Whether a run filled it in where the program connects to.
    pub is_observed: bool,
    /// The instruction that fetches or writes it.
    pub site: Address,
    /// The function that does.
    pub function: Address,
}

/// The endpoints of a program with its table and the socket addresses that its code spells out.
pub fn extract<'a>(
    subject: &mut Subject<'a>,
    table: Option<&Table<'a>>,
    references: &[EntryReference],
    scanner: Option<Address>,
    constants: &ConstantAddresses,
) -> Found<Vec<Endpoint>> {
    let mut endpoints = Vec::new();
    if let Some(table) = table {
        endpoints.extend(from_table(subject, table, references, scanner));
        doubt_rivals(subject, &mut endpoints, constants, scanner);
    }
    let observed = observe(subject, table, constants, scanner);
    agree(&mut endpoints, observed);
    endpoints.extend(constants.uses.iter().filter_map(from_use));
    let c2 = endpoints.iter().filter(|endpoint| endpoint.role == Role::C2);
    let c2: Vec<Address> = c2.map(|endpoint| endpoint.function).collect();
    let mut decoys = decoys(constants, &c2);
    // A caller's stores are its callees', too: what is connected to is no decoy.
    decoys.retain(|decoy| !endpoints.iter().any(|endpoint| is_same(endpoint, decoy)));
    endpoints.extend(decoys);
    let mut seen = FxHashSet::default();
    endpoints.retain(|endpoint| {
        seen.insert((endpoint.host.clone(), endpoint.port, endpoint.role as u8))
    });
    let doubtful = endpoints.iter().filter(|endpoint| endpoint.role == Role::Unknown);
    let diagnostics = doubtful
        .map(|endpoint| Diagnostic {
            stage: "endpoints",
            message: format!("what {}:{} is for is not known", endpoint.host, endpoint.port),
            at: Some(endpoint.site),
        })
        .collect();
    Found { finding: endpoints, diagnostics }
}

/// What routines fill in where the program connects to.
///
/// Of several routines that write there, the one that also says of which family the address is
/// prepares it; what that one writes is what it starts with.
///
/// False negatives: a routine that fills in all of it, the family too, when its caller writes there
/// as well, which it also does by calling it.
fn observe<'a>(
    subject: &mut Subject<'a>,
    table: Option<&Table<'a>>,
    constants: &ConstantAddresses,
    scanner: Option<Address>,
) -> Vec<Endpoint> {
    let state = table.map_or_else(|| subject.bare_state(), |table| table.filled.clone());
    let mut endpoints = Vec::new();
    for assignment in &constants.assignments {
        let place = assignment.place;
        let is_connected = constants
            .uses
            .iter()
            .any(|used| used.place == Some(place) && used.call == SocketCall::Connect);
        let others = constants.assignments.iter().filter(|other| other.place == place);
        let is_only = others.clone().count() == 1;
        let connects = constants
            .uses
            .iter()
            .any(|used| used.place == Some(place) && used.function == assignment.function);
        if !is_connected || connects || assignment.sets_family && !is_only {
            continue;
        }
        let function = assignment.function;
        let filled = observed::filled_in(subject, &state, function, place);
        let serves_scanner = serves(subject, function, scanner);
        // What it does not write stays as it was.
        let writes_port = assignment.computes_port || assignment.address.port.is_some();
        let left = || others.clone().find_map(|other| other.address.port);
        let left = left().filter(|_| filled.is_complete && !writes_port);
        let Some(port) = filled.port.or(assignment.address.port).or(left) else { continue };
        let role = match port {
            DNS => Role::Resolver,
            _ if serves_scanner => Role::ScanReceiver,
            _ => Role::C2,
        };
        for host in filled.hosts {
            let constant = assignment.address.host.map(|host| host.to_string());
            let is_constant = constant.as_ref() == Some(&host);
            endpoints.push(Endpoint {
                host,
                port,
                role,
                source: if is_constant { Source::Constant } else { Source::Computed },
                is_observed: true,
                site: assignment.instruction,
                function,
            });
        }
    }
    endpoints
}

fn is_same(one: &Endpoint, other: &Endpoint) -> bool {
    one.host == other.host && one.port == other.port
}

/// Brings together what the table says and what was observed. An endpoint that both name is
/// confirmed; a C2 of the table that another routine uses than the one observed is none.
fn agree(endpoints: &mut Vec<Endpoint>, observed: Vec<Endpoint>) {
    for endpoint in endpoints.iter_mut() {
        if let Some(seen) = observed.iter().find(|seen| is_same(seen, endpoint)) {
            endpoint.is_observed = true;
            endpoint.role = seen.role;
        } else if endpoint.role == Role::C2
            && observed.iter().any(|seen| seen.role == Role::C2)
            && !observed.iter().any(|seen| seen.function == endpoint.function)
        {
            endpoint.role = Role::Unknown;
        }
    }
    let known = endpoints.clone();
    endpoints
        .extend(observed.into_iter().filter(|seen| !known.iter().any(|one| is_same(one, seen))));
}

/// Hosts and ports of the table that the same function uses.
fn from_table(
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
            endpoints.push(Endpoint { host, port, role, source, is_observed, site, function });
        }
    }
    endpoints
}

/// Takes the role of C2 from functions for which too little speaks. A function keeps it that fills
/// in an address kept in the program's data, for another to connect to; or, when the scanner is
/// known, one whose callers are known not to serve it. Of several, only the one that fills in.
fn doubt_rivals(
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

/// Whether `function` is the scanner or is called, directly or through others, by it alone.
fn serves(subject: &Subject<'_>, function: Address, scanner: Option<Address>) -> bool {
    let program = subject.program;
    let (Some(function), Some(scanner)) =
        (program.function_at(function), scanner.and_then(|scanner| program.function_at(scanner)))
    else {
        return false;
    };
    let mut waiting: Vec<FunctionId> = vec![function];
    let mut seen: FxHashSet<FunctionId> = waiting.iter().copied().collect();
    let mut reached = false;
    while let Some(next) = waiting.pop() {
        if next == scanner {
            reached = true;
            continue;
        }
        waiting.extend(
            program.callers(next).map(|site| site.caller).filter(|caller| seen.insert(*caller)),
        );
    }
    reached
}

/// The endpoint that a socket call with a fully known address has.
fn from_use(used: &Use) -> Option<Endpoint> {
    let host = used.address.host.filter(|host| !host.is_unspecified())?;
    let port = used.address.port?;
    let role = match used.call {
        SocketCall::Bind => Role::SingleInstance,
        SocketCall::Connect | SocketCall::SendTo if port == DNS => Role::Resolver,
        _ => return None,
    };
    Some(Endpoint {
        host: host.to_string(),
        port,
        role,
        source: Source::Constant,
        is_observed: false,
        site: used.site,
        function: used.function,
    })
}

/// Constant addresses that are overwritten with a computed one: by a function that fetches a C2, or
/// before a connection.
fn decoys(constants: &ConstantAddresses, c2: &[Address]) -> Vec<Endpoint> {
    let is_connected = |place: Address| {
        constants
            .uses
            .iter()
            .any(|used| used.place == Some(place) && used.call == SocketCall::Connect)
    };
    let overwritten = |assignment: &Assignment| {
        constants.assignments.iter().any(|other| {
            let is_replaced = other.computes_host || other.function != assignment.function;
            other.place == assignment.place
                && is_replaced
                && (other.computes_host && is_connected(other.place)
                    || c2.contains(&other.function))
        })
    };
    let is_only_constant = |assignment: &Assignment| {
        constants
            .assignments
            .iter()
            .filter(|other| other.place == assignment.place && !c2.contains(&other.function))
            .filter(|other| other.address.host.is_some())
            .count()
            == 1
    };
    constants
        .assignments
        .iter()
        .filter(|assignment| !c2.contains(&assignment.function))
        .filter(|assignment| overwritten(assignment) && is_only_constant(assignment))
        .filter_map(|assignment| {
            Some(Endpoint {
                host: assignment.address.host?.to_string(),
                port: assignment.address.port?,
                role: Role::Decoy,
                source: Source::Constant,
                is_observed: false,
                site: assignment.instruction,
                function: assignment.function,
            })
        })
        .collect()
}
