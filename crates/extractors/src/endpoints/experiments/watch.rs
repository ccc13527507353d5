//! What is noted while a program runs, and how it is kept on its way.
//!
//! At a [turning](super::ways::Turning) the run goes the other way than the program would, but not
//! when the function has made one of the calls that this way leads to, as in a loop that is over; not
//! behind a `fork`, whose outcome was chosen; and once the network was used, only where the program
//! has gone that way by itself before, as when it counts. Where it comes back to the same turning by
//! itself, it is given some patience first.

use crate::endpoints::experiments::ways::Ways;
use core::net::SocketAddr;
use miyaburi_emulator::{Abi, Call, State};
use miyaburi_image::Address;
use miyaburi_linux::{
    CallRecord, Kernel, NetworkAction, NetworkEvent, Observer, SystemCall, Transport,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// The port of name servers.
const DNS: u16 = 53;

/// Events after which nothing new is expected any more.
const OLD_EVENTS: usize = 16;

/// Events of one run.
const MAX_EVENTS: usize = 400;

/// Ways changed in one run.
const MAX_FORCED: usize = 400;

/// Times that a program may avoid a connection that it comes back to.
const PATIENCE: u32 = 3;

/// A branch that was sent the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Forced {
    /// The branch.
    pub site: Address,
    /// Its function.
    pub function: Address,
}

/// Something that the program did on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    /// What.
    pub(super) event: NetworkEvent,
    /// The calls under way, the outermost first.
    pub(super) through: Vec<Address>,
    /// How many branches had been forced by then.
    pub(super) forced: usize,
}

impl Deed {
    /// Where a stream was opened to, name servers left out.
    pub(super) fn connection(&self) -> Option<SocketAddr> {
        let is_stream = self.event.transport == Transport::Tcp;
        let is_connected = self.event.action == NetworkAction::Connected;
        (is_stream && is_connected && self.event.address.port() != DNS)
            .then_some(self.event.address)
    }
}

/// What stands in for a routine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StandIn {
    pub(super) routine: Address,
    pub(super) result: u64,
}

/// A call under way.
#[derive(Clone, Debug)]
struct Frame {
    site: Address,
    callee: Address,
    /// The stack pointer when it was made; stacks grow down.
    stack: u64,
    /// The calls made in it that lead to a connection.
    goals: Vec<Address>,
}

/// Looks on; a clone goes with a snapshot of the process.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    ways: Rc<Ways>,
    /// Whether branches may be forced.
    forces: bool,
    /// Whether the run stops behind the next call of `socket`.
    pub(super) stops_at_socket: bool,
    made_socket: bool,
    frames: Vec<Frame>,
    /// Turnings where the program has gone on by itself.
    passed: FxHashSet<Address>,
    /// How often turnings were avoided that the program comes back to.
    avoided: FxHashMap<Address, u32>,
    /// Whether anything was asked, sent or connected to by a stream.
    has_acted: bool,
    /// How deep the frame lies that has just made a process, from 0.
    forked: Option<usize>,
    pub(super) deeds: Vec<Deed>,
    pub(super) forced: Vec<Forced>,
    /// Everyone who was called.
    pub(super) called: FxHashSet<Address>,
    /// A routine that is not called but returns this.
    pub(super) stand_in: Option<StandIn>,
    /// Events since there was a new one.
    old: usize,
    seen_events: usize,
    known: FxHashSet<(SocketAddr, Option<String>)>,
}

impl Watch {
    pub(super) fn new(ways: Rc<Ways>, forces: bool) -> Self {
        let root =
            Frame { site: Address(0), callee: Address(0), stack: u64::MAX, goals: Vec::new() };
        Self {
            ways,
            forces,
            stops_at_socket: false,
            made_socket: false,
            frames: vec![root],
            passed: FxHashSet::default(),
            avoided: FxHashMap::default(),
            has_acted: false,
            forked: None,
            deeds: Vec::new(),
            forced: Vec::new(),
            called: FxHashSet::default(),
            stand_in: None,
            old: 0,
            seen_events: 0,
            known: FxHashSet::default(),
        }
    }

    /// Goes on behind a call of `socket`.
    pub(super) fn go_on(&mut self) {
        self.stops_at_socket = false;
        self.made_socket = false;
    }

