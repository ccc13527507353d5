//! Where the program would connect, seen by running it from its entry in several experiments.
//!
//! How it works: the program runs under the virtual Linux until it makes its first socket. From that
//! moment it is run on again and again: where all that it connects to answers, where everybody
//! refuses, where names do not exist, with other addresses behind names and in records. What it
//! connects to with all answers it has itself; what follows the answers comes from outside, and two
//! answers and two connections tell what it does to them. The moment itself is prepared in several
//! ways: under another name, with an argument, after `SIGTRAP`. Where one of them leads elsewhere
//! than the plain start, the plain start's destination is a decoy. Where the program turns away from
//! every connection, the branch is [forced](watch).
//!
//! False positives: a connection to a constant address that serves another purpose, in a program
//! that runs its own routines for nothing else. What is reached only once more branches were forced
//! than for the first connection counts only where the file holds the address; what no second start
//! with other random numbers connects to does not count. False negatives: programs that do
//! not run from their entry, such as dynamic ones; names of which the gate is neither in the string
//! table nor a signal's; transforms of answers that [`transform`] does not know.

mod answers;
mod draws;
mod gates;
mod outcome;
mod outside;
mod session;
mod transform;
mod watch;
mod ways;

pub use transform::Transform;
pub use watch::Forced;

use crate::endpoints::constant_addresses::ConstantAddresses;
use crate::endpoints::external::External;
use crate::endpoints::socket_address::SocketAddress;
use crate::endpoints::socket_calls::{Handover, Reached};
use crate::endpoints::transport::Transport;
use crate::string_table::Table;
use crate::subject::Subject;
use answers::Answers;
use core::cell::RefCell;
use core::net::{IpAddr, SocketAddr};
use gates::Opened;
use miyaburi_emulator::SocketCall;
use miyaburi_image::{Address, Image};
use miyaburi_linux::NetworkAction;
use outcome::{Contact, Host, Outcome};
use rustc_hash::{FxHashMap, FxHashSet};
use session::Visit;
use std::rc::Rc;
use watch::Deed;
use ways::Ways;

/// Instructions of all experiments with one program.
const INSTRUCTIONS: u64 = 8_000_000;

/// Addresses of a list of other bots.
const MIN_PEERS: usize = 2;

/// Someone whom the program would talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// Name or address.
    pub(super) host: String,
    pub(super) port: u16,
    /// The way to the kernel.
    pub(super) handover: Handover,
    /// The function with the first call of it.
    pub(super) function: Address,
    /// The branches that were forced before.
    pub(super) forced: Vec<Forced>,
}

/// Everyone whom the program would talk to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Destinations {
    /// C2s, in the order in which they are tried.
    pub(super) c2: Vec<Destination>,
    /// Whether that order is the same in every run.
    pub(super) is_ordered: bool,
    /// Connected to instead of a C2, where a gate is shut.
    pub(super) decoys: Vec<Destination>,
    /// Other bots.
    pub(super) peers: Vec<Destination>,
    /// Where C2s are published.
    pub(super) dead_drops: Vec<Destination>,
    /// Calls through which streams were opened.
    pub(super) streams: FxHashSet<Address>,
    /// Addresses that were bound, and how.
    pub(super) bound: Vec<(SocketAddr, Transport)>,
    /// Whether the budget was spent before all was tried: what was not reached means nothing.
    pub(super) is_cut: bool,
    /// Where the C2 comes from that is not in the file.
    pub(super) external: Option<External>,
    /// What was written to standard output.
    pub(super) printed: Vec<u8>,
}

/// Runs the experiments. `barred` are functions that run beside the connection to the C2, such as a
/// scanner; `known` are hosts that other methods have found. `None` when the program connects to
/// nobody, as far as it is known, or cannot be started.
pub(super) fn run<'a>(
    subject: &mut Subject<'a>,
    constants: &ConstantAddresses,
    table: Option<&Table<'a>>,
    barred: &[Address],
    known: &[String],
) -> Option<Destinations> {
    let ways = Rc::new(Ways::find(subject, constants, barred));
    if ways.goals.is_empty() {
        return None;
    }
    let whole = subject.budget;
    subject.budget = whole.part(INSTRUCTIONS);
    let granted = subject.budget.left();
    let prepared = constants.assignments.iter().filter(|assignment| assignment.sets_family);
    let prepared: Vec<SocketAddress> = prepared.map(|assignment| assignment.address).collect();
    let found = explore(subject, &ways, table, known, &prepared);
    let spent = granted.saturating_sub(subject.budget.left());
    let is_cut = subject.budget.cut().is_some();
    subject.budget = whole;
    subject.budget.spend(spent);
    found.map(|found| Destinations { is_cut, ..found })
}

