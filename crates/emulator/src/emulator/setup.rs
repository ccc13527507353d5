//! Machines to start from.

use super::{Emulator, Limits};
use crate::abi::{Abi, ReturnAddress};
use crate::exit::Exit;
use crate::frames::Call;
use crate::hooks::{CallAction, Hooks, NoHooks};
use crate::machine::State;
use crate::memory::{Memory, PAGE_SIZE};
use crate::windows::{WINDOW_BYTES, Windows};
use miyaburi_image::Address;
use miyaburi_pcode::Varnode;
use std::sync::Arc;

impl<'a> Emulator<'a> {
    /// Which variants of its string routines a static program would choose: start-up code runs a
    /// resolver for each and keeps the answer in a slot. Here every CPU feature is absent.
    pub(super) fn resolve_indirect_functions(&mut self) -> Vec<(Address, u64)> {
        const MAX_RESOLVERS: usize = 256;
        let limits = Limits { instructions: 2_000, undo: false, ..Limits::default() };
        let image = self.image;
        let mut chosen = Vec::new();
        for function in image.indirect_functions().iter().take(MAX_RESOLVERS) {
            let mut state = self.bare_state(64);
            self.map_thread_block(&mut state);
            let resolver = (function.resolver, self.context(function.thumb));
            let outcome = self.call(&mut state, resolver, &[], &mut NoHooks, &limits);
            let is_code = image.is_executable(Address(outcome.result & state.address_mask));
            if outcome.exit == Exit::Returned && is_code {
                chosen.push((function.slot, outcome.result & state.address_mask));
            }
        }
        chosen
    }

    /// The global pointer that start-up code sets before it calls anything but the routine that
    /// sets it (RISC-V): functions that rely on their caller for it cannot run without.
    pub(super) fn probe_global_pointer(&mut self) -> Option<u64> {
        struct StopOnceSet(Varnode);
        impl Hooks for StopOnceSet {
            fn call(&mut self, state: &mut State<'_>, _: &Abi, _: &Call) -> CallAction {
                match state.register(&self.0) {
                    0 => CallAction::Enter,
                    _ => CallAction::Stop,
                }
            }
        }
        let register = self.abi.global_pointer?;
        let mut state = self.bare_state(64);
        let entry = (self.image.entry(), self.entry_context());
        let limits = Limits { instructions: 500, undo: false, ..Limits::default() };
        self.call(&mut state, entry, &[], &mut StopOnceSet(register), &limits);
        let set = Some(state.register(&register)).filter(|value| *value != 0);
        set.or_else(|| self.image.global_pointer().map(|address| address.0))
    }

    /// The stack pointer that a function called from `state` with so many arguments starts with.
    #[must_use]
    pub fn callee_stack_pointer(&self, state: &State<'a>, arguments: usize) -> u64 {
        let registers = self.abi.argument_registers.len();
        let on_stack = arguments.saturating_sub(registers) as u64;
        let slot = u64::from(self.abi.slot_size);
        let frame = (self.abi.stack_arguments + slot * on_stack + 256).next_multiple_of(64);
        let stack_pointer = state.register(&self.abi.stack_pointer);
        // A call has just pushed the return address where that is the convention.
        let pushed = if self.abi.return_address == ReturnAddress::Stack { slot } else { 0 };
        let stack_pointer = (stack_pointer & !63).wrapping_sub(frame).wrapping_sub(pushed);
        stack_pointer & state.address_mask
    }

