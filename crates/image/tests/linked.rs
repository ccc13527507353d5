//! Object files: layout, linking, external symbols. Expected words were worked out by hand from
//! the instruction formats.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_image::{Address, Endian, Image, ImageDiagnostic, ImageKind, ImportKind};
use support::{ElfBuilder, REL, Section, Words, machine};

/// Where the first section is laid out.
const TEXT: u64 = 0x1_0000;
/// Distance of the symbol that relocations refer to.
const TARGET: u64 = 0x20;

#[derive(Clone, Copy)]
struct Target {
    machine: u16,
    wide: bool,
    endian: Endian,
    with_addend: bool,
}

const fn target(machine: u16, wide: bool, endian: Endian, with_addend: bool) -> Target {
    Target { machine, wide, endian, with_addend }
}

const X86_64: Target = target(machine::X86_64, true, Endian::Little, true);
const X86: Target = target(machine::I386, false, Endian::Little, false);
const ARM: Target = target(machine::ARM, false, Endian::Little, false);
const AARCH64: Target = target(machine::AARCH64, true, Endian::Little, true);
const MIPS: Target = target(machine::MIPS, false, Endian::Big, false);
const POWERPC: Target = target(machine::PPC, false, Endian::Big, true);
const SPARC: Target = target(machine::SPARC, false, Endian::Big, true);
const SUPERH: Target = target(machine::SH, false, Endian::Little, true);
const M68K: Target = target(machine::M68K, false, Endian::Big, true);
const RISCV: Target = target(machine::RISCV, true, Endian::Little, true);

/// Symbols: 1 is `target` at `TARGET` (plus `mode`), 2 is `socket`, undefined, 3 is a label at
/// the start, 4 is a common block of 64 bytes.
fn object(target: Target, code: &[u8], mode: u64, relocations: &[(u64, u64, u64, u64)]) -> Image {
    let mut symbols = Words::new(target.wide, target.endian);
    symbols.symbol(0, 0, 0, 0, 0);
    symbols.symbol(1, TARGET + mode, 8, 0x12, 1);
    symbols.symbol(8, 0, 0, 0x10, 0);
    symbols.symbol(15, 0, 0, 0, 1);
    symbols.symbol(18, 16, 64, 0x11, 0xfff2);
    let mut table = Words::new(target.wide, target.endian);
    for (at, symbol, kind, addend) in relocations {
        table.relocation(*at, *symbol, *kind, target.with_addend.then_some(*addend));
    }
    let mut contents = code.to_vec();
    contents.resize(0x40, 0);
    let mut text = Section::new(".text", 1, contents);
    text.flags = 2 | 4;
    let mut symbol_table = Section::new(".symtab", 2, symbols.bytes);
    symbol_table.link = 3;
    let kind = if target.with_addend { 4 } else { 9 };
    let mut relocation_table = Section::new(".rel.text", kind, table.bytes);
    (relocation_table.link, relocation_table.info) = (2, 1);
    let mut bss = Section::new(".bss", 8, vec![0; 0x30]);
    bss.flags = 2 | 1;
    let file = ElfBuilder::new(target.machine, target.wide, target.endian)
        .file_type(REL)
        .section(text)
        .section(symbol_table)
        .section(Section::new(".strtab", 3, b"\0target\0socket\0$x\0shared\0".to_vec()))
        .section(relocation_table)
        .section(bss)
        .build();
    Image::parse(&file).unwrap()
}

/// Links one instruction at the start of `.text` against `target` and returns it as a word.
fn linked(target: Target, kind: u64, word: u32, addend: i64) -> u64 {
    linked_mode(target, kind, word, addend, 0)
}

fn linked_mode(target: Target, kind: u64, word: u32, addend: i64, mode: u64) -> u64 {
    let mut code = Words::new(target.wide, target.endian);
    code.u32(word);
    let image = object(target, &code.bytes, mode, &[(0, 1, kind, addend as u64)]);
    assert_eq!(image.diagnostics(), []);
    image.read_uint(Address(TEXT), 4).unwrap()
}

