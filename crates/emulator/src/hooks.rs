//! What a caller of the emulator can observe and decide.

use crate::abi::Abi;
use crate::exit::Reason;
use crate::frames::Call;
use crate::machine::State;
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
}

/// Observes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}
