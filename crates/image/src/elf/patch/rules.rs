//! Relocation types of object files, by family: numbers and formulas as in the processor
//! supplements of the System V ABI ("ELF for the Arm Architecture", "RISC-V ELF psABI", ...).

use crate::Family;
use crate::elf::patch::Value::{
    Absolute, Added, MipsSlotOffset, None as Nothing, PageRelative, Partner, Relative, Slot,
    SlotOffset, SlotPageRelative, SlotRelative, Subtracted, SymbolRelative, TableOffset,
    TableRelative, X86SlotOffset,
};
use crate::elf::patch::field::Field;
use crate::elf::patch::{MIPS_LO16, RISCV_GOT_HI20, RISCV_PCREL_HI20, Value};

/// What a relocation type computes and where it goes; `None` for types that are not handled:
/// those of thread-local storage, and of tables with offsets of 13 bits and fewer.
pub(super) fn rule(family: Family, kind: u32) -> Option<(Value, Field)> {
    if kind == 0 {
        return Some((Nothing, Field::Word));
    }
    match family {
        Family::X86_64 => x86_64(kind),
        Family::X86 => x86(kind),
        Family::Arm => arm(kind),
        Family::AArch64 => aarch64(kind),
        Family::Mips => mips(kind),
        Family::PowerPc => powerpc(kind),
        Family::Sparc | Family::SparcV8Plus => sparc(kind),
        Family::SuperH => superh(kind),
        Family::M68k | Family::ColdFire => m68k(kind),
        Family::RiscV64 => riscv(kind),
    }
}

fn x86_64(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        1 => (Absolute, Field::Double),
        2 | 4 => (Relative, Field::Word),
        10 | 11 => (Absolute, Field::Word),
        24 => (Relative, Field::Double),
        // GOTPCREL and its relaxable forms.
        9 | 41 | 42 => (SlotRelative, Field::Word),
        25 => (TableOffset, Field::Double),
        26 => (TableRelative, Field::Word),
        27 => (SlotOffset, Field::Double),
        29 => (TableRelative, Field::Double),
        _ => return None,
    })
}

fn x86(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        1 => (Absolute, Field::Word),
        2 | 4 => (Relative, Field::Word),
        9 => (TableOffset, Field::Word),
        10 => (TableRelative, Field::Word),
        3 | 43 => (X86SlotOffset, Field::Word),
        _ => return None,
    })
}

fn arm(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        1 | 28 | 29 => (Relative, Field::ArmBranch),
        2 | 38 => (Absolute, Field::Word),
        3 => (Relative, Field::Word),
        10 | 30 => (Relative, Field::ThumbBranch),
        24 => (TableOffset, Field::Word),
        25 => (TableRelative, Field::Word),
        26 => (SlotOffset, Field::Word),
        40 => (Nothing, Field::Word),
        42 => (Relative, Field::Low31),
        43 => (Absolute, Field::ArmMove { high: false }),
        44 => (Absolute, Field::ArmMove { high: true }),
        47 => (Absolute, Field::ThumbMove { high: false }),
        48 => (Absolute, Field::ThumbMove { high: true }),
        96 => (SlotRelative, Field::Word),
        _ => return None,
    })
}

fn aarch64(kind: u32) -> Option<(Value, Field)> {
    let low12 = |shift| (Absolute, Field::AArch64Low12 { shift });
    Some(match kind {
        257 => (Absolute, Field::Double),
        258 => (Absolute, Field::Word),
        260 => (Relative, Field::Double),
        261 => (Relative, Field::Word),
        274 => (Relative, Field::AArch64Adr { shift: 0 }),
        275 | 276 => (PageRelative, Field::AArch64Adr { shift: 12 }),
        277 | 278 => low12(0),
        284 => low12(1),
        285 => low12(2),
        286 => low12(3),
        299 => low12(4),
        279 => (Relative, Field::Bits { width: 14, shift: 2, at: 5 }),
        280 => (Relative, Field::Bits { width: 19, shift: 2, at: 5 }),
        282 | 283 => (Relative, Field::Bits { width: 26, shift: 2, at: 0 }),
        311 => (SlotPageRelative, Field::AArch64Adr { shift: 12 }),
        312 => (Slot, Field::AArch64Low12 { shift: 3 }),
        _ => return None,
    })
}

