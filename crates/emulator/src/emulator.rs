//! Runs guest code: blocks from a cache, calls that can be observed, skipped or undone.

use crate::abi::{Abi, ReturnAddress};
use crate::block::{Block, MicroOp, Operand, Translator};
use crate::exit::{Exit, Reason};
use crate::frames::{Call, Frame, Frames};
use crate::hooks::{CallAction, Hooks, NoHooks};
use crate::interpreter::{self, Leave, Left, Trouble};
use crate::layout::Layout;
use crate::linux::KernelCode;
use crate::machine::State;
use crate::memory::{Memory, MemoryError, WatchedAccess};
use crate::registers::RegisterMap;
use miyaburi_image::{Address, Arch, Image};
use miyaburi_pcode::{CodeBytes, Context, Language};
use rustc_hash::FxHashMap;
use std::rc::Rc;
use std::sync::Arc;

/// What a run may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instructions of the whole run.
    pub instructions: u64,
    /// Instructions of one call made by the code, its own calls included, when calls can be
    /// undone.
    pub call_instructions: u64,
    /// Nesting of calls.
    pub depth: usize,
    /// Whether a call that cannot be completed is undone and summarised, instead of ending the
    /// run.
    pub undo: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { instructions: 2_000_000, call_instructions: 100_000, depth: 128, undo: true }
    }
}

/// How a run ended and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it ended.
    pub exit: Exit,
    /// The integer result register at that point.
    pub result: u64,
    /// Instructions executed, undone ones included.
    pub instructions: u64,
    /// P-code operations that these took.
    pub operations: u64,
    /// Calls that were undone and summarised.
    pub summarised: u32,
}

/// Calls to a callee are not even tried after it failed this often.
const FAILURES_BEFORE_SKIPPING: u32 = 6;

/// A failed call that cost more than this is not tried again.
const EXPENSIVE_FAILURE: u64 = 20_000;

/// Operations translated for one file: ten times those of the largest programs seen. Code that
/// jumps into the middle of itself again and again is translated anew each time.
const MAX_TRANSLATED: u64 = 16 << 20;

/// Operations of translated blocks that are kept; beyond, all are dropped and come again when they
/// are needed.
const MAX_KEPT: u64 = 2 << 20;

/// What copying a page into fresh memory costs, in instructions.
const PAGE_COPY_COST: u64 = 64;

/// Touched pages that are looked through in the time of an instruction.
const PAGES_PER_INSTRUCTION: u64 = 16;

/// Instruction bytes: those of the file, and what the kernel maps into every process.
struct ProcessCode<'a> {
    image: &'a Image,
    kernel: KernelCode,
}

impl ProcessCode<'_> {
    fn is_executable(&self, address: Address) -> bool {
        self.image.is_executable(address) || !self.kernel.bytes_from(address).is_empty()
    }
}

impl CodeBytes for ProcessCode<'_> {
    fn code_at(&self, address: Address) -> &[u8] {
        let bytes = self.image.bytes_from(address);
        if bytes.is_empty() { self.kernel.bytes_from(address) } else { bytes }
    }
}

/// Executes code of one image. Holds what does not change from run to run, the translated blocks
/// above all.
///
/// Code comes from the file: what a program writes over its own instructions is not executed.
pub struct Emulator<'a> {
    image: &'a Image,
    language: &'a dyn Language,
    abi: Abi,
    layout: Layout,
    code: ProcessCode<'a>,
    translator: Translator<'a>,
    registers: Arc<RegisterMap>,
    blocks: FxHashMap<(Address, Context), Rc<Block>>,
    /// Operations of `blocks`.
    kept: u64,
    /// Operations translated so far.
    translated: u64,
    global_pointer: Option<u64>,
    /// Slots of indirect functions and the addresses that belong there.
    indirect_functions: Vec<(Address, u64)>,
}

impl<'a> Emulator<'a> {
    /// An emulator for `image`, whose code `language` describes.
    #[must_use]
    pub fn new(image: &'a Image, language: &'a dyn Language, abi: Abi) -> Self {
        let layout = Layout::beside(image);
        let registers = Arc::new(RegisterMap::new(language));
        let mut emulator = Self {
            image,
            language,
            abi,
            layout,
            code: ProcessCode {
                image,
                kernel: KernelCode::new(image.arch(), layout.kernel_page()),
            },
            translator: Translator::new(language, image.arch(), Arc::clone(&registers)),
            registers,
            blocks: FxHashMap::default(),
            kept: 0,
            translated: 0,
            global_pointer: None,
            indirect_functions: Vec::new(),
        };
        emulator.global_pointer = emulator.probe_global_pointer();
        emulator.indirect_functions = emulator.resolve_indirect_functions();
        emulator
    }

