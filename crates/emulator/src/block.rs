//! Straight runs of instructions, translated for the interpreter.

mod fused;
mod temporaries;

use crate::quick::{self, Routine};
use crate::registers::RegisterMap;
use crate::simplify::{Flags, simplify};
use crate::user_op::UserOp;
use fused::{fuse_products, fuses_products};
use miyaburi_image::{Address, Arch, Endian};
use miyaburi_pcode::{
    CodeBytes, Context, Instruction, Language, LiftError, Lifter, Op, Opcode, Space, Varnode,
};
use std::cell::Cell;
use std::sync::Arc;
use temporaries::TemporaryLayout;

/// The most instructions in one block.
pub(crate) const MAX_INSTRUCTIONS: usize = 128;

/// Where the interpreter finds an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// There is none.
    None,
    /// The value itself.
    Constant(u64),
    /// Byte offset in the machine state: registers, then temporaries.
    State(u32),
    /// Guest memory at a fixed address.
    Memory(Address),
    /// Target of a branch within the block: the index of an operation.
    Local(u32),
    /// Target of a branch that leaves the block.
    Target(Address),
}

/// One P-code operation with its operands placed.
#[derive(Clone, Debug)]
pub(crate) struct MicroOp {
    pub(crate) opcode: Opcode,
    /// Index of the instruction within the block.
    pub(crate) instruction: u16,
    pub(crate) output: Operand,
    pub(crate) output_size: u32,
    pub(crate) inputs: [Operand; 3],
    pub(crate) sizes: [u32; 3],
    pub(crate) user_op: UserOp,
    /// Whether any operand is wider than eight bytes.
    pub(crate) wide: bool,
    /// What executes it, when it is one of the usual ones.
    pub(crate) routine: Option<Routine>,
}

/// Where one instruction of a block lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) address: Address,
    /// The instruction that follows in sequence, delay slots skipped.
    pub(crate) next: Address,
}

/// A translated run of instructions with one entry.
#[derive(Debug)]
pub(crate) struct Block {
    /// Operations of its instructions, before it was simplified.
    pub(crate) translated_ops: u64,
    pub(crate) ops: Box<[MicroOp]>,
    pub(crate) places: Box<[Place]>,
    /// Where execution goes on when the last operation does not branch.
    pub(crate) end: Address,
    pub(crate) end_context: Context,
    /// Contexts that the last instruction prescribes for its targets.
    pub(crate) prescribed: Box<[(Address, Context)]>,
    pub(crate) successor_context: Context,
    /// Why the block ends at `end`, when the instruction there could not be lifted.
    pub(crate) failure: Option<LiftError>,
    /// Bytes of temporaries beyond the registers.
    pub(crate) temporaries: u32,
    /// Number of the run that executed it last, from 1.
    pub(crate) last_run: Cell<u64>,
}

impl Block {
    /// In place of a block that is not translated.
    pub(crate) fn missing(address: Address, context: Context) -> Self {
        Self {
            translated_ops: 0,
            ops: Box::default(),
            places: Box::default(),
            end: address,
            end_context: context,
            prescribed: Box::default(),
            successor_context: context,
            failure: Some(LiftError::Limit { address, limit: "code translated for one file" }),
            temporaries: 0,
            last_run: Cell::new(0),
        }
    }

    /// Instructions begun by the operations before `index`; all when it lies beyond the last.
    pub(crate) fn instructions_before(&self, index: usize) -> u64 {
        match index.checked_sub(1).map(|last| self.ops.get(last)) {
            None => 0,
            Some(Some(op)) => u64::from(op.instruction) + 1,
            Some(None) => self.places.len() as u64,
        }
    }

    /// Where the instruction of the operation at `index` lies; the last one beyond the end.
    pub(crate) fn place_of(&self, index: usize) -> Option<&Place> {
        match self.ops.get(index) {
            Some(op) => self.places.get(usize::from(op.instruction)),
            None => self.places.last(),
        }
    }

    /// The context for a successor at `target`.
    pub(crate) fn context_at(&self, target: Address) -> Context {
        self.prescribed
            .iter()
            .rev()
            .find(|(address, _)| *address == target)
            .map_or(self.successor_context, |(_, context)| *context)
    }
}

