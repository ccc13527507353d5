//! The time that both take for the same instructions.

use crate::reference::Reference;
use anyhow::{Context as _, anyhow};
use miyaburi_image::{Address, Arch, Endian, Family};
use miyaburi_pcode::{Context, Instruction, Lifter, language_for};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

const BASE: Address = Address(0x1_0000);

/// File stem, CPU, and whether the code is Thumb.
const CODE: &[(&str, Family, Endian, bool)] = &[
    ("x86_64", Family::X86_64, Endian::Little, false),
    ("x86", Family::X86, Endian::Little, false),
    ("arm", Family::Arm, Endian::Little, false),
    ("arm-be", Family::Arm, Endian::Big, false),
    ("thumb2", Family::Arm, Endian::Little, true),
    ("aarch64", Family::AArch64, Endian::Little, false),
    ("mips", Family::Mips, Endian::Big, false),
    ("mipsel", Family::Mips, Endian::Little, false),
    ("powerpc", Family::PowerPc, Endian::Big, false),
    ("sparc", Family::Sparc, Endian::Big, false),
    ("sh4", Family::SuperH, Endian::Little, false),
    ("m68k", Family::M68k, Endian::Big, false),
    ("coldfire", Family::ColdFire, Endian::Big, false),
    ("riscv64", Family::RiscV64, Endian::Little, false),
];

/// Prints a row for each CPU: instructions, the fastest pass of both, and the ratios. A lifter of ours
/// remembers instructions that it has lifted, so that a first pass, by a new one, stands beside later
/// ones.
pub fn compare(folder: &Path, passes: usize) -> anyhow::Result<()> {
    println!(
        "| code | instructions | own, first, us | own, again, us | reference, us | first / reference \
         | again / reference |"
    );
    println!("|---|---|---|---|---|---|---|");
    for &(name, family, endian, is_thumb) in CODE {
        let path = folder.join(format!("{name}.bin"));
        let code = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let arch = Arch { family, endian, instruction_endian: endian, cpu: "time" };
        let language = language_for(arch)?;
        let start = language.initial_context();
        let thumb = language.with_context_field(start, "TMode", 1);
        let context = thumb.filter(|_| is_thumb).unwrap_or(start);
        let mut reference = Reference::new(arch).with_context(|| format!("{name}: no reference"))?;
        reference.load(BASE, &code, context).map_err(|error| anyhow!("{name}: {error}"))?;
        let mut own = Own { lifter: language.lifter(), code: &code, context };
        let step = arch.instruction_alignment();
        let addresses = common(&mut own, &mut reference, step);
        let (mut best_first, mut best_again, mut best_reference) =
            (Duration::MAX, Duration::MAX, Duration::MAX);
        let mut instruction = Instruction::default();
        for _ in 0..passes {
            own.lifter = language.lifter();
            for best in [&mut best_first, &mut best_again] {
                *best = (*best).min(timed(|| {
                    for &address in &addresses {
                        black_box(own.lift(address, &mut instruction));
                    }
                }));
            }
            best_reference = best_reference.min(timed(|| {
                for &address in &addresses {
                    black_box(reference.lift_loaded(address));
                }
            }));
        }
        let [first, again, reference] =
            [best_first, best_again, best_reference].map(|best| best.as_secs_f64() * 1e6);
        println!(
            "| {name} | {} | {first:.0} | {again:.0} | {reference:.0} | {:.2} | {:.2} |",
            addresses.len(),
            first / reference,
            again / reference
        );
    }
    Ok(())
}

struct Own<'a> {
    lifter: Box<dyn Lifter + Send + 'a>,
    code: &'a [u8],
    context: Context,
}

impl Own<'_> {
    fn lift(&mut self, address: Address, into: &mut Instruction) -> bool {
        self.lifter.lift(&(BASE, self.code), address, self.context, into).is_ok()
    }
}

/// The instructions of a sweep that both lift.
fn common(own: &mut Own<'_>, reference: &mut Reference, step: u64) -> Vec<Address> {
    let mut instruction = Instruction::default();
    let (mut addresses, mut offset) = (Vec::new(), 0);
    while offset < own.code.len() as u64 {
        let address = BASE.offset(offset);
        let lifted = own.lift(address, &mut instruction);
        if lifted && reference.lift_loaded(address).is_some() {
            addresses.push(address);
        }
        offset += if lifted { u64::from(instruction.own_length) } else { step };
    }
    addresses
}

fn timed(pass: impl FnOnce()) -> Duration {
    let start = Instant::now();
    pass();
    start.elapsed()
}