fn explore<'a>(
    subject: &mut Subject<'a>,
    ways: &Rc<Ways>,
    table: Option<&Table<'a>>,
    known: &[String],
    prepared: &[SocketAddress],
) -> Option<Destinations> {
    let Opened { gate, session, outcome, shut } = gates::open(subject, ways, table)?;
    let is_shut = shut.is_none() && gates::has_trap(&outcome);
    // Where everybody refuses, all are tried in their order.
    let mut outcomes = vec![Outcome::of(subject, &session, Answers::refusing), outcome];
    if outcomes.iter().any(|outcome| !outcome.visit.asked().is_empty()) {
        outcomes.push(Outcome::of(subject, &session, Answers::nameless));
    }
    let again = match outcomes.first() {
        Some(first) => draws::again(subject, ways, &gate, table, first),
        None => Vec::new(),
    };
    let judge = Judge {
        image: subject.image,
        in_table: table.into_iter().flat_map(addresses).collect(),
        known,
        prepared,
        is_shut,
        first: &outcomes,
        again: &again,
        held: RefCell::default(),
    };
    let place = Place { subject, ways };
    let mut found = Destinations { is_ordered: judge.is_ordered(&outcomes), ..Default::default() };
    for outcome in outcomes.iter().chain(&again) {
        let first = outcome.contacts.first().map_or(0, |contact| contact.deed.forced);
        for contact in &outcome.contacts {
            let is_drop = outside::is_dead_drop(outcome, contact);
            if !judge.believes(contact, first) {
                continue;
            }
            let list = if is_drop { &mut found.dead_drops } else { &mut found.c2 };
            let destination = place.destination(&outcome.visit, contact);
            list.extend(destination.filter(|one| !list.iter().any(|known| known.is_like(one))));
        }
    }
    found.c2.retain(|c2| !found.dead_drops.iter().any(|drop| drop.host == c2.host));
    let opened = outcomes.iter().flat_map(|outcome| &outcome.visit.deeds);
    let opened = opened.filter(|deed| deed.connection().is_some());
    found.streams = opened.flat_map(|deed| deed.through.iter().copied()).collect();
    let written = outcomes.first().map(|outcome| outcome.visit.process.kernel.written(1));
    found.printed = written.unwrap_or_default().to_vec();
    found.bound = outcomes.iter().flat_map(Outcome::bound).collect();
    found.peers = peers(&place, &judge, &outcomes);
    if let Some(shut) = &shut {
        let decoys = shut.contacts.iter().filter(|contact| matches!(contact.host, Host::Own(_)));
        let decoys = decoys.filter_map(|contact| place.destination(&shut.visit, contact));
        found.decoys = decoys.filter(|one| !found.c2.iter().any(|c2| c2.is_like(one))).collect();
    }
    let argument = outcomes.iter().find_map(|outcome| {
        let contact = outcome.contacts.iter().find(|it| gates::is_argument(it.address.ip()))?;
        gate.has_argument.then(|| place.destination(&outcome.visit, contact))?
    });
    if let Some(argument) = argument {
        found.c2.clear();
        found.external = Some(outside::from_argument(&argument));
    } else if found.c2.is_empty() {
        found.external = outside::find(subject, ways, &session, &outcomes);
    }
    // What two starts draw may be the same, when nothing has seeded the generator by then.
    if let Some(first) = outcomes.first().filter(|_| found.c2.len() > 1) {
        let listed = draws::in_order(subject, ways, &gate, table, first, found.c2.len());
        let place = Place { subject, ways };
        let contacts = listed.iter().filter_map(|it| Some((&it.visit, it.contacts.first()?)));
        let order = contacts.filter_map(|(visit, contact)| place.destination(visit, contact));
        found.put_in_order(&order.collect::<Vec<_>>());
    }
    Some(found)
}

impl Destinations {
    /// Puts C2s in an order that holds all of them.
    fn put_in_order(&mut self, order: &[Destination]) {
        let place = |c2: &Destination| order.iter().position(|one| one.is_like(c2));
        if self.c2.iter().all(|c2| place(c2).is_some()) {
            self.c2.sort_by_key(|c2| place(c2));
            self.is_ordered = true;
        }
    }
}

