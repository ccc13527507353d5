//! The string table.

pub mod records;