#[test]
fn sections_symbols_and_externals_get_addresses() {
    let image = object(X86_64, &[0x90], 0, &[(0x10, 2, 1, 0), (0x18, 4, 1, 8)]);
    assert_eq!(image.kind(), ImageKind::Relocatable);
    assert!(image.is_executable(Address(TEXT)) && !image.is_mapped(Address(0)));
    assert_eq!(image.symbol_named("target").unwrap().address, Address(TEXT + TARGET));
    let bss = image.segment_at(Address(TEXT + 0x40)).unwrap();
    assert_eq!((bss.size, bss.data.len()), (0x30, 0));
    let [import] = image.imports() else { panic!("{:?}", image.imports()) };
    assert_eq!((import.name.as_str(), import.kind), ("socket", ImportKind::External));
    assert_eq!(image.read_pointer(Address(TEXT + 0x10)), Some(import.slot));
    assert!(!image.is_mapped(import.slot));
    let common = image.read_pointer(Address(TEXT + 0x18)).unwrap();
    assert!(image.is_writable(common), "8 bytes into the common block");
    assert_eq!(image.entry(), Address(TEXT), "without main or _start, the first code byte");
}

#[test]
fn data_words_hold_addresses_or_distances() {
    assert_eq!(linked(X86, 1, 4, 0), TEXT + TARGET + 4);
    assert_eq!(linked(X86, 2, 0xffff_fffc, 0), 0x1c);
    assert_eq!(linked(X86_64, 2, 0, -4), 0x1c);
    assert_eq!(linked(ARM, 2, 8, 0), TEXT + TARGET + 8);
    assert_eq!(linked_mode(ARM, 2, 0, 0, 1), TEXT + TARGET + 1, "Thumb functions keep their bit");
    assert_eq!(linked(MIPS, 2, 4, 0), TEXT + TARGET + 4);
    assert_eq!(linked(POWERPC, 1, 0, 4), TEXT + TARGET + 4);
    assert_eq!(linked(SPARC, 3, 0, 4), TEXT + TARGET + 4);
    assert_eq!(linked(M68K, 1, 0, 4), TEXT + TARGET + 4);
    assert_eq!(linked(M68K, 4, 0, 2), 0x22);
    assert_eq!(linked(SUPERH, 1, 0, 4), TEXT + TARGET + 4);
    assert_eq!(linked(SUPERH, 1, 4, 0), TEXT + TARGET + 4, "an addend in place");
}

#[test]
fn arm_branches_change_mode_with_their_target() {
    assert_eq!(linked(ARM, 28, 0xebff_fffe, 0), 0xeb00_0006);
    assert_eq!(linked_mode(ARM, 28, 0xebff_fffe, 0, 1), 0xfa00_0006, "blx");
    // Halfwords f7ff fffe: bl with the addend -4.
    assert_eq!(linked_mode(ARM, 10, 0xfffe_f7ff, 0, 1), 0xf80e_f000);
    assert_eq!(linked(ARM, 10, 0xfffe_f7ff, 0), 0xe80e_f000, "blx");
}

#[test]
fn immediates_are_spread_over_the_instruction() {
    assert_eq!(linked(ARM, 43, 0xe300_3000, 0), 0xe300_3020);
    assert_eq!(linked(ARM, 44, 0xe340_3000, 0), 0xe340_3001);
    // Halfwords f240 0300 and f2c0 0300: movw and movt r3.
    assert_eq!(linked(ARM, 47, 0x0300_f240, 0), 0x0320_f240);
    assert_eq!(linked(ARM, 48, 0x0300_f2c0, 0), 0x0301_f2c0);
    assert_eq!(linked(AARCH64, 283, 0x9400_0000, 0), 0x9400_0008);
    assert_eq!(linked(AARCH64, 275, 0x9000_0000, 0x5000), 0xb000_0020);
    assert_eq!(linked(AARCH64, 277, 0x9100_0000, 0), 0x9100_8000);
    assert_eq!(linked(AARCH64, 286, 0xf940_0000, 0), 0xf940_1000);
    assert_eq!(linked(AARCH64, 312, 0xf940_0021, 0), 0x9100_8021, "ldr becomes add");
    assert_eq!(linked(MIPS, 4, 0x0c00_0000, 0), 0x0c00_4008);
    assert_eq!(linked(POWERPC, 10, 0x4800_0001, 0), 0x4800_0021);
    assert_eq!(linked(POWERPC, 18, 0x4800_0001, 0x8000), 0x4800_0021);
    assert_eq!(linked(SPARC, 7, 0x4000_0000, 0), 0x4000_0008);
    assert_eq!(linked(SPARC, 9, 0x0300_0000, 0), 0x0300_0040);
    assert_eq!(linked(SPARC, 12, 0x8210_6000, 0), 0x8210_6020);
    assert_eq!(linked(RISCV, 16, 0x0000_0063, 0), 0x0200_0063);
    assert_eq!(linked(RISCV, 17, 0x0000_006f, 0), 0x0200_006f);
    assert_eq!(linked(RISCV, 26, 0x0000_0537, 0x7f0), 0x0001_1537, "rounded up");
}

