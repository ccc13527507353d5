//! Processor time to load a language in a fresh process, the best of several.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use miyaburi_image::{Arch, Endian, Family};
use miyaburi_pcode::language_for;
use std::process::Command;

const RUNS: usize = 15;

const LANGUAGES: &[(Family, Endian)] = &[
    (Family::X86_64, Endian::Little),
    (Family::X86, Endian::Little),
    (Family::Arm, Endian::Little),
    (Family::Arm, Endian::Big),
    (Family::AArch64, Endian::Little),
    (Family::Mips, Endian::Big),
    (Family::Mips, Endian::Little),
    (Family::PowerPc, Endian::Big),
    (Family::Sparc, Endian::Big),
    (Family::SuperH, Endian::Little),
    (Family::M68k, Endian::Big),
    (Family::ColdFire, Endian::Big),
    (Family::RiscV64, Endian::Little),
];

/// Nanoseconds that this process has been on a processor, which other processes do not disturb
/// (Linux).
fn processor_time() -> u64 {
    // The scheduler accounts for the time when it is entered.
    std::thread::yield_now();
    let statistics = std::fs::read_to_string("/proc/self/schedstat").expect("scheduler statistics");
    statistics.split(' ').next().and_then(|field| field.parse().ok()).expect("nanoseconds")
}

/// Microseconds that the language takes in this process, which has not loaded it before.
fn load(family: Family, endian: Endian) -> u64 {
    let arch = Arch { family, endian, instruction_endian: endian, cpu: "bench" };
    let start = processor_time();
    language_for(arch).expect("a language");
    (processor_time() - start) / 1000
}

fn main() {
    let wanted = std::env::args().nth(1).and_then(|index| index.parse().ok());
    if let Some(&(family, endian)) = wanted.and_then(|index: usize| LANGUAGES.get(index)) {
        println!("{}", load(family, endian));
        return;
    }
    let this = std::env::current_exe().expect("this program");
    for (index, (family, endian)) in LANGUAGES.iter().enumerate() {
        let run = || {
            let output = Command::new(&this).arg(index.to_string()).output().expect("a child");
            String::from_utf8_lossy(&output.stdout).trim().parse::<u64>().expect("microseconds")
        };
        let best = (0..RUNS).map(|_| run()).min().unwrap_or(0);
        println!("load {family:?} {endian:?}: {:.1} ms", best as f64 / 1000.0);
    }
}
