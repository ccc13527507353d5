//! The engine behind [`Language`](crate::Language): processor specifications written in SLEIGH and
//! compiled by Ghidra's compiler.
//!
//! - [`packed`], [`format`] and [`load`] read a compiled specification into the [`model`].
//! - [`decode`] finds the constructors that an instruction consists of, [`handles`] computes what
//!   each exports, [`build`] writes P-code and [`disassemble`] text.
//! - [`commits`] turns the reference's context database, which is keyed by address, into contexts
//!   that travel along control flow.

mod build;
mod commits;
mod decode;
mod disassemble;
mod error;
mod evaluate;
mod fault;
mod format;
mod handles;
mod language;
mod lifter;
mod load;
mod model;
mod packed;
mod parse;
mod pspec;
mod repeats;
mod shapes;

pub use error::SpecificationError;
pub use language::{LanguageError, language_for};
