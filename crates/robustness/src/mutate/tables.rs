//! Tables made up and added to a file: more, longer and more contradictory than damage to those
//! that are there makes them.

use super::Victim;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Where added segments lie.
const ADDED: u64 = 0x5000_0000;

/// `PT_LOAD` and `PT_DYNAMIC`.
const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;

/// Positions in [`super::layout::Layout::file_header`].
const PROGRAM_HEADERS: usize = 4;
const SECTION_HEADERS: usize = 5;
const PROGRAM_HEADER_COUNT: usize = 9;
const SECTION_HEADER_SIZE: usize = 10;
const SECTION_HEADER_COUNT: usize = 11;

/// The most symbols and relocations of a table, as a power of two.
const MAX_ENTRIES: u32 = 17;

/// The largest filler, as a power of two: twice what is indexed.
const MAX_FILLER: u32 = 26;

impl Victim<'_> {
    /// A table of integers: each with its size in bytes.
    fn table(&self, integers: impl IntoIterator<Item = (u64, usize)>) -> Vec<u8> {
        let mut table = Vec::new();
        for (value, size) in integers {
            let start = table.len();
            table.resize(start + size, 0);
            if let Some(place) = table.get_mut(start..) {
                self.layout.endian.write_uint(place, value);
            }
        }
        table
    }

    /// A table of pointer-sized integers.
    fn words(&self, words: impl IntoIterator<Item = u64>) -> Vec<u8> {
        let size = self.layout.word;
        self.table(words.into_iter().map(|word| (word, size)))
    }

    /// Puts bytes behind all others, aligned; their offset.
    fn append(&mut self, bytes: &[u8]) -> u64 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let offset = self.bytes.len() as u64;
        self.bytes.extend(bytes);
        offset
    }

    fn set_header(&mut self, position: usize, value: u64) {
        if let Some(field) = self.layout.file_header.get(position) {
            self.layout.write(&mut self.bytes, *field, value);
        }
    }

    fn program_header(
        &self,
        kind: u64,
        flags: u64,
        offset: u64,
        address: u64,
        size: u64,
    ) -> Vec<u8> {
        let word = self.layout.word;
        let middle = [offset, address, address, size, size].map(|value| (value, word));
        let flags = [(flags, 4)];
        let (before, after) = if word == 8 { (&flags[..], &[][..]) } else { (&[][..], &flags[..]) };
        let fields = [&[(kind, 4)], before, &middle, after, &[(4, word)]].concat();
        self.table(fields)
    }

    /// Adds a segment, and a dynamic section for its last `dynamic` bytes. Of files without
    /// program headers nothing becomes.
    fn add_segment(&mut self, address: u64, bytes: &[u8], flags: u64, dynamic: usize) {
        let (Some(first), Some(last)) =
            (self.layout.program_headers.first(), self.layout.program_headers.last())
        else {
            return;
        };
        let (Some(start), Some(end)) = (first.first(), last.last()) else { return };
        let range = start.offset..end.offset + end.size;
        let mut headers = self.bytes.get(range).unwrap_or_default().to_vec();
        let count = self.layout.program_headers.len() as u64 + if dynamic > 0 { 2 } else { 1 };
        let (offset, size) = (self.append(bytes), bytes.len() as u64);
        headers.extend(self.program_header(LOAD, flags, offset, address, size));
        if dynamic > 0 {
            let skip = size - dynamic as u64;
            let (offset, address) = (offset + skip, address + skip);
            headers.extend(self.program_header(DYNAMIC, 4, offset, address, dynamic as u64));
        }
        let table = self.append(&headers);
        self.set_header(PROGRAM_HEADERS, table);
        self.set_header(PROGRAM_HEADER_COUNT, count);
    }

    /// Symbols of functions, all with the name at offset 1.
    fn symbols(&self, addresses: impl Iterator<Item = u64>) -> Vec<u8> {
        let word = self.layout.word;
        let symbol = |address: u64| {
            let rest = [(0x12, 1), (0, 1), (1, 2)];
            let values = [(address, word), (4, word)];
            if word == 8 {
                [&[(1, 4)], &rest[..], &values].concat()
            } else {
                [&[(1, 4)], &values[..], &rest].concat()
            }
        };
        let mut table = vec![0; if word == 8 { 24 } else { 16 }];
        table.extend(self.table(addresses.flat_map(symbol)));
        table
    }

    /// Section headers of a symbol table and its names.
    fn add_symbol_table(&mut self, symbols: &[u8], names: &[u8]) {
        if self.layout.program_headers.is_empty() {
            return;
        }
        let word = self.layout.word;
        let (table, strings) = (self.append(symbols), self.append(names));
        let section = |kind: u64, offset: u64, size: usize, link: u64| {
            let middle = [0, 0, offset, size as u64].map(|value| (value, word));
            [&[(0, 4), (kind, 4)], &middle[..], &[(link, 4), (0, 4), (1, word), (0, word)]].concat()
        };
        let headers = [
            section(0, 0, 0, 0),
            section(2, table, symbols.len(), 2),
            section(3, strings, names.len(), 0),
        ];
        let headers = self.table(headers.concat());
        let offset = self.append(&headers);
        self.set_header(SECTION_HEADERS, offset);
        self.set_header(SECTION_HEADER_SIZE, if word == 8 { 64 } else { 40 });
        self.set_header(SECTION_HEADER_COUNT, 3);
    }
}