impl Destination {
    /// Whether both are the same host and port.
    fn is_like(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port
    }
}

/// Decides what is believed.
struct Judge<'j, 'a> {
    image: &'j Image,
    /// Addresses that the table holds.
    in_table: FxHashSet<IpAddr>,
    known: &'j [String],
    /// Constants with which the program prepares addresses.
    prepared: &'j [SocketAddress],
    /// Whether there is a gate that no start has opened: what was there first may be a decoy.
    is_shut: bool,
    /// What the first start leads to.
    first: &'j [Outcome<'a>],
    /// What starts with other random numbers lead to.
    again: &'j [Outcome<'a>],
    /// Whether the file holds an address, as far as that was asked.
    held: RefCell<FxHashMap<IpAddr, bool>>,
}

impl Judge<'_, '_> {
    /// Whether a connection counts, when `first` branches were forced before the first one.
    fn believes(&self, contact: &Contact, first: usize) -> bool {
        let host = match &contact.host {
            Host::Named(name) => {
                return self.known.contains(name) || self.is_steady(|it| it.host == contact.host);
            }
            Host::Own(host) => *host,
            Host::InText | Host::InPage | Host::Derived(_) => return false,
        };
        // The host that was there first, with the port of the one that was not resolved.
        let mut first_there = self.prepared.iter().filter(|it| it.host == Some(host)).peekable();
        let port = Some(contact.address.port());
        let is_first = first_there.peek().is_some();
        if is_first && (self.is_shut || first_there.all(|it| it.port != port)) {
            return false;
        }
        let is_known = self.known.contains(&host.to_string());
        let is_steady = self.is_steady(|other| other.address == contact.address);
        let is_plain = contact.deed.forced <= first;
        is_known || is_steady && (is_plain || can_be_host(host) && self.holds(host))
    }

    /// Whether two starts with different random numbers connect there.
    fn is_steady(&self, is_there: impl Fn(&Contact) -> bool) -> bool {
        let meets = |outcome: &Outcome<'_>| outcome.contacts.iter().any(&is_there);
        let others = self.again.iter().filter(|start| meets(start)).count();
        others + usize::from(self.first.iter().any(meets)) > 1
    }

    /// Whether the file holds an address, as bytes or as text, or encoded in its table.
    fn holds(&self, host: IpAddr) -> bool {
        self.in_table.contains(&host)
            || *self.held.borrow_mut().entry(host).or_insert_with(|| self.is_in_file(host))
    }

    fn is_in_file(&self, host: IpAddr) -> bool {
        let text = host.to_string();
        let bytes = match host {
            IpAddr::V4(host) => host.octets().to_vec(),
            IpAddr::V6(host) => host.octets().to_vec(),
        };
        let is_in = |data: &[u8], what: &[u8]| data.windows(what.len()).any(|part| part == what);
        let mut segments = self.image.segments().iter();
        segments.any(|it| is_in(&it.data, &bytes) || is_in(&it.data, text.as_bytes()))
    }

    /// Whether another start with other random numbers sends to the same address.
    fn is_sent_to_again(&self, to: SocketAddr) -> bool {
        let sends = |start: &Outcome<'_>| start.datagrams().iter().any(|(_, other)| *other == to);
        self.again.iter().any(sends)
    }

    /// Whether C2s are tried in the same order whatever is drawn at random.
    fn is_ordered(&self, outcomes: &[Outcome<'_>]) -> bool {
        let hosts = |outcome: &Outcome<'_>| -> Vec<Host> {
            outcome.contacts.iter().map(|contact| contact.host.clone()).collect()
        };
        outcomes
            .first()
            .zip(self.again.first())
            .is_some_and(|(one, other)| hosts(one) == hosts(other))
    }
}

/// The entries of a table that are addresses.
fn addresses(table: &Table<'_>) -> impl Iterator<Item = IpAddr> {
    table.entries.iter().filter_map(|entry| {
        let text = entry.decoded.strip_suffix(&[0]).unwrap_or(&entry.decoded);
        str::from_utf8(text).ok()?.parse().ok()
    })
}

/// Whether an address is no network's, and no network's last: what is left of an empty address may
/// look so.
pub(super) fn can_be_host(host: IpAddr) -> bool {
    match host {
        IpAddr::V4(host) => !matches!(host.octets(), [.., 0 | 255]),
        IpAddr::V6(_) => true,
    }
}

