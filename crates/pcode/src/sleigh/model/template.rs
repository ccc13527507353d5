//! Templates of the P-code that a constructor stands for.

use super::{Id, SpaceIndex, Span};
use crate::op::Opcode;
use crate::varnode::Varnode;

/// A value that is known once the instruction is decoded.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum Value {
    Real(u64),
    /// What an operand exports: its space, offset, size.
    OperandSpace(u8),
    OperandOffset(u8),
    OperandSize(u8),
    /// The offset of a truncated operand. The low 16 bits of `plus` are added to an address, the
    /// upper bits are the bytes that a constant is shifted by.
    OperandOffsetPlus {
        operand: u8,
        plus: u64,
    },
    /// The instruction's address.
    Start,
    /// The address after the instruction and its delay slots.
    Next,
    CodeSpace,
    CodeAddressSize,
    Space(SpaceIndex),
}

/// A varnode with placeholders, told apart by how often each form occurs.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum VarnodeTemplate {
    /// The same in every instruction.
    Fixed(Varnode),
    /// A temporary; its offset depends on the instruction's address.
    Temporary { offset: u64, size: u32 },
    /// What the operand exports.
    Operand(u8),
    /// The distance to a label of the constructor, as a constant.
    Label { label: u32, size: u32 },
    /// The number of a space, as a constant.
    Space(SpaceIndex),
    /// Anything else.
    General(Id<GeneralVarnode>),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct GeneralVarnode {
    pub(in crate::sleigh) space: Value,
    pub(in crate::sleigh) offset: Value,
    pub(in crate::sleigh) size: Value,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum Action {
    Emit(Opcode),
    /// The P-code of an operand's constructor.
    Build(u8),
    /// The P-code of the delay slots.
    DelaySlot,
    /// A label stands here.
    Label(u32),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct OpTemplate {
    pub(in crate::sleigh) action: Action,
    pub(in crate::sleigh) output: Option<Id<VarnodeTemplate>>,
    pub(in crate::sleigh) inputs: Span<VarnodeTemplate>,
}

/// What a constructor exports to the one that it is an operand of.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum Export {
    Nothing,
    /// The same as one of its own operands.
    Operand(u8),
    General(Id<GeneralExport>),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct GeneralExport {
    pub(in crate::sleigh) space: Value,
    pub(in crate::sleigh) size: Value,
    /// For something in memory behind a pointer.
    pub(in crate::sleigh) pointer: Option<PointerExport>,
    /// Offset in `space`, or of the pointer in the pointer's space.
    pub(in crate::sleigh) offset: Value,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct PointerExport {
    pub(in crate::sleigh) space: Value,
    pub(in crate::sleigh) size: Value,
    /// Where the value pointed to is held.
    pub(in crate::sleigh) temporary_space: Value,
    pub(in crate::sleigh) temporary_offset: Value,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct Template {
    pub(in crate::sleigh) ops: Span<OpTemplate>,
    pub(in crate::sleigh) export: Export,
    /// Bytes of delay slots, 0 for none.
    pub(in crate::sleigh) delay_bytes: u32,
    /// Number of labels.
    pub(in crate::sleigh) labels: u32,
}
