//! Where a file ends: code that leads out of it, imports that never return, entry points that are gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../../image/tests/support/mod.rs"]
mod elf;
mod support;

use elf::{ElfBuilder, REL, Section, Words, machine};
use miyaburi_analysis::{CallKind, Function, Origin, Program};
use miyaburi_image::{Address, Endian, Image};
use support::{ARM, CODE, MIPS, Machine, X86_64, hex, image, image_entered_at};

/// What is found, and of each function by entry whether it returns and where it ends.
fn analysed<T>(image: &Image, look: impl FnOnce(&Program<'_>) -> T) -> T {
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    look(&Program::analyze(image, language.as_ref()).unwrap())
}

fn entries(image: &Image) -> Vec<u64> {
    analysed(image, |program| program.functions().iter().map(|f| f.entry.0 - CODE).collect())
}

fn at<'p>(program: &'p Program<'_>, offset: u64) -> &'p Function {
    let id = program.function_at(Address(CODE + offset)).unwrap();
    program.function(id).unwrap()
}

#[test]
fn a_jump_out_of_the_file_is_a_tail_call_that_returns() {
    // call f; mov edi,5; call g; jmp .; f: jmp 0x111000, where nothing is; g: ret
    let of_x86 = hex(
        "e81b000000bf05000000e821000000ebfe909090909090909090909090909090e9db0f10009090909090909090909090c3",
    );
    // jal f; nop; jal g; nop; b .; nop; f: j 0x111000; nop; g: jr $ra; nop
    let of_mips =
        hex("0c004006000000000c004008000000001000ffff00000000080444000000000003e0000800000000");
    let cases: [(Machine, Vec<u8>, u64, u64); 2] =
        [(X86_64, of_x86, 0x20, 0x30), (MIPS, of_mips, 0x18, 0x20)];
    for (machine, code, f, g) in cases {
        let image = image(machine, &code, &[0; 16]);
        analysed(&image, |program| {
            let id = program.function_at(Address(CODE + f)).unwrap();
            assert!(program.function(id).unwrap().returns, "{}", machine.cpu);
            let tail = program.calls_of(id).find(|site| site.kind == CallKind::Tail).unwrap();
            assert_eq!(tail.target, Some(Address(0x11_1000)), "{}", machine.cpu);
        });
        assert_eq!(entries(&image), [0, f, g], "{}", machine.cpu);
    }
}

/// `mov edi,7; call exit; mov edi,1; call g; ret`, and g, which is `ret`; the symbol `exit` stands for
/// an import or for what `section` it is in.
fn object(name: &[u8], section: u16) -> Image {
    let mut code = hex("bf07000000e800000000bf01000000e80c000000c3");
    code.resize(0x20, 0x90);
    code.push(0xc3);
    // R_X86_64_PLT32
    linked(code, (6, 4), name, section)
}

/// An object file with one relocation, `(offset, type)`, against the symbol `name`.
fn linked(mut code: Vec<u8>, (at, kind): (u64, u64), name: &[u8], section: u16) -> Image {
    let mut symbols = Words::new(true, Endian::Little);
    symbols.symbol(0, 0, 0, 0, 0);
    symbols.symbol(1, 0, 16, 0x12, 1);
    symbols.symbol(6, if section == 0 { 0 } else { 0x30 }, 1, 0x12, section);
    let mut table = Words::new(true, Endian::Little);
    table.relocation(at, 2, kind, Some(4_u64.wrapping_neg()));
    code.resize(0x30, 0x90);
    code.push(0xc3);
    let mut text = Section::new(".text", 1, code);
    (text.flags, text.alignment) = (2 | 4, 16);
    let mut symbol_table = Section::new(".symtab", 2, symbols.bytes);
    symbol_table.link = 3;
    let mut relocation_table = Section::new(".rela.text", 4, table.bytes);
    (relocation_table.link, relocation_table.info) = (2, 1);
    let names = [b"\0main\0".as_slice(), name, b"\0"].concat();
    let file = ElfBuilder::new(machine::X86_64, true, Endian::Little)
        .file_type(REL)
        .section(text)
        .section(symbol_table)
        .section(Section::new(".strtab", 3, names))
        .section(relocation_table)
        .build();
    Image::parse(&file).unwrap()
}

#[test]
fn nothing_is_behind_a_call_of_an_import_that_never_returns() {
    let image = object(b"exit", 0);
    analysed(&image, |program| {
        let main = at(program, 0);
        assert_eq!((main.returns, main.end()), (false, Address(CODE + 10)));
    });
    assert_eq!(entries(&image), [0]);
}

#[test]
fn other_imports_return_and_so_does_a_function_of_the_file_with_such_a_name() {
    for (name, section) in [(b"exits".as_slice(), 0), (b"exit", 1)] {
        let image = object(name, section);
        analysed(&image, |program| {
            let main = at(program, 0);
            assert_eq!((main.returns, main.end()), (true, Address(CODE + 0x15)));
        });
        assert!(entries(&image).contains(&0x20), "{name:?}");
    }
}

#[test]
fn a_jump_to_an_import_through_the_offset_table_is_a_tail_call() {
    // mov rax, [rip + slot]; jmp rax, with R_X86_64_REX_GOTPCRELX
    for (name, returns) in [(b"exit".as_slice(), false), (b"exits", true)] {
        let image = linked(hex("488b0500000000ffe0"), (3, 42), name, 0);
        let import = image.imports()[0].slot;
        analysed(&image, |program| {
            let main = program.function_at(Address(CODE)).unwrap();
            assert_eq!(program.function(main).unwrap().returns, returns, "{name:?}");
            let calls: Vec<_> = program.calls_of(main).map(|c| (c.kind, c.target)).collect();
            assert_eq!(calls, [(CallKind::Tail, Some(import))], "{name:?}");
        });
    }
}

/// An address where nothing is.
const NOWHERE: u64 = 0x8_0000;

#[test]
fn without_an_entry_point_functions_are_known_by_their_frames() {
    // Padding; push rbp; mov rbp,rsp; call f; pop rbp; ret; padding; f: mov eax,5; ret
    let of_x86 = hex("9090909090909090554889e5e80f0000005dc390909090909090909090909090c3");
    // nop; push {r4, lr}; bl f; pop {r4, pc}; f: bx lr
    let of_arm = hex("0000a0e110402de9000000eb1080bde81eff2fe1");
    for (machine, code, expected) in [
        (X86_64, of_x86, [(8, Origin::Leftover), (0x20, Origin::Call)]),
        (ARM, of_arm, [(4, Origin::Leftover), (0x10, Origin::Call)]),
    ] {
        let image = image_entered_at(machine, &code, NOWHERE);
        let found: Vec<(u64, Origin)> = analysed(&image, |program| {
            program.functions().iter().map(|f| (f.entry.0 - CODE, f.origin)).collect()
        });
        assert_eq!(found, expected, "{}", machine.cpu);
    }
}

#[test]
fn without_an_entry_point_a_second_mode_is_tried() {
    // nop; nop; push {r4, lr}; bl f; pop {r4, pc}; nop; f: bx lr
    let image = image_entered_at(ARM, &hex("c046c04610b500f002f810bdc046704700000000"), NOWHERE);
    assert_eq!(entries(&image), [4, 0xe]);
}

#[test]
fn without_an_entry_point_data_are_no_functions() {
    let text = b"GET /index.html HTTP/1.1\r\nHost: device.example\r\n\r\n".repeat(40);
    let numbers: Vec<u8> =
        (0..4000_u32).flat_map(|it| it.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    for data in [text, numbers, vec![0; 4000], vec![0xff; 4000]] {
        for machine in [X86_64, ARM, MIPS] {
            let image = image_entered_at(machine, &data, NOWHERE);
            assert_eq!(entries(&image), [0_u64; 0], "{}", machine.cpu);
        }
    }
}
