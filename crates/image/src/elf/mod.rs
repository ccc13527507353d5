//! Reading ELF files, damaged ones included.

pub(crate) mod arm;
pub(crate) mod core_dump;
pub(crate) mod cpu;
pub(crate) mod dynamic;
pub(crate) mod header;
pub(crate) mod indirect;
pub(crate) mod mips_got;
pub(crate) mod names;
pub(crate) mod offset_table;
pub(crate) mod patch;
pub(crate) mod program_headers;
pub(crate) mod reader;
pub(crate) mod relocatable;
pub(crate) mod relocations;
pub(crate) mod sections;
pub(crate) mod segments;
pub(crate) mod slots;
pub(crate) mod symbols;
