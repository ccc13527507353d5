//! What a caller of the emulator can observe and decide.

use crate::abi::Abi;
use crate::exit::Reason;
use crate::frames::Call;
use crate::machine::State;
use crate::memory::{Region, WatchedAccess};
use miyaburi_image::Address;

/// What to do with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallAction {
    /// Execute the callee.
    Enter,
    /// Skip it and let it return this value.
    Return(u64),
    /// End the run here.
    Stop,
}

/// Observes a run and answers for what lies outside. All methods have a default that changes
/// nothing.
pub trait Hooks {
    /// Before a call; arguments are read through [`Abi::argument`].
    fn call(&mut self, _state: &mut State<'_>, _abi: &Abi, _call: &Call) -> CallAction {
        CallAction::Enter
    }

    /// After a callee returned by itself.
    fn returned(&mut self, _state: &mut State<'_>, _abi: &Abi, _call: &Call) {}

    /// After a call was undone, and before it seems to return `value`.
    fn summarised(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        _call: &Call,
        _reason: &Reason,
        _value: u64,
    ) {
    }

    /// At a system call; true when the hook has put its result in place.
    fn system_call(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        _site: Address,
        _number: u64,
    ) -> bool {
        false
    }

    /// At a breakpoint, a failed check or an instruction that the CPU does not have, with the
    /// specification's name for it and its number, 0 where it has none; whether the run goes on
    /// behind it. Traps by which a CPU enters the kernel are system calls, with their number.
    fn trap(&mut self, _state: &mut State<'_>, _site: Address, _name: &str, _number: u64) -> bool {
        false
    }

    /// Whether the run is to stop behind a system call or trap that was answered, ready to go on
    /// with the next instruction.
    fn stops(&self) -> bool {
        false
    }

    /// Memory whose loads and stores [`Hooks::access`] is to be told of; asked once, when a run
    /// begins.
    fn watched(&self) -> Vec<Region> {
        Vec::new()
    }

    /// Before a load or store by the code that touches watched memory. A load reads what the hook
    /// leaves there; a store happens as the code wants it.
    fn access(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        _site: Address,
        _access: &WatchedAccess,
    ) {
    }

    /// Instructions that branch on a condition, of which [`Hooks::branch`] is to be told; asked once,
    /// when a run begins.
    fn branches(&self) -> Vec<Address> {
        Vec::new()
    }

    /// Behind one of these branches, on the way to `to`, `None` when it returns. An address sends the
    /// run there instead, in the same instruction set.
    fn branch(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        _site: Address,
        _to: Option<Address>,
    ) -> Option<Address> {
        None
    }

    /// Where memory is followed ([`Emulator::follow_memory`](crate::Emulator::follow_memory)), before
    /// code at an address is executed for the first time, or again since it was changed; false ends
    /// the run there.
    fn new_code(&mut self, _state: &mut State<'_>, _at: Address) -> bool {
        true
    }

    /// At an operation of the specification that the emulator does not model, with the values of
    /// its inputs; what it yields, or any value when it yields nothing. Without an answer it cannot
    /// be executed ([`Reason::UserOp`]).
    fn user_op(
        &mut self,
        _state: &mut State<'_>,
        _site: Address,
        _name: &str,
        _inputs: &[u64],
    ) -> Option<u64> {
        None
    }
}

/// Observes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}
