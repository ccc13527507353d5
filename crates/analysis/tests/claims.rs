//! Symbols that the code confirms, knows nothing of, or contradicts; limits that are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{AnalysisDiagnostic, Origin, Program};
use miyaburi_image::{Address, Image};
use support::{CODE, X86_64, hex, image, image_with_symbols};

type Found = (Vec<(u64, Origin)>, Vec<AnalysisDiagnostic>);

/// Offsets and origins of the functions found, and what was not believed.
fn found(image: &Image) -> Found {
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(image, language.as_ref()).unwrap();
    let functions = program.functions().iter().map(|f| (f.entry.0 - CODE, f.origin)).collect();
    (functions, program.diagnostics().to_vec())
}

/// `call f; jmp .`, then f: `sub rsp,8; mov eax,1; mov ecx,2; call g; mov edx,3; add rsp,8; ret`,
/// g: `ret`, two zero bytes, and what nothing refers to: `mov eax,5; ret`.
const CALLS: &str =
    "e802000000ebfe4883ec08b801000000b902000000e80a000000ba030000004883c408c3c30000b805000000c3";

const F: u64 = 7;
const IN_F: u64 = 0xb;
const AMID_INSTRUCTION: u64 = 0xc;
const BEHIND_CALL: u64 = 0x1a;
const G: u64 = 0x24;
const ALONE: u64 = 0x27;

fn with_symbols(offsets: &[u64]) -> Found {
    found(&image_with_symbols(X86_64, &hex(CALLS), offsets))
}

#[test]
fn symbols_name_what_calls_reach_and_add_what_nothing_does() {
    let (functions, diagnostics) = with_symbols(&[F, G, ALONE]);
    let symbol = Origin::Symbol;
    assert_eq!(functions, [(0, Origin::Entry), (F, symbol), (G, symbol), (ALONE, symbol)]);
    assert_eq!(diagnostics, []);
}

#[test]
fn a_symbol_amid_a_function_is_no_function() {
    for offset in [IN_F, AMID_INSTRUCTION, BEHIND_CALL] {
        let (functions, diagnostics) = with_symbols(&[F, G, offset]);
        let entries: Vec<u64> = functions.iter().map(|(entry, _)| *entry).collect();
        assert_eq!(entries, [0, F, G], "{offset:#x}");
        let first = Address(CODE + offset);
        let told = AnalysisDiagnostic::SymbolsContradicted { count: 1, all: 3, first };
        assert_eq!(diagnostics, [told]);
    }
}

#[test]
fn of_a_table_that_is_mostly_false_nothing_counts() {
    let offsets: Vec<u64> = (0..G + 1).chain([ALONE]).collect();
    let (functions, diagnostics) = with_symbols(&offsets);
    assert_eq!(functions, [(0, Origin::Entry), (F, Origin::Call), (G, Origin::Call)]);
    // The entry point, f and g are no lies.
    let told = AnalysisDiagnostic::SymbolsDropped { count: G as usize - 2, all: offsets.len() };
    assert_eq!(diagnostics, [told]);
}

/// A load beyond the bytes whose stores are noted: nobody knows what is there by then.
#[test]
fn memory_beyond_the_limit_counts_as_written() {
    let size = 17_usize << 20;
    let mut data = vec![0; size];
    let last = size - 16;
    data[8] = 7;
    data[last] = 9;
    let argument = |offset: usize| {
        // mov edi,[DATA+offset]; call f; jmp .; f: ret
        let mut code = hex("8b3c25");
        code.extend((support::DATA as u32 + offset as u32).to_le_bytes());
        code.extend(hex("e802000000ebfec3"));
        let image = image(X86_64, &code, &data);
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let program = Program::analyze(&image, language.as_ref()).unwrap();
        let entry = program.function_at(Address(CODE)).unwrap();
        program.values(entry).unwrap().argument(Address(CODE + 7), 0).constant()
    };
    assert_eq!(argument(8), Some(7));
    assert_eq!(argument(last), None);
}

/// Filler before and behind the entry point, in its own segment.
#[test]
fn what_is_around_the_entry_point_is_analysed_of_a_large_segment() {
    let before = 40_usize << 20;
    let mut code = vec![0; before + (20 << 20)];
    code[before..before + 8].copy_from_slice(&hex("e802000000ebfec3"));
    let image = support::image_entered_at(X86_64, &code, before as u64);
    let (functions, diagnostics) = found(&image);
    let entry = before as u64;
    assert_eq!(functions, [(entry, Origin::Entry), (entry + 7, Origin::Call)]);
    // The data segment takes 32 bytes of it.
    let bytes = (60 << 20) - 32 - (32 << 20);
    assert_eq!(diagnostics.first(), Some(&AnalysisDiagnostic::CodeLeftOut { bytes }));
    assert!(diagnostics.iter().all(AnalysisDiagnostic::is_gap));
}
