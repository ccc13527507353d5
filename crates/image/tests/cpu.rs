//! CPU types by header, attributes and code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_image::{Address, Arch, Endian, Family, Image, ImageError};
use support::{EXECUTE, ElfBuilder, READ, Section, Words, machine};

const TEXT: u64 = 0x1_0000;

fn file(machine: u16, wide: bool, endian: Endian, flags: u32, code: Vec<u8>) -> Vec<u8> {
    let size = code.len() as u64;
    ElfBuilder::new(machine, wide, endian)
        .entry(TEXT)
        .flags(flags)
        .load(TEXT, code, size, READ | EXECUTE)
        .build()
}

fn arch(machine: u16, wide: bool, endian: Endian, flags: u32) -> Result<Arch, ImageError> {
    Image::parse(&file(machine, wide, endian, flags, vec![0; 64])).map(|image| image.arch())
}

#[test]
fn every_target_is_spelled_as_reports_spell_it() {
    use Endian::{Big, Little};
    let expected = [
        (machine::ARM, false, Little, 0x500_0200, "armv5", Family::Arm),
        (machine::ARM, false, Big, 0x500_0200, "armeb", Family::Arm),
        (machine::AARCH64, true, Little, 0, "aarch64", Family::AArch64),
        (machine::MIPS, false, Big, 0x7000_1007, "mips-be-o32", Family::Mips),
        (machine::MIPS, false, Little, 0x1007, "mips-le-o32", Family::Mips),
        (10, false, Little, 0, "mips-le-o32", Family::Mips),
        (machine::PPC, false, Big, 0, "ppc32", Family::PowerPc),
        (machine::SPARC, false, Big, 0, "sparc32", Family::Sparc),
        (machine::SPARC32PLUS, false, Big, 0x100, "sparc32", Family::SparcV8Plus),
        (machine::SH, false, Little, 9, "sh4-le", Family::SuperH),
        (machine::M68K, false, Big, 0, "m68k", Family::M68k),
        (machine::M68K, false, Big, 0x0100_0000, "m68k", Family::M68k),
        (machine::M68K, false, Big, 0x0081_0000, "m68k", Family::M68k),
        (machine::M68K, false, Big, 0x8065, "coldfire", Family::ColdFire),
        (machine::M68K, false, Big, 0x8000, "coldfire", Family::ColdFire),
        (machine::M68K, false, Big, 0x2, "coldfire", Family::ColdFire),
        (machine::I386, false, Little, 0, "i386", Family::X86),
        (machine::X86_64, true, Little, 0, "amd64", Family::X86_64),
        (machine::RISCV, true, Little, 5, "rv64", Family::RiscV64),
    ];
    for (machine, wide, endian, flags, cpu, family) in expected {
        let arch = arch(machine, wide, endian, flags).unwrap();
        assert_eq!((arch.cpu, arch.family, arch.endian), (cpu, family, endian));
        assert_eq!(arch.instruction_endian, endian);
        // The name of two is that of V8.
        assert_eq!(Arch::named(cpu) == Some(arch), family != Family::SparcV8Plus, "{cpu}");
    }
}

#[test]
fn other_cpus_are_unsupported_by_name() {
    use Endian::{Big, Little};
    let expected = [
        (93, false, Little, 0, "ARC_COMPACT"),
        (195, false, Little, 0, "ARC_COMPACT2"),
        (machine::MIPS, true, Big, 0x8000_0000, "MIPS 64-bit"),
        (machine::MIPS, false, Big, 0x8000_0027, "MIPS n32"),
        (machine::MIPS, false, Big, 0x2007, "MIPS with an ABI other than o32"),
        (machine::MIPS, false, Little, 0x9000_1400, "MIPS32 Release 6"),
        (21, true, Big, 1, "PPC64"),
        (machine::PPC, false, Little, 0, "PowerPC little endian"),
        (22, true, Big, 0, "S390"),
        (43, true, Big, 0, "SPARCV9"),
        (machine::RISCV, false, Little, 5, "RISC-V 32-bit"),
        (machine::AARCH64, true, Big, 0, "AArch64 big endian"),
        (machine::SH, false, Big, 9, "SuperH big endian"),
        (machine::X86_64, false, Little, 0, "x86-64 x32"),
        (113, false, Little, 0, "ALTERA_NIOS2"),
        (94, false, Little, 0, "XTENSA"),
        (258, true, Little, 0, "LOONGARCH"),
    ];
    for (machine, wide, endian, flags, name) in expected {
        let error = arch(machine, wide, endian, flags).unwrap_err();
        assert_eq!(error, ImageError::UnsupportedCpu { machine, name });
        assert!(error.is_unsupported());
    }
}

