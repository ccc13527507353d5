//! The program under analysis, as extractors ask about it.

use crate::budget::Budget;
use crate::trace::{self, Policy, Trace};
use crate::unmodelled_calls::UnmodelledCalls;
use miyaburi_analysis::{CallKind, CallSite, Function, FunctionId, Program, Value};
use miyaburi_emulator::{Emulator, State, SystemCallSite};
use miyaburi_image::{Address, Image};
use miyaburi_pcode::{Context, Varnode};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Longest string read from the image, in bytes.
const MAX_STRING: usize = 256;

/// A routine that is called several times by the same function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedCall {
    /// The calling function.
    pub function: Address,
    /// The routine.
    pub callee: Address,
    /// The calls, in address order.
    pub sites: Vec<Address>,
}

/// Where a function looks for its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Convention {
    /// Registers of the first arguments, when not those of the platform.
    pub registers: Vec<Varnode>,
}

/// A program with everything that is known of it, and the emulator that runs its routines.
pub struct Subject<'a> {
    /// The file.
    pub file: &'a [u8],
    /// The file as mapped.
    pub image: &'a Image,
    /// Its functions, calls, values and references.
    pub program: &'a Program<'a>,
    /// Runs its routines.
    pub emulator: Emulator<'a>,
    /// Pages that one run may touch.
    pub pages: usize,
    /// How many times as long as usual a run may take: some ciphers take their time.
    pub patience: u64,
    /// Runs that may take as long as ciphers do and still come to nothing.
    pub laborious: u32,
    /// What all runs may spend together.
    pub budget: Budget,
    /// System calls of the runs that the virtual Linux does not model.
    pub unmodelled: UnmodelledCalls,
}

/// Runs of one file that may take as long as ciphers do and still come to nothing.
pub const LABORIOUS_RUNS: u32 = 8;

