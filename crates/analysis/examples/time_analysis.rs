//! Measures the analysis of files: `time_analysis ROUNDS FILE...`
//!
//! One row per file: bytes of code, instructions, functions, and CPU time in milliseconds of the
//! full analysis: from the bytes to functions, calls, values and references. The CPU time is that of
//! all rounds together, divided by their number.

use miyaburi_analysis::Program;
use miyaburi_image::{Image, Permissions};
use std::error::Error;

/// Seconds this process has spent on a CPU, which other load changes little.
fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().ok_or("no number of rounds")?.parse()?;
    println!("file\tcode_bytes\tinstructions\tfunctions\tmilliseconds");
    for path in arguments {
        let bytes = std::fs::read(&path)?;
        let language = miyaburi_pcode::language_for(Image::parse(&bytes)?.arch())?;
        let mut counts = (0, 0, 0);
        let start = cpu_time();
        for _ in 0..rounds {
            let image = Image::parse(&bytes)?;
            let program = Program::analyze(&image, language.as_ref())?;
            for function in program.function_ids() {
                std::hint::black_box(program.values(function));
            }
            std::hint::black_box(program.references());
            let is_code = |permissions: Permissions| permissions.contains(Permissions::EXECUTE);
            let code = image.segments().iter().filter(|segment| is_code(segment.permissions));
            let size: usize = code.map(|segment| segment.bytes_from(segment.address).len()).sum();
            counts = (size, program.code().instruction_count(), program.functions().len());
        }
        let time = (cpu_time() - start) * 1e3 / rounds as f64;
        let name = path.rsplit('/').next().unwrap_or("");
        let (size, instructions, functions) = counts;
        println!("{name}\t{size}\t{instructions}\t{functions}\t{time:.2}");
    }
    Ok(())
}
