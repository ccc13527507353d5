//! Constant arguments of calls, recovered from the file with its symbols, against what the build
//! recorded: the call sites of the debug information, and for `-O0`, where compilers write none,
//! the rows that the source hands to the routines that fill tables.
//!
//! A constant that the analysis gives is right when it is that of the record. Where the record's
//! value fits 32 bits, a 64-bit register may hold anything above them. Another constant, or an
//! address on the stack, is wrong; everything else is missing, a call that was not found included.
//! Where the record tells a value in terms of the running program, as that of a register, a constant
//! may be right all the same: it is counted as unjudged.

use anyhow::Context;
use miyaburi_analysis::{CallSite, Program, Value};
use miyaburi_image::Image;

use super::{
    added_rows,
    debug_calls::{self, DebugCall, Place},
    programs::Built,
    tally::Counts,
};

use crate::toolchain::Target;

/// Compares the arguments of a program.
pub(super) fn measure(built: &Built) -> anyhow::Result<Counts> {
    let image = Image::parse(&built.with_symbols).context("image")?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let program = Program::analyze(&image, language.as_ref())?;
    let mut counts = Counts { files: 1, ..Counts::default() };
    for call in debug_calls::read(&built.with_symbols)? {
        let site = site_before(program.call_sites(), call.return_address);
        for &(place, wanted) in &call.constants {
            let found = site.map_or(Ok(Value::Unknown), |site| {
                value_at(&program, site, place, built.toolchain.target)
            });
            judge(&mut counts, &call, place, wanted, found);
        }
        for &place in &call.others {
            let target = built.toolchain.target;
            let found = site.map(|site| value_at(&program, site, place, target));
            if let Some(Ok(Value::Constant(value))) = found {
                counts.beyond += 1;
                counts.notes.push(format!(
                    "unjudged call of {} before {:#x}: {place:?} is found {value:#x}",
                    call.callee, call.return_address
                ));
            }
        }
    }
    if let Some(configuration) = built.configuration.as_ref().filter(|_| built.level == "-O0") {
        added_rows::compare(&program, configuration, &mut counts);
    }
    Ok(counts)
}

/// The call behind which, or within whose delay slot, an address lies: GNU's compiler records the
/// end of the call instruction on some CPUs, and of its slot on others.
fn site_before(sites: &[CallSite], return_address: u64) -> Option<&CallSite> {
    let behind = sites.partition_point(|site| site.address.0 < return_address);
    let site = sites.get(behind.checked_sub(1)?)?;
    (return_address <= site.return_address.0).then_some(site)
}

fn judge(
    counts: &mut Counts,
    call: &DebugCall,
    place: Place,
    wanted: u64,
    found: Result<Value, String>,
) {
    let note = |what: &str| {
        format!(
            "{what} call of {} before {:#x}: {place:?} is {wanted:#x}, found {found:x?}",
            call.callee, call.return_address
        )
    };
    match found {
        Ok(Value::Constant(value)) if is_same(value, wanted) => counts.right += 1,
        Ok(Value::Constant(_) | Value::StackOffset(_)) => {
            counts.notes.push(note("wrong"));
            counts.wrong += 1;
        }
        _ => {
            counts.notes.push(note("missing"));
            counts.missing += 1;
        }
    }
}

/// Whether a register's constant is the recorded one.
pub(super) fn is_same(found: u64, wanted: u64) -> bool {
    let is_narrow = wanted <= 0xffff_ffff || wanted >= 0xffff_ffff_8000_0000;
    found == wanted || is_narrow && found as u32 == wanted as u32
}

/// What the analysis knows of a parameter.
fn value_at(
    program: &Program<'_>,
    site: &CallSite,
    place: Place,
    target: Target,
) -> Result<Value, String> {
    let abi = program.abi();
    let Some(values) = program.values(site.caller) else { return Ok(Value::Unknown) };
    match place {
        Place::Register(number) => match register(target, number) {
            Some(Register::Argument(index)) => Ok(values.argument(site.address, index)),
            Some(Register::Named(name)) => {
                let register = program.language().register(name).ok_or(name)?;
                Ok(values.register(site.address, &register))
            }
            None => Err(format!("register {number} is not known")),
        },
        Place::Stack(offset) => {
            // Debug information counts from the stack pointer before a return address is pushed.
            let pushed = match abi.return_address {
                miyaburi_emulator::ReturnAddress::Stack => u64::from(abi.slot_size),
                miyaburi_emulator::ReturnAddress::Register(..) => 0,
            };
            let behind = u64::try_from(offset)
                .ok()
                .and_then(|offset| (offset + pushed).checked_sub(abi.stack_arguments))
                .ok_or_else(|| format!("nothing is passed at {offset}"))?;
            let slot = usize::try_from(behind / u64::from(abi.slot_size)).unwrap_or(usize::MAX);
            Ok(values.argument(site.address, abi.argument_registers.len().saturating_add(slot)))
        }
    }
}

enum Register {
    /// The register of the argument of this number.
    Argument(usize),
    /// One that only routines of the same file are handed anything in.
    Named(&'static str),
}

/// What a number of the CPU's DWARF supplement means for calls.
fn register(target: Target, number: u16) -> Option<Register> {
    let within = |first: u16, count: u16| {
        let index = number.checked_sub(first).filter(|index| *index < count)?;
        Some(Register::Argument(usize::from(index)))
    };
    match target {
        Target::Armv5 | Target::Armv7Thumb | Target::ArmBe => within(0, 4),
        Target::Aarch64 => within(0, 8),
        Target::MipsBe | Target::MipsLe => match number {
            8 => Some(Register::Named("t0")),
            9 => Some(Register::Named("t1")),
            10 => Some(Register::Named("t2")),
            11 => Some(Register::Named("t3")),
            _ => within(4, 4),
        },
        Target::PowerPc => within(3, 8),
        // As the caller names them, or the callee.
        Target::Sparc32 => within(8, 6).or_else(|| within(24, 6)),
        Target::Sh4 => within(4, 4),
        Target::M68k | Target::ColdFire => None,
        Target::X86 => match number {
            0 => Some(Register::Named("EAX")),
            1 => Some(Register::Named("ECX")),
            2 => Some(Register::Named("EDX")),
            _ => None,
        },
        Target::X86_64 => {
            const ORDER: [u16; 6] = [5, 4, 1, 2, 8, 9];
            ORDER.iter().position(|other| *other == number).map(Register::Argument)
        }
        Target::Riscv64 => within(10, 8),
    }
}