#[test]
fn be8_has_little_endian_code_and_big_endian_data() {
    let arch = arch(machine::ARM, false, Endian::Big, 0x0580_0000).unwrap();
    assert_eq!((arch.cpu, arch.endian), ("armeb", Endian::Big));
    assert_eq!(arch.instruction_endian, Endian::Little);
}

/// Build attributes with the given `Tag_CPU_arch`.
fn attributes(cpu_name: &str, cpu_arch: u8) -> Vec<u8> {
    let mut file_attributes = vec![5];
    file_attributes.extend(cpu_name.as_bytes());
    file_attributes.extend([0, 6, cpu_arch, 8, 1, 9, 2]);
    let mut bytes = b"A".to_vec();
    bytes.extend((file_attributes.len() as u32 + 15).to_le_bytes());
    bytes.extend(b"aeabi\0\x01");
    bytes.extend((file_attributes.len() as u32 + 5).to_le_bytes());
    bytes.extend(file_attributes);
    bytes
}

/// ARM-mode functions: `push {r4, lr}; mov r0, #1; pop {r4, pc}`.
fn arm_code() -> Vec<u8> {
    let function = [0xe92d_4010u32, 0xe3a0_0001, 0xe8bd_8010];
    function.iter().flat_map(|word| word.to_le_bytes()).cycle().take(12 * 20).collect()
}

/// Thumb functions, each calling the first: `push {r4, lr}; bl first; pop {r4, pc}`.
fn thumb_code(with_newer: bool) -> Vec<u8> {
    let mut code = Vec::new();
    for _ in 0..8 {
        code.extend(0xb510u16.to_le_bytes());
        let distance = -(code.len() as i32 + 4);
        let bits = distance as u32;
        let (sign, i1, i2) = (bits >> 24 & 1, bits >> 23 & 1, bits >> 22 & 1);
        let (j1, j2) = (!(i1 ^ sign) & 1, !(i2 ^ sign) & 1);
        let first = 0xf000 | sign << 10 | (bits >> 12 & 0x3ff);
        let second = 0xd000 | j1 << 13 | j2 << 11 | (bits >> 1 & 0x7ff);
        code.extend((first as u16).to_le_bytes());
        code.extend((second as u16).to_le_bytes());
        if with_newer {
            // movw r3, #0x1234; movt r3, #0x8
            for halfword in [0xf241u16, 0x2334, 0xf2c0, 0x0308] {
                code.extend(halfword.to_le_bytes());
            }
        }
        code.extend(0xbd10u16.to_le_bytes());
    }
    code
}

fn arm_variant(code: Vec<u8>, attributes: Option<Vec<u8>>) -> &'static str {
    let mut bytes = file(machine::ARM, false, Endian::Little, 0x500_0000, code);
    bytes.extend(attributes.unwrap_or_default());
    Image::parse(&bytes).unwrap().arch().cpu
}

#[test]
fn build_attributes_tell_the_arm_version_without_section_headers() {
    let version = |cpu_arch| arm_variant(arm_code(), Some(attributes("x", cpu_arch)));
    assert_eq!(version(2), "armv4");
    assert_eq!(version(4), "armv5");
    assert_eq!(version(6), "armv6");
    assert_eq!(version(10), "armv7");
    assert_eq!(version(200), "armv5", "an unknown value falls back on the code");
}

#[test]
fn thumb_code_is_judged_by_calls_that_reach_prologues() {
    assert_eq!(arm_variant(thumb_code(true), Some(attributes("cortex-a8", 10))), "armv7-thumb");
    assert_eq!(arm_variant(thumb_code(true), None), "armv7-thumb");
    assert_eq!(arm_variant(thumb_code(false), None), "armv5", "Thumb-1 needs no version 7");
    assert_eq!(arm_variant(arm_code(), Some(attributes("cortex-a8", 10))), "armv7");
}

#[test]
fn noise_is_not_thumb_code() {
    let mut state = 1u64;
    let noise = (0..1 << 21)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    assert_eq!(arm_variant(noise, Some(attributes("", 10))), "armv7");
}

