//! What was found damaged in a file, and what was done about it.

use crate::Address;
use std::mem::{Discriminant, discriminant};

/// One repair or limit met while reading a file. None of them stops the analysis; each may
/// explain why something was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageDiagnostic {
    /// `EI_CLASS` disagrees with the layout of the header.
    #[error("EI_CLASS is {declared}, but the header is laid out for {bits} bits")]
    ClassContradicted {
        /// The byte in the file.
        declared: u8,
        /// Width that was used, in bits.
        bits: u8,
    },
    /// `EI_DATA` disagrees with the header's fields or the machine.
    #[error("EI_DATA is {declared}, but the header only makes sense as {used:?} endian")]
    ByteOrderContradicted {
        /// The byte in the file.
        declared: u8,
        /// Byte order that was used.
        used: crate::Endian,
    },
    /// `EI_VERSION` or `e_version` is not 1.
    #[error("the ELF version is not 1")]
    VersionNotCurrent,
    /// `e_type` is none of the known values; the program headers were used as they are.
    #[error("e_type {0} is unknown; taken as an executable")]
    FileTypeUnknown(u16),
    /// `e_phoff` does not lead to a program header table; one was found behind the file header.
    #[error("no program headers at e_phoff {found:#x}; those behind the file header were used")]
    ProgramHeadersMoved {
        /// `e_phoff`.
        found: u64,
    },
    /// `e_phentsize` is not the size of a program header.
    #[error("e_phentsize is {found}; {used} was used")]
    ProgramHeaderSize {
        /// `e_phentsize`.
        found: u16,
        /// The size that was used.
        used: u64,
    },
    /// `e_phnum` counts more program headers than there are.
    #[error("e_phnum is {found}; {used} program headers were used")]
    ProgramHeaderCount {
        /// `e_phnum`.
        found: u16,
        /// How many entries were read.
        used: usize,
    },
    /// There are no usable program headers; the section headers gave the layout.
    #[error("no usable program headers; segments were laid out from section headers")]
    LaidOutFromSections,
    /// Part of a segment's bytes lies beyond the end of the file; nobody knows their values.
    #[error("segment at {address}: {missing} bytes lie beyond the end of the file")]
    SegmentTruncated {
        /// Start of the segment.
        address: Address,
        /// Missing bytes.
        missing: u64,
    },
    /// Memory of a core dump that was not written to it, as the kernel's `coredump_filter` has it
    /// for what other files hold.
    #[error("{bytes} bytes of memory, the first at {address}, were not dumped")]
    NotDumped {
        /// Start of the first segment with missing bytes.
        address: Address,
        /// Missing bytes in all.
        bytes: u64,
    },
    /// A core dump does not tell where its program began.
    #[error("the core dump does not tell the entry point")]
    EntryUnknown,
    /// A segment's memory size was cut to the limit or to the address space.
    #[error("segment at {address}: size {size:#x} was cut to {used:#x}")]
    SegmentCut {
        /// Start of the segment.
        address: Address,
        /// Size that the file asks for.
        size: u64,
        /// Size that was mapped.
        used: u64,
    },
    /// A segment covers part of an earlier one, which lost the common range.
    #[error("segment at {address} overlaps an earlier one and replaces the common range")]
    SegmentsOverlap {
        /// Start of the later segment.
        address: Address,
    },
    /// More segments than the limit.
    #[error("{count} segments beyond the limit were left out")]
    SegmentsLeftOut {
        /// How many.
        count: usize,
    },
    /// The entry point lies in no segment.
    #[error("the entry point {0} is not mapped")]
    EntryUnmapped(Address),
    /// The entry point's segment is not executable; it was made so.
    #[error("the segment of the entry point {0} is not executable; taken as executable")]
    EntryNotExecutable(Address),
    /// A symbol table or its limit cut symbols off.
    #[error("{count} symbols beyond the limit were left out")]
    SymbolsLeftOut {
        /// How many.
        count: u64,
    },
    /// Symbols and imports for whose names there is no room.
    #[error("{count} symbols and imports were left out: their names are too long in all")]
    NamesLeftOut {
        /// How many.
        count: u64,
    },
    /// More relocations than the limit.
    #[error("{count} relocations beyond the limit were left out")]
    RelocationsLeftOut {
        /// How many.
        count: usize,
    },
    /// Relocations of code and constants in a program that nobody relocates.
    #[error(
        "{count} relocations, the first at {address}, of code or constants were not applied: \
         a static program has none"
    )]
    RelocationsRefused {
        /// How many.
        count: usize,
        /// Where the first applies.
        address: Address,
    },
    /// Relocations changed executable memory.
    #[error("{count} relocations, the first at {address}, changed executable memory")]
    CodeRelocated {
        /// How many.
        count: usize,
        /// Where the first applies.
        address: Address,
    },
    /// More diagnostics of the kind of the one before.
    #[error("{count} more of this kind")]
    More {
        /// How many.
        count: usize,
    },
    /// Relocations that could not be applied.
    #[error("{count} relocations were not applied, first kind {kind} at {address}")]
    RelocationsSkipped {
        /// How many.
        count: usize,
        /// Relocation type of the first.
        kind: u32,
        /// Where the first applies.
        address: Address,
    },
}

/// Diagnostics of one kind that are told one by one.
const MAX_ALIKE: usize = 8;

/// Leaves the first of each kind, and behind them how many more there are: a damaged table can
/// yield one for every entry.
pub(crate) fn shorten(diagnostics: &mut Vec<ImageDiagnostic>) {
    let mut kinds: Vec<(Discriminant<ImageDiagnostic>, usize)> = Vec::new();
    let mut kept: Vec<ImageDiagnostic> = Vec::new();
    for diagnostic in diagnostics.drain(..) {
        let kind = discriminant(&diagnostic);
        let known = kinds.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            kinds.push((kind, 0));
            kinds.len() - 1
        });
        let Some((_, count)) = kinds.get_mut(known) else { continue };
        *count += 1;
        if *count <= MAX_ALIKE {
            kept.push(diagnostic);
        }
    }
    for (kind, count) in kinds.into_iter().filter(|(_, count)| *count > MAX_ALIKE) {
        let last = kept.iter().rposition(|diagnostic| discriminant(diagnostic) == kind);
        let place = last.map_or(kept.len(), |last| last + 1);
        kept.insert(place, ImageDiagnostic::More { count: count - MAX_ALIKE });
    }
    *diagnostics = kept;
}
