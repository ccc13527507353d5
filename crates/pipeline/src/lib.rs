//! From the bytes of one file to its report: budgets, panic isolation, composition.

mod analyze;
mod compose;
mod findings;
mod routines;
mod sample;

pub use analyze::{Cuts, Options, analyze, analyze_with_cuts};
