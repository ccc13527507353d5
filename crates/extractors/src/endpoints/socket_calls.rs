//! Which routines make which socket calls, found by running them.
//!
//! False positives: a routine that does more than one thing by what it is handed, of which a run
//! with made-up arguments shows another. False negatives: routines that need more instructions than
//! [`INSTRUCTIONS`], and imported ones, whose code is in another file.

use crate::endpoints::transport::Transport;
use crate::subject::Subject;
use miyaburi_emulator::{
    Abi, Call, CallAction, Hooks, Limits, Reason, SocketCall, State, SystemCallSite,
};
use miyaburi_image::Address;
use rustc_hash::FxHashMap;

/// Instructions that a routine may take to reach its system call.
const INSTRUCTIONS: u64 = 3_000;

/// A socket call, and how a routine gets to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The call that is made of the kernel.
    pub call: SocketCall,
    /// The calls of routines on the way, the outermost first.
    pub through: Vec<Address>,
    /// The instruction that calls the kernel.
    pub at: Address,
}

/// A socket address that is handed to a socket call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The call that is handed the address.
    pub site: Address,
    /// What comes of it.
    pub reached: Reached,
    /// How the socket talks, as far as known.
    pub transport: Option<Transport>,
}

/// The calls that take a socket address to talk to or to be.
const ON_ADDRESSES: &[SocketCall] = &[SocketCall::Bind, SocketCall::Connect, SocketCall::SendTo];

/// Remembers what each routine was seen to do.
#[derive(Default)]
pub struct SocketCalls {
    known: FxHashMap<Address, Option<Reached>>,
    opening: FxHashMap<Address, bool>,
}

impl SocketCalls {
    /// The first call on a socket address that `function` makes when handed what such calls take;
    /// `None` when it makes none, or none is reached.
    pub fn of(&mut self, subject: &mut Subject<'_>, function: Address) -> Option<SocketCall> {
        self.reached(subject, function).map(|reached| reached.call)
    }

    /// The same with the way that leads there.
    pub fn reached(&mut self, subject: &mut Subject<'_>, function: Address) -> Option<&Reached> {
        self.known
            .entry(function)
            .or_insert_with(|| observe(subject, function, ON_ADDRESSES))
            .as_ref()
    }

    /// Whether `function` opens a socket when handed numbers.
    pub(super) fn opens_socket(&mut self, subject: &mut Subject<'_>, function: Address) -> bool {
        let opens = || observe(subject, function, &[SocketCall::Socket]).is_some();
        *self.opening.entry(function).or_insert_with(opens)
    }
}

fn observe(
    subject: &mut Subject<'_>,
    function: Address,
    wanted: &'static [SocketCall],
) -> Option<Reached> {
    let abi = subject.emulator.abi().clone();
    let site = SystemCallSite::new(subject.emulator.arch(), subject.program.language(), &abi)?;
    let mut state = subject.bare_state();
    subject.emulator.map_thread_block(&mut state);
    let buffer = subject.emulator.layout().fresh_block(&mut state);
    let context = subject
        .program
        .function_at(function)
        .and_then(|function| subject.program.context_of(function))?;
    let mut watch = Watch { site, wanted, under_way: Vec::new(), seen: None };
    let instructions = subject.budget.grant(INSTRUCTIONS);
    let limits = Limits { instructions, call_instructions: instructions, ..Limits::default() };
    const DESCRIPTOR: u64 = 3;
    const LENGTH: u64 = 16;
    let arguments = [DESCRIPTOR, buffer.0, LENGTH, buffer.0, buffer.0, LENGTH];
    let function = (function, context);
    let outcome = subject.emulator.call(&mut state, function, &arguments, &mut watch, &limits);
    subject.budget.spend(outcome.instructions);
    watch.seen
}

/// Notes the first system call of those that are wanted; all calls succeed.
struct Watch {
    site: SystemCallSite,
    wanted: &'static [SocketCall],
    /// The calls that have not returned.
    under_way: Vec<Address>,
    seen: Option<Reached>,
}

impl Hooks for Watch {
    fn call(&mut self, _state: &mut State<'_>, _abi: &Abi, call: &Call) -> CallAction {
        self.under_way.truncate(call.depth);
        self.under_way.push(call.site);
        CallAction::Enter
    }

    fn returned(&mut self, _state: &mut State<'_>, _abi: &Abi, call: &Call) {
        self.under_way.truncate(call.depth);
    }

    fn summarised(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        call: &Call,
        _reason: &Reason,
        _value: u64,
    ) {
        self.under_way.truncate(call.depth);
    }

    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        site: Address,
        number: u64,
    ) -> bool {
        let call = self.site.socket_call(state, number);
        if let Some(call) = call.filter(|call| self.wanted.contains(call))
            && self.seen.is_none()
        {
            self.seen = Some(Reached { call, through: self.under_way.clone(), at: site });
        }
        abi.set_system_call_result(state, 0);
        true
    }
}