impl<'a> Subject<'a> {
    /// A bare machine.
    #[must_use]
    pub fn bare_state(&self) -> State<'a> {
        self.emulator.bare_state(self.pages)
    }

    /// Whether one more run may take as long as ciphers do. Who finds something gives it back.
    pub fn may_be_laborious(&mut self) -> bool {
        let may = self.laborious > 0;
        self.laborious = self.laborious.saturating_sub(1);
        may
    }

    /// Does something whose want of memory means nothing for what the program is.
    pub fn attempt<T>(&mut self, action: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.emulator.is_memory_spent();
        let result = action(self);
        self.emulator.take_memory_as(before);
        result
    }

    /// The context in which the function at `entry` is decoded.
    #[must_use]
    pub fn context_of(&self, entry: Address) -> Context {
        let function = self.program.function_at(entry);
        let context = function.and_then(|function| self.program.context_of(function));
        context.unwrap_or_else(|| self.emulator.entry_context())
    }

    /// Runs the function at `entry`.
    pub fn run(
        &mut self,
        state: State<'a>,
        entry: Address,
        arguments: &[u64],
        policy: &Policy,
    ) -> Trace<'a> {
        let context = self.context_of(entry);
        let mut policy = *policy;
        policy.limits.instructions = self.budget.grant(policy.limits.instructions);
        let site =
            SystemCallSite::new(self.emulator.arch(), self.program.language(), self.emulator.abi());
        let function = (entry, context);
        let trace = trace::run(&mut self.emulator, state, function, arguments, &policy, site);
        self.budget.spend(trace.outcome.instructions);
        trace
    }

    /// The platform's convention, then those of local functions.
    #[must_use]
    pub fn conventions(&self) -> Vec<Convention> {
        let local = self.emulator.abi().local_conventions.iter();
        let local = local.map(|registers| Convention { registers: registers.clone() });
        std::iter::once(Convention::default()).chain(local).collect()
    }

    /// Runs the function at `entry` with arguments where `convention` wants them.
    pub fn run_by(
        &mut self,
        convention: &Convention,
        mut state: State<'a>,
        entry: Address,
        arguments: &[u64],
        policy: &Policy,
    ) -> Trace<'a> {
        for (register, argument) in convention.registers.iter().zip(arguments) {
            state.set_register(register, *argument);
        }
        let rest = arguments.get(convention.registers.len()..).unwrap_or(&[]);
        self.run(state, entry, rest, policy)
    }

    /// What is known of argument `index` of the call at `site` in `caller`.
    #[must_use]
    pub fn argument(
        &self,
        convention: &Convention,
        caller: FunctionId,
        site: Address,
        index: usize,
    ) -> Value {
        let Some(values) = self.program.values(caller) else { return Value::Unknown };
        match convention.registers.get(index) {
            Some(register) => values.register(site, register),
            None => values.argument(site, index - convention.registers.len()),
        }
    }

    /// Argument `index` of the call at `site` in `caller`, when it is a constant.
    #[must_use]
    pub fn constant_argument(
        &self,
        convention: &Convention,
        caller: FunctionId,
        site: Address,
        index: usize,
    ) -> Option<u64> {
        self.argument(convention, caller, site, index).constant()
    }

    fn entry(&self, function: FunctionId) -> Option<Address> {
        self.program.function(function).map(|function| function.entry)
    }

    /// Calls from the same function to the same routine, at least `min` of them, most first. The
    /// last one may be a jump.
    #[must_use]
    pub fn repeated_calls(&self, min: usize) -> Vec<RepeatedCall> {
        let mut groups: FxHashMap<(FunctionId, Address), Vec<Address>> = FxHashMap::default();
        let (jumps, calls): (Vec<&CallSite>, Vec<&CallSite>) =
            self.program.call_sites().iter().partition(|site| site.kind == CallKind::Tail);
        for site in calls {
            if let Some(target) = site.target {
                groups.entry((site.caller, target)).or_default().push(site.address);
            }
        }
        for site in jumps {
            let group = site.target.and_then(|target| groups.get_mut(&(site.caller, target)));
            if let Some(sites) = group.filter(|sites| sites.len() >= min) {
                sites.push(site.address);
            }
        }
        let mut repeated: Vec<RepeatedCall> = groups
            .into_iter()
            .filter(|(_, sites)| sites.len() >= min)
            .filter_map(|((caller, callee), sites)| {
                Some(RepeatedCall { function: self.entry(caller)?, callee, sites })
            })
            .collect();
        repeated.sort_by_key(|group| {
            (std::cmp::Reverse(group.sites.len()), group.function, group.callee)
        });
        repeated
    }

    /// Functions that call one routine at least `min` times, most repetitive first.
    #[must_use]
    pub fn repetitive_functions(&self, min: usize) -> Vec<Address> {
        let mut functions = Vec::new();
        for group in self.repeated_calls(min) {
            if !functions.contains(&group.function) {
                functions.push(group.function);
            }
        }
        functions
    }

    /// The first `N` arguments of calls in `function`, as far as they are constants.
    #[must_use]
    pub fn constant_arguments<const N: usize>(
        &self,
        convention: &Convention,
        function: Address,
        sites: &[Address],
    ) -> Vec<(Address, [Option<u64>; N])> {
        let Some(caller) = self.program.function_at(function) else { return Vec::new() };
        sites
            .iter()
            .map(|site| {
                let argument = |index| self.constant_argument(convention, caller, *site, index);
                (*site, std::array::from_fn(argument))
            })
            .collect()
    }

    /// Routines whose argument `index` is at least `min` different numbers below `limit` in calls
    /// where it is a constant at all, with those numbers; most numbers first.
    #[must_use]
    pub fn functions_given_numbers(
        &self,
        convention: &Convention,
        index: usize,
        limit: u64,
        min: usize,
    ) -> Vec<(Address, Vec<u64>)> {
        let mut given: FxHashMap<Address, BTreeSet<u64>> = FxHashMap::default();
        for site in self.program.call_sites() {
            let Some(target) = site.target else { continue };
            let number = self.constant_argument(convention, site.caller, site.address, index);
            given.entry(target).or_default().extend(number);
        }
        let mut functions: Vec<(Address, Vec<u64>)> = given
            .into_iter()
            .filter(|(_, numbers)| numbers.len() >= min && numbers.iter().all(|n| *n < limit))
            .map(|(function, numbers)| (function, numbers.into_iter().collect()))
            .collect();
        functions.sort_by_key(|(function, numbers)| (std::cmp::Reverse(numbers.len()), *function));
        functions
    }

    /// The functions with a jump back to an earlier block, the small ones first.
    #[must_use]
    pub fn functions_with_loop(&self) -> Vec<Address> {
        let goes_back = |function: &Function| {
            let blocks = function.blocks();
            blocks.iter().any(|block| {
                let next = block.successors.iter().filter_map(|next| blocks.get(*next as usize));
                next.into_iter().any(|next| next.start <= block.start)
            })
        };
        let mut found: Vec<&Function> =
            self.program.functions().iter().filter(|function| goes_back(function)).collect();
        found.sort_by_key(|function| (function.instruction_count(), function.entry));
        found.into_iter().map(|function| function.entry).collect()
    }

    /// Addresses in `start..end` that code refers to, ascending.
    #[must_use]
    pub fn referenced_addresses(&self, start: Address, end: Address) -> Vec<Address> {
        let mut addresses: Vec<Address> =
            self.program.references().to(start, end).iter().map(|reference| reference.to).collect();
        addresses.dedup();
        addresses
    }

    /// The function that a code pointer leads to, when it is the start of one.
    #[must_use]
    pub fn function_at_pointer(&self, value: u64) -> Option<Address> {
        let has_mode = self.emulator.abi().mode_switch.is_some();
        let address = Address(if has_mode { value & !1 } else { value });
        self.program.function_at(address).map(|_| address)
    }

    /// Whether the text at a fixed place, or the rest of it, is missing in the file.
    #[must_use]
    pub fn is_cut_string(&self, value: u64) -> bool {
        let stored = self.image.bytes_from(Address(value));
        let has_end = stored.iter().take(MAX_STRING).any(|byte| *byte == 0);
        !has_end && self.image.is_missing(Address(value).offset(stored.len() as u64))
    }

    /// The bytes up to the next NUL at a fixed place that is no function; they may be
    /// encoded, and there may be none.
    #[must_use]
    pub fn string_at(&self, value: u64) -> Option<&'a [u8]> {
        let address = Address(value);
        let image: &'a Image = self.image;
        if value < 0x100 || self.program.function_at(address).is_some() {
            return None;
        }
        image.read_c_string(address, MAX_STRING)
    }
}
