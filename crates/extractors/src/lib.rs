//! One module per kind of finding.

pub mod string_table;
pub mod trace;
pub mod written;
pub mod xor;
