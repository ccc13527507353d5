//! Time of unpacking beside the packer's own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use miyaburi_unpackers::{Limits, upx};

use super::packer::{METHODS, Packer};
use crate::toolchain::process;

/// Runs of which the fastest counts.
const RUNS: usize = 15;

/// Prints, for every program, version and method, how long `upx -d` and how long unpacking here
/// takes, both from the file on disk to the file on disk.
pub(super) fn compare(packers: &[Packer], programs: &[PathBuf]) -> anyhow::Result<()> {
    println!("program\tsize\tpacker\tmethod\tupx_ms\tmiyaburi_ms\tratio");
    for program in programs {
        let original = fs::read(program).with_context(|| program.display().to_string())?;
        let name = program.file_name().unwrap_or_default().display();
        for packer in packers {
            for method in METHODS {
                let Some(packed) = packer.pack(program, method)? else { continue };
                let folder = tempfile::tempdir()?;
                let input = folder.path().join("packed");
                fs::write(&input, packed)?;
                let row = format!("{name}\t{}\t{}\t{method}", original.len(), packer.version);
                let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
                let ours = fastest(|| unpacking(&input, &original))?;
                // Some versions refuse what they packed themselves.
                match fastest(|| own_unpacking(packer, &input, &original)) {
                    Ok(theirs) => println!(
                        "{row}\t{:.2}\t{:.2}\t{:.2}",
                        milliseconds(theirs),
                        milliseconds(ours),
                        ours.as_secs_f64() / theirs.as_secs_f64(),
                    ),
                    Err(error) => {
                        println!("{row}\t-\t{:.2}\t-", milliseconds(ours));
                        eprintln!("{} refuses its own file: {error}", packer.version);
                    }
                }
            }
        }
    }
    Ok(())
}

fn fastest(run: impl Fn() -> anyhow::Result<Duration>) -> anyhow::Result<Duration> {
    let times = (0..RUNS).map(|_| run()).collect::<anyhow::Result<Vec<Duration>>>()?;
    times.into_iter().min().context("no runs")
}

fn own_unpacking(packer: &Packer, packed: &Path, original: &[u8]) -> anyhow::Result<Duration> {
    let output = packed.with_extension("theirs");
    let mut command = packer.command();
    command.args(["-d", "-qqq", "-f", "-o"]).arg(&output).arg(packed);
    let start = Instant::now();
    process::run(&mut command)?;
    let time = start.elapsed();
    ensure!(fs::read(output)? == original, "{} does not unpack its file", packer.version);
    Ok(time)
}

fn unpacking(packed: &Path, original: &[u8]) -> anyhow::Result<Duration> {
    let output = packed.with_extension("ours");
    let start = Instant::now();
    let unpacked = upx::unpack(&fs::read(packed)?, Limits::default())?.context("not packed")?;
    fs::write(&output, &unpacked.file)?;
    let time = start.elapsed();
    ensure!(unpacked.file == original, "not the packer's input");
    Ok(time)
}
