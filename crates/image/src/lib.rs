//! ELF files as attackers ship them, as a memory image.
//!
//! Section headers are never needed; symbols are used when present.

mod address;
mod arch;

pub use address::Address;
pub use arch::{Arch, Endian, Family};
