//! Whom the program talks to, and what for.
//!
//! How it works: the table's entries are read from who uses them ([`from_table`]), the routines
//! that put an address where the program connects to are run ([`observation`]), and socket
//! addresses that the code spells out get their role from the call they are given to: what is bound
//! serves to run only one instance, port 53 is asked for names. Constants that are overwritten are
//! decoys ([`decoys`]).
//!
//! False positives: those of the modules named; the server of any program that keeps the address
//! it connects to in its data and has another function fill it in, which is why a C2 alone makes no
//! finding of the family. False negatives: those of the modules named; C2s at port 53.

pub mod constant_addresses;
pub mod consumers;
mod decoys;
pub mod experiments;
pub mod external;
mod from_table;
pub mod host;
pub mod midway;
mod observation;
pub mod observed;
pub mod ports;
pub mod preparation;
pub mod reported;
mod settled;
pub mod socket_address;
pub mod socket_calls;
pub mod transport;
pub mod trial;

use crate::found::{Diagnostic, Found};
use crate::string_table::Table;
use crate::subject::Subject;
use constant_addresses::{ConstantAddresses, Use};
use consumers::EntryReference;
use experiments::Forced;
use external::External;
use miyaburi_analysis::FunctionId;
use miyaburi_emulator::SocketCall;
use miyaburi_image::Address;
use rustc_hash::FxHashSet;
use socket_calls::Handover;

/// The name under which diagnostics are given.
const STAGE: &str = "endpoints";

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
    /// Another bot.
    Peer,
    /// The C2 is published there.
    DeadDrop,
    /// Connected to, for what is not known.
    Unknown,
}

impl Role {
    /// As diagnostics call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::C2 => "C2",
            Self::ScanReceiver => "scan receiver",
            Self::Resolver => "resolver",
            Self::Decoy => "decoy",
            Self::SingleInstance => "single instance",
            Self::Peer => "peer",
            Self::DeadDrop => "dead drop",
            Self::Unknown => "unknown",
        }
    }
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
    /// The socket calls that are handed it, as far as known.
    pub handovers: Vec<Handover>,
    /// Of a decoy, the instruction that writes over it.
    pub overwritten_by: Option<Writing>,
    /// Where it lies when it is connected to, when in the program's data.
    pub place: Option<Address>,
    /// The branches that were forced to get there, when it was not reached otherwise.
    pub forced: Vec<Forced>,
}

/// An instruction that writes, and its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writing {
    /// The instruction.
    pub site: Address,
    /// The function.
    pub function: Address,
}

/// Everything about whom the program talks to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Endpoints; C2s in the order in which the program chooses among them, where that was seen.
    pub endpoints: Vec<Endpoint>,
    /// Where the C2 comes from, when it was seen to come from outside the file.
    pub external: Option<External>,
    /// What the program was seen to write to standard output.
    pub printed: Vec<u8>,
}

/// The endpoints of a program with its table and the socket addresses that its code spells out. One
/// that is likely of the family is also run from its entry.
pub fn extract<'a>(
    subject: &mut Subject<'a>,
    table: Option<&Table<'a>>,
    references: &[EntryReference],
    scanner: Option<Address>,
    constants: &ConstantAddresses,
    is_likely: bool,
) -> Found<Contacts> {
    let mut endpoints = Vec::new();
    if let Some(table) = table {
        endpoints.extend(from_table::endpoints(subject, table, references, scanner));
        from_table::doubt_rivals(subject, &mut endpoints, constants, scanner);
    }
    let observed = observation::observe(subject, table, constants, scanner);
    let mut diagnostics = agree(&mut endpoints, observed.endpoints);
    let mixed = from_table::drop_mixed(&mut endpoints);
    diagnostics.extend(mixed.into_iter().map(|dropped| {
        let (host, port) = (&dropped.host, dropped.port);
        let message = format!(
            "{host} and port {port} are used in one function, but belong to others: not an endpoint"
        );
        Diagnostic::note(STAGE, message, Some(dropped.site))
    }));
    endpoints.extend(constants.uses.iter().filter_map(from_use));
    let found = decoys::find(constants, &endpoints);
    // A caller's stores are its callees', too: what is connected to is no decoy.
    let is_known = |decoy: &Endpoint| {
        let rivals = |one: &Endpoint| one.role == Role::Decoy && one.function == decoy.function;
        endpoints.iter().any(|one| is_same(one, decoy) || rivals(one))
    };
    let found: Vec<Endpoint> = found.into_iter().filter(|decoy| !is_known(decoy)).collect();
    endpoints.extend(found);
    let mut external = observed.external;
    let mut printed = Vec::new();
    if is_likely {
        let barred: Vec<Address> = scanner.into_iter().collect();
        let known: Vec<String> = endpoints.iter().map(|endpoint| endpoint.host.clone()).collect();
        let reached = experiments::run(subject, constants, table, &barred, &known);
        if let Some(reached) = reached {
            diagnostics.extend(settled::settle(&mut endpoints, &reached, constants));
            external = external.or(reached.external);
            printed = reached.printed;
        }
    }
    if let Some(table) = table {
        drop_undecoded(table, &mut endpoints);
    }
    let mut seen = FxHashSet::default();
    endpoints.retain(|endpoint| {
        seen.insert((endpoint.host.clone(), endpoint.port, endpoint.role as u8))
    });
    let doubtful = endpoints.iter().filter(|endpoint| endpoint.role == Role::Unknown);
    diagnostics.extend(doubtful.map(|endpoint| {
        let message = format!("what {}:{} is for is not known", endpoint.host, endpoint.port);
        Diagnostic::doubt(STAGE, message, Some(endpoint.site))
    }));
    Found { finding: Contacts { endpoints, external, printed }, diagnostics }
}

