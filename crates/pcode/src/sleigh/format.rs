//! Element and attribute numbers of the compiled specification format, version 4.
//!
//! They are those of Ghidra's `slaformat.cc`, which defines the format.

/// The version of the format that is read.
pub(super) const VERSION: u8 = 4;

/// Element numbers.
pub(super) mod element {
    pub(in crate::sleigh) const CONST_REAL: u16 = 1;
    pub(in crate::sleigh) const VARNODE_TPL: u16 = 2;
    pub(in crate::sleigh) const CONST_SPACEID: u16 = 3;
    pub(in crate::sleigh) const CONST_HANDLE: u16 = 4;
    pub(in crate::sleigh) const OP_TPL: u16 = 5;
    pub(in crate::sleigh) const MASK_WORD: u16 = 6;
    pub(in crate::sleigh) const PAT_BLOCK: u16 = 7;
    pub(in crate::sleigh) const PRINT: u16 = 8;
    pub(in crate::sleigh) const PAIR: u16 = 9;
    pub(in crate::sleigh) const CONTEXT_PAT: u16 = 10;
    pub(in crate::sleigh) const NULL: u16 = 11;
    pub(in crate::sleigh) const OPERAND_EXP: u16 = 12;
    pub(in crate::sleigh) const OPERAND_SYM: u16 = 13;
    pub(in crate::sleigh) const OPER: u16 = 15;
    pub(in crate::sleigh) const DECISION: u16 = 16;
    pub(in crate::sleigh) const OPPRINT: u16 = 17;
    pub(in crate::sleigh) const INSTRUCT_PAT: u16 = 18;
    pub(in crate::sleigh) const COMBINE_PAT: u16 = 19;
    pub(in crate::sleigh) const CONSTRUCTOR: u16 = 20;
    pub(in crate::sleigh) const CONSTRUCT_TPL: u16 = 21;
    pub(in crate::sleigh) const VARNODE_SYM: u16 = 23;
    pub(in crate::sleigh) const VARNODE_SYM_HEAD: u16 = 24;
    pub(in crate::sleigh) const USEROP: u16 = 25;
    pub(in crate::sleigh) const TOKENFIELD: u16 = 27;
    pub(in crate::sleigh) const VAR: u16 = 28;
    pub(in crate::sleigh) const CONTEXTFIELD: u16 = 29;
    pub(in crate::sleigh) const HANDLE_TPL: u16 = 30;
    pub(in crate::sleigh) const CONST_RELATIVE: u16 = 31;
    pub(in crate::sleigh) const CONTEXT_OP: u16 = 32;
    pub(in crate::sleigh) const SLEIGH: u16 = 33;
    pub(in crate::sleigh) const SPACES: u16 = 34;
    pub(in crate::sleigh) const SOURCEFILES: u16 = 35;
    pub(in crate::sleigh) const SPACE: u16 = 37;
    pub(in crate::sleigh) const SYMBOL_TABLE: u16 = 38;
    pub(in crate::sleigh) const VALUE_SYM: u16 = 39;
    pub(in crate::sleigh) const CONTEXT_SYM: u16 = 41;
    pub(in crate::sleigh) const END_SYM: u16 = 43;
    pub(in crate::sleigh) const SPACE_OTHER: u16 = 45;
    pub(in crate::sleigh) const SPACE_UNIQUE: u16 = 46;
    pub(in crate::sleigh) const AND_EXP: u16 = 47;
    pub(in crate::sleigh) const DIV_EXP: u16 = 48;
    pub(in crate::sleigh) const LSHIFT_EXP: u16 = 49;
    pub(in crate::sleigh) const MINUS_EXP: u16 = 50;
    pub(in crate::sleigh) const MULT_EXP: u16 = 51;
    pub(in crate::sleigh) const NOT_EXP: u16 = 52;
    pub(in crate::sleigh) const OR_EXP: u16 = 53;
    pub(in crate::sleigh) const PLUS_EXP: u16 = 54;
    pub(in crate::sleigh) const RSHIFT_EXP: u16 = 55;
    pub(in crate::sleigh) const SUB_EXP: u16 = 56;
    pub(in crate::sleigh) const XOR_EXP: u16 = 57;
    pub(in crate::sleigh) const INTB: u16 = 58;
    pub(in crate::sleigh) const END_EXP: u16 = 59;
    pub(in crate::sleigh) const NEXT2_EXP: u16 = 60;
    pub(in crate::sleigh) const START_EXP: u16 = 61;
    pub(in crate::sleigh) const EPSILON_SYM: u16 = 62;
    pub(in crate::sleigh) const NAME_SYM: u16 = 64;
    pub(in crate::sleigh) const NEXT2_SYM: u16 = 67;
    pub(in crate::sleigh) const START_SYM: u16 = 69;
    pub(in crate::sleigh) const SUBTABLE_SYM: u16 = 71;
    pub(in crate::sleigh) const VALUEMAP_SYM: u16 = 73;
    pub(in crate::sleigh) const VARLIST_SYM: u16 = 76;
    pub(in crate::sleigh) const COMMIT: u16 = 79;
    pub(in crate::sleigh) const CONST_START: u16 = 80;
    pub(in crate::sleigh) const CONST_NEXT: u16 = 81;
    pub(in crate::sleigh) const CONST_NEXT2: u16 = 82;
    pub(in crate::sleigh) const CONST_CURSPACE: u16 = 83;
    pub(in crate::sleigh) const CONST_CURSPACE_SIZE: u16 = 84;
}

