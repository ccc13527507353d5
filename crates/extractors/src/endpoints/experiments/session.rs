//! The program in one experiment: started, stopped before it uses the network, and run on.

use crate::endpoints::experiments::watch::{Deed, Forced, StandIn, Watch};
use crate::endpoints::experiments::ways::Ways;
use crate::endpoints::host;
use crate::endpoints::trial::can_be_meant;
use crate::subject::Subject;
use core::net::{IpAddr, SocketAddr};
use miyaburi_emulator::Limits;
use miyaburi_image::Address;
use miyaburi_linux::{NetworkAction, Process, Script, Setup};
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// Instructions that a start may take.
const START: u64 = 3_000_000;

/// Instructions after it.
const VISIT: u64 = 600_000;

/// Instructions in code that has run before, after which nothing new is expected.
const REPETITION: u64 = 120_000;

/// A process that is looked at; a clone is a snapshot.
#[derive(Clone)]
pub(super) struct Session<'a> {
    process: Process<'a>,
    watch: Watch,
}

impl<'a> Session<'a> {
    /// Starts the program, and stops it when it first makes a socket.
    pub(super) fn start(
        subject: &mut Subject<'a>,
        setup: &Setup,
        ways: &Rc<Ways>,
        stand_in: Option<StandIn>,
    ) -> Option<Self> {
        let language = subject.program.language();
        let (image, file, pages) = (subject.image, subject.file, subject.pages);
        let process =
            Process::start(&subject.emulator, language, image, file, setup, pages).ok()?;
        let mut session = Self { process, watch: Watch::new(Rc::clone(ways), true) };
        session.watch.stops_at_socket = true;
        session.watch.stand_in = stand_in;
        session.run(subject, START);
        Some(session)
    }

    fn run(&mut self, subject: &mut Subject<'a>, instructions: u64) {
        let instructions = subject.budget.grant(instructions);
        let limits = Limits { instructions, repetition: REPETITION, ..Limits::default() };
        let Self { process, watch } = self;
        let outcome = process.run_observed(&mut subject.emulator, &limits, watch);
        subject.budget.spend(outcome.instructions);
        subject.unmodelled.learn(&process.kernel);
    }

    /// The same process, to which a signal has been sent.
    pub(super) fn with_signal(&self, subject: &mut Subject<'a>, signal: u64) -> Option<Self> {
        let mut session = self.clone();
        let instructions = subject.budget.grant(VISIT);
        let limits = Limits { instructions, ..Limits::default() };
        let spent = session.process.raise(&mut subject.emulator, signal, &limits)?;
        subject.budget.spend(spent);
        Some(session)
    }

    /// The same process, in which `routine` has run.
    pub(super) fn with_call(&self, subject: &mut Subject<'a>, routine: Address) -> Self {
        let mut session = self.clone();
        let before = session.process.state.clone();
        let limits = Limits { instructions: subject.budget.grant(VISIT), ..Limits::default() };
        let entry = (routine, subject.context_of(routine));
        let Process { state, kernel } = &mut session.process;
        let outcome = subject.emulator.call(state, entry, &[], kernel, &limits);
        subject.budget.spend(outcome.instructions);
        let after = std::mem::replace(state, before);
        session.process.state.memory = after.memory;
        session
    }

    /// Runs on where the network behaves as `script` has it, until nothing new happens.
    pub(super) fn visit(&self, subject: &mut Subject<'a>, script: &Script) -> Visit<'a> {
        let mut session = self.clone();
        session.process.kernel.follow_script(script.clone());
        session.watch.go_on();
        session.run(subject, VISIT);
        let Self { process, watch: Watch { deeds, forced, called, .. } } = session;
        Visit { deeds, forced, called, process }
    }
}

/// What a program did in one experiment.
pub(super) struct Visit<'a> {
    pub(super) deeds: Vec<Deed>,
    pub(super) forced: Vec<Forced>,
    /// Everyone who was called since the start.
    pub(super) called: FxHashSet<Address>,
    /// The process as it was left.
    pub(super) process: Process<'a>,
}

impl Visit<'_> {
    /// The streams that were opened to others, in order, each address once.
    pub(super) fn connections(&self) -> Vec<(&Deed, SocketAddr)> {
        let mut found: Vec<(&Deed, SocketAddr)> = Vec::new();
        for deed in &self.deeds {
            let Some(to) = deed.connection() else { continue };
            let is_known = found.iter().any(|(_, known)| *known == to);
            let is_own = miyaburi_linux::is_own_address(to.ip());
            if !is_known && !is_own && to.port() != 0 && can_be_meant(to.ip()) {
                found.push((deed, to));
            }
        }
        found
    }

    /// The name whose address this is said to be.
    pub(super) fn name_of(&self, host: IpAddr) -> Option<&str> {
        self.process.kernel.name_of(host)
    }

    /// Host names that were asked for with the type of record, each once.
    pub(super) fn asked(&self) -> Vec<(&Deed, &str, u16)> {
        let mut asked: Vec<(&Deed, &str, u16)> = Vec::new();
        for deed in &self.deeds {
            if let NetworkAction::Asked { name, record } = &deed.event.action
                && host::parse(name.as_bytes()).is_some()
                && !asked.iter().any(|(_, known, of)| known == name && of == record)
            {
                asked.push((deed, name, *record));
            }
        }
        asked
    }

    /// The branches that were forced before something was done, each once.
    pub(super) fn forced_before(&self, deed: &Deed) -> Vec<Forced> {
        let mut forced = self.forced.get(..deed.forced).unwrap_or(&[]).to_vec();
        let mut seen = FxHashSet::default();
        forced.retain(|one| seen.insert(*one));
        forced
    }
}
