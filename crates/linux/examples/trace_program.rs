//! Runs a static program in the emulator: `trace_program SIDES FILE [ARGUMENT...]`
//!
//! `SIDES` says for each `fork` which side is followed, `c` for the child's and `p` for the parent's,
//! or is `-`. Its system calls and what it does on the network go to standard error, its output to
//! standard output.

use miyaburi_emulator::{Abi, Emulator, Limits};
use miyaburi_image::Image;
use miyaburi_linux::{Process, Setup, Side};
use std::error::Error;
use std::io::Write;

/// Instructions that the program may take.
const INSTRUCTIONS: u64 = 50_000_000;

/// Pages of 4 KiB that it may touch.
const PAGES: usize = 16_384;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let sides = arguments.next().ok_or("no sides")?;
    let side = |letter| match letter {
        'c' => Some(Side::Child),
        'p' => Some(Side::Parent),
        _ => None,
    };
    let forks = sides.chars().filter_map(side).collect();
    let arguments: Vec<String> = arguments.collect();
    let file = std::fs::read(arguments.first().ok_or("no file")?)?;
    let image = Image::parse(&file)?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let abi = Abi::new(image.arch(), &*language)?;
    let mut emulator = Emulator::new(&image, &*language, abi);
    let arguments = arguments.into_iter().map(String::into_bytes).collect();
    let setup = Setup { arguments, forks, ..Setup::default() };
    let mut process = Process::start(&emulator, &*language, &image, &file, &setup, PAGES)?;
    let limits = Limits { instructions: INSTRUCTIONS, depth: 10_000, ..Limits::default() };
    let outcome = process.run(&mut emulator, &limits);
    for call in process.calls() {
        let name = call.call.map_or("?", |call| call.name());
        let arguments = call.arguments;
        eprintln!("{} {name}({}) {arguments:x?} {:?}", call.site, call.number, call.answer);
    }
    for event in process.kernel.network_events() {
        eprintln!("{event:?}");
    }
    std::io::stdout().write_all(process.kernel.written(1))?;
    match process.ended() {
        Some(ended) => eprintln!("{ended:?} after {} instructions", outcome.instructions),
        None => eprintln!("{:?} after {} instructions", outcome.exit, outcome.instructions),
    }
    Ok(())
}