fn mips(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        2 => (Absolute, Field::Word),
        4 => (Absolute, Field::Bits { width: 26, shift: 2, at: 0 }),
        5 => (Absolute, Field::MipsHigh),
        MIPS_LO16 => (Absolute, Field::Bits { width: 16, shift: 0, at: 0 }),
        9 | 11 => (MipsSlotOffset, Field::Bits { width: 16, shift: 0, at: 0 }),
        10 => (Relative, Field::Bits { width: 16, shift: 2, at: 0 }),
        // The object file's own `$gp`, which the addend counts from, is 0 for compilers' output.
        12 => (TableOffset, Field::Word),
        37 => (Nothing, Field::Word),
        _ => return None,
    })
}

fn powerpc(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        1 => (Absolute, Field::Word),
        4 => (Absolute, Field::Half),
        5 => (Absolute, Field::HighHalf { rounded: false }),
        6 => (Absolute, Field::HighHalf { rounded: true }),
        // The addend of PLTREL24 is the caller's global offset table register.
        18 => (SymbolRelative, Field::Bits { width: 24, shift: 2, at: 2 }),
        10 | 23 => (Relative, Field::Bits { width: 24, shift: 2, at: 2 }),
        11 => (Relative, Field::Bits { width: 14, shift: 2, at: 2 }),
        14 | 15 => (SlotOffset, Field::Half),
        16 => (SlotOffset, Field::HighHalf { rounded: false }),
        17 => (SlotOffset, Field::HighHalf { rounded: true }),
        26 => (Relative, Field::Word),
        249 | 250 => (Relative, Field::Half),
        251 => (Relative, Field::HighHalf { rounded: false }),
        252 => (Relative, Field::HighHalf { rounded: true }),
        _ => return None,
    })
}

fn sparc(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        3 | 23 => (Absolute, Field::Word),
        6 => (Relative, Field::Word),
        7 | 18 => (Relative, Field::Bits { width: 30, shift: 2, at: 0 }),
        8 => (Relative, Field::Bits { width: 22, shift: 2, at: 0 }),
        9 => (Absolute, Field::Bits { width: 22, shift: 10, at: 0 }),
        11 => (Absolute, Field::Bits { width: 13, shift: 0, at: 0 }),
        12 => (Absolute, Field::Bits { width: 10, shift: 0, at: 0 }),
        13 | 83 => (SlotOffset, Field::Bits { width: 10, shift: 0, at: 0 }),
        15 | 82 => (SlotOffset, Field::Bits { width: 22, shift: 10, at: 0 }),
        16 => (Relative, Field::Bits { width: 10, shift: 0, at: 0 }),
        17 => (Relative, Field::Bits { width: 22, shift: 10, at: 0 }),
        // GOTDATA_OP marks the load that a linker may turn into an addition.
        84 => (Nothing, Field::Word),
        _ => return None,
    })
}

fn superh(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        1 => (Absolute, Field::Word),
        2 | 161 => (Relative, Field::Word),
        160 | 168 => (SlotOffset, Field::Word),
        166 => (TableOffset, Field::Word),
        167 => (TableRelative, Field::Word),
        _ => return None,
    })
}

fn m68k(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        1 => (Absolute, Field::Word),
        2 => (Absolute, Field::Half),
        4 | 13 => (Relative, Field::Word),
        5 | 14 => (Relative, Field::Half),
        7 => (SlotRelative, Field::Word),
        8 => (SlotRelative, Field::Half),
        10 => (SlotOffset, Field::Word),
        11 => (SlotOffset, Field::Half),
        _ => return None,
    })
}

fn riscv(kind: u32) -> Option<(Value, Field)> {
    Some(match kind {
        1 => (Absolute, Field::Word),
        2 => (Absolute, Field::Double),
        16 => (Relative, Field::RiscvBranch),
        17 => (Relative, Field::RiscvJump),
        18 | 19 => (Relative, Field::RiscvCall),
        RISCV_GOT_HI20 => (SlotRelative, Field::RiscvHigh),
        RISCV_PCREL_HI20 => (Relative, Field::RiscvHigh),
        24 => (Partner, Field::Bits { width: 12, shift: 0, at: 20 }),
        25 => (Partner, Field::RiscvStore),
        26 => (Absolute, Field::RiscvHigh),
        27 => (Absolute, Field::Bits { width: 12, shift: 0, at: 20 }),
        28 => (Absolute, Field::RiscvStore),
        34 => (Added, Field::Half),
        35 => (Added, Field::Word),
        36 => (Added, Field::Double),
        38 => (Subtracted, Field::Half),
        39 => (Subtracted, Field::Word),
        40 => (Subtracted, Field::Double),
        43 | 51 => (Nothing, Field::Word),
        44 => (Relative, Field::RiscvShortBranch),
        45 => (Relative, Field::RiscvShortJump),
        57 => (Relative, Field::Word),
        _ => return None,
    })
}