/// Other bots: the file holds the addresses of all of them, one call sends to several, and it does so
/// whatever is drawn at random.
///
/// False positives: several servers of one service that is not known here. Those of time (NTP) and of
/// the own address (STUN) are told by what they are asked. False negatives: lists of which another part
/// is drawn in every run, so that no peer is seen twice.
fn peers(
    place: &Place<'_, '_>,
    judge: &Judge<'_, '_>,
    outcomes: &[Outcome<'_>],
) -> Vec<Destination> {
    let mut found: Vec<Destination> = Vec::new();
    for outcome in outcomes {
        for (deed, to) in outcome.datagrams() {
            let destination = place.of(&outcome.visit, deed, to.ip().to_string(), to.port());
            let is_new = |one: &Destination| !found.iter().any(|known| known.is_like(one));
            let is_peer = judge.is_sent_to_again(to)
                && !matches!(&deed.event.action, NetworkAction::Sent(bytes) if is_service(bytes))
                && judge.holds(to.ip());
            found.extend(destination.filter(|one| is_peer && is_new(one)));
        }
    }
    let sites: Vec<Address> = found.iter().map(|one| one.handover.site).collect();
    let is_one_of_many =
        |site: Address| sites.iter().filter(|other| **other == site).count() >= MIN_PEERS;
    found.retain(|one| is_one_of_many(one.handover.site));
    found
}

/// Whether a datagram asks a server that everybody asks: for the time (NTP, RFC 5905: a client's or a
/// symmetric peer's packet of 48 bytes, version 1 to 4) or for the own address (STUN, RFC 8489: the
/// magic number behind type and length).
fn is_service(bytes: &[u8]) -> bool {
    const NTP_SIZE: usize = 48;
    const NTP_MODES: [u8; 2] = [1, 3];
    const STUN_NUMBER: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    let first = bytes.first().copied().unwrap_or(0);
    let asks_time = bytes.len() == NTP_SIZE
        && NTP_MODES.contains(&(first & 7))
        && (1..=4).contains(&(first >> 3 & 7));
    asks_time || bytes.len() >= 20 && bytes.get(4..8) == Some(&STUN_NUMBER)
}

/// Knows the code around what was done.
struct Place<'p, 'a> {
    subject: &'p Subject<'a>,
    ways: &'p Ways,
}

impl Place<'_, '_> {
    /// Whom a connection was made to; `None` for what the program does not have itself.
    fn destination(&self, visit: &Visit<'_>, contact: &Contact) -> Option<Destination> {
        let host = match &contact.host {
            Host::Own(host) => host.to_string(),
            Host::Named(name) => name.clone(),
            Host::InText | Host::InPage | Host::Derived(_) => return None,
        };
        self.of(visit, &contact.deed, host, contact.address.port())
    }

    fn of(&self, visit: &Visit<'_>, deed: &Deed, host: String, port: u16) -> Option<Destination> {
        let handover = self.handover(deed)?;
        let function = self.subject.program.function_containing(handover.site);
        let function = function.and_then(|id| self.subject.program.function(id))?;
        let forced = visit.forced_before(deed);
        Some(Destination { host, port, handover, function: function.entry, forced })
    }

    /// The way to the kernel from the last call that code is known to connect by.
    fn handover(&self, deed: &Deed) -> Option<Handover> {
        let last = deed.through.iter().rposition(|site| self.ways.goals.contains(site));
        let last = last.unwrap_or(deed.through.len().saturating_sub(1));
        let (call, transport) = match deed.connection() {
            Some(_) => (SocketCall::Connect, Transport::Stream),
            None => (SocketCall::SendTo, Transport::Datagram),
        };
        let through = deed.through.get(last + 1..).unwrap_or(&[]).to_vec();
        let reached = Reached { call, through, at: deed.event.site };
        Some(Handover { site: *deed.through.get(last)?, reached, transport: Some(transport) })
    }
}

#[cfg(test)]
mod tests {
    use super::is_service;

    #[test]
    fn servers_of_time_and_of_addresses_are_no_peers() {
        let mut time = [0; 48];
        for first in [0x1b, 0x23, 0xe3, 0x19] {
            time[0] = first;
            assert!(is_service(&time), "{first:#x}");
        }
        let binding = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
        assert!(is_service(&binding));
        // A greeting between bots, an answer of a server of time, a number elsewhere.
        time[0] = 0x24;
        assert!(!is_service(&time) && !is_service(b"hello") && !is_service(&[]));
        assert!(!is_service(&[&[0; 8][..], &binding].concat()));
    }
}
