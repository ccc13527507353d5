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

/// Where the global offset table goes: behind the common block, on the next page.
const TABLE: u64 = 0x1_2000;
const NAMES: &[u8] = b"\0target\0socket\0$x\0shared\0_gp_disp\0_GLOBAL_OFFSET_TABLE_\0";

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
/// the start, 4 is a common block of 64 bytes; 5 and 6 are names that linkers define.
fn object(target: Target, code: &[u8], mode: u64, relocations: &[(u64, u64, u64, u64)]) -> Image {
    let mut symbols = Words::new(target.wide, target.endian);
    symbols.symbol(0, 0, 0, 0, 0);
    symbols.symbol(1, TARGET + mode, 8, 0x12, 1);
    symbols.symbol(8, 0, 0, 0x10, 0);
    symbols.symbol(15, 0, 0, 0, 1);
    symbols.symbol(18, 16, 64, 0x11, 0xfff2);
    // MIPS alone has `_gp_disp`.
    symbols.symbol(if target.machine == machine::MIPS { 25 } else { 34 }, 0, 0, 0x10, 0);
    symbols.symbol(34, 0, 0, 0x10, 0);
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
        .section(Section::new(".strtab", 3, NAMES.to_vec()))
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

/// Links words against `socket`, `target` and the table itself, in this order, and returns them.
fn with_table(target: Target, words: [u32; 3], relocations: [(u64, u64, i64); 3]) -> [u64; 3] {
    let mut code = Words::new(target.wide, target.endian);
    words.iter().for_each(|word| code.u32(*word));
    let [first, second, third] = relocations.map(|(at, kind, addend)| (at, kind, addend as u64));
    let list = [(first, 2), (second, 1), (third, 6)]
        .map(|((at, kind, addend), symbol)| (at, symbol, kind, addend));
    let image = object(target, &code.bytes, 0, &list);
    assert_eq!(image.diagnostics(), []);
    let [import] = image.imports() else { panic!("{:?}", image.imports()) };
    let size: u64 = if target.wide { 8 } else { 4 };
    let slot = |index: u64| image.read_pointer(Address(TABLE + index * size)).unwrap();
    assert_eq!([slot(0), slot(1)], [import.slot, Address(TEXT + TARGET)]);
    assert!(!image.is_writable(Address(TABLE)) && !image.is_executable(Address(TABLE)));
    [0, 4, 8].map(|at| image.read_uint(Address(TEXT + at), 4).unwrap())
}

#[test]
fn slots_of_the_table_are_reached_from_its_register_or_from_the_code() {
    let words = [0; 3];
    let from_arm = with_table(ARM, words, [(0, 26, 0), (4, 96, 0), (8, 25, 0)]);
    assert_eq!(from_arm, [0, 0x2000, 0x1ff8]);
    let from_superh = with_table(SUPERH, words, [(0, 160, 0), (4, 160, 0), (8, 167, 0)]);
    assert_eq!(from_superh, [0, 4, 0x1ff8]);
    let from_m68k = with_table(M68K, words, [(0, 10, 0), (4, 10, 0), (8, 7, 2)]);
    assert_eq!(from_m68k, [0, 4, 0x1ffa]);
    // lwz r9, 0(r30) twice; bcl's addis r30
    let words = [0x813e_0000, 0x813e_0000, 0x3fde_0000];
    let from_powerpc = with_table(POWERPC, words, [(2, 14, 0), (6, 14, 0), (10, 252, 2)]);
    assert_eq!(from_powerpc, [0x813e_0000, 0x813e_0004, 0x3fde_0000]);
    // sethi %hi(table - 4); xor of a slot's offset; add %lo(table + 4)
    let words = [0x8218_6000, 0x8218_6000, 0x9005_e000];
    let from_sparc = with_table(SPARC, words, [(0, 83, 0), (4, 83, 0), (8, 16, 4)]);
    assert_eq!(from_sparc, [0x8218_6000, 0x8218_6004, 0x9005_e3fc]);
    assert_eq!(linked(SPARC, 17, 0x2f00_0000, 0x2000), 0x2f00_0008);
    assert_eq!(linked(SUPERH, 166, 0, 0), 0xffff_e020, "target is 0x1fe0 below the table");
}

#[test]
fn slots_are_reached_in_pages_and_upper_halves() {
    // adrp x0; ldr x1, [x1]
    let words = [0x9000_0000, 0xf940_0021, 0];
    let code: Vec<u8> = words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    let image = object(AARCH64, &code, 0, &[(0, 2, 311, 0), (0, 1, 311, 0), (4, 1, 312, 0)]);
    let word = |image: &Image, at| image.read_uint(Address(TEXT + at), 4);
    assert_eq!([word(&image, 0), word(&image, 4)], [Some(0xd000_0000), Some(0xf940_0421)]);
    // auipc a0, 0; ld a0, 0(a0)
    let words = [0x0000_0517u32, 0x0005_3503];
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let image = object(RISCV, &code, 0, &[(8, 1, 2, 0), (0, 1, 20, 0), (4, 3, 24, 0)]);
    assert_eq!([word(&image, 0), word(&image, 4)], [Some(0x0000_2517), Some(0x0005_3503)]);
    assert_eq!(image.read_pointer(Address(TABLE)), Some(Address(TEXT + TARGET)));
}

#[test]
fn x86_operands_without_a_register_hold_the_address_of_the_slot() {
    // mov target@GOTPCREL(%rip), %rax; push target@GOTPCREL(%rip)
    let code = [0x48, 0x8b, 5, 0, 0, 0, 0, 0xff, 0x35, 0, 0, 0, 0];
    let addend = (-4i64) as u64;
    let image = object(X86_64, &code, 0, &[(3, 1, 42, addend), (9, 1, 41, addend)]);
    let bytes = image.bytes_from(Address(TEXT))[..13].to_vec();
    // 0x12000 - 0x10007, 0x12000 - 0x1000d
    assert_eq!(bytes, [0x48, 0x8b, 5, 0xf9, 0x1f, 0, 0, 0xff, 0x35, 0xf3, 0x1f, 0, 0]);
    // mov target@GOT(%ebx), %eax; mov target@GOT, %eax
    let code = [0x8b, 0x83, 0, 0, 0, 0, 0x8b, 0x05, 0, 0, 0, 0];
    let image = object(X86, &code, 0, &[(2, 1, 43, 0), (8, 1, 43, 0)]);
    let bytes = image.bytes_from(Address(TEXT))[..12].to_vec();
    assert_eq!(bytes, [0x8b, 0x83, 0, 0, 0, 0, 0x8b, 0x05, 0, 0x20, 1, 0]);
}

#[test]
fn mips_reaches_slots_from_its_global_pointer() {
    // lui gp; addiu gp; lw t9 of a global and of a local symbol; the latter's addiu
    let words = [0x3c1c_0000u32, 0x279c_0000, 0x8f99_0000, 0x8f99_0000, 0x2739_8004, 0];
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let relocations =
        [(0, 5, 5, 0), (4, 5, 6, 0), (8, 1, 11, 0), (12, 3, 9, 0), (16, 3, 6, 0), (20, 1, 12, 0)];
    let image = object(MIPS, &code, 0, &relocations);
    assert_eq!(image.diagnostics(), []);
    let word = |at| image.read_uint(Address(TEXT + at), 4).unwrap();
    // $gp is 0x12000 + 0x7ff0, 0x9ff0 from the start of the function.
    assert_eq!([word(0), word(4)], [0x3c1c_0001, 0x279c_9ff0]);
    assert_eq!([word(8), word(12)], [0x8f99_8010, 0x8f99_8014]);
    assert_eq!([word(16), word(20)], [0x2739_8004, 0xffff_6030]);
    let slot = |index: u64| image.read_pointer(Address(TABLE + index * 4)).unwrap();
    assert_eq!([slot(0), slot(1)], [Address(TEXT + TARGET), Address(TEXT)]);
    assert_eq!(image.imports().len(), 1, "what linkers define is no import");
}

#[test]
fn relocations_that_are_not_handled_are_counted_and_leave_the_code_alone() {
    // 0xff is no type at all, 22 is thread-local storage, the last field leaves the section.
    let code = [0xff, 0x35, 1, 2, 3, 4];
    let image = object(X86_64, &code, 0, &[(2, 1, 22, 0), (8, 1, 0xff, 0), (0x3e, 1, 1, 0)]);
    assert_eq!(image.bytes_from(Address(TEXT))[..6], code);
    let address = Address(TEXT + 2);
    let expected = ImageDiagnostic::RelocationsSkipped { count: 3, kind: 22, address };
    assert_eq!(image.diagnostics(), [expected]);
}

#[test]
fn a_full_table_is_told() {
    let code = [0x48, 0x8b, 5, 0, 0, 0, 0];
    let list: Vec<_> = (0..4098).map(|index| (3, 1, 311, 0x2_0000 + index)).collect();
    let image = object(AARCH64, &code, 0, &list);
    let address = Address(TEXT + 3);
    let expected = ImageDiagnostic::RelocationsSkipped { count: 2, kind: 311, address };
    assert_eq!(image.diagnostics(), [expected], "4096 slots of 8 bytes");
}
