//! Those who look on while a process runs.

use crate::kernel::Kernel;
use miyaburi_emulator::{Abi, Call, CallAction, Hooks, Region, State, WatchedAccess};
use miyaburi_image::Address;

/// Looks on while a process runs: at its own calls and branches, and at what it asks of the kernel.
/// All methods have a default that changes nothing.
pub trait Observer {
    /// Before a call that the program's code makes.
    fn call(&mut self, _state: &mut State<'_>, _abi: &Abi, _call: &Call) {}

    /// What a call returns at once, instead of being made.
    fn stand_in(&self, _call: &Call) -> Option<u64> {
        None
    }

    /// After the kernel has answered a system call.
    fn answered(&mut self, _state: &mut State<'_>, _abi: &Abi, _kernel: &Kernel) {}

    /// Before new code is executed, in a run that follows memory (see [`Hooks::new_code`]).
    fn new_code(&mut self, _state: &mut State<'_>, _at: Address) -> bool {
        true
    }

    /// Whether the run is to stop behind the system call that was answered last.
    fn stops(&self, _kernel: &Kernel) -> bool {
        false
    }

    /// Branches that [`Observer::branch`] is to be told of (see [`Hooks::branches`]).
    fn branches(&self) -> Vec<Address> {
        Vec::new()
    }

    /// Behind one of these branches (see [`Hooks::branch`]).
    fn branch(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        _site: Address,
        _to: Option<Address>,
    ) -> Option<Address> {
        None
    }

    /// Memory that [`Observer::access`] is to be told of (see [`Hooks::watched`]).
    fn watched(&self) -> Vec<Region> {
        Vec::new()
    }

    /// Before a load or store there (see [`Hooks::access`]).
    fn access(&mut self, _state: &mut State<'_>, _abi: &Abi, _site: Address, _at: &WatchedAccess) {}
}

/// Looks away.
pub(crate) struct NoObserver;

impl Observer for NoObserver {}

/// A kernel with somebody who looks on.
pub(crate) struct Observed<'k> {
    pub(crate) kernel: &'k mut Kernel,
    pub(crate) observer: &'k mut dyn Observer,
}

impl Hooks for Observed<'_> {
    fn call(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) -> CallAction {
        if let Some(value) = self.observer.stand_in(call) {
            return CallAction::Return(value);
        }
        self.observer.call(state, abi, call);
        CallAction::Enter
    }

    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        site: Address,
        number: u64,
    ) -> bool {
        let goes_on = self.kernel.system_call(state, abi, site, number);
        self.observer.answered(state, abi, self.kernel);
        goes_on
    }

    fn trap(&mut self, _: &mut State<'_>, _: Address, name: &str, number: u64) -> bool {
        self.kernel.trap(name, number)
    }

    fn stops(&self) -> bool {
        self.kernel.stops() || self.observer.stops(self.kernel)
    }

    fn new_code(&mut self, state: &mut State<'_>, at: Address) -> bool {
        self.observer.new_code(state, at)
    }

    fn branches(&self) -> Vec<Address> {
        self.observer.branches()
    }

    fn branch(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        site: Address,
        to: Option<Address>,
    ) -> Option<Address> {
        self.observer.branch(state, abi, site, to)
    }

    fn watched(&self) -> Vec<Region> {
        self.observer.watched()
    }

    fn access(&mut self, state: &mut State<'_>, abi: &Abi, site: Address, at: &WatchedAccess) {
        self.observer.access(state, abi, site, at);
    }
}
