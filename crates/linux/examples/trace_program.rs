//! Runs a static program in the emulator: `trace_program FILE [ARGUMENT...]`
//!
//! Its system calls go to standard error as they are answered, its output to standard output.

use miyaburi_emulator::{Abi, Emulator, Limits};
use miyaburi_image::Image;
use miyaburi_linux::{Process, Setup};
use std::error::Error;
use std::io::Write;

/// Instructions that the program may take.
const INSTRUCTIONS: u64 = 50_000_000;

/// Pages of 4 KiB that it may touch.
const PAGES: usize = 16_384;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = std::fs::read(arguments.first().ok_or("no file")?)?;
    let image = Image::parse(&file)?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let abi = Abi::new(image.arch(), &*language)?;
    let mut emulator = Emulator::new(&image, &*language, abi);
    let arguments = arguments.into_iter().map(String::into_bytes).collect();
    let setup = Setup { arguments, ..Setup::default() };
    let mut process = Process::start(&emulator, &*language, &image, &file, &setup, PAGES)?;
    let limits = Limits { instructions: INSTRUCTIONS, depth: 10_000, ..Limits::default() };
    let outcome = process.run(&mut emulator, &limits);
    for call in process.calls() {
        let name = call.call.map_or("?", |call| call.name());
        let arguments = call.arguments;
        eprintln!("{} {name}({}) {arguments:x?} {:?}", call.site, call.number, call.answer);
    }
    std::io::stdout().write_all(process.kernel.written(1))?;
    match process.ended() {
        Some(ended) => eprintln!("{ended:?} after {} instructions", outcome.instructions),
        None => eprintln!("{:?} after {} instructions", outcome.exit, outcome.instructions),
    }
    Ok(())
}
