//! Measures the extraction from files: `time_extraction ROUNDS FILE...`
//!
//! One row per file: bytes of code and CPU time in milliseconds from the bytes of the file to its
//! report, without and with attacks watched. The CPU time is that of all rounds together, divided by
//! their number. As in a batch, the
//! specification of the CPU is there before.

use miyaburi_image::{Image, Permissions};
use miyaburi_pipeline::{Options, analyze};
use std::error::Error;

/// Seconds this process has spent on a CPU, which other load changes little.
fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().ok_or("no number of rounds")?.parse()?;
    println!("file\tcode_bytes\tmilliseconds\twatching_attacks");
    let unwatched = Options { max_observed: None, ..Options::default() };
    for path in arguments {
        let bytes = std::fs::read(&path)?;
        let image = Image::parse(&bytes)?;
        miyaburi_pcode::language_for(image.arch())?;
        let time_with = |options: &Options| {
            let start = cpu_time();
            for _ in 0..rounds {
                std::hint::black_box(analyze(&bytes, &path, options));
            }
            (cpu_time() - start) * 1e3 / rounds as f64
        };
        let (time, watched) = (time_with(&unwatched), time_with(&Options::default()));
        let is_code = |permissions: Permissions| permissions.contains(Permissions::EXECUTE);
        let code = image.segments().iter().filter(|segment| is_code(segment.permissions));
        let size: usize = code.map(|segment| segment.bytes_from(segment.address).len()).sum();
        let name = path.rsplit('/').next().unwrap_or("");
        println!("{name}\t{size}\t{time:.2}\t{watched:.2}");
    }
    Ok(())
}