    /// Which variants of its string routines a static program would choose: start-up code runs a
    /// resolver for each and keeps the answer in a slot. Here every CPU feature is absent.
    fn resolve_indirect_functions(&mut self) -> Vec<(Address, u64)> {
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

    /// The global pointer that start-up code sets before it calls anything: functions that rely
    /// on their caller for it cannot run without.
    fn probe_global_pointer(&mut self) -> Option<u64> {
        struct StopAtCall;
        impl Hooks for StopAtCall {
            fn call(&mut self, _: &mut State<'_>, _: &Abi, _: &Call) -> CallAction {
                CallAction::Stop
            }
        }
        let register = self.abi.global_pointer?;
        let mut state = self.bare_state(64);
        let entry = (self.image.entry(), self.entry_context());
        let limits = Limits { instructions: 500, undo: false, ..Limits::default() };
        self.call(&mut state, entry, &[], &mut StopAtCall, &limits);
        let set = Some(state.register(&register)).filter(|value| *value != 0);
        set.or_else(|| self.image.global_pointer().map(|address| address.0))
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

    /// The context in which the entry point is decoded.
    #[must_use]
    pub fn entry_context(&self) -> Context {
        self.context(self.image.entry_is_thumb())
    }

    /// Whether so much code was translated that no more will be: runs that need more fail.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.translated >= MAX_TRANSLATED
    }

    /// The calling convention in use.
    #[must_use]
    pub fn abi(&self) -> &Abi {
        &self.abi
    }

    /// Where stack and fresh memory lie.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The CPU type.
    #[must_use]
    pub fn arch(&self) -> Arch {
        self.image.arch()
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
                    .and_then(|_| self.registers.place(first.offset))
            }),
            rounding_mode: crate::layout::rounding_mode_register(self.arch().family)
                .and_then(|name| self.registers.place(self.language.register(name)?.offset)),
            thread_pointer: 0,
            windows: Vec::new(),
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

    /// The context of the entry point's instruction set, or of Thumb/MIPS16 when `alternate`.
    #[must_use]
    pub fn context(&self, alternate: bool) -> Context {
        let initial = self.language.initial_context();
        self.abi
            .mode_switch
            .as_ref()
            .and_then(|switch| {
                self.language.with_context_field(initial, switch.field, u32::from(alternate))
            })
            .unwrap_or(initial)
    }

    /// Calls `function` with integer arguments and runs until it returns or cannot go on.
    pub fn call(
        &mut self,
        state: &mut State<'a>,
        function: (Address, Context),
        arguments: &[u64],
        hooks: &mut dyn Hooks,
        limits: &Limits,
    ) -> Outcome {
        self.place_call(state, function.0, arguments);
        self.set_mode(state, function.1);
        state.pc = function.0;
        self.run(state, hooks, limits)
    }