/// Translates blocks; owns the scratch space for it.
pub(crate) struct Translator<'a> {
    language: &'a dyn Language,
    lifter: Box<dyn Lifter + Send + 'a>,
    instruction: Instruction,
    endian: Endian,
    address_mask: u64,
    registers: Arc<RegisterMap>,
    flags: Flags,
    windows: Option<WindowRegisters>,
    /// Whether an instruction that multiplies and adds rounds once.
    fuses: bool,
}

/// The registers by which a specification with register windows handles them.
struct WindowRegisters {
    decompile_mode: Varnode,
    window_pointer: Varnode,
}

impl<'a> Translator<'a> {
    pub(crate) fn new(
        language: &'a dyn Language,
        lifter: Box<dyn Lifter + Send + 'a>,
        arch: Arch,
        registers: Arc<RegisterMap>,
    ) -> Self {
        let windows = language.register("DECOMPILE_MODE").zip(language.register("CWP")).map(
            |(decompile_mode, window_pointer)| WindowRegisters { decompile_mode, window_pointer },
        );
        Self {
            language,
            lifter,
            instruction: Instruction::default(),
            endian: arch.endian,
            address_mask: arch.address_mask(),
            flags: Flags::new(language, &registers),
            registers,
            windows,
            fuses: fuses_products(arch.family),
        }
    }

    /// The block at `start`: up to the first instruction that may branch elsewhere.
    pub(crate) fn translate(
        &mut self,
        code: &dyn CodeBytes,
        start: Address,
        context: Context,
    ) -> Block {
        let mut ops = Vec::new();
        let mut places = Vec::new();
        let (mut address, mut context) = (start, context);
        let mut failure = None;
        let mut temporaries = 0;
        let mut instruction = std::mem::take(&mut self.instruction);
        instruction.prescribed.clear();
        instruction.successor_context = context;
        while places.len() < MAX_INSTRUCTIONS {
            if let Err(error) = self.lifter.lift(code, address, context, &mut instruction) {
                failure = Some(error);
                break;
            }
            let next =
                Address(address.0.wrapping_add(u64::from(instruction.length)) & self.address_mask);
            let first = ops.len() as u32;
            let number = places.len() as u16;
            places.push(Place { address, next });
            let leaves =
                self.append(&instruction.ops, first, number, next, &mut ops, &mut temporaries);
            context = instruction.context_at(next);
            address = next;
            if leaves {
                break;
            }
        }
        let translated_ops = ops.len() as u64;
        simplify(&mut ops, &self.flags, self.registers.size());
        for op in &mut ops {
            op.routine = quick::routine(op, self.endian);
        }
        let block = Block {
            translated_ops,
            ops: ops.into_boxed_slice(),
            places: places.into_boxed_slice(),
            end: address,
            end_context: context,
            prescribed: instruction.prescribed.clone().into_boxed_slice(),
            successor_context: instruction.successor_context,
            failure,
            temporaries,
            last_run: Cell::new(0),
        };
        self.instruction = instruction;
        block
    }

    /// Appends the operations of one instruction; tells whether it may leave the block.
    fn append(
        &self,
        source: &[Op],
        first: u32,
        number: u16,
        next: Address,
        ops: &mut Vec<MicroOp>,
        temporaries: &mut u32,
    ) -> bool {
        let layout = TemporaryLayout::new(source);
        *temporaries = (*temporaries).max(layout.size);
        let registers = self.registers.size();
        let place = |varnode: &Varnode| -> Operand {
            match varnode.space {
                Space::Constant => Operand::Constant(varnode.offset & size_mask(varnode.size)),
                Space::Register => self
                    .registers
                    .place(varnode.offset, varnode.size)
                    .map_or(Operand::Constant(0), Operand::State),
                Space::Unique => Operand::State(registers + layout.offset(varnode)),
                Space::Ram => Operand::Memory(Address(varnode.offset & self.address_mask)),
                Space::Other(_) => Operand::Constant(0),
            }
        };
        let mut leaves = false;
        let mut trap_target: Option<Varnode> = None;
        for (index, op) in source.iter().enumerate() {
            let user_op = self.user_op(op);
            if user_op == UserOp::SystemCall {
                trap_target = op.output;
            }
            // Traps are a user-op that yields an address, followed by a call to it.
            let is_trap_call = op.opcode == Opcode::CALLIND
                && trap_target.is_some()
                && op.inputs().first().copied() == trap_target;
            let mut micro = MicroOp { instruction: number, user_op, ..micro_op(op, place) };
            if let Some(rotation) = self.window_rotation(op, &source[..index]) {
                micro.opcode = Opcode::BRANCH;
                micro.user_op = rotation;
            }
            if is_trap_call {
                micro.opcode = Opcode::COPY;
                micro.output = Operand::None;
            } else if matches!(micro.opcode, Opcode::BRANCH | Opcode::CBRANCH | Opcode::CALL) {
                let here = first + index as u32;
                let after = first + source.len() as u32;
                micro.inputs[0] = branch_target(op, here, after, next);
            }
            leaves |= match micro.opcode {
                Opcode::BRANCH | Opcode::CBRANCH => matches!(micro.inputs[0], Operand::Target(_)),
                Opcode::BRANCHIND | Opcode::CALL | Opcode::CALLIND | Opcode::RETURN => true,
                Opcode::CALLOTHER => user_op == UserOp::SystemCall,
                _ => false,
            };
            ops.push(micro);
        }
        if self.fuses {
            fuse_products(ops.get_mut(first as usize..).unwrap_or_default());
        }
        leaves
    }

