//! Instructions lifted per second, by CPU, over compiled code.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use miyaburi_image::{Address, Arch, Endian, Family};
use miyaburi_pcode::{Context, Instruction, Lifter, language_for};
use std::hint::black_box;

const BASE: Address = Address(0x1_0000);

struct Code {
    name: &'static str,
    family: Family,
    endian: Endian,
    is_thumb: bool,
    /// See `code/README.md`.
    bytes: &'static [u8],
}

macro_rules! code {
    ($($name:literal $family:ident $endian:ident $is_thumb:literal),* $(,)?) => {
        &[$(Code {
            name: $name,
            family: Family::$family,
            endian: Endian::$endian,
            is_thumb: $is_thumb,
            bytes: include_bytes!(concat!("code/", $name, ".bin")),
        }),*]
    };
}

const CODE: &[Code] = code! {
    "x86_64" X86_64 Little false,
    "x86" X86 Little false,
    "arm" Arm Little false,
    "arm-be" Arm Big false,
    "thumb2" Arm Little true,
    "aarch64" AArch64 Little false,
    "mips" Mips Big false,
    "mipsel" Mips Little false,
    "powerpc" PowerPc Big false,
    "sparc" Sparc Big false,
    "sh4" SuperH Little false,
    "m68k" M68k Big false,
    "coldfire" ColdFire Big false,
    "riscv64" RiscV64 Little false,
};

/// Lifts everything in sequence and returns the number of instructions. What does not decode
/// (literal pools) is stepped over.
fn sweep(
    lifter: &mut dyn Lifter,
    code: &Code,
    context: Context,
    step: u64,
    instruction: &mut Instruction,
) -> u64 {
    let (mut count, mut offset) = (0, 0);
    while offset < code.bytes.len() as u64 {
        let at = BASE.offset(offset);
        offset += match lifter.lift(&(BASE, code.bytes), at, context, instruction) {
            Ok(()) => {
                count += 1;
                u64::from(instruction.own_length)
            }
            Err(_) => step,
        };
        black_box(&instruction.ops);
    }
    count
}

fn lift(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lift");
    for code in CODE {
        let arch = Arch {
            family: code.family,
            endian: code.endian,
            instruction_endian: code.endian,
            cpu: "bench",
        };
        let language = language_for(arch).expect("a language");
        let start = language.initial_context();
        let thumb = language.with_context_field(start, "TMode", 1);
        let context = thumb.filter(|_| code.is_thumb).unwrap_or(start);
        let mut lifter = language.lifter();
        let mut instruction = Instruction::default();
        let step = arch.instruction_alignment();
        let mut run = || sweep(&mut *lifter, code, context, step, &mut instruction);
        group.throughput(Throughput::Elements(run()));
        group.bench_function(code.name, |bencher| bencher.iter(&mut run));
    }
    group.finish();
}

criterion_group!(benches, lift);
criterion_main!(benches);
