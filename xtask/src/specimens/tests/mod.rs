//! Tests of the specimens: the plan's coverage, the safety of the values, the truth, the committed
//! set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod committed;
mod coverage;
mod folder;
mod reaching;
mod running;
mod safety;
mod truth_lines;
