//! Which routines make which socket calls, found by running them.

use crate::subject::Subject;
use miyaburi_emulator::{Abi, Hooks, Limits, SocketCall, State, SystemCallSite};
use miyaburi_image::Address;
use rustc_hash::FxHashMap;

/// Instructions that a routine may take to reach its system call.
const INSTRUCTIONS: u64 = 3_000;

/// Remembers what each routine was seen to do.
#[derive(Default)]
pub struct SocketCalls {
    known: FxHashMap<Address, Option<SocketCall>>,
}

impl SocketCalls {
    /// The first call on a socket address that `function` makes when handed what such calls take;
    /// `None` when it makes none, or none is reached.
    pub fn of(&mut self, subject: &mut Subject<'_>, function: Address) -> Option<SocketCall> {
        if let Some(known) = self.known.get(&function) {
            return *known;
        }
        let found = observe(subject, function);
        self.known.insert(function, found);
        found
    }
}

fn observe(subject: &mut Subject<'_>, function: Address) -> Option<SocketCall> {
    let abi = subject.emulator.abi().clone();
    let site = SystemCallSite::new(subject.emulator.arch(), subject.program.language(), &abi)?;
    let mut state = subject.bare_state();
    subject.emulator.map_thread_block(&mut state);
    let buffer = subject.emulator.layout().fresh_block(&mut state);
    let context = subject
        .program
        .function_at(function)
        .and_then(|function| subject.program.context_of(function))?;
    let mut watch = Watch { site, seen: None };
    let limits =
        Limits { instructions: INSTRUCTIONS, call_instructions: INSTRUCTIONS, ..Limits::default() };
    const DESCRIPTOR: u64 = 3;
    const LENGTH: u64 = 16;
    let arguments = [DESCRIPTOR, buffer.0, LENGTH, buffer.0, buffer.0, LENGTH];
    subject.emulator.call(&mut state, (function, context), &arguments, &mut watch, &limits);
    watch.seen
}

/// Notes the first system call that takes a socket address; all calls succeed.
struct Watch {
    site: SystemCallSite,
    seen: Option<SocketCall>,
}

impl Hooks for Watch {
    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        _site: Address,
        number: u64,
    ) -> bool {
        let call = self.site.socket_call(state, number);
        let takes_address =
            matches!(call, Some(SocketCall::Bind | SocketCall::Connect | SocketCall::SendTo));
        if takes_address && self.seen.is_none() {
            self.seen = call;
        }
        abi.set_system_call_result(state, 0);
        true
    }
}
