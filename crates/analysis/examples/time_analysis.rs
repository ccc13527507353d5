//! Measures the analysis of files: `time_analysis ROUNDS FILE...`
//!
//! One row per file: bytes of code, instructions, functions, and the least CPU time in milliseconds
//! of parsing the file, of finding functions and calls, and of working out values and references of
//! all functions on top.

use miyaburi_analysis::Program;
use miyaburi_image::{Image, Permissions};
use std::error::Error;

/// Seconds this process has spent on a CPU, which other load changes little; Linux only.
fn cpu_time() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().ok_or("no number of rounds")?.parse()?;
    println!("file\tcode_bytes\tinstructions\tfunctions\tparse_ms\tanalyze_ms\tvalues_ms");
    for path in arguments {
        let bytes = std::fs::read(&path)?;
        let mut best = [f64::MAX; 3];
        let mut counts = (0, 0, 0);
        let language = miyaburi_pcode::language_for(Image::parse(&bytes)?.arch())?;
        for _ in 0..rounds {
            let start = cpu_time();
            let image = Image::parse(&bytes)?;
            let parsed = cpu_time();
            let program = Program::analyze(&image, language.as_ref())?;
            let analyzed = cpu_time();
            for function in program.function_ids() {
                std::hint::black_box(program.values(function));
            }
            std::hint::black_box(program.references());
            let finished = cpu_time();
            let times = [parsed - start, analyzed - parsed, finished - analyzed];
            for (best, time) in best.iter_mut().zip(times) {
                *best = best.min(time * 1e3);
            }
            let is_code = |permissions: Permissions| permissions.contains(Permissions::EXECUTE);
            let code = image.segments().iter().filter(|segment| is_code(segment.permissions));
            let size: usize = code.map(|segment| segment.bytes_from(segment.address).len()).sum();
            counts = (size, program.code().instruction_count(), program.functions().len());
        }
        let name = path.rsplit('/').next().unwrap_or("");
        let (size, instructions, functions) = counts;
        let [parse, analyze, values] = best;
        println!(
            "{name}\t{size}\t{instructions}\t{functions}\t{parse:.2}\t{analyze:.1}\t{values:.1}"
        );
    }
    Ok(())
}
