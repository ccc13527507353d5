//! Runs guest code: blocks from a cache, calls that can be observed, skipped or undone.

mod calls;
mod made_code;
mod setup;
mod standstill;
mod steps;

use crate::abi::Abi;
use crate::block::{Block, Translator};
use crate::exit::{Exit, Reason};
use crate::hooks::Hooks;
use crate::layout::Layout;
use crate::linux::KernelCode;
use crate::machine::State;
use crate::memory::MemoryError;
use crate::registers::RegisterMap;
use made_code::MadeCode;
use miyaburi_image::{Address, Arch, Image};
use miyaburi_pcode::{CodeBytes, Context, Language, Lifter};
use rustc_hash::FxHashMap;
use std::rc::Rc;
use std::sync::Arc;
use steps::Run;

/// What a run may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instructions of the whole run.
    pub instructions: u64,
    /// Instructions of one call made by the code, its own calls included, when calls can be
    /// undone.
    pub call_instructions: u64,
    /// Instructions, one after the other, in blocks that the run has executed before, after which
    /// it ends: it is in a loop without end.
    pub repetition: u64,
    /// Nesting of calls.
    pub depth: usize,
    /// Whether a call that cannot be completed is undone and summarised, instead of ending the
    /// run.
    pub undo: bool,
}

impl Limits {
    /// Enough for any routine, but for one that runs through all of a program.
    pub const DEFAULT: Self = Self {
        instructions: 2_000_000,
        call_instructions: 100_000,
        repetition: u64::MAX,
        depth: 128,
        undo: true,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How a run ended and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it ended.
    pub exit: Exit,
    /// The integer result register at that point.
    pub result: u64,
    /// Instructions begun, undone ones included; one that repeats itself counts by its operations.
    pub instructions: u64,
    /// P-code operations that these took.
    pub operations: u64,
    /// Calls that were undone and summarised.
    pub summarised: u32,
}

/// Operations translated for one file: ten times those of the largest programs seen. Code that
/// jumps into the middle of itself again and again is translated anew each time.
const MAX_TRANSLATED: u64 = 16 << 20;

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
/// Code comes from the file: what a program writes over its own instructions is not executed, unless
/// memory is followed ([`Emulator::follow_memory`]).
pub struct Emulator<'a> {
    image: &'a Image,
    language: &'a dyn Language,
    abi: Abi,
    layout: Layout,
    code: ProcessCode<'a>,
    /// Code that lies in memory alone, where that is followed.
    made_code: Option<MadeCode>,
    translator: Translator<'a>,
    registers: Arc<RegisterMap>,
    blocks: FxHashMap<(Address, Context), Rc<Block>>,
    /// Blocks executed last, at a place that follows from their address.
    recent: Vec<Option<(Address, Context, Rc<Block>)>>,
    /// Operations of `blocks`.
    kept: u64,
    /// Operations translated so far.
    translated: u64,
    /// Runs so far.
    runs: u64,
    /// Whether a run was refused memory.
    is_memory_spent: bool,
    global_pointer: Option<u64>,
    /// Slots of indirect functions and the addresses that belong there.
    indirect_functions: Vec<(Address, u64)>,
}

impl<'a> Emulator<'a> {
    /// An emulator for `image`, whose code `language` describes.
    #[must_use]
    pub fn new(image: &'a Image, language: &'a dyn Language, abi: Abi) -> Self {
        Self::with_lifter(image, language, abi, language.lifter())
    }

    /// The same with a lifter of one's own, such as one that has lifted much of the image before.
    #[must_use]
    pub fn with_lifter(
        image: &'a Image,
        language: &'a dyn Language,
        abi: Abi,
        lifter: Box<dyn Lifter + Send + 'a>,
    ) -> Self {
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
            made_code: None,
            translator: Translator::new(language, lifter, image.arch(), Arc::clone(&registers)),
            registers,
            blocks: FxHashMap::default(),
            recent: vec![None; steps::RECENT],
            kept: 0,
            translated: 0,
            runs: 0,
            is_memory_spent: false,
            global_pointer: None,
            indirect_functions: Vec::new(),
        };
        emulator.global_pointer = emulator.probe_global_pointer();
        emulator.indirect_functions = emulator.resolve_indirect_functions();
        emulator
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

    /// Whether a run has touched all the memory that it may, or written all that can be undone, so
    /// that a part of it was left out.
    #[must_use]
    pub const fn is_memory_spent(&self) -> bool {
        self.is_memory_spent
    }

    /// Takes it that no more memory was wanted than `is_spent` says: for who has asked before an
    /// attempt whose failure means nothing.
    pub const fn take_memory_as(&mut self, is_spent: bool) {
        self.is_memory_spent = is_spent;
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

    /// Runs from the state's own program counter.
    pub fn run(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        limits: &Limits,
    ) -> Outcome {
        self.runs += 1;
        let mut run = Run::new(self.runs, *limits, hooks.branches());
        run.owns_journal = limits.undo && !state.memory.has_journal();
        if run.owns_journal {
            state.memory.start_journal();
        }
        let before = state.memory.watch(hooks.watched());
        let exit = loop {
            match self.step_block(state, hooks, &mut run) {
                Ok(()) => {}
                Err(Exit::Failed { at, reason }) => {
                    self.is_memory_spent |=
                        matches!(reason, Reason::Memory(MemoryError::Budget { .. }));
                    if !limits.undo || !self.undo_call(state, hooks, &mut run, &reason) {
                        break Exit::Failed { at, reason };
                    }
                }
                Err(exit) => break exit,
            }
        };
        state.memory.watch(before);
        if run.owns_journal {
            state.memory.stop_journal();
        }
        Outcome {
            exit,
            result: state.register(&self.abi.result),
            instructions: run.instructions,
            operations: run.operations,
            summarised: run.summarised,
        }
    }
}
