//! The program as a process that has begun: what its routines find there is what they find when it
//! runs.
//!
//! How it works: it runs from its entry point under the virtual Linux, as far as it will: start-up
//! code of the C library, then `main`, which sets up tables and generators, until it ends, waits in a
//! loop, or has spent what one run may.
//!
//! False negatives: programs of which start-up code cannot be run, such as dynamic ones; what `main`
//! does behind a condition that does not hold here.

use crate::subject::Subject;
use miyaburi_emulator::Limits;
use miyaburi_image::Address;
use miyaburi_linux::{Process, Setup, Side};

/// Instructions that a start may take.
const INSTRUCTIONS: u64 = 3_000_000;

/// Instructions in code that has run before, after which a program comes to nothing new.
const REPETITION: u64 = 300_000;

/// Starts the program and calls `initialisers` afterwards, which `main` may have left out. `seed`
/// decides what it draws at random. `None` when it cannot be started.
pub fn begun<'a>(
    subject: &mut Subject<'a>,
    seed: u32,
    initialisers: &[Address],
) -> Option<Process<'a>> {
    let setup = Setup { forks: vec![Side::Child], seed, ..Setup::default() };
    let language = subject.program.language();
    let (image, file, pages) = (subject.image, subject.file, subject.pages);
    let mut process =
        Process::start(&subject.emulator, language, image, file, &setup, pages).ok()?;
    let instructions = subject.budget.grant(INSTRUCTIONS);
    let limits = Limits { instructions, repetition: REPETITION, ..Limits::default() };
    let outcome = process.run(&mut subject.emulator, &limits);
    subject.budget.spend(outcome.instructions);
    for initialiser in initialisers {
        let instructions = subject.budget.grant(INSTRUCTIONS);
        let limits = Limits { instructions, repetition: REPETITION, ..Limits::default() };
        let routine = (*initialiser, subject.context_of(*initialiser));
        let Process { state, kernel } = &mut process;
        let outcome = subject.emulator.call(state, routine, &[], kernel, &limits);
        subject.budget.spend(outcome.instructions);
    }
    subject.unmodelled.learn(&process.kernel);
    Some(process)
}
