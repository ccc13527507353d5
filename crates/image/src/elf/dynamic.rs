//! The dynamic section, read from mapped memory as the dynamic linker reads it.

use crate::elf::program_headers::ProgramHeader;
use crate::elf::reader::name_from;
use crate::elf::relocations::{MAX_RELOCATIONS, Relocation, RelocationTable};
use crate::elf::symbols::{self, SymbolTable};
use crate::segment::SegmentMap;
use crate::{Address, Arch, Family, ImageDiagnostic};
use object::elf::{
    DT_FINI, DT_FINI_ARRAY, DT_FINI_ARRAYSZ, DT_GNU_HASH, DT_HASH, DT_INIT, DT_INIT_ARRAY,
    DT_INIT_ARRAYSZ, DT_JMPREL, DT_MIPS_SYMTABNO, DT_NEEDED, DT_NULL, DT_PLTREL, DT_PLTRELSZ,
    DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ, DT_STRSZ,
    DT_STRTAB, DT_SYMTAB, DynamicTag, PT_DYNAMIC,
};
use std::ops::Range;

/// Most entries of a dynamic section that are read.
const MAX_ENTRIES: usize = 1024;

/// Most entries of an initializer array that are read.
const MAX_INITIALIZERS: u64 = 1024;

/// Most needed libraries that are kept.
const MAX_NEEDED: usize = 64;

/// Tags and values of a dynamic section.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dynamic {
    entries: Vec<(u64, u64)>,
}

