//! One program as a process, from its entry point.

use crate::abi::{KernelAbi, MissingRegister};
use crate::kernel::{Ended, Kernel};
use crate::observer::{NoObserver, Observed, Observer};
use crate::record::CallRecord;
use crate::space::AddressSpace;
use crate::start::{Setup, lay_out_stack};
use crate::tree::Tree;
use miyaburi_emulator::{Emulator, Exit, Limits, MemoryError, Outcome, PAGE_SIZE, State};
use miyaburi_image::{Address, Family, Image};
use miyaburi_pcode::Language;

/// A program with the kernel around it; a clone is a snapshot of both.
#[derive(Clone)]
pub struct Process<'a> {
    /// The machine.
    pub state: State<'a>,
    /// The kernel.
    pub kernel: Kernel,
}

/// Why a process could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The kernel's ABI of this CPU cannot be used.
    #[error(transparent)]
    Register(#[from] MissingRegister),
    /// There is no memory for its stack.
    #[error("the stack cannot be laid out: {0}")]
    Stack(#[from] MemoryError),
    /// The image leaves no room for a heap.
    #[error("the image leaves no room for a heap and mappings")]
    Room,
}

impl<'a> Process<'a> {
    /// The program of `image`, which was read from `file`, ready to run from its entry point. It may
    /// touch so many pages of 4 KiB.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(
        emulator: &Emulator<'a>,
        language: &dyn Language,
        image: &'a Image,
        file: &[u8],
        setup: &Setup,
        pages: usize,
    ) -> Result<Self, StartError> {
        let mut state = emulator.bare_state(pages);
        let abi = KernelAbi::new(image.arch().family, language, emulator.abi())?;
        for function in image.indirect_functions() {
            // Start-up calls the resolver that it finds there.
            let slot = image.read_pointer(function.slot).unwrap_or(function.resolver);
            state.memory.store(function.slot, image.arch().pointer_size(), slot.0)?;
        }
        if matches!(image.arch().family, Family::X86 | Family::X86_64) {
            // The answer of `cpuid` lies at 0 (see the emulator's user-ops).
            state.memory.map(Address(0), PAGE_SIZE);
        }
        emulator.map_kernel_words(&mut state);
        let space = AddressSpace::new(image, &mut state).map_err(|_| StartError::Room)?;
        lay_out_stack(emulator, image, file, setup, &mut state)?;
        state.enter(image.entry(), emulator.entry_context());
        let kernel = Kernel::new(abi, language, space, Tree::new(file, setup), setup, image.arch());
        Ok(Self { state, kernel })
    }

    /// Runs on until the program ends, or cannot go on within `limits`.
    pub fn run(&mut self, emulator: &mut Emulator<'a>, limits: &Limits) -> Outcome {
        self.run_observed(emulator, limits, &mut NoObserver)
    }

    /// The same, with somebody who looks on and may stop it.
    pub fn run_observed(
        &mut self,
        emulator: &mut Emulator<'a>,
        limits: &Limits,
        observer: &mut dyn Observer,
    ) -> Outcome {
        let limits = Limits { undo: false, ..*limits };
        let within = |spent: u64| Limits {
            instructions: limits.instructions.saturating_sub(spent),
            ..limits
        };
        let mut spent = 0;
        loop {
            let mut hooks = Observed { kernel: &mut self.kernel, observer };
            let mut outcome = emulator.run(&mut self.state, &mut hooks, &within(spent));
            spent += outcome.instructions;
            // A handler may send itself the next signal, without end.
            while spent < limits.instructions
                && let Some((handler, signal)) = self.kernel.next_handled()
            {
                spent += self.deliver(emulator, handler, signal, &within(spent));
            }
            let goes_on = matches!(outcome.exit, Exit::Stopped { .. }) && self.ended().is_none();
            if !goes_on || observer.stops(&self.kernel) || spent >= limits.instructions {
                outcome.instructions = spent;
                return outcome;
            }
        }
    }

    /// Delivers a signal, when the program has a handler for it; the instructions that it took.
    pub fn raise(
        &mut self,
        emulator: &mut Emulator<'a>,
        signal: u64,
        limits: &Limits,
    ) -> Option<u64> {
        /// `SIG_IGN`, the last number that is no handler.
        const IGNORE: u64 = 1;
        let handler = self.kernel.handlers().get(&signal).copied();
        let handler = handler.filter(|handler| handler.0 > IGNORE)?;
        Some(self.deliver(emulator, handler, signal, limits))
    }

    /// Runs the handler of a signal; the registers are afterwards what they were, and other signals
    /// wait until then. The instructions that it took.
    fn deliver(
        &mut self,
        emulator: &mut Emulator<'a>,
        handler: Address,
        signal: u64,
        limits: &Limits,
    ) -> u64 {
        let before = self.state.clone();
        let has_modes = emulator.abi().mode_switch.is_some();
        let (entry, context) = match has_modes {
            true => (Address(handler.0 & !1), emulator.context(handler.0 & 1 == 1)),
            false => (handler, emulator.context(false)),
        };
        self.kernel.handles_signal = true;
        let outcome = emulator.call(
            &mut self.state,
            (entry, context),
            &[signal, 0, 0],
            &mut self.kernel,
            limits,
        );
        self.kernel.handles_signal = false;
        let after = std::mem::replace(&mut self.state, before);
        self.state.memory = after.memory;
        outcome.instructions
    }

    /// How the program ended, once it did.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.kernel.ended()
    }

    /// Everything that it asked of the kernel, in order.
    #[must_use]
    pub fn calls(&self) -> &[CallRecord] {
        self.kernel.calls()
    }
}