/// Function symbols where no functions start: a few, or one every few bytes.
pub(super) fn false_symbols(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let addresses: Vec<u64> = if random.random() {
        let count = random.random_range(1..8);
        (0..count).map(|_| victim.address(random)).collect()
    } else {
        let step = 1 << random.random_range(1..8);
        let code = victim.address(random);
        let count = 1 << random.random_range(4..12);
        (0..count).map(|index: u64| code.wrapping_add(index * step)).collect()
    };
    let symbols = victim.symbols(addresses.into_iter());
    victim.add_symbol_table(&symbols, b"\0false\0");
}

/// As many symbols as a table can have, all of one name that is as long as names are kept, or has
/// no end; in both symbol tables. They lie in these tables, so that all of them are mapped.
pub(super) fn heavy_symbols(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let count: u64 = 1 << random.random_range(8..=MAX_ENTRIES);
    let distinct = if random.random() { count } else { 1 };
    let symbols = victim.symbols((0..count).map(|index| ADDED + index % distinct));
    let names: Vec<u8> = match random.random_range(0..3) {
        0 => vec![0xff; 600],
        1 => [&[0], &[b'n'; 511][..], &[0]].concat(),
        _ => vec![b'n'; 1 << random.random_range(10..20)],
    };
    let table = [symbols.clone(), names.clone()].concat();
    let strings = ADDED + symbols.len() as u64;
    // DT_SYMTAB, DT_STRTAB, and DT_HASH behind them, with its two counts.
    let hash = ADDED + table.len() as u64;
    let counts = victim.table([(1, 4), (if random.random() { count } else { 0xffff_ffff }, 4)]);
    let dynamic = victim.words([6, ADDED, 5, strings, 4, hash, 0, 0]);
    let segment = [table, counts, dynamic.clone()].concat();
    victim.add_segment(ADDED, &segment, 4, dynamic.len());
    victim.add_symbol_table(&symbols, &names);
}

