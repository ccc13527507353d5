//! Reading ELF files, damaged ones included.

pub(crate) mod arm;
pub(crate) mod cpu;
pub(crate) mod header;
pub(crate) mod program_headers;
pub(crate) mod reader;
pub(crate) mod sections;
pub(crate) mod segments;
pub(crate) mod symbols;
