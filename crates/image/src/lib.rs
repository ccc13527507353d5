//! ELF files as attackers ship them, as a memory image.
//!
//! [`Image::parse`] maps a file the way a loader would, at load base 0, and keeps the names it
//! still holds; of a core dump it takes the memory, and [`Image::of_memory`] that of a raw one. Section headers are never needed; symbols are used when present. What had to be
//! repaired is told in [`Image::diagnostics`].

mod address;
mod arch;
mod diagnostic;
mod elf;
mod error;
mod image;
mod load;
mod segment;
mod symbol;

pub use address::Address;
pub use arch::{Arch, Endian, Family};
pub use diagnostic::ImageDiagnostic;
pub use error::ImageError;
pub use image::{Image, ImageKind, RawMemory};
pub use segment::{Permissions, Segment};
pub use symbol::{Import, ImportKind, IndirectFunction, MappedContent, Symbol, SymbolKind};
