//! From the bytes of one file to its report: budgets, panic isolation, composition.

mod analyze;
mod capture;
mod compose;
mod findings;
mod routines;
mod sample;
mod unpack;

pub use analyze::{Analysis, Cuts, Options, analyze, analyze_in_full};
pub use capture::Capture;
pub use unpack::{UnpackError, Unpacked, unpack};