/// What ARM code compares the kernel's results with stands among its literals; as Thumb code it
/// would be a call.
#[test]
fn the_bound_of_error_numbers_is_no_thumb_call() {
    // push {r4-r6, lr}, whose halves read as a wide push across two of them.
    let mut code: Vec<u8> = 0xe92d_4070u32.to_le_bytes().repeat(0x600);
    for literal in 0..4 {
        // 0x801 halfwords further: the low half of an instruction that reads as a narrow push.
        let at = 0x40 + literal * 0x40;
        code[at..at + 4].copy_from_slice(&0xffff_f000u32.to_le_bytes());
        code[at + 0x1002..at + 0x1004].copy_from_slice(&0xb510u16.to_le_bytes());
    }
    assert_eq!(arm_variant(code, None), "armv5");
}

#[test]
fn a_conformance_tag_may_come_before_the_version() {
    let mut bytes = b"aeabi\0\x01".to_vec();
    bytes.extend(40u32.to_le_bytes());
    bytes.extend(b"\x432.09\0\x05arm7tdmi\0\x06\x02");
    assert_eq!(arm_variant(arm_code(), Some(bytes)), "armv4");
}

#[test]
fn newer_arm_instructions_tell_the_version_without_attributes() {
    let code_with = |words: &[u32]| {
        let mut code = arm_code();
        code.extend(words.iter().cycle().take(8).flat_map(|word| word.to_le_bytes()));
        arm_variant(code, None)
    };
    assert_eq!(code_with(&[0xe1a0_0000]), "armv5");
    // uxtb r0, r1
    assert_eq!(code_with(&[0xe6ef_0071]), "armv6");
    // movw r3, #0x1234; movt r3, #8
    assert_eq!(code_with(&[0xe301_3234, 0xe340_3008]), "armv7");
}

#[test]
fn the_mode_bit_is_taken_off_the_entry_point() {
    let entry = |machine, endian| {
        let mut builder = ElfBuilder::new(machine, false, endian).entry(TEXT + 1);
        builder = builder.load(TEXT, vec![0; 64], 64, READ | EXECUTE);
        let image = Image::parse(&builder.build()).unwrap();
        (image.entry(), image.entry_is_thumb())
    };
    assert_eq!(entry(machine::ARM, Endian::Little), (Address(TEXT), true));
    assert_eq!(entry(machine::MIPS, Endian::Big), (Address(TEXT), true));
    assert_eq!(entry(machine::I386, Endian::Little), (Address(TEXT + 1), false));
}

#[test]
fn symbols_lose_the_mode_bit_and_mapping_symbols_tell_the_mode() {
    let mut table = Words::new(false, Endian::Little);
    table.symbol(0, 0, 0, 0, 0);
    let names = b"\0$a\0$t\0$d\0main\0table\0outside\0printf\0".to_vec();
    table.symbol(1, TEXT, 0, 0, 1);
    table.symbol(4, TEXT + 0x10, 0, 0, 1);
    table.symbol(7, TEXT + 0x20, 0, 0, 1);
    table.symbol(10, TEXT + 0x11, 14, 0x12, 1);
    table.symbol(15, TEXT + 0x24, 4, 0x11, 1);
    table.symbol(21, 0x9999_0000, 4, 0x11, 1);
    table.symbol(29, 0, 0, 0x12, 0);
    let mut symbols = Section::new(".symtab", 2, table.bytes);
    symbols.link = 2;
    let file = ElfBuilder::new(machine::ARM, false, Endian::Little)
        .entry(TEXT)
        .load(TEXT, arm_code(), 240, READ | EXECUTE)
        .section(symbols)
        .section(Section::new(".strtab", 3, names))
        .build();
    let image = Image::parse(&file).unwrap();
    let found: Vec<_> = image
        .symbols()
        .iter()
        .map(|symbol| (symbol.name.as_str(), symbol.address.0, symbol.size, symbol.thumb))
        .collect();
    assert_eq!(found, [("main", TEXT + 0x10, 14, true), ("table", TEXT + 0x24, 4, false)]);
    let content = |distance| image.mapped_content(Address(TEXT + distance));
    use miyaburi_image::MappedContent::{Arm, Data, Thumb};
    assert_eq!([content(0), content(0xf)], [Some(Arm); 2]);
    assert_eq!([content(0x10), content(0x1f)], [Some(Thumb); 2]);
    assert_eq!([content(0x20), content(0xef), content(0x1000)], [Some(Data), Some(Data), None]);
    assert_eq!(image.symbol_named("main").unwrap().address, Address(TEXT + 0x10));
    assert_eq!(image.symbol_named("printf"), None);
}
