//! Files to which somebody has added what is false or superfluous: the report is that of the file
//! without it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use miyaburi_model::{Report, Verdict};
use miyaburi_pipeline::{Options, analyze};
use std::path::Path;

/// A 32-bit little-endian program at fixed addresses, stripped.
struct Victim {
    bytes: Vec<u8>,
}

/// Offsets of fields of the file header.
const PROGRAM_HEADERS: usize = 28;
const SECTION_HEADERS: usize = 32;
const PROGRAM_HEADER_COUNT: usize = 44;
const SECTION_HEADER_SIZE: usize = 46;

const PROGRAM_HEADER_SIZE: usize = 32;

/// Addresses in the specimen: its code, and routines of it as `dump` shows them.
const CODE: u32 = 0x1_0094;
const CODE_END: u32 = 0x1_b000;
/// In the middle of the routine that fills the table.
const AMID_FILLER: u32 = 0x1_0334;

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

impl Victim {
    fn new() -> Self {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples");
        let path = examples.join("armv5-gcc-tiny.classic-O0.single");
        Self { bytes: std::fs::read(path).unwrap() }
    }

    fn word(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.bytes[offset..offset + 4].try_into().unwrap())
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// Where the bytes are put: behind all others, aligned.
    fn append(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let offset = self.bytes.len() as u32;
        self.bytes.extend(bytes);
        offset
    }

    /// A section header table that names a symbol table of functions at these addresses.
    fn with_symbols(mut self, addresses: impl Iterator<Item = u32>) -> Self {
        let mut symbols = vec![0; 16];
        for address in addresses {
            symbols.extend(words(&[1, address, 4]));
            symbols.extend([0x12, 0, 1, 0]);
        }
        let table = self.append(&symbols);
        let names = self.append(b"\0f\0");
        let mut headers = words(&[0; 10]);
        headers.extend(words(&[0, 2, 0, 0, table, symbols.len() as u32, 2, 0, 4, 16]));
        headers.extend(words(&[0, 3, 0, 0, names, 3, 0, 0, 1, 0]));
        let headers = self.append(&headers);
        self.put(SECTION_HEADERS, &headers.to_le_bytes());
        self.put(SECTION_HEADER_SIZE, &[40, 0, 3, 0, 0, 0]);
        self
    }

    /// A segment more, and with `kind` `PT_DYNAMIC` one that names its bytes.
    fn with_segment(
        mut self,
        address: u32,
        bytes: &[u8],
        flags: u32,
        dynamic: Option<u32>,
    ) -> Self {
        let offset = self.append(bytes);
        let size = bytes.len() as u32;
        let from = self.word(PROGRAM_HEADERS) as usize;
        let count = usize::from(self.bytes[PROGRAM_HEADER_COUNT]);
        let mut headers = self.bytes[from..from + count * PROGRAM_HEADER_SIZE].to_vec();
        headers.extend(words(&[1, offset, address, address, size, size, flags, 4]));
        if let Some(skip) = dynamic {
            let (offset, address, size) = (offset + skip, address + skip, size - skip);
            headers.extend(words(&[2, offset, address, address, size, size, 4, 4]));
        }
        let count = headers.len() / PROGRAM_HEADER_SIZE;
        let table = self.append(&headers);
        self.put(PROGRAM_HEADERS, &table.to_le_bytes());
        self.put(PROGRAM_HEADER_COUNT, &(count as u16).to_le_bytes());
        self
    }

    fn report(&self) -> Report {
        analyze(&self.bytes, "victim", &Options { time_limit: None, ..Options::default() })
    }

    /// Checks that the report holds what that of the specimen itself does, with this diagnostic.
    fn assert_unharmed(&self, diagnostic: &str) {
        let (clean, report) = (Self::new().report(), self.report());
        assert_eq!(clean.verdict, Verdict::Config);
        assert_eq!(report.verdict, Verdict::Config, "{:?}", report.diagnostics);
        assert_eq!(report.endpoints, clean.endpoints);
        assert_eq!(report.string_table, clean.string_table);
        assert_eq!(report.credentials, clean.credentials);
        assert_eq!(report.attacks, clean.attacks);
        let told: Vec<&str> = report.diagnostics.iter().map(|told| told.message.as_str()).collect();
        assert!(told.iter().any(|told| told.contains(diagnostic)), "{told:?}");
    }
}

#[test]
fn a_false_symbol_amid_a_routine_cuts_it_not_in_two() {
    let victim = Victim::new().with_symbols([AMID_FILLER].into_iter());
    victim.assert_unharmed("1 of 1 function symbols, the first at 0x10334, lie amid code");
}

#[test]
fn a_table_of_false_symbols_is_dropped() {
    for step in [4, 8, 16, 64] {
        let victim = Victim::new().with_symbols((CODE..CODE_END).step_by(step));
        victim.assert_unharmed("no symbol was believed");
    }
}

/// As the dynamic section of a program that no dynamic linker loads.
#[test]
fn a_false_initialiser_amid_a_routine_cuts_it_not_in_two() {
    const INIT: u32 = 12;
    let dynamic = words(&[INIT, AMID_FILLER, 0, 0]);
    let victim = Victim::new().with_segment(0x5000_0000, &dynamic, 4, Some(0));
    victim.assert_unharmed("1 initialisers or resolvers, the first at 0x10334, lie amid code");
}

#[test]
fn relocations_do_not_overwrite_the_code_of_a_static_program() {
    const BASE: u32 = 0x5000_0000;
    // R_ARM_ABS32 against symbol 1.
    let mut bytes: Vec<u8> =
        (0..200).flat_map(|index| words(&[AMID_FILLER + 4 * index, 1 << 8 | 2])).collect();
    let (relocations, symbols) = (bytes.len() as u32, BASE + bytes.len() as u32);
    bytes.extend([0; 16]);
    bytes.extend(words(&[0, 0x1122_3344, 0]));
    bytes.extend([0x11, 0, 0xf1, 0xff]);
    let skip = bytes.len() as u32;
    bytes.extend(words(&[17, BASE, 18, relocations, 6, symbols, 5, symbols, 10, 1, 0, 0]));
    let victim = Victim::new().with_segment(BASE, &bytes, 4, Some(skip));
    victim.assert_unharmed("200 relocations, the first at 0x10334, of code or constants");
}

#[test]
fn executable_filler_leaves_the_code_to_the_analysis() {
    let filler = vec![0; 33 << 20];
    for address in [0x1000_0000, 0x4000_0000] {
        let victim = Victim::new().with_segment(address, &filler, 5, None);
        victim.assert_unharmed("executable bytes beyond the limit were not looked at");
    }
}
