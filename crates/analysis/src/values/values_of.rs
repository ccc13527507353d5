//! The values of one function, as asked for by others.

use crate::values::Value;
use crate::values::engine::Engine;
use crate::values::observer::State;
use crate::values::registers::RegisterCells;
use miyaburi_emulator::Abi;
use miyaburi_image::{Address, Endian};
use miyaburi_pcode::Varnode;
use std::sync::Arc;

/// A store to a constant address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalStore {
    /// The instruction.
    pub instruction: Address,
    /// Where it stores.
    pub to: Address,
    /// How many bytes.
    pub size: u32,
    /// What it stores.
    pub value: Value,
}

/// A byte of the stack at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackByte {
    /// Not a constant.
    Unknown,
    /// This constant.
    Known(u8),
    /// This constant, unless a callee that was handed an address nearby has changed it since.
    Stale(u8),
}

/// What is known at the calls of one function, and what it stores.
#[derive(Clone, Debug)]
pub struct Values {
    abi: Arc<Abi>,
    cells: Arc<RegisterCells>,
    endian: Endian,
    /// By address of the call.
    sites: Vec<(Address, Site)>,
    stores: Vec<GlobalStore>,
}

/// What is known at one call or jump.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) target: Value,
    pub(crate) is_jump: bool,
    arguments: [Value; ARGUMENTS],
    pub(crate) state: State,
}

/// How many arguments are worked out at once.
const ARGUMENTS: usize = 10;

impl Site {
    /// What the state at a callee's first instruction says.
    pub(crate) fn new(engine: &Engine<'_>, target: Value, is_jump: bool, state: &State) -> Self {
        let arguments = std::array::from_fn(|index| engine.argument(state, index));
        Self { target, is_jump, arguments, state: state.clone() }
    }

    /// The memory it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<(Address, Self)>() + self.state.bytes()
    }
}

impl Values {
    /// Those of a function with these calls, in address order, and stores.
    pub(crate) fn new(
        sites: Vec<(Address, Site)>,
        stores: Vec<GlobalStore>,
        endian: Endian,
        abi: Arc<Abi>,
        cells: Arc<RegisterCells>,
    ) -> Self {
        Self { abi, cells, endian, sites, stores }
    }

    fn site(&self, site: Address) -> Option<&Site> {
        let index = self.sites.binary_search_by_key(&site, |(address, _)| *address).ok()?;
        self.sites.get(index).map(|(_, site)| site)
    }

    /// Addresses of the calls that have been reached, ascending.
    pub fn sites(&self) -> impl Iterator<Item = Address> + '_ {
        self.sites.iter().map(|(address, _)| *address)
    }

    /// What the call at `site` calls.
    #[must_use]
    pub fn target(&self, site: Address) -> Value {
        self.site(site).map_or(Value::Unknown, |site| site.target)
    }

    /// Argument `index` (from 0) of the call at `site`, by the platform's calling convention;
    /// `Unknown` for calls that were not reached and from the eleventh argument on.
    #[must_use]
    pub fn argument(&self, site: Address, index: usize) -> Value {
        let site = self.site(site);
        site.and_then(|site| site.arguments.get(index)).copied().unwrap_or_default()
    }

    /// The value of a register when the callee is entered.
    #[must_use]
    pub fn register(&self, site: Address, register: &Varnode) -> Value {
        let (Some(site), Some(place)) = (self.site(site), self.cells.locate(register)) else {
            return Value::Unknown;
        };
        site.state.registers.read(place)
    }

    /// The stack pointer when the callee is entered, as an offset from that at function entry.
    #[must_use]
    pub fn stack_pointer(&self, site: Address) -> Option<i64> {
        self.register(site, &self.abi.stack_pointer).stack_offset()
    }

    /// `length` bytes of the frame from `offset` on (as in [`Value::StackOffset`]) at a call.
    #[must_use]
    pub fn stack_bytes(&self, site: Address, offset: i64, length: usize) -> Vec<StackByte> {
        let site = self.site(site);
        let byte =
            |offset: i64| match site.and_then(|site| site.state.stack.byte(offset, self.endian)) {
                None => StackByte::Unknown,
                Some((value, false)) => StackByte::Known(value),
                Some((value, true)) => StackByte::Stale(value),
            };
        (0..length as i64).map(|index| byte(offset.wrapping_add(index))).collect()
    }

    /// The value of `size` bytes (at most 8) of the frame at a call.
    #[must_use]
    pub fn stack_value(&self, site: Address, offset: i64, size: u8) -> Value {
        let site = self.site(site);
        site.and_then(|site| site.state.stack.load(offset, size, self.endian)).unwrap_or_default()
    }

    /// Stores to constant addresses, in address order of their instructions.
    #[must_use]
    pub fn stores(&self) -> &[GlobalStore] {
        &self.stores
    }
}
