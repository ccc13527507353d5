//! Functions, call graph, basic blocks, constants and references of an image.
//!
//! [`Program::analyze`] lifts what control flow reaches, each instruction once, and finds functions
//! and calls. [`Program::values`] and [`Program::references`] are worked out when asked for. All of
//! it ends at [`Limits`], and [`Program::cut`] says so.
//!
//! ```no_run
//! # use miyaburi_image::Image;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let image = Image::parse(&std::fs::read("sample")?)?;
//! let language = miyaburi_pcode::language_for(image.arch())?;
//! let program = miyaburi_analysis::Program::analyze(&image, language.as_ref())?;
//! for site in program.call_sites() {
//!     let first = program.values(site.caller).map(|values| values.argument(site.address, 0));
//!     println!("{} calls {:?} with {:?}", site.address, site.target, first);
//! }
//! # Ok(()) }
//! ```

mod address_index;
mod arithmetic;
mod blocks;
mod calls;
mod code;
mod diagnostic;
mod final_traps;
mod flow;
mod functions;
mod jump_tables;
mod lifted;
mod operations;
mod owners;
mod program;
mod references;
mod values;
mod work;

pub use blocks::{Block, Exit};
pub use calls::{CallKind, CallSite};
pub use code::{Code, InstructionId, InstructionView};
pub use diagnostic::AnalysisDiagnostic;
pub use flow::Flow;
pub use functions::{Function, FunctionId, Origin};
pub use program::Program;
pub use references::{Reference, ReferenceKind, References};
pub use values::{GlobalStore, StackByte, Value, Values};
pub use work::{Cut, Limits};