    /// Puts arguments and return address where a callee looks for them.
    fn place_call(&self, state: &mut State<'a>, function: Address, arguments: &[u64]) {
        let registers = self.abi.argument_registers.len();
        let on_stack = arguments.len().saturating_sub(registers) as u64;
        let slot = u64::from(self.abi.slot_size);
        let frame = (self.abi.stack_arguments + slot * on_stack + 256).next_multiple_of(64);
        let stack_pointer = state.register(&self.abi.stack_pointer);
        // A call has just pushed the return address where that is the convention.
        let pushed = if self.abi.return_address == ReturnAddress::Stack { slot } else { 0 };
        let stack_pointer = (stack_pointer & !63).wrapping_sub(frame).wrapping_sub(pushed);
        let stack_pointer = stack_pointer & state.address_mask;
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

    /// Enters `context`, keeping the register that carries the mode bit in step with it.
    fn set_mode(&self, state: &mut State<'a>, context: Context) {
        state.context = context;
        if let Some(switch) = &self.abi.mode_switch {
            let mode = self.language.context_field(context, switch.field).unwrap_or(0);
            state.set_register(&switch.register, u64::from(mode));
        }
    }

    /// Runs from the state's own program counter.
    pub fn run(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        limits: &Limits,
    ) -> Outcome {
        let mut run = Run {
            frames: Frames::default(),
            instructions: 0,
            operations: 0,
            summarised: 0,
            failures: FxHashMap::default(),
            limits: *limits,
            resume: None,
        };
        if limits.undo {
            state.memory.start_journal();
        }
        let before = state.memory.watch(hooks.watched());
        let exit = loop {
            match self.step_block(state, hooks, &mut run) {
                Ok(()) => {}
                Err(Exit::Failed { at, reason }) if limits.undo => {
                    if !self.undo_call(state, hooks, &mut run, &reason) {
                        break Exit::Failed { at, reason };
                    }
                }
                Err(exit) => break exit,
            }
        };
        state.memory.watch(before);
        Outcome {
            exit,
            result: state.register(&self.abi.result),
            instructions: run.instructions,
            operations: run.operations,
            summarised: run.summarised,
        }
    }

    /// Executes one block, or what is left of it, and follows its exit.
    fn step_block(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
    ) -> Result<(), Exit> {
        let (block, from) = match run.resume.take() {
            Some(resume) => resume,
            None => (self.block(state.pc, state.context), 0),
        };
        let needed = (self.registers.size() + block.temporaries) as usize;
        if state.bytes.len() < needed {
            state.bytes.resize(needed, 0);
        }
        let mut left = interpreter::execute(state, &block, from, OPERATIONS_PER_BLOCK);
        if let Leave::Trouble(Trouble::Memory(MemoryError::Watched(access))) = left.how {
            left = self.let_through(state, hooks, &block, &left, &access);
        }
        run.operations += left.executed;
        let first = block.ops.get(from).map_or(0, |op| op.instruction);
        let place = block
            .ops
            .get(left.at)
            .map(|op| (op.instruction, block.places[usize::from(op.instruction)]));
        let last = place.map_or(block.places.len() as u64, |(number, _)| u64::from(number) + 1);
        run.instructions += last.saturating_sub(u64::from(first)).max(left.executed / 64);
        let (address, next) = match (place, block.places.last()) {
            (Some((_, place)), _) | (None, Some(&place)) => (place.address, place.next),
            (None, None) => (state.pc, state.pc),
        };
        state.pc = address;
        if run.instructions > run.limits.instructions {
            return Err(Exit::Budget { at: address });
        }
        if run.instructions > run.frames.deadline() {
            return Err(Exit::Failed { at: address, reason: Reason::CallBudget });
        }
        match left.how {
            Leave::End => {
                if left.at < block.ops.len() {
                    return Err(Exit::Failed { at: address, reason: Reason::CallBudget });
                }
                if let Some(error) = &block.failure {
                    return Err(Exit::Failed {
                        at: block.end,
                        reason: Reason::Lift(error.clone()),
                    });
                }
                state.pc = block.end;
                if state.context != block.end_context {
                    self.set_mode(state, block.end_context);
                }
                Ok(())
            }
            Leave::Jump(target) => {
                self.enter(state, target, block.context_at(target));
                Ok(())
            }
            Leave::Call(target) if target == next => {
                // How position-independent code finds its own address.
                self.enter(state, target, block.context_at(target));
                Ok(())
            }
            Leave::Call(target) => {
                let context = block.context_at(target);
                self.follow_call(state, hooks, run, (target, context), address, next)
            }
            Leave::CallIndirect(value) => {
                let target = self.indirect(state, value);
                self.follow_call(state, hooks, run, target, address, next)
            }
            Leave::JumpIndirect(value) | Leave::Return(value) => {
                self.follow_indirect(state, hooks, run, value, address, next)
            }
            Leave::SystemCall { number } => {
                if !hooks.system_call(state, &self.abi, address, number) {
                    return Err(Exit::Failed { at: address, reason: Reason::SystemCall });
                }
                run.resume = Some((block, left.at + 1));
                Ok(())
            }
            Leave::UserOp => {
                let value = block.ops.get(left.at).and_then(|op| {
                    let inputs: Vec<u64> = (1..op.inputs.len())
                        .filter(|slot| op.sizes[*slot] > 0)
                        .filter_map(|slot| state.input(op, slot).ok())
                        .collect();
                    let name = self.user_op_name(op)?;
                    hooks.user_op(state, address, name, &inputs)
                });
                if let Some(op) = block.ops.get(left.at) {
                    state.output(op, value.unwrap_or(0)).map_err(|error| Exit::Failed {
                        at: address,
                        reason: Trouble::from(error).into(),
                    })?;
                }
                run.resume = Some((block, left.at + 1));
                Ok(())
            }
            Leave::Resume => {
                run.resume = Some((block, left.at));
                Ok(())
            }
            Leave::Trouble(trouble) => Err(Exit::Failed { at: address, reason: trouble.into() }),
        }
    }

    /// Tells of an access to watched memory, and executes the operation that makes it.
    fn let_through(
        &self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        block: &Block,
        left: &Left,
        access: &WatchedAccess,
    ) -> Left {
        let watched = state.memory.watch(Vec::new());
        let number = block.ops.get(left.at).map(|op| usize::from(op.instruction));
        let site = number.and_then(|number| block.places.get(number)).map(|place| place.address);
        hooks.access(state, &self.abi, site.unwrap_or(state.pc), access);
        let one = interpreter::execute_one(state, block, left.at);
        state.memory.watch(watched);
        Left { executed: left.executed + one.executed, ..one }
    }

    /// The specification's name of a user-op.
    fn user_op_name(&self, op: &MicroOp) -> Option<&str> {
        match op.inputs.first() {
            Some(Operand::Constant(number)) => self.language.user_op(*number),
            _ => None,
        }
    }

    fn block(&mut self, address: Address, context: Context) -> Rc<Block> {
        if let Some(block) = self.blocks.get(&(address, context)) {
            return Rc::clone(block);
        }
        if self.is_spent() {
            return Rc::new(Block::missing(address, context));
        }
        let block = Rc::new(self.translator.translate(&self.code, address, context));
        let size = 1 + block.ops.len() as u64;
        self.translated += size;
        if self.kept + size > MAX_KEPT {
            self.blocks.clear();
            self.kept = 0;
        }
        self.kept += size;
        self.blocks.insert((address, context), Rc::clone(&block));
        block
    }

    fn enter(&self, state: &mut State<'a>, target: Address, context: Context) {
        state.pc = target;
        if state.context != context {
            self.set_mode(state, context);
        }
    }

    /// Where an indirect transfer goes, with the mode its low bit selected.
    fn indirect(&self, state: &State<'a>, value: u64) -> (Address, Context) {
        let Some(switch) = &self.abi.mode_switch else {
            return (Address(value & state.address_mask), state.context);
        };
        let mode = state.register(&switch.register) & 1;
        (Address(value & state.address_mask & !1), self.context(mode == 1))
    }

    fn follow_indirect(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        value: u64,
        site: Address,
        next: Address,
    ) -> Result<(), Exit> {
        let target = self.indirect(state, value);
        if target.0 == self.layout.return_sentinel() {
            return Err(Exit::Returned);
        }
        if let Some(returned) = run.frames.pop_returning_to(target.0) {
            run.failures.remove(&returned.callee);
            hooks.returned(state, &self.abi, &returned);
        } else if let ReturnAddress::Register(link, skip) = self.abi.return_address {
            // `mov lr,pc; bx r3` and its like.
            if state.register(&link).wrapping_add(skip) & state.address_mask & !1 == next.0 {
                return self.follow_call(state, hooks, run, target, site, next);
            }
        }
        self.enter(state, target.0, target.1);
        Ok(())
    }

    fn follow_call(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        (callee, context): (Address, Context),
        site: Address,
        return_to: Address,
    ) -> Result<(), Exit> {
        let call = Call { site, callee, return_to, depth: run.frames.depth() };
        let hopeless = run.limits.undo
            && run.failures.get(&callee).is_some_and(|count| *count >= FAILURES_BEFORE_SKIPPING);
        match hooks.call(state, &self.abi, &call) {
            CallAction::Stop => return Err(Exit::Stopped { at: site }),
            CallAction::Return(value) => {
                self.return_from(state, &call, value);
                return Ok(());
            }
            CallAction::Enter if hopeless || !self.code.is_executable(callee) => {
                if !run.limits.undo {
                    return Err(Exit::Failed { at: site, reason: Reason::NotCode(callee) });
                }
                let value = self.summarise(state, run);
                hooks.summarised(state, &self.abi, &call, &Reason::NotCode(callee), value);
                self.return_from(state, &call, value);
                return Ok(());
            }
            CallAction::Enter => {}
        }
        let return_context = state.context;
        if run.frames.depth() >= run.limits.depth {
            return Err(Exit::Failed { at: site, reason: Reason::Depth });
        }
        // Half of what is left, so that a caller can go on when its callee has spent its budget.
        let left = run.frames.deadline().min(run.limits.instructions);
        let left = left.saturating_sub(run.instructions) / 2;
        let deadline = match run.limits.undo {
            true => run.instructions + left.min(run.limits.call_instructions),
            false => u64::MAX,
        };
        run.frames.push(Frame {
            call,
            return_context,
            deadline,
            started: run.instructions,
            registers: run
                .limits
                .undo
                .then(|| state.bytes[..self.registers.size() as usize].into()),
            windows: state.windows.len(),
            journal: state.memory.journal_mark(),
            fresh_blocks: state.fresh_blocks,
        });
        self.enter(state, callee, context);
        Ok(())
    }

    /// Undoes the innermost call and gives it a summary result instead. False when no call is
    /// under way.
    fn undo_call(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        reason: &Reason,
    ) -> bool {
        run.resume = None;
        let Some(frame) = run.frames.pop() else { return false };
        let failures = run.failures.entry(frame.call.callee).or_default();
        let cost = run.instructions - frame.started;
        *failures += if cost > EXPENSIVE_FAILURE { FAILURES_BEFORE_SKIPPING } else { 1 };
        if let Some(registers) = &frame.registers {
            state.bytes[..registers.len()].copy_from_slice(registers);
        }
        state.windows.truncate(frame.windows);
        state.memory.roll_back(frame.journal);
        state.fresh_blocks = frame.fresh_blocks;
        self.set_mode(state, frame.return_context);
        let value = self.summarise(state, run);
        hooks.summarised(state, &self.abi, &frame.call, reason, value);
        self.return_from(state, &frame.call, value);
        true
    }

    /// Fresh zeroed memory, or a copy of the old block when the first argument is one: what
    /// allocators give and most other callers ignore.
    fn summarise(&self, state: &mut State<'a>, run: &mut Run) -> u64 {
        run.summarised += 1;
        run.instructions += 1;
        let first = self.abi.argument(state, 0);
        let fresh = self.layout.fresh_block(state);
        if let Some(old) = self.layout.fresh_block_at(Address(first)) {
            let mut page = [0; 4096];
            run.instructions += state.memory.page_count() as u64 / PAGES_PER_INSTRUCTION;
            // Only what was touched can differ from zero; the rest stays virtual.
            for at in state.memory.touched(old, self.layout.fresh_block_size()) {
                run.instructions += PAGE_COPY_COST;
                let offset = at.0.wrapping_sub(old.0);
                if state.memory.read(at, &mut page).is_ok() {
                    let _ = state.memory.write(fresh.offset(offset), &page);
                }
            }
        }
        fresh.0
    }

    /// Makes the machine look as if the call had returned `value`.
    fn return_from(&self, state: &mut State<'a>, call: &Call, value: u64) {
        if self.abi.return_address == ReturnAddress::Stack {
            let stack_pointer = state.register(&self.abi.stack_pointer);
            let popped = stack_pointer.wrapping_add(u64::from(self.abi.slot_size));
            state.set_register(&self.abi.stack_pointer, popped & state.address_mask);
        }
        state.set_register(&self.abi.result, value);
        if let Some(register) = &self.abi.pointer_result {
            state.set_register(register, value);
        }
        state.pc = call.return_to;
    }
}

/// Operations one block may execute before the budget is looked at: string instructions loop
/// within themselves.
const OPERATIONS_PER_BLOCK: u64 = 1 << 20;

/// What changes in the course of one run, beside the machine state.
struct Run {
    frames: Frames,
    instructions: u64,
    operations: u64,
    summarised: u32,
    /// Failures of each callee since it last returned.
    failures: FxHashMap<Address, u32>,
    limits: Limits,
    /// A block that a system call interrupted, and the operation to go on with.
    resume: Option<(Rc<Block>, usize)>,
}
