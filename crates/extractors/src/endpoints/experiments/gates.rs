//! Which start leads to the C2: plain, under the name or with the signal that a gate wants.
//!
//! False positives: a program that does something else, and connects for it, when it is given an
//! argument or a signal. False negatives: gates on other things, or on two of these at once.

use crate::endpoints::experiments::answers::Answers;
use crate::endpoints::experiments::outcome::Outcome;
use crate::endpoints::experiments::session::Session;
use crate::endpoints::experiments::watch::StandIn;
use crate::endpoints::experiments::ways::Ways;
use crate::string_table::Table;
use crate::subject::Subject;
use core::net::{IpAddr, Ipv4Addr};
use miyaburi_linux::{Setup, Side};
use std::rc::Rc;

/// `SIGTRAP` on Linux.
const TRAP: u64 = 5;

/// Names tried.
const MAX_NAMES: usize = 6;

/// The host that is given as an argument, of a documentation network (RFC 5737).
const ARGUMENT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 151);

/// How a program is started: what differs from the plain start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gate {
    /// Its name.
    name: Option<Vec<u8>>,
    /// Whether it is given a host as its argument.
    pub(super) has_argument: bool,
    /// Whether it becomes a new process twice.
    forks_twice: bool,
    /// Whether its string table is filled, once it has begun.
    fills_table: bool,
    /// Whether it is sent `SIGTRAP` then.
    is_trapped: bool,
}

/// The start that leads furthest.
pub(super) struct Opened<'a> {
    pub(super) gate: Gate,
    pub(super) session: Session<'a>,
    /// What it leads to.
    pub(super) outcome: Outcome<'a>,
    /// What the plain start leads to, when that is another one.
    pub(super) shut: Option<Outcome<'a>>,
}

/// Whether the program waits for `SIGTRAP`.
pub(super) fn has_trap(outcome: &Outcome<'_>) -> bool {
    outcome.visit.process.kernel.handlers().contains_key(&TRAP)
}

/// Whether a host is the one that is given as an argument.
pub(super) fn is_argument(host: IpAddr) -> bool {
    host == IpAddr::V4(ARGUMENT)
}

/// Tries all ways to start the program, until one leads to somebody whom the plain start does not.
pub(super) fn open<'a>(
    subject: &mut Subject<'a>,
    ways: &Rc<Ways>,
    table: Option<&Table<'a>>,
) -> Option<Opened<'a>> {
    let plain = Gate::default();
    let session = start(subject, ways, &plain, 0, None)?;
    let shut = Outcome::of(subject, &session, Answers::script);
    let traces = shut.traces();
    for gate in gates(table) {
        let started = match gate.is_like_plain() {
            true => Some(session.clone()),
            false => start(subject, ways, &gate, 0, None),
        };
        let Some(opened) = started.and_then(|it| prepared(subject, it, &gate, table)) else {
            continue;
        };
        let outcome = Outcome::of(subject, &opened, Answers::script);
        if outcome.traces().iter().any(|trace| !traces.contains(trace)) {
            return Some(Opened { gate, session: opened, outcome, shut: Some(shut) });
        }
    }
    Some(Opened { gate: plain, session, outcome: shut, shut: None })
}

/// The same start with other random numbers, or with all of them given.
pub(super) fn again<'a>(
    subject: &mut Subject<'a>,
    ways: &Rc<Ways>,
    gate: &Gate,
    table: Option<&Table<'a>>,
    (seed, stand_in): (u32, Option<StandIn>),
) -> Option<Session<'a>> {
    let session = start(subject, ways, gate, seed, stand_in)?;
    prepared(subject, session, gate, table)
}

impl Gate {
    /// Whether the start itself is the plain one.
    fn is_like_plain(&self) -> bool {
        self.name.is_none() && !self.has_argument && !self.forks_twice
    }
}

/// What is done to a program that has begun.
fn prepared<'a>(
    subject: &mut Subject<'a>,
    mut session: Session<'a>,
    gate: &Gate,
    table: Option<&Table<'a>>,
) -> Option<Session<'a>> {
    if gate.fills_table {
        session = session.with_call(subject, table.and_then(Table::filler)?);
    }
    if gate.is_trapped {
        session = session.with_signal(subject, TRAP)?;
    }
    Some(session)
}

fn gates(table: Option<&Table<'_>>) -> Vec<Gate> {
    let texts = table.into_iter().flat_map(|table| &table.entries).map(|entry| {
        let text = &entry.decoded;
        text.strip_suffix(&[0]).unwrap_or(text).to_vec()
    });
    let mut names: Vec<Vec<u8>> = texts.filter(|text| is_name(text)).collect();
    names.sort_by_key(|name| !name.starts_with(b"./"));
    let plain = Gate::default();
    let trapped = Gate { is_trapped: true, ..plain.clone() };
    let filled = Gate { fills_table: true, ..trapped.clone() };
    let mut gates = vec![trapped.clone(), filled.clone()];
    let names = names.into_iter().take(MAX_NAMES);
    gates.extend(names.map(|name| Gate { name: Some(name), ..plain.clone() }));
    gates.extend([plain.clone(), trapped, filled].map(|it| Gate { has_argument: true, ..it }));
    gates.push(Gate { forks_twice: true, ..plain });
    gates
}

/// Whether a text looks like the path of a program.
fn is_name(text: &[u8]) -> bool {
    let is_path = text.starts_with(b"./") || text.starts_with(b"/");
    is_path && text.len() > 2 && text.iter().all(u8::is_ascii_graphic)
}

fn start<'a>(
    subject: &mut Subject<'a>,
    ways: &Rc<Ways>,
    gate: &Gate,
    seed: u32,
    stand_in: Option<StandIn>,
) -> Option<Session<'a>> {
    let mut setup = Setup {
        forks: vec![Side::Child],
        seed,
        script: Answers::PLAIN.script(),
        ..Setup::default()
    };
    if let Some(name) = &gate.name {
        setup.arguments = vec![name.clone()];
    }
    if gate.has_argument {
        setup.arguments.push(ARGUMENT.to_string().into_bytes());
    }
    if gate.forks_twice {
        setup.forks.push(Side::Child);
    }
    Session::start(subject, &setup, ways, stand_in)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_paths() {
        assert!(is_name(b"./dvrHelper") && is_name(b"/tmp/.x"));
        assert!(!is_name(b"/bin/busybox MIRAI") && !is_name(b"enable") && !is_name(b"./"));
    }
}