/// Relocations of code and data in one table that DT_REL, DT_RELA and DT_JMPREL all name.
pub(super) fn overlapping_relocations(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let count = 1 << random.random_range(2..=MAX_ENTRIES);
    let kinds = [1, 2, 3, 5, 6, 7, 8, 20, 21, 22, 23, 42, 37, 160, 163, 248, 1024, 1027, 1032];
    let kind = kinds.get(random.random_range(0..kinds.len())).copied().unwrap_or(1);
    let start = victim.address(random);
    let step = random.random_range(0..=8);
    // Against symbol 1, which is defined.
    let shift = if victim.layout.word == 8 { 32 } else { 8 };
    let info = (1 << shift) | kind;
    let entries = (0..count).flat_map(|index: u64| [start.wrapping_add(index * step), info]);
    let mut segment = victim.words(entries);
    let size = segment.len() as u64;
    let value = victim.address(random);
    segment.extend(victim.symbols([value].into_iter()));
    let shift = random.random_range(0..64);
    let dynamic = victim.words([
        17,
        ADDED,
        18,
        size,
        7,
        ADDED + shift,
        8,
        size,
        23,
        ADDED + shift / 2,
        2,
        size,
        20,
        if random.random() { 17 } else { 7 },
        6,
        ADDED + size,
        5,
        ADDED,
        0,
        0,
    ]);
    segment.extend(&dynamic);
    victim.add_segment(ADDED, &segment, 4 | random.random_range(0..4), dynamic.len());
}

/// A segment of one byte over and over: mostly small, now and then more than is looked at.
pub(super) fn filler(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let most = if random.random_range(0..8) == 0 { MAX_FILLER } else { 18 };
    let most = 1_usize << random.random_range(8..=most);
    let size = random.random_range(1..=most);
    let byte = if random.random() { 0 } else { random.random() };
    // Before all code or behind it.
    let address = if random.random() { 0x1000 } else { ADDED };
    victim.add_segment(address, &vec![byte; size], random.random_range(0..8), 0);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::layout::Layout;
    use super::*;
    use miyaburi_image::{Address, Image, ImageDiagnostic, SymbolKind};
    use rand_chacha::rand_core::SeedableRng;

    /// x86: one segment of 64 returns.
    fn damaged(damage: impl Fn(&mut Victim<'_>, &mut ChaCha8Rng)) -> Vec<Image> {
        let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x03\0\x01\0\0\0".to_vec();
        for word in [0x1_0054u32, 52, 0, 0, 52 | 32 << 16, 1 | 40 << 16, 0] {
            file.extend(word.to_le_bytes());
        }
        for word in [1u32, 84, 0x1_0054, 0x1_0054, 64, 64, 5, 4] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0xc3; 64]);
        (0..24)
            .map(|seed| {
                let (bytes, layout) = (file.clone(), Layout::of(&file));
                let mut victim = Victim { bytes, layout, others: &[] };
                damage(&mut victim, &mut ChaCha8Rng::seed_from_u64(seed));
                Image::parse(&victim.bytes).unwrap()
            })
            .collect()
    }

    #[test]
    fn false_symbols_are_functions_of_the_image() {
        let images = damaged(false_symbols);
        let has_functions = |image: &&Image| {
            image.symbols().iter().any(|symbol| symbol.kind == SymbolKind::Function)
        };
        assert!(images.iter().filter(has_functions).count() > 12);
    }

    #[test]
    fn the_budgets_for_names_and_relocations_are_reached() {
        let told = |images: &[Image], wanted: fn(&ImageDiagnostic) -> bool| {
            images.iter().any(|image| image.diagnostics().iter().any(wanted))
        };
        let heavy = damaged(heavy_symbols);
        assert!(told(&heavy, |told| matches!(told, ImageDiagnostic::NamesLeftOut { .. })));
        let overlapping = damaged(overlapping_relocations);
        let skipped = |told: &ImageDiagnostic| match told {
            ImageDiagnostic::RelocationsSkipped { count, .. } => *count > 1000,
            _ => false,
        };
        assert!(told(&overlapping, skipped));
        assert!(told(&overlapping, |told| {
            matches!(told, ImageDiagnostic::RelocationsRefused { .. })
        }));
    }

    #[test]
    fn fillers_are_mapped() {
        let images = damaged(filler);
        assert!(images.iter().all(|image| image.is_mapped(Address(0x1_0054))));
        assert!(images.iter().any(|image| image.is_executable(Address(ADDED))));
    }
}
