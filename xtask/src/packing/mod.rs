//! Packs programs with the real packer, damages the files as attackers do and demands that each
//! comes out as it went in.
//!
//! ```text
//! packer.rs     the packer's versions and methods
//! damage.rs     what is done to packed files
//! beyond.rs     what only the stub unpacks
//! own           packers of our own
//! programs.rs   programs that no specimen is
//! shared        shared objects
//! speed.rs      time of unpacking beside the packer's own
//! ```

mod beyond;
mod damage;
mod own;
mod packer;
mod programs;
mod shared;
mod speed;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use miyaburi_unpackers::{Limits, upx};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::toolchain::workspace_root;
use damage::Damage;
use packer::{METHODS, Packer};

/// Arguments of `cargo xtask packing`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of programs to pack
    #[arg(long, value_name = "DIR", default_value = "specimens/examples")]
    inputs: PathBuf,
    /// Pack one of so many of them
    #[arg(long, value_name = "N", default_value_t = 1)]
    one_of: usize,
    /// Seed of the damage
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the files that packers of our own made, and shared objects, in this folder
    #[arg(long, value_name = "DIR")]
    keep_own: Option<PathBuf>,
    /// Unpack these programs, packed, and print the time beside that of the packer itself
    #[arg(long, value_name = "FILE")]
    time: Vec<PathBuf>,
}

/// What came of the files of one kind.
#[derive(Clone, Copy, Default)]
struct Count {
    files: usize,
    equal: usize,
}

/// Counts by packer, method and damage.
type Counts = BTreeMap<(&'static str, &'static str), Count>;

/// Runs `cargo xtask packing`.
///
/// # Errors
/// When the packer cannot be fetched, packs nothing, or a file does not come out as it went in;
/// every such file is printed first.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let root = workspace_root();
    let packers = packer::install(&root)?;
    if !args.time.is_empty() {
        return speed::compare(&packers, &args.time);
    }
    own::run(&root, args.keep_own.as_deref())?;
    programs::run(&root, &packers)?;
    shared::run(&root, &packers, args.keep_own.as_deref())?;
    let inputs = programs(&root.join(&args.inputs), args.one_of)?;
    let work: Vec<(&Packer, &str, &PathBuf)> = packers
        .iter()
        .flat_map(|packer| METHODS.iter().map(move |method| (packer, *method)))
        .flat_map(|(packer, method)| inputs.iter().map(move |input| (packer, method, input)))
        .collect();
    let results: Vec<Counts> = work
        .par_iter()
        .map(|(packer, method, input)| pack_and_damage(packer, method, input, args.seed))
        .collect::<anyhow::Result<_>>()?;
    let mut total = Counts::new();
    for (key, count) in results.into_iter().flatten() {
        let sum = total.entry(key).or_default();
        sum.files += count.files;
        sum.equal += count.equal;
    }
    report(&total)
}

/// Every so manieth file of a folder, by name.
fn programs(folder: &Path, one_of: usize) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths.into_iter().step_by(one_of.max(1)).collect())
}

/// Packs one program, and counts what comes out of it with each damage.
fn pack_and_damage(
    packer: &Packer,
    method: &'static str,
    input: &Path,
    seed: u64,
) -> anyhow::Result<Counts> {
    let mut counts = Counts::new();
    let original = fs::read(input).with_context(|| input.display().to_string())?;
    let Some(packed) = packer.pack(input, method)? else { return Ok(counts) };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for damage in Damage::ALL {
        let mut file = packed.clone();
        damage.apply(&mut file, &mut random);
        let is_equal = if damage.is_beyond_repair() {
            if beyond::is_broken(packer.version, method, &original) {
                continue;
            }
            beyond::is_loaded(&file, &original)
        } else {
            let unpacked = upx::unpack(&file, Limits::default());
            unpacked.is_ok_and(|it| it.is_some_and(|it| it.file == original))
        };
        if !is_equal {
            let name = input.file_name().unwrap_or_default().display().to_string();
            println!("not equal: {name}, {} {method}, {}", packer.version, damage.name());
        }
        for key in [(packer.version, method), ("damage", damage.name())] {
            let count = counts.entry(key).or_default();
            count.files += 1;
            count.equal += usize::from(is_equal);
        }
    }
    Ok(counts)
}

fn report(counts: &Counts) -> anyhow::Result<()> {
    println!("packed with          method or damage        files   equal");
    for ((by, what), count) in counts {
        println!("{by:<20} {what:<20} {:>8} {:>7}", count.files, count.equal);
    }
    let (mut repaired, mut run) = (Count::default(), Count::default());
    for damage in Damage::ALL {
        let sum = if damage.is_beyond_repair() { &mut run } else { &mut repaired };
        let count = counts.get(&("damage", damage.name())).copied().unwrap_or_default();
        sum.files += count.files;
        sum.equal += count.equal;
    }
    println!("{} files, {} unpacked to the packer's input", repaired.files, repaired.equal);
    println!("{} files beyond repair, {} unpacked by their stub", run.files, run.equal);
    ensure!(repaired.files > 0, "the packer packed nothing");
    ensure!(repaired.files == repaired.equal, "{} are not equal", repaired.files - repaired.equal);
    ensure!(run.files == run.equal, "{} stubs do not come to the program", run.files - run.equal);
    Ok(())
}
