//! Many files: collecting them, analysing them in parallel, scoring reports against truth.
//!
//! The analysis itself is a parameter of [`run`], so that this crate knows the report and the
//! file system and nothing of CPUs.

mod collect;
mod read;
mod run;
pub mod score;

pub use collect::{Input, Origin, collect};
pub use read::{MAX_INPUT_BYTES, ReadError, read_file};
pub use run::{Analyze, Outcome, WORKER_NAME, run};
