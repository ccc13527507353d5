//! What the value analysis tells about a function while it goes through it.

use crate::values::Value;
use crate::values::registers::Registers;
use crate::values::stack::StackMemory;
use miyaburi_image::Address;
use miyaburi_pcode::Varnode;

/// What is known at one point of a function.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) registers: Registers,
    pub(crate) stack: StackMemory,
}

impl Clone for State {
    fn clone(&self) -> Self {
        Self { registers: self.registers.clone(), stack: self.stack.clone() }
    }

    // Uses the memory again, which the derived one does not.
    fn clone_from(&mut self, other: &Self) {
        self.registers.clone_from(&other.registers);
        self.stack.clone_from(&other.stack);
    }
}

/// Bytes of a state that are copied or compared in the time of a step.
const BYTES_PER_STEP: usize = 1024;

impl State {
    /// The memory it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.registers.bytes() + self.stack.bytes()
    }

    /// The steps that copying it or comparing it with another takes.
    pub(crate) fn steps(&self) -> u64 {
        (1 + self.bytes() / BYTES_PER_STEP) as u64
    }
}

/// A call as the analysis meets it; the state is that at the callee's first instruction.
pub(crate) struct CallEvent<'a> {
    pub(crate) site: Address,
    pub(crate) target: Value,
    pub(crate) state: &'a State,
}

/// A store to memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreEvent {
    pub(crate) instruction: Address,
    pub(crate) to: Value,
    pub(crate) size: u32,
    pub(crate) value: Value,
}

/// Listens while a function's blocks are run.
pub(crate) trait Observer {
    /// A block is about to be run from this state.
    fn block(&mut self, _number: u32, _state: &State) {}
    /// The work was cut: nothing that was told holds.
    fn cut(&mut self) {}
    /// A call, before its effects.
    fn call(&mut self, _event: &CallEvent<'_>) {}
    /// A store.
    fn store(&mut self, _event: StoreEvent) {}
    /// A load of `size` bytes.
    fn load(&mut self, _instruction: Address, _from: Value, _size: u32) {}
    /// A constant that ended up in a register.
    fn constant(&mut self, _instruction: Address, _value: u64, _register: &Varnode) {}
    /// A jump, to a constant or computed address.
    fn jump(&mut self, _instruction: Address, _target: Value, _state: &State) {}
}

/// Listens to nothing.
pub(crate) struct Silent;
impl Observer for Silent {}