#[test]
fn upper_halves_are_rounded_for_signed_lower_halves() {
    let word = |image: &Image, at| image.read_uint(Address(TEXT + at), 4);
    let code = [0x3c, 2, 0, 0, 0x24, 0x42, 0x80, 0];
    let image = object(MIPS, &code, 0, &[(0, 1, 5, 0), (4, 1, 6, 0)]);
    // 0x10020 - 0x8000 = 0x8020, whose lower half reads as negative.
    assert_eq!(word(&image, 0), Some(0x3c02_0001));
    assert_eq!(word(&image, 4), Some(0x2442_8020));
    let code = [0x3d, 0x20, 0, 0, 0x39, 0x29, 0, 0];
    let image = object(POWERPC, &code, 0, &[(2, 1, 6, 0x8000), (6, 1, 4, 0x8000)]);
    assert_eq!(word(&image, 0), Some(0x3d20_0002));
    assert_eq!(word(&image, 4), Some(0x3929_8020));
}

#[test]
fn riscv_low_parts_follow_the_auipc_their_label_names() {
    // auipc a0, 0; addi a0, a0, 0; auipc ra, 0; jalr ra
    let words = [0x0000_0517u32, 0x0005_0513, 0x0000_0097, 0x0000_80e7];
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let relocations = [(0, 1, 23, 0x7f0), (4, 3, 24, 0), (8, 1, 19, 0), (8, 0, 51, 0)];
    let image = object(RISCV, &code, 0, &relocations);
    let word = |at| image.read_uint(Address(TEXT + at), 4);
    // 0x20 + 0x7f0 = 0x810 = 0x1000 - 0x7f0
    assert_eq!([word(0), word(4)], [Some(0x0000_1517), Some(0x8105_0513)]);
    assert_eq!([word(8), word(12)], [Some(0x0000_0097), Some(0x0180_80e7)]);
    assert_eq!(image.diagnostics(), []);
}

#[test]
fn loads_from_a_global_offset_table_become_computations() {
    // mov target@GOTPCREL(%rip), %rax
    let image = object(X86_64, &[0x48, 0x8b, 5, 0, 0, 0, 0], 0, &[(3, 1, 42, (-4i64) as u64)]);
    assert_eq!(&image.bytes_from(Address(TEXT))[..7], [0x48, 0x8d, 5, 0x19, 0, 0, 0]);
}

#[test]
fn relocations_that_need_a_table_are_counted_and_leave_the_code_alone() {
    // push target@GOTPCREL(%rip) cannot be turned into a computation; 0xff is no type at all.
    let code = [0xff, 0x35, 0, 0, 0, 0];
    let image = object(X86_64, &code, 0, &[(2, 1, 41, 0), (8, 1, 0xff, 0), (0x3e, 1, 1, 0)]);
    assert_eq!(image.bytes_from(Address(TEXT))[..6], code);
    let address = Address(TEXT + 2);
    let expected = ImageDiagnostic::RelocationsSkipped { count: 3, kind: 41, address };
    assert_eq!(image.diagnostics(), [expected]);
}