    /// Leaves out calls that have ended by the time the stack pointer is at `stack`.
    fn end_frames(&mut self, is_over: impl Fn(&Frame) -> bool) {
        while self.frames.len() > 1 && self.frames.last().is_some_and(&is_over) {
            self.frames.pop();
        }
        if self.forked.is_some_and(|depth| depth >= self.frames.len()) {
            self.forked = None;
        }
    }

    fn note(&mut self, event: &NetworkEvent) {
        let name = match &event.action {
            NetworkAction::Asked { name, .. } => Some(name.clone()),
            NetworkAction::Bound => return,
            NetworkAction::Connected | NetworkAction::Sent(_) => None,
        };
        self.old = if self.known.insert((event.address, name)) { 0 } else { self.old + 1 };
        let through = self.frames.iter().skip(1).map(|frame| frame.site).collect();
        let deed = Deed { event: event.clone(), through, forced: self.forced.len() };
        let is_idle = event.transport == Transport::Udp && event.action == NetworkAction::Connected;
        self.has_acted |= !is_idle;
        self.deeds.push(deed);
    }

    /// Whether the way of a turning may be changed now.
    fn may_force(&mut self, site: Address) -> bool {
        let Some(turning) = self.ways.turnings.get(&site) else { return false };
        let depth = self.frames.len() - 1;
        let Some(frame) = self.frames.last() else { return false };
        let has_made = frame.goals.iter().any(|made| turning.goals.contains(made));
        if has_made && !turning.comes_back {
            return false;
        }
        if self.forked.take_if(|forked| *forked >= depth).is_some() {
            return false;
        }
        if self.has_acted {
            return self.passed.contains(&site);
        }
        let avoided = self.avoided.entry(site).or_default();
        *avoided += 1;
        !turning.comes_back || *avoided >= PATIENCE
    }
}

/// Whether a call made a process.
fn makes_process(record: &CallRecord) -> bool {
    matches!(record.call, Some(SystemCall::Fork | SystemCall::Vfork | SystemCall::Clone))
}

impl Observer for Watch {
    fn call(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) {
        let stack = state.register(&abi.stack_pointer);
        self.end_frames(|frame| frame.stack <= stack);
        if self.forked == Some(self.frames.len() - 1) {
            self.forked = None;
        }
        if self.ways.goals.contains(&call.site)
            && let Some(frame) = self.frames.last_mut()
        {
            frame.goals.push(call.site);
        }
        let (site, callee) = (call.site, call.callee);
        self.called.insert(callee);
        self.frames.push(Frame { site, callee, stack, goals: Vec::new() });
    }

    fn stand_in(&self, call: &Call) -> Option<u64> {
        self.stand_in.filter(|one| one.routine == call.callee).map(|one| one.result)
    }

    fn answered(&mut self, state: &mut State<'_>, abi: &Abi, kernel: &Kernel) {
        let stack = state.register(&abi.stack_pointer);
        self.end_frames(|frame| frame.stack < stack);
        let Some(record) = kernel.last_call() else { return };
        if makes_process(record) {
            // The function looks at the outcome that has a branch on the way, not a library's routine.
            let has_turning = |frame: &Frame| self.ways.functions.contains(&frame.callee);
            self.forked = self.frames.iter().rposition(has_turning);
        }
        self.made_socket =
            record.call == Some(SystemCall::Socket) || record.call == Some(SystemCall::Socketcall);
        let events = kernel.network_events();
        for event in events.get(self.seen_events..).unwrap_or(&[]) {
            self.note(event);
        }
        self.seen_events = events.len();
    }

    fn stops(&self, _kernel: &Kernel) -> bool {
        self.stops_at_socket && self.made_socket
            || self.old > OLD_EVENTS
            || self.deeds.len() > MAX_EVENTS
    }

    fn branches(&self) -> Vec<Address> {
        match self.forces {
            true => self.ways.turnings.keys().copied().collect(),
            false => Vec::new(),
        }
    }

    fn branch(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        site: Address,
        to: Option<Address>,
    ) -> Option<Address> {
        let turning = self.ways.turnings.get(&site)?;
        let (function, onward) = (turning.function, turning.onward);
        if to == Some(onward) {
            self.passed.insert(site);
            return None;
        }
        if self.forced.len() >= MAX_FORCED {
            return None;
        }
        let stack = state.register(&abi.stack_pointer);
        self.end_frames(|frame| {
            frame.stack < stack || frame.stack == stack && frame.callee != function
        });
        if !self.may_force(site) {
            return None;
        }
        self.forced.push(Forced { site, function });
        Some(onward)
    }
}