impl Dynamic {
    /// Reads the entries up to `DT_NULL`; empty when the file has no dynamic section.
    pub(crate) fn read(headers: &[ProgramHeader], memory: &SegmentMap, arch: Arch) -> Self {
        let Some(header) = headers.iter().find(|header| header.kind == PT_DYNAMIC) else {
            return Self::default();
        };
        let word = arch.pointer_size() as usize;
        let entries = memory
            .bytes_from(Address(header.address))
            .chunks_exact(2 * word)
            .take(MAX_ENTRIES)
            .map(|entry| {
                let (tag, value) = entry.split_at(word);
                (arch.endian.read_uint(tag), arch.endian.read_uint(value))
            })
            .take_while(|(tag, _)| *tag != tag_value(DT_NULL))
            .collect();
        Self { entries }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of the last entry with this tag: the one that linkers heed.
    pub(crate) fn get(&self, tag: DynamicTag) -> Option<u64> {
        self.entries.iter().rev().find(|entry| entry.0 == tag_value(tag)).map(|entry| entry.1)
    }

    fn address(&self, tag: DynamicTag) -> Option<Address> {
        self.get(tag).filter(|value| *value != 0).map(Address)
    }

    fn string_table<'m>(&self, memory: &'m SegmentMap) -> &'m [u8] {
        let Some(address) = self.address(DT_STRTAB) else { return &[] };
        let bytes = memory.bytes_from(address);
        let size = self.get(DT_STRSZ).and_then(|size| usize::try_from(size).ok());
        size.and_then(|size| bytes.get(..size)).unwrap_or(bytes)
    }

    /// Names of the needed libraries.
    pub(crate) fn needed(&self, memory: &SegmentMap) -> Vec<String> {
        let strings = self.string_table(memory);
        self.entries
            .iter()
            .filter(|(tag, _)| *tag == tag_value(DT_NEEDED))
            .filter_map(|(_, offset)| strings.get(usize::try_from(*offset).ok()?..))
            .map(name_from)
            .take(MAX_NEEDED)
            .collect()
    }

    /// The relocation tables, by slot. Bytes that several tables claim are read once: DT_RELA's
    /// size often covers the DT_JMPREL table too.
    ///
    /// RELR is left out on purpose: its words already hold their value at load base 0.
    pub(crate) fn relocations(
        &self,
        memory: &SegmentMap,
        arch: Arch,
        diagnostics: &mut Vec<ImageDiagnostic>,
    ) -> Vec<Relocation> {
        let plt_with_addend = self
            .get(DT_PLTREL)
            .map_or(self.get(DT_RELA).is_some(), |tag| tag == tag_value(DT_RELA));
        let tables = [
            (DT_REL, DT_RELSZ, false),
            (DT_RELA, DT_RELASZ, true),
            (DT_JMPREL, DT_PLTRELSZ, plt_with_addend),
        ];
        let mut claimed: Vec<Range<u64>> = Vec::new();
        let mut relocations = Vec::new();
        let mut left_out = 0;
        for (start, size, with_addend) in tables {
            let (Some(start), Some(size)) = (self.address(start), self.get(size)) else { continue };
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let bytes = memory.bytes_from(start);
            let bytes = bytes.get(..size).unwrap_or(bytes);
            let (skipped, bytes) = unclaimed(start, bytes, &claimed);
            let first = start.0.saturating_add(skipped as u64);
            claimed.push(first..first.saturating_add(bytes.len() as u64));
            let table = RelocationTable { bytes, with_addend, wide: arch.pointer_size() == 8 };
            let room = MAX_RELOCATIONS - relocations.len();
            left_out += table.count().saturating_sub(room);
            relocations.extend(table.entries(arch.endian).take(room));
        }
        if left_out > 0 {
            diagnostics.push(ImageDiagnostic::RelocationsLeftOut { count: left_out });
        }
        relocations.sort_by_key(|relocation| relocation.slot);
        relocations.dedup();
        relocations
    }

    /// The dynamic symbols. Their number comes from a hash table, else from what follows the
    /// table or names it.
    pub(crate) fn symbols(
        &self,
        memory: &SegmentMap,
        arch: Arch,
        relocations: &[Relocation],
        diagnostics: &mut Vec<ImageDiagnostic>,
    ) -> SymbolTable {
        let Some(start) = self.address(DT_SYMTAB) else { return SymbolTable::default() };
        let wide = arch.pointer_size() == 8;
        let named = relocations.iter().map(|relocation| u64::from(relocation.symbol) + 1).max();
        let count = self
            .hash_count(memory, arch)
            .or_else(|| self.gnu_hash_count(memory, arch))
            .or_else(|| self.mips_symbol_count(arch))
            .or_else(|| {
                let size = self.address(DT_STRTAB)?.distance_from(start)?;
                Some(size / symbols::entry_size(wide))
            })
            .unwrap_or(0)
            .max(named.unwrap_or(0));
        let bytes = memory.bytes_from(start);
        let names = self.string_table(memory);
        SymbolTable::new(bytes, count, names, arch.endian, wide, diagnostics)
    }

    fn mips_symbol_count(&self, arch: Arch) -> Option<u64> {
        self.get(DT_MIPS_SYMTABNO).filter(|_| arch.family == Family::Mips)
    }

    /// `nchain` of the System V hash table equals the number of symbols.
    fn hash_count(&self, memory: &SegmentMap, arch: Arch) -> Option<u64> {
        memory.read_uint(self.address(DT_HASH)?.offset(4), 4, arch.endian)
    }

    /// The GNU hash table sorts symbols by bucket: the last chain ends at the last symbol.
    fn gnu_hash_count(&self, memory: &SegmentMap, arch: Arch) -> Option<u64> {
        let table = self.address(DT_GNU_HASH)?;
        let word = |index: u64| memory.read_uint(table.offset(4 * index), 4, arch.endian);
        let (buckets, first_hashed, bloom_words) = (word(0)?, word(1)?, word(2)?);
        let bucket_start = 4 + bloom_words * u64::from(arch.pointer_size() / 4);
        let stored = memory.bytes_from(table).len() as u64 / 4;
        if bucket_start.checked_add(buckets)? > stored {
            return None;
        }
        let last = (0..buckets).filter_map(|bucket| word(bucket_start + bucket)).max()?;
        if last < first_hashed {
            return Some(first_hashed);
        }
        let chains = bucket_start + buckets;
        let chain_end = (last..stored)
            .find(|symbol| word(chains + symbol - first_hashed).is_none_or(|hash| hash & 1 != 0))?;
        Some(chain_end + 1)
    }

    /// Addresses of initializers and finalizers that the image holds.
    pub(crate) fn initializers(&self, memory: &SegmentMap, arch: Arch) -> Vec<Address> {
        let single = [DT_INIT, DT_FINI].into_iter().filter_map(|tag| self.address(tag));
        let arrays = [
            (DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ),
            (DT_INIT_ARRAY, DT_INIT_ARRAYSZ),
            (DT_FINI_ARRAY, DT_FINI_ARRAYSZ),
        ];
        let word = u64::from(arch.pointer_size());
        let listed = arrays.into_iter().flat_map(|(start, size)| {
            let start = self.address(start);
            let count = self.get(size).map_or(0, |size| (size / word).min(MAX_INITIALIZERS));
            (0..count).filter_map(move |index| {
                let slot = start?.offset(index * word);
                memory.read_uint(slot, arch.pointer_size(), arch.endian).map(Address)
            })
        });
        single.chain(listed).filter(|address| memory.at(*address).is_some()).collect()
    }
}

/// The part of a table that no table before has claimed, and how many bytes before it are left
/// out.
fn unclaimed<'m>(start: Address, mut bytes: &'m [u8], claimed: &[Range<u64>]) -> (usize, &'m [u8]) {
    let mut skipped = 0;
    for range in claimed {
        let here = start.0.saturating_add(skipped as u64);
        if range.contains(&here) {
            let covered = usize::try_from(range.end - here).unwrap_or(usize::MAX);
            let covered = covered.min(bytes.len());
            skipped += covered;
            bytes = bytes.get(covered..).unwrap_or(&[]);
        } else if let Some(before) = range.start.checked_sub(here).filter(|_| !range.is_empty()) {
            let before = usize::try_from(before).unwrap_or(usize::MAX);
            bytes = bytes.get(..before).unwrap_or(bytes);
        }
    }
    (skipped, bytes)
}

/// The tag as a word of the file; tags are signed in `object` and small in every file.
const fn tag_value(tag: DynamicTag) -> u64 {
    tag.0 as u64
}
