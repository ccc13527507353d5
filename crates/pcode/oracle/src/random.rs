//! Random bytes. The reference crashes on some, so that it runs in child processes which tell in a
//! file how far they have come.

use crate::compare::{Counts, Pair};
use anyhow::Context as _;
use miyaburi_image::{Address, Arch, Endian, Family};
use miyaburi_pcode::language_for;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

const BASE: Address = Address(0x1_0000);
const WINDOW: usize = 48;

/// Crashes after which a mode is given up.
const MAX_CRASHES: u64 = 2000;

/// A CPU in one of its modes.
pub struct Mode {
    pub name: &'static str,
    family: Family,
    endian: Endian,
    field: Option<&'static str>,
    step: u64,
}

const fn mode(name: &'static str, family: Family, endian: Endian, step: u64) -> Mode {
    Mode { name, family, endian, field: None, step }
}

pub const MODES: &[Mode] = &[
    mode("x86-64", Family::X86_64, Endian::Little, 1),
    mode("x86", Family::X86, Endian::Little, 1),
    mode("arm-le", Family::Arm, Endian::Little, 2),
    mode("arm-be", Family::Arm, Endian::Big, 2),
    Mode { field: Some("TMode"), ..mode("thumb-le", Family::Arm, Endian::Little, 2) },
    Mode { field: Some("TMode"), ..mode("thumb-be", Family::Arm, Endian::Big, 2) },
    mode("aarch64", Family::AArch64, Endian::Little, 4),
    mode("mips-be", Family::Mips, Endian::Big, 4),
    mode("mips-le", Family::Mips, Endian::Little, 4),
    Mode { field: Some("ISA_MODE"), ..mode("mips16-be", Family::Mips, Endian::Big, 2) },
    Mode { field: Some("ISA_MODE"), ..mode("mips16-le", Family::Mips, Endian::Little, 2) },
    mode("powerpc", Family::PowerPc, Endian::Big, 4),
    mode("sparc", Family::Sparc, Endian::Big, 4),
    mode("sparc-v8plus", Family::SparcV8Plus, Endian::Big, 4),
    mode("sh4", Family::SuperH, Endian::Little, 2),
    mode("m68k", Family::M68k, Endian::Big, 2),
    mode("coldfire", Family::ColdFire, Endian::Big, 2),
    mode("riscv64", Family::RiscV64, Endian::Little, 2),
];

fn random_bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// What a child tells: the instruction it is at, and the counts before it.
const RECORD: usize = 8 * (1 + Counts::FIELDS);

fn write_record(file: &File, index: u64, counts: Counts) -> std::io::Result<()> {
    let mut record = [0; RECORD];
    let values = std::iter::once(index).chain(counts.to_array());
    for (slot, value) in record.chunks_exact_mut(8).zip(values) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    file.write_all_at(&record, 0)
}

fn read_record(file: &File) -> std::io::Result<(u64, [u64; Counts::FIELDS])> {
    let mut record = [0; RECORD];
    file.read_exact_at(&mut record, 0)?;
    let values: Vec<u64> = record
        .chunks_exact(8)
        .map(|slot| slot.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
        .collect();
    let mut counts = [0; Counts::FIELDS];
    counts.copy_from_slice(&values[1..]);
    Ok((values[0], counts))
}

/// Compares the instructions from number `from` on in this process.
pub fn child(mode: &Mode, seed: u64, bytes: usize, from: u64, record: &Path) -> anyhow::Result<()> {
    let arch = Arch {
        family: mode.family,
        endian: mode.endian,
        instruction_endian: mode.endian,
        cpu: "random",
    };
    let language = language_for(arch)?;
    let mut pair = Pair::new(arch, &*language).context("no reference")?;
    let start = language.initial_context();
    let context =
        mode.field.and_then(|field| language.with_context_field(start, field, 1)).unwrap_or(start);
    let data = random_bytes(seed, bytes + WINDOW);
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(record)?;
    for index in from..bytes as u64 / mode.step {
        write_record(&file, index, pair.counts)?;
        let offset = (index * mode.step) as usize;
        let window = &data[offset..offset + WINDOW];
        let address = BASE.offset(index * mode.step);
        if let Err(difference) = pair.compare(address, window, context) {
            eprintln!("{} {address} {:02x?}: {difference}", mode.name, &window[..12]);
        }
    }
    write_record(&file, u64::MAX, pair.counts)?;
    Ok(())
}

/// Compares all instructions, in as many child processes as it takes. Returns the crashes too.
pub fn parent(mode: &Mode, seed: u64, bytes: usize) -> anyhow::Result<(Counts, u64)> {
    let path = std::env::temp_dir().join(format!("lifter-oracle-{}", std::process::id()));
    let (mut counts, mut crashes, mut from) = (Counts::default(), 0, 0);
    loop {
        let status = Command::new(std::env::current_exe()?)
            .args(["random-child", mode.name])
            .args([seed.to_string(), bytes.to_string(), from.to_string()])
            .arg(&path)
            .status()?;
        let (index, counted) = read_record(&File::open(&path)?)?;
        counts.add(counted);
        if index == u64::MAX {
            std::fs::remove_file(&path)?;
            return Ok((counts, crashes));
        }
        if status.signal().is_none() {
            anyhow::bail!("{}: the child stopped at {index}: {status}", mode.name);
        }
        crashes += 1;
        if crashes > MAX_CRASHES {
            anyhow::bail!("{}: more than {MAX_CRASHES} crashes", mode.name);
        }
        from = index + 1;
    }
}
