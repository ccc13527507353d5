//! Runs a static program in the emulator as a shell would: `ordinary FOLDER FILE ARGUMENT...`
//!
//! The arguments begin with the program's name. It finds the files of `FOLDER` in the folder where it
//! begins, and standard input is its own. Its output goes to standard output and error, and its status is the status. Calls that are
//! not modelled are named on standard error at the end, and so is why it could not go on.

use miyaburi_emulator::{Abi, Emulator, Limits};
use miyaburi_image::Image;
use miyaburi_linux::{Answer, Ended, Process, Setup};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Read, Write};
use std::process::ExitCode;

/// Instructions that the program may take.
const INSTRUCTIONS: u64 = 500_000_000;

/// Pages of 4 KiB that it may touch.
const PAGES: usize = 16_384;

/// The status where the program could not go on.
const FAILED: u8 = 125;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("no folder")?;
    let file = std::fs::read(arguments.next().ok_or("no file")?)?;
    let arguments: Vec<Vec<u8>> = arguments.map(String::into_bytes).collect();
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    let image = Image::parse(&file)?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let abi = Abi::new(image.arch(), &*language)?;
    let mut emulator = Emulator::new(&image, &*language, abi);
    let setup = Setup { arguments, input, files: files(&folder)?, ..Setup::default() };
    let mut process = Process::start(&emulator, &*language, &image, &file, &setup, PAGES)?;
    let limits = Limits {
        instructions: INSTRUCTIONS,
        repetition: INSTRUCTIONS,
        depth: 100_000,
        ..Limits::default()
    };
    let outcome = process.run(&mut emulator, &limits);
    std::io::stdout().write_all(process.kernel.written(1))?;
    std::io::stderr().write_all(process.kernel.written(2))?;
    let unmodelled = process.calls().iter().filter(|call| call.answer == Answer::Unmodelled);
    let named = unmodelled.map(|it| (it.number, it.call.map_or("?", |call| call.name())));
    for (number, name) in named.collect::<BTreeSet<_>>() {
        eprintln!("not modelled: {name} ({number})");
    }
    Ok(ExitCode::from(match process.ended() {
        Some(Ended::Exited(status)) => status,
        Some(Ended::Killed(signal)) => 128 + signal as u8,
        None => {
            eprintln!("{:?} after {} instructions", outcome.exit, outcome.instructions);
            FAILED
        }
    }))
}

/// A file's path and content.
type Content = (Vec<u8>, Vec<u8>);

/// The files of a folder, by name.
fn files(folder: &str) -> Result<Vec<Content>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.push((name.into_bytes(), std::fs::read(entry.path())?));
    }
    Ok(files)
}