    /// Puts arguments and return address where a callee looks for them.
    pub(super) fn place_call(&self, state: &mut State<'a>, function: Address, arguments: &[u64]) {
        let registers = self.abi.argument_registers.len();
        let slot = u64::from(self.abi.slot_size);
        let stack_pointer = self.callee_stack_pointer(state, arguments.len());
        state.set_register(&self.abi.stack_pointer, stack_pointer);
        for (index, value) in arguments.iter().enumerate() {
            if let Some(register) = self.abi.argument_registers.get(index) {
                state.set_register(register, *value);
                continue;
            }
            let slot_number = (index - registers) as u64;
            let at = Address(stack_pointer + self.abi.stack_arguments + slot * slot_number);
            // The stack was mapped with room for the frame.
            let _ = state.memory.store(at, self.abi.slot_size, *value);
        }
        let sentinel = self.layout.return_sentinel().0;
        match self.abi.return_address {
            ReturnAddress::Register(register, skip) => {
                state.set_register(&register, sentinel.wrapping_sub(skip));
            }
            ReturnAddress::Stack => {
                let _ = state.memory.store(Address(stack_pointer), self.abi.slot_size, sentinel);
            }
        }
        if let Some(register) = &self.abi.callee_address {
            state.set_register(register, function.0);
        }
    }

    /// A machine in bare state: the image, an empty stack, room for fresh memory, and registers
    /// as the processor specification wants them. At most `pages` pages of 4 KiB are ever touched.
    #[must_use]
    pub fn bare_state(&self, pages: usize) -> State<'a> {
        let mut memory = Memory::new(self.image, pages);
        self.layout.map(&mut memory);
        let mut state = State {
            memory,
            bytes: vec![0; self.registers.size() as usize],
            registers: Arc::clone(&self.registers),
            endian: self.arch().endian,
            address_mask: self.arch().address_mask(),
            window_base: self.language.register("l0").and_then(|first| {
                self.language
                    .register("DECOMPILE_MODE")
                    .and_then(|_| self.registers.place(first.offset, WINDOW_BYTES as u32))
            }),
            rounding_mode: crate::layout::rounding_mode_register(self.arch().family).and_then(
                |name| {
                    let register = self.language.register(name)?;
                    self.registers.place(register.offset, register.size)
                },
            ),
            thread_pointer: 0,
            windows: Windows::default(),
            pc: Address(0),
            context: self.language.initial_context(),
            fresh_blocks: 0,
        };
        for (register, value) in self.language.tracked_registers() {
            state.set_register(register, *value);
        }
        for (name, value) in crate::layout::initial_registers(self.arch().family) {
            if let Some(register) = self.language.register(name) {
                state.set_register(&register, *value);
            }
        }
        if let Some((register, value)) = self.abi.global_pointer.zip(self.global_pointer) {
            state.set_register(&register, value);
        }
        state.set_register(&self.abi.stack_pointer, self.layout.initial_stack_pointer().0);
        for (slot, target) in &self.indirect_functions {
            // Within the page budget of any run; a slot that is not mapped is not used either.
            let _ = state.memory.store(*slot, self.abi.slot_size, *target);
        }
        state
    }

    /// Maps what a thread pointer of 0 would reach, so that routines that look into their thread
    /// block find zeros, and the kernel entry where i386 programs look for it.
    pub fn map_thread_block(&self, state: &mut State<'a>) {
        const BELOW: u64 = 0x1_0000;
        state.memory.map(Address(0), 0x1000);
        state.memory.map(Address(state.address_mask & !(BELOW - 1)), BELOW - 1);
        for (at, value) in self.code.kernel.words() {
            // The pages were mapped just now.
            let _ = state.memory.store(*at, self.abi.slot_size, *value);
        }
    }

    /// Maps what the kernel shows every process at a fixed place of its own, which a real process
    /// can read and a bare machine lacks: ARM's helpers tell their version.
    pub fn map_kernel_words(&self, state: &mut State<'a>) {
        for (at, value) in self.code.kernel.words() {
            let page = Address(at.0 & !(PAGE_SIZE - 1));
            if page.0 != 0 {
                // The last byte of the address space is nobody's: its end would be 0.
                state.memory.map(page, PAGE_SIZE - 1);
                // The page was mapped just now.
                let _ = state.memory.store(*at, self.abi.slot_size, *value);
            }
        }
    }
}
