//! The values of one function, as asked for by others.

use crate::blocks::Body;
use crate::values::Value;
use crate::values::engine::Engine;
use crate::values::observer::{CallEvent, Observer, State, StoreEvent};
use crate::values::registers::RegisterCells;
use crate::values::solve::Solution;
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

#[derive(Clone, Debug)]
struct Site {
    target: Value,
    arguments: Vec<Value>,
    state: State,
}

/// How many arguments are worked out at once.
const ARGUMENTS: usize = 10;

struct Recorder<'a> {
    engine: &'a Engine<'a>,
    tail_calls: &'a [Address],
    sites: Vec<(Address, Site)>,
    stores: Vec<GlobalStore>,
}

impl Observer for Recorder<'_> {
    fn call(&mut self, event: &CallEvent<'_>) {
        let bytes = size_of::<(Address, Site)>() + size_of::<Value>() * ARGUMENTS;
        if !self.engine.code.work.keep(bytes + event.state.bytes()) {
            return;
        }
        let arguments = (0..ARGUMENTS).map(|index| self.engine.argument(event.state, index));
        let site = Site {
            target: event.target,
            arguments: arguments.collect(),
            state: event.state.clone(),
        };
        self.sites.push((event.site, site));
    }

    fn jump(&mut self, site: Address, target: Value, state: &State) {
        if self.tail_calls.contains(&site) {
            self.call(&CallEvent { site, target, state });
        }
    }

    fn store(&mut self, event: StoreEvent) {
        if let Value::Constant(to) = event.to {
            self.stores.push(GlobalStore {
                instruction: event.instruction,
                to: Address(to),
                size: event.size,
                value: event.value,
            });
        }
    }
}

impl Values {
    /// Reads them off a function's solution, given the addresses of the jumps that are its tail
    /// calls.
    pub(crate) fn new(
        engine: &Engine<'_>,
        body: &Body,
        solution: Option<&Solution>,
        tail_calls: &[Address],
        abi: Arc<Abi>,
        cells: Arc<RegisterCells>,
    ) -> Self {
        let mut recorder = Recorder { engine, tail_calls, sites: Vec::new(), stores: Vec::new() };
        if let Some(solution) = solution {
            solution.replay(engine, body, &mut recorder);
        }
        let Recorder { mut sites, stores, .. } = recorder;
        sites.sort_by_key(|(address, _)| *address);
        sites.dedup_by_key(|(address, _)| *address);
        Self { abi, cells, endian: engine.endian(), sites, stores }
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