    /// SPARC's `save` and `restore` branch over their own window handling, which is faulty, when
    /// `DECOMPILE_MODE` is set; that branch is where the emulator's own handling goes. `restore`
    /// has stepped the window pointer back by then.
    fn window_rotation(&self, op: &Op, before: &[Op]) -> Option<UserOp> {
        let windows = self.windows.as_ref()?;
        if op.opcode != Opcode::CBRANCH || op.inputs().get(1) != Some(&windows.decompile_mode) {
            return None;
        }
        let stepped_back = before
            .iter()
            .any(|op| op.opcode == Opcode::INT_SUB && op.output == Some(windows.window_pointer));
        Some(if stepped_back { UserOp::WindowRestore } else { UserOp::WindowSave })
    }

    fn user_op(&self, op: &Op) -> UserOp {
        if op.opcode != Opcode::CALLOTHER {
            return UserOp::None;
        }
        let name = op.inputs().first().and_then(Varnode::as_constant);
        let name = name.and_then(|number| self.language.user_op(number));
        match name.map_or(UserOp::Unmodelled, UserOp::from_name) {
            UserOp::Hint if op.output.is_some() => UserOp::Unmodelled,
            user_op => user_op,
        }
    }
}

/// An operation with its operands where the emulator has them.
fn micro_op(op: &Op, place: impl Fn(&Varnode) -> Operand) -> MicroOp {
    let mut micro = MicroOp {
        opcode: op.opcode,
        instruction: 0,
        output: op.output.as_ref().map_or(Operand::None, &place),
        output_size: op.output.map_or(0, |output| output.size),
        inputs: [Operand::None; 3],
        sizes: [0; 3],
        user_op: UserOp::None,
        wide: op.inputs().iter().chain(op.output.iter()).any(|varnode| varnode.size > 8),
        routine: None,
    };
    for (slot, input) in op.inputs().iter().enumerate() {
        micro.inputs[slot] = place(input);
        micro.sizes[slot] = input.size;
    }
    micro
}

/// Where a direct branch goes. A branch to the next instruction stays within the block: that is
/// how conditional execution is expressed.
fn branch_target(op: &Op, here: u32, after: u32, next: Address) -> Operand {
    let Some(target) = op.inputs().first() else { return Operand::None };
    match target.space {
        Space::Constant => {
            let distance = sign_extend(target.offset, target.size);
            Operand::Local(
                i64::from(here).saturating_add(distance).clamp(0, i64::from(after)) as u32
            )
        }
        _ if Address(target.offset) == next && op.opcode != Opcode::CALL => Operand::Local(after),
        _ => Operand::Target(Address(target.offset)),
    }
}

/// All ones over `size` bytes.
pub(crate) const fn size_mask(size: u32) -> u64 {
    if size >= 8 { u64::MAX } else { (1 << (size * 8)) - 1 }
}

/// The signed value of the low `size` bytes.
pub(crate) const fn sign_extend(value: u64, size: u32) -> i64 {
    let shift = 64 - 8 * if size > 8 || size == 0 { 8 } else { size };
    ((value << shift) as i64) >> shift
}
