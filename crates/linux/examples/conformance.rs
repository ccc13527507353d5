//! Runs the cases of a conformance program in the emulator and compares with a record of what
//! another machine made of the same file: `conformance FILE RECORD`.
#![allow(clippy::print_stdout)]

#[path = "../tests/support/conformance.rs"]
mod conformance;

use conformance::{Comparison, Program, Record};
use std::process::ExitCode;

/// Differences that are shown.
const SHOWN: usize = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, record] = arguments.as_slice() else {
        eprintln!("conformance FILE RECORD");
        return ExitCode::from(2);
    };
    match compare(file, record) {
        Ok(comparison) => {
            show(&comparison);
            ExitCode::from(u8::from(!comparison.differences.is_empty()))
        }
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::from(2)
        }
    }
}

fn compare(file: &str, record: &str) -> Result<Comparison, String> {
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(record).map_err(|error| error.to_string())?;
    Program::new(bytes)?.compare(&Record::parse_all(&text)?)
}

/// One line for each difference, then the counts on the last line.
fn show(comparison: &Comparison) {
    for difference in comparison.differences.iter().take(SHOWN) {
        println!("{:x?}", difference);
    }
    println!(
        "{} {} {} {}",
        comparison.functions,
        comparison.cases,
        comparison.cases - comparison.differences.len(),
        comparison.instructions
    );
}
