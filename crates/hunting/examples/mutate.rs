//! Runs the readers of logs on damaged input: `mutate COUNT [SEED]`.
//!
//! Cases are the samples of every format (`tests/samples`), damaged in a few places, cut off, or one behind
//! another. A panic, or evidence that is not where it is said to be, ends the run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

#[path = "../tests/support/mutation.rs"]
mod mutation;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse().expect("a number"));
    let (count, seed) = (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(1_u64));
    let samples = mutation::samples();
    let start = Instant::now();
    assert!(
        samples.iter().all(|sample| mutation::whole(sample).0.events > 0),
        "a sample is unread"
    );
    let told = mutation::mutate(&samples, 0..count, seed);
    println!(
        "{count} cases of seed {seed}: {} records, {} events, {} records unread, no panic, {:.0} s",
        told.records,
        told.events,
        told.unread,
        start.elapsed().as_secs_f64()
    );
}
