//! P-code operations, numbered as in SLEIGH's compiled specifications.

use crate::varnode::Varnode;

macro_rules! opcodes {
    ($($(#[$doc:meta])* $name:ident = $number:literal),* $(,)?) => {
        /// What an operation does. Numbers and meanings are those of the P-code reference manual.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Opcode { $($(#[$doc])* $name = $number),* }

        impl Opcode {
            /// The opcode with this number, if P-code has one that a lifter may emit.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The manual's name, such as `INT_ADD`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

// The manual's own spelling, so that a reader finds each there.
#[allow(non_camel_case_types, missing_docs, clippy::upper_case_acronyms)]
mod numbers {
    opcodes! {
        COPY = 1, LOAD = 2, STORE = 3, BRANCH = 4, CBRANCH = 5, BRANCHIND = 6, CALL = 7, CALLIND = 8,
        CALLOTHER = 9, RETURN = 10, INT_EQUAL = 11, INT_NOTEQUAL = 12, INT_SLESS = 13,
        INT_SLESSEQUAL = 14, INT_LESS = 15, INT_LESSEQUAL = 16, INT_ZEXT = 17, INT_SEXT = 18,
        INT_ADD = 19, INT_SUB = 20, INT_CARRY = 21, INT_SCARRY = 22, INT_SBORROW = 23,
        INT_2COMP = 24, INT_NEGATE = 25, INT_XOR = 26, INT_AND = 27, INT_OR = 28, INT_LEFT = 29,
        INT_RIGHT = 30, INT_SRIGHT = 31, INT_MULT = 32, INT_DIV = 33, INT_SDIV = 34, INT_REM = 35,
        INT_SREM = 36, BOOL_NEGATE = 37, BOOL_XOR = 38, BOOL_AND = 39, BOOL_OR = 40,
        FLOAT_EQUAL = 41, FLOAT_NOTEQUAL = 42, FLOAT_LESS = 43, FLOAT_LESSEQUAL = 44,
        FLOAT_NAN = 46, FLOAT_ADD = 47, FLOAT_DIV = 48, FLOAT_MULT = 49, FLOAT_SUB = 50,
        FLOAT_NEG = 51, FLOAT_ABS = 52, FLOAT_SQRT = 53, FLOAT_INT2FLOAT = 54,
        FLOAT_FLOAT2FLOAT = 55, FLOAT_TRUNC = 56, FLOAT_CEIL = 57, FLOAT_FLOOR = 58,
        FLOAT_ROUND = 59, PIECE = 62, SUBPIECE = 63, CPOOLREF = 68, NEW = 69, INSERT = 70,
        EXTRACT = 71, POPCOUNT = 72, LZCOUNT = 73, SEGMENTOP = 67,
    }
}
pub use numbers::Opcode;

/// The most inputs an operation keeps; SLEIGH emits more only for user-ops, whose further
/// arguments no consumer reads.
pub const MAX_INPUTS: usize = 3;

/// One operation.
///
/// `LOAD` and `STORE` have the space as a constant first input: its value is
/// [`space_number`](crate::space_number) of the space addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What it does.
    pub opcode: Opcode,
    /// Where the result goes.
    pub output: Option<Varnode>,
    inputs: [Varnode; MAX_INPUTS],
    input_count: u8,
}

impl Op {
    /// An operation; inputs beyond [`MAX_INPUTS`] are dropped.
    #[must_use]
    pub fn new(opcode: Opcode, output: Option<Varnode>, inputs: &[Varnode]) -> Self {
        let mut kept = [Varnode::constant(0, 1); MAX_INPUTS];
        let count = inputs.len().min(MAX_INPUTS);
        kept[..count].copy_from_slice(&inputs[..count]);
        Self { opcode, output, inputs: kept, input_count: count as u8 }
    }

    /// The inputs kept.
    #[must_use]
    pub fn inputs(&self) -> &[Varnode] {
        &self.inputs[..usize::from(self.input_count).min(MAX_INPUTS)]
    }

    /// The inputs, for rewriting in place.
    pub fn inputs_mut(&mut self) -> &mut [Varnode] {
        &mut self.inputs[..usize::from(self.input_count).min(MAX_INPUTS)]
    }
}