/// Attribute numbers.
pub(super) mod attribute {
    pub(in crate::sleigh) const VAL: u16 = 2;
    pub(in crate::sleigh) const ID: u16 = 3;
    pub(in crate::sleigh) const SPACE: u16 = 4;
    pub(in crate::sleigh) const S: u16 = 5;
    pub(in crate::sleigh) const OFF: u16 = 6;
    pub(in crate::sleigh) const CODE: u16 = 7;
    pub(in crate::sleigh) const MASK: u16 = 8;
    pub(in crate::sleigh) const INDEX: u16 = 9;
    pub(in crate::sleigh) const NONZERO: u16 = 10;
    pub(in crate::sleigh) const PIECE: u16 = 11;
    pub(in crate::sleigh) const NAME: u16 = 12;
    pub(in crate::sleigh) const SCOPE: u16 = 13;
    pub(in crate::sleigh) const STARTBIT: u16 = 14;
    pub(in crate::sleigh) const SIZE: u16 = 15;
    pub(in crate::sleigh) const TABLE: u16 = 16;
    pub(in crate::sleigh) const CT: u16 = 17;
    pub(in crate::sleigh) const MINLEN: u16 = 18;
    pub(in crate::sleigh) const BASE: u16 = 19;
    pub(in crate::sleigh) const NUMBER: u16 = 20;
    pub(in crate::sleigh) const CONTEXT: u16 = 21;
    pub(in crate::sleigh) const SUBSYM: u16 = 23;
    pub(in crate::sleigh) const LENGTH: u16 = 26;
    pub(in crate::sleigh) const FIRST: u16 = 27;
    pub(in crate::sleigh) const PLUS: u16 = 28;
    pub(in crate::sleigh) const SHIFT: u16 = 29;
    pub(in crate::sleigh) const ENDBIT: u16 = 30;
    pub(in crate::sleigh) const SIGNBIT: u16 = 31;
    pub(in crate::sleigh) const ENDBYTE: u16 = 32;
    pub(in crate::sleigh) const STARTBYTE: u16 = 33;
    pub(in crate::sleigh) const VERSION: u16 = 34;
    pub(in crate::sleigh) const BIGENDIAN: u16 = 35;
    pub(in crate::sleigh) const ALIGN: u16 = 36;
    pub(in crate::sleigh) const UNIQBASE: u16 = 37;
    pub(in crate::sleigh) const UNIQMASK: u16 = 39;
    pub(in crate::sleigh) const DEFAULTSPACE: u16 = 41;
    pub(in crate::sleigh) const DELAY: u16 = 42;
    pub(in crate::sleigh) const WORDSIZE: u16 = 43;
    pub(in crate::sleigh) const SCOPESIZE: u16 = 45;
    pub(in crate::sleigh) const SYMBOLSIZE: u16 = 46;
    pub(in crate::sleigh) const FLOW: u16 = 50;
    pub(in crate::sleigh) const I: u16 = 52;
    pub(in crate::sleigh) const SECTION: u16 = 54;
    pub(in crate::sleigh) const LABELS: u16 = 55;
}
