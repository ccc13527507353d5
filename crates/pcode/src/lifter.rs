//! The seam between the engine that decodes instructions and everything that reads P-code.

use crate::op::Op;
use crate::varnode::Varnode;
use miyaburi_image::Address;

/// Words of decoding context that the largest specification uses.
pub const CONTEXT_WORDS: usize = 4;

/// The decoding context of one address: processor mode (Thumb, MIPS16, operand sizes) and
/// whatever else a specification keeps between instructions.
///
/// It travels on control-flow edges with the address, so a cache of decoded instructions is keyed
/// by both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context(pub [u32; CONTEXT_WORDS]);

/// One lifted instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instruction {
    /// Its operations, those of its delay slots in their place. A branch whose target is a
    /// constant varnode moves by that many operations within the instruction.
    pub ops: Vec<Op>,
    /// Bytes up to the next instruction in sequence, delay slots included.
    pub length: u32,
    /// Bytes of the instruction alone, without its delay slots.
    pub own_length: u32,
    /// Contexts that the instruction itself prescribes for given addresses, in order of
    /// application, complete (not masks).
    pub prescribed: Vec<(Address, Context)>,
    /// The context of any other successor.
    pub successor_context: Context,
    /// Instructions that one lifter gives the same number are the same in all of the above,
    /// wherever they stand. `None` says nothing.
    pub form: Option<u32>,
}

impl Instruction {
    /// The context in which a direct successor at `address` is decoded.
    #[must_use]
    pub fn context_at(&self, address: Address) -> Context {
        self.prescribed
            .iter()
            .rev()
            .find(|(prescribed, _)| *prescribed == address)
            .map_or(self.successor_context, |(_, context)| *context)
    }
}

/// Why an instruction could not be lifted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiftError {
    /// No code bytes at the address.
    #[error("no bytes to decode at {0}")]
    Unmapped(Address),
    /// Fewer bytes than the instruction needs.
    #[error("instruction at {0} runs past the end of its segment")]
    Truncated(Address),
    /// The address is not aligned as the CPU requires.
    #[error("instruction address {0} is misaligned")]
    Misaligned(Address),
    /// The bytes are no instruction of this CPU.
    #[error("no instruction of this CPU at {0}")]
    Undecodable(Address),
    /// The specification decodes the instruction but gives it no semantics.
    #[error("instruction at {0} has no semantics in the specification")]
    Unimplemented(Address),
    /// A delay slot within a delay slot, or a limit on nesting or size was reached.
    #[error("instruction at {address} exceeds a limit: {limit}")]
    Limit {
        /// The instruction.
        address: Address,
        /// Which limit.
        limit: &'static str,
    },
}

/// Where a lifter takes instruction bytes from.
pub trait CodeBytes {
    /// The bytes from `address` to the end of what is contiguous there; empty when unmapped.
    fn code_at(&self, address: Address) -> &[u8];
}

impl CodeBytes for (Address, &[u8]) {
    fn code_at(&self, address: Address) -> &[u8] {
        address
            .distance_from(self.0)
            .and_then(|distance| usize::try_from(distance).ok())
            .and_then(|distance| self.1.get(distance..))
            .unwrap_or(&[])
    }
}

/// Turns instruction bytes into P-code. An implementation owns only scratch space: it is cheap to
/// create, and the language behind it is shared.
pub trait Lifter {
    /// Lifts the instruction at `address` into `into` (cleared first, so that a caller can reuse
    /// its allocations).
    ///
    /// # Errors
    /// [`LiftError`]; `into` then holds no operations.
    fn lift(
        &mut self,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
        into: &mut Instruction,
    ) -> Result<(), LiftError>;

    /// The instruction at `address` as assembly text (`mov r0,#0x3`).
    ///
    /// # Errors
    /// As [`Lifter::lift`], but semantics are not needed.
    fn disassemble(
        &mut self,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
    ) -> Result<String, LiftError>;
}

/// What is fixed for a processor: names, initial context, register file. Shared by all lifters of
/// it and between threads.
pub trait Language: Send + Sync {
    /// The register of this name in the specification's spelling (`RSP`, `r0`, `a0`).
    fn register(&self, name: &str) -> Option<Varnode>;

    /// The name of the register that is exactly this varnode.
    fn register_name(&self, varnode: &Varnode) -> Option<&str>;

    /// All registers.
    fn registers(&self) -> Vec<(&str, Varnode)>;

    /// Bytes of the register space: every register lies below.
    fn register_space_size(&self) -> usize;

    /// The name of the user-op that a `CALLOTHER` names by its first input.
    fn user_op(&self, number: u64) -> Option<&str>;

    /// The context in which the processor starts.
    fn initial_context(&self) -> Context;

    /// `context` with the named field set, or `None` when the language has no such field.
    fn with_context_field(&self, context: Context, field: &str, value: u32) -> Option<Context>;

    /// The value of a named field.
    fn context_field(&self, context: Context, field: &str) -> Option<u32>;

    /// Register values that the processor specification fixes (`DF = 0`, `FPSCR = 0x40001`).
    fn tracked_registers(&self) -> &[(Varnode, u64)];

    /// A new lifter.
    fn lifter(&self) -> Box<dyn Lifter + Send + '_>;
}
