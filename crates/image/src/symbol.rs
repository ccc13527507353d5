//! Names that the file itself gives to addresses.

use crate::Address;

/// What a symbol names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Data.
    Object,
    /// A label without a type.
    Other,
}

/// A defined symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// Its address, mode bit cleared.
    pub address: Address,
    /// Its size in bytes, 0 when the file does not say.
    pub size: u64,
    /// What it names.
    pub kind: SymbolKind,
    /// Whether it is code in the CPU's compressed mode (Thumb, MIPS16 or microMIPS).
    pub thumb: bool,
}

/// How an imported symbol is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImportKind {
    /// Called through a procedure linkage slot.
    Function,
    /// Its address is stored in a data word or a global offset table slot.
    Address,
    /// Its value is copied into the image at start.
    Copy,
    /// Referred to by code of a relocatable file; `slot` stands for the symbol's own address.
    External,
}

/// A symbol that another file would provide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// What the dynamic linker would fill: a word of a global offset table or of data, or, on
    /// SPARC and old PowerPC, the procedure linkage entry itself.
    pub slot: Address,
    /// How it is used.
    pub kind: ImportKind,
}

/// A slot that start-up code fills with the result of calling a resolver (`IRELATIVE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndirectFunction {
    /// The word to fill.
    pub slot: Address,
    /// The function that returns the value, mode bit cleared.
    pub resolver: Address,
    /// Whether the resolver is Thumb code.
    pub thumb: bool,
}

/// What an ARM mapping symbol (`$a`, `$t`, `$d`) says about the bytes that follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MappedContent {
    /// ARM instructions.
    Arm,
    /// Thumb instructions.
    Thumb,
    /// Data, such as a literal pool.
    Data,
}
