//! What the routine that prepares an address does with it in the course of its run.
//!
//! How it works: the routine is run as a `main` with made-up arguments, and the address is read
//! whenever it makes a call: what it holds first and what it holds in the end. Code that it hands
//! on, as for signals, is run after it. Other routines can then be run from where that ended.
//!
//! False positives: an address that is prepared for two servers in turn. False negatives: a
//! routine that does not get so far in a bare machine.

use crate::endpoints::socket_address::SocketAddress;
use crate::endpoints::trial::{can_be_meant, left_behind};
use crate::subject::Subject;
use core::net::{IpAddr, Ipv4Addr};
use miyaburi_emulator::{Abi, Call, CallAction, Exit, Hooks, Limits, MemoryError, NoHooks, State};
use miyaburi_image::{Address, Arch, Endian};
use miyaburi_pcode::Context;

/// Instructions of one run: it may fill a table on its way.
const INSTRUCTIONS: u64 = 300_000;

/// Calls after which an address counts as settled when the routine does not end.
const SETTLED: u32 = 3;

/// Handlers that are run, and instructions of one run.
const MAX_HANDLERS: usize = 4;
const HANDLER_INSTRUCTIONS: u64 = 2_000;

/// The made-up arguments: a host of the reserved class E, which no host has (RFC 1112), and a port.
const ARGUMENTS: [&[u8]; 3] = [b"a\0", b"240.83.98.7\0", b"43981\0"];

/// The host among the made-up arguments.
pub const ARGUMENT_HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(240, 83, 98, 7));

/// What a routine makes of an address.
pub struct Preparation<'a> {
    /// Host and port at first.
    pub first: Option<SocketAddress>,
    /// Host and port in the end, when other than at first.
    pub replaced: Option<SocketAddress>,
    /// Whether it held the host among the arguments.
    pub takes_argument: bool,
    /// The machine where the run ended.
    pub state: State<'a>,
}

/// Runs `function` from `state` and follows the address at `place`.
pub fn run<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    function: Address,
    place: Address,
) -> Option<Preparation<'a>> {
    let program = subject.program;
    let context = program.function_at(function).and_then(|id| program.context_of(id))?;
    let mut state = state.clone();
    let arch = subject.emulator.arch();
    let block = subject.emulator.layout().fresh_block(&mut state);
    let arguments = make_arguments(&mut state, block, arch).ok()?;
    let instructions = INSTRUCTIONS * subject.patience;
    let limits = Limits {
        instructions: subject.budget.grant(instructions),
        call_instructions: instructions / 2,
        repetition: instructions / 10,
        ..Limits::default()
    };
    let image = subject.image;
    let is_code = |value: u64| image.is_executable(Address(value));
    let mut watch = Watch {
        place,
        endian: arch.endian,
        held: Vec::new(),
        calls_since: 0,
        takes_argument: false,
        handlers: Vec::new(),
        is_code: &is_code,
    };
    let outcome =
        subject.emulator.call(&mut state, (function, context), &arguments, &mut watch, &limits);
    subject.budget.spend(outcome.instructions);
    watch.look(&mut state);
    for handler in &watch.handlers {
        run_handler(subject, &mut state, *handler, context);
    }
    let is_settled = outcome.exit == Exit::Returned || watch.calls_since >= SETTLED;
    let first = watch.held.first().copied();
    let last = watch.held.last().copied().filter(|_| is_settled);
    let replaced = last.filter(|last| first != Some(*last));
    Some(Preparation { first, replaced, takes_argument: watch.takes_argument, state })
}

/// Runs code that was handed on, in the instruction set of `context` when it is no known function.
/// What a handler did that failed is undone.
fn run_handler<'a>(
    subject: &mut Subject<'a>,
    state: &mut State<'a>,
    handler: u64,
    context: Context,
) {
    let program = subject.program;
    let known = subject.function_at_pointer(handler);
    let own = known.and_then(|entry| program.context_of(program.function_at(entry)?));
    let handler = (known.unwrap_or(Address(handler)), own.unwrap_or(context));
    let limits = Limits {
        instructions: subject.budget.grant(HANDLER_INSTRUCTIONS),
        call_instructions: HANDLER_INSTRUCTIONS / 2,
        ..Limits::default()
    };
    let mut after = state.clone();
    let outcome = subject.emulator.call(&mut after, handler, &[0], &mut NoHooks, &limits);
    subject.budget.spend(outcome.instructions);
    if outcome.exit == Exit::Returned {
        *state = after;
    }
}

/// Writes `argv` into a block; the arguments of `main`.
fn make_arguments(
    state: &mut State<'_>,
    block: Address,
    arch: Arch,
) -> Result<[u64; 3], MemoryError> {
    const TEXTS: u64 = 0x80;
    let size = arch.pointer_size();
    let mut text = block.offset(TEXTS);
    for (index, argument) in ARGUMENTS.iter().enumerate() {
        state.memory.write(text, argument)?;
        state.memory.store(block.offset(index as u64 * u64::from(size)), size, text.0)?;
        text = text.offset(argument.len() as u64);
    }
    let environment = block.offset(ARGUMENTS.len() as u64 * u64::from(size));
    Ok([ARGUMENTS.len() as u64, block.0, environment.0])
}

/// Reads the address at every call of the routine itself.
struct Watch<'w> {
    place: Address,
    endian: Endian,
    /// The addresses it held, each as often as it changed.
    held: Vec<SocketAddress>,
    calls_since: u32,
    takes_argument: bool,
    /// Code that it handed on as second argument.
    handlers: Vec<u64>,
    is_code: &'w dyn Fn(u64) -> bool,
}

impl Watch<'_> {
    fn look(&mut self, state: &mut State<'_>) {
        let address = left_behind(&mut state.memory, self.place, self.endian);
        let host = address.and_then(|address| address.host);
        self.takes_argument |= host == Some(ARGUMENT_HOST);
        let is_whole = |address: &SocketAddress| {
            address.port.is_some() && address.host.is_some_and(can_be_meant)
        };
        let Some(address) = address.filter(is_whole) else { return };
        if self.held.last() == Some(&address) {
            self.calls_since += 1;
        } else {
            self.held.push(address);
            self.calls_since = 0;
        }
    }
}

impl Hooks for Watch<'_> {
    fn call(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) -> CallAction {
        if call.depth == 0 {
            self.look(state);
            let second = abi.argument(state, 1);
            if self.handlers.len() < MAX_HANDLERS
                && (self.is_code)(second)
                && !self.handlers.contains(&second)
            {
                self.handlers.push(second);
            }
        }
        CallAction::Enter
    }
}