/// Leaves out endpoints whose port is that of an entry as it is stored, where the same host has
/// another: a run that began behind the decoding saw it.
fn drop_undecoded(table: &Table<'_>, endpoints: &mut Vec<Endpoint>) {
    let stored: FxHashSet<u16> = table
        .entries
        .iter()
        .filter(|entry| entry.as_port().is_some())
        // What was decoded when it was added is stored as it is used.
        .filter(|entry| entry.encoded.get(..2) != entry.decoded.get(..2))
        .filter_map(|entry| Some(u16::from_be_bytes(entry.encoded.get(..2)?.try_into().ok()?)))
        .collect();
    let is_stored = |endpoint: &Endpoint| stored.contains(&endpoint.port);
    let plain: FxHashSet<String> = endpoints
        .iter()
        .filter(|endpoint| !is_stored(endpoint))
        .map(|endpoint| endpoint.host.clone())
        .collect();
    endpoints.retain(|endpoint| !(is_stored(endpoint) && plain.contains(&endpoint.host)));
}

fn is_same(one: &Endpoint, other: &Endpoint) -> bool {
    one.host == other.host && one.port == other.port
}

/// Brings together what the table says and what was observed. An endpoint that both name is
/// confirmed; a C2 of the table that another routine uses than the one observed is none. Where the
/// two disagree, the run is believed, and both are told.
fn agree(endpoints: &mut Vec<Endpoint>, observed: Vec<Endpoint>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for endpoint in endpoints.iter_mut() {
        let observed_c2 = || observed.iter().find(|seen| seen.role == Role::C2);
        if let Some(seen) = observed.iter().find(|seen| is_same(seen, endpoint)) {
            if ![seen.role, Role::Unknown].contains(&endpoint.role) {
                diagnostics.push(disagreement(endpoint, seen));
            }
            endpoint.is_observed = true;
            endpoint.role = seen.role;
            endpoint.place = seen.place;
            endpoint.handovers.clone_from(&seen.handovers);
        } else if endpoint.role == Role::C2
            && !observed.iter().any(|seen| seen.function == endpoint.function)
            && let Some(seen) = observed_c2()
        {
            diagnostics.push(disagreement(endpoint, seen));
            endpoint.role = Role::Unknown;
        }
    }
    let known_order = observed.clone();
    let known = endpoints.clone();
    endpoints
        .extend(observed.into_iter().filter(|seen| !known.iter().any(|one| is_same(one, seen))));
    let order = |endpoint: &Endpoint| known_order.iter().position(|one| is_same(one, endpoint));
    endpoints.sort_by_key(|endpoint| order(endpoint).unwrap_or(usize::MAX));
    diagnostics
}

/// Tells what two methods say of one thing.
fn disagreement(named: &Endpoint, seen: &Endpoint) -> Diagnostic {
    let message = format!(
        "the code names {}:{} as {} at {}; a run shows {}:{} as {} at {}: the run was believed",
        named.host,
        named.port,
        named.role.name(),
        named.site,
        seen.host,
        seen.port,
        seen.role.name(),
        seen.site,
    );
    Diagnostic::doubt(STAGE, message, Some(named.site))
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
    let role = match used.call() {
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
        handovers: vec![used.handover()],
        overwritten_by: None,
        forced: Vec::new(),
        place: used.place,
    })
}
