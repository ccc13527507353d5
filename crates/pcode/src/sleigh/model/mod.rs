//! A loaded processor specification, in flat arenas.

mod arena;
mod decision;
mod expression;
mod template;

pub(super) use arena::{Arena, Id, Span};
pub(super) use decision::{Decision, MaskWord, Pattern, PatternBlock};
pub(super) use expression::{BinaryOperator, ContextField, Expression, Step, TokenField};
pub(super) use template::{
    Action, Export, GeneralExport, GeneralVarnode, OpTemplate, PointerExport, Template, Value,
    VarnodeTemplate,
};

use crate::lifter::CONTEXT_WORDS;
use crate::varnode::{Space, Varnode};

/// The number of an address space in the specification; 0 is the constant space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpaceIndex(pub(super) u8);

impl SpaceIndex {
    pub(super) const CONSTANT: Self = Self(0);
}

/// An address space.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpaceInfo {
    pub(super) space: Space,
    /// Bytes of an address.
    pub(super) address_size: u32,
    /// Bytes of the smallest unit that an address names.
    pub(super) word_size: u32,
    /// The last byte's offset.
    pub(super) highest: u64,
}

impl SpaceInfo {
    /// The offset that `offset` stands for in this space.
    #[inline]
    pub(super) fn wrap(&self, offset: u64) -> u64 {
        if offset <= self.highest {
            return offset;
        }
        // `highest` is below `u64::MAX` here. The reference takes a signed remainder, which
        // matters only for sizes that are no power of two.
        let size = (self.highest + 1).cast_signed();
        offset.cast_signed().wrapping_rem_euclid(size).cast_unsigned()
    }
}

/// A run of the specification's text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// A piece of an instruction's assembly text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    Literal(Text),
    Operand(u8),
}

/// A set of constructors, one of which matches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) root: Option<Id<Decision>>,
}

/// One way to decode (a part of) an instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constructor {
    pub(super) minimum_length: u32,
    pub(super) operands: Span<Operand>,
    pub(super) changes: Span<ContextChange>,
    pub(super) template: Option<Id<Template>>,
    pub(super) pieces: Span<Piece>,
    /// The piece that separates mnemonic and operands.
    pub(super) first_space: Option<u32>,
}

/// An operand of a constructor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub(super) definition: Definition,
    /// The operand at whose end this one's offset starts, else the constructor's start.
    pub(super) base: Option<u8>,
    pub(super) offset: u32,
    pub(super) minimum_length: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Definition {
    Table(Id<Table>),
    Symbol(Id<Symbol>),
    Expression(Id<Expression>),
    Nothing,
}

/// A change that a constructor makes to the context.
#[derive(Clone, Copy, Debug)]
pub(super) enum ContextChange {
    /// For the rest of the instruction's decoding.
    Set {
        word: u8,
        shift: u8,
        mask: u32,
        expression: Id<Expression>,
        /// The expression as a list, empty where it needs the tree.
        steps: Span<Step>,
    },
    /// For the instruction at the address that a symbol stands for.
    Commit { target: Id<Symbol>, word: u8, mask: u32, flows: bool },
}

/// What an identifier of the specification stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Symbol {
    /// An identifier that matters only while a specification is compiled, or that needs no data.
    Other,
    /// Always 0.
    Epsilon,
    Value(Id<Expression>),
    ValueMap {
        index: Id<Expression>,
        values: Span<Option<i64>>,
    },
    Names {
        index: Id<Expression>,
        names: Span<Option<Text>>,
    },
    Varnode {
        varnode: Varnode,
        space: SpaceIndex,
        name: Text,
    },
    Varnodes {
        index: Id<Expression>,
        varnodes: Span<Option<Id<Symbol>>>,
    },
    /// The operand's number in its constructor.
    Operand(u8),
    Start,
    Next,
    Table(Id<Table>),
}

/// A context field by name; bit 0 is the most significant of the word.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedField {
    pub(super) name: Text,
    pub(super) word: usize,
    pub(super) shift: u32,
    /// Of the field's value, not shifted.
    pub(super) mask: u32,
}

/// A loaded specification.
#[derive(Debug, Default)]
pub(super) struct Specification {
    /// Alignment of instructions, at least 1.
    pub(super) alignment: u64,
    /// Bits of an instruction's address that tell its temporaries apart.
    pub(super) unique_mask: u64,
    /// The temporary that truncated operands behind pointers are addressed by.
    pub(super) truncation_temporary: u64,
    pub(super) spaces: Vec<SpaceInfo>,
    pub(super) code_space: SpaceIndex,
    pub(super) unique_space: SpaceIndex,
    /// The table of whole instructions.
    pub(super) root: Option<Id<Table>>,
    /// Context bits that are for one instruction only.
    pub(super) momentary_context: [u32; CONTEXT_WORDS],
    pub(super) text: String,
    pub(super) symbols: Arena<Symbol>,
    pub(super) tables: Arena<Table>,
    pub(super) constructors: Arena<Constructor>,
    pub(super) operands: Arena<Operand>,
    pub(super) changes: Arena<ContextChange>,
    pub(super) pieces: Arena<Piece>,
    pub(super) expressions: Arena<Expression>,
    pub(super) steps: Arena<Step>,
    pub(super) templates: Arena<Template>,
    pub(super) op_templates: Arena<OpTemplate>,
    pub(super) varnode_templates: Arena<VarnodeTemplate>,
    pub(super) general_varnodes: Arena<GeneralVarnode>,
    pub(super) general_exports: Arena<GeneralExport>,
    pub(super) decisions: Arena<Decision>,
    pub(super) decision_children: Arena<Id<Decision>>,
    pub(super) patterns: Arena<Pattern>,
    pub(super) mask_words: Arena<MaskWord>,
    pub(super) map_values: Arena<Option<i64>>,
    pub(super) list_names: Arena<Option<Text>>,
    pub(super) list_varnodes: Arena<Option<Id<Symbol>>>,
    /// Registers in order of their names.
    pub(super) registers: Vec<(Text, Varnode)>,
    pub(super) fields: Vec<NamedField>,
    pub(super) user_ops: Vec<Text>,
}

impl Default for SpaceIndex {
    fn default() -> Self {
        Self::CONSTANT
    }
}

impl Specification {
    /// A run of text.
    pub(super) fn text(&self, text: Text) -> &str {
        let start = text.start as usize;
        self.text.get(start..start + text.length as usize).unwrap_or("")
    }

    /// Keeps a copy of `text`.
    pub(super) fn intern(&mut self, text: &str) -> Text {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Text { start, length: text.len() as u32 }
    }

    #[inline]
    pub(super) fn space(&self, index: SpaceIndex) -> Option<&SpaceInfo> {
        self.spaces.get(usize::from(index.0))
    }
}
