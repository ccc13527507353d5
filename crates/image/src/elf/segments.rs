//! From program headers to mapped memory.

use crate::elf::program_headers::ProgramHeader;
use crate::elf::reader::FileReader;
use crate::{Address, Arch, ImageDiagnostic, Permissions, Segment};
use object::elf::{PF_R, PF_W, PF_X, PT_LOAD};

/// Most memory that an image maps, in bytes; zero tails count but are never allocated.
pub(crate) const MAX_MAPPED: u64 = 256 << 20;

/// Most segments, those counted that overlaps split; only object files with many sections come near
/// it.
const MAX_SEGMENTS: usize = 1024;

/// A file's bytes may be mapped this many times over (text and data share a page, not more).
const MAX_FILE_COPIES: u64 = 2;

/// A range of memory and where in the file its bytes are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapping {
    pub(crate) address: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
    pub(crate) file_size: u64,
    /// Bytes behind those of the file that should be in it and are not; those beyond the end of
    /// the file are added when it is mapped.
    pub(crate) missing: u64,
    pub(crate) permissions: Permissions,
}

impl Mapping {
    const fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }

    fn overlaps(&self, other: &Mapping) -> bool {
        self.address < other.end() && other.address < self.end()
    }

    /// What is left of the mapping outside of another one's range: up to two parts.
    fn without(&self, other: &Mapping) -> impl Iterator<Item = Mapping> + use<> {
        let kept = [(0, other.address), (other.end(), u64::MAX)];
        let mapping = *self;
        kept.into_iter().filter_map(move |(from, to)| mapping.part(from, to))
    }

    /// The part of the mapping from `from` up to `to`.
    fn part(&self, from: u64, to: u64) -> Option<Self> {
        let from = from.max(self.address);
        let to = to.min(self.end());
        let skipped = from.checked_sub(self.address)?;
        let size = to.checked_sub(from).filter(|size| *size > 0)?;
        let within = |end: u64| end.saturating_sub(skipped).min(size);
        let file_size = within(self.file_size);
        let missing = within(self.file_size.saturating_add(self.missing)) - file_size;
        Some(Self {
            address: from,
            size,
            offset: self.offset.saturating_add(skipped),
            file_size,
            missing,
            permissions: self.permissions,
        })
    }
}

/// The mappings that the `PT_LOAD` entries ask for.
pub(crate) fn mappings(headers: &[ProgramHeader]) -> Vec<Mapping> {
    headers
        .iter()
        .filter(|header| header.kind == PT_LOAD)
        .map(|header| Mapping {
            address: header.address,
            size: header.memory_size.max(header.file_size),
            offset: header.offset,
            file_size: header.file_size,
            missing: 0,
            permissions: permissions(header.flags),
        })
        .collect()
}

/// The memory of a core dump; what a `PT_LOAD` entry has no bytes of was not zero, but left out.
pub(crate) fn dumped(
    headers: &[ProgramHeader],
    diagnostics: &mut Vec<ImageDiagnostic>,
) -> Vec<Mapping> {
    let mut mappings = mappings(headers);
    for mapping in &mut mappings {
        mapping.missing = mapping.size - mapping.file_size;
    }
    let left_out = mappings.iter().filter(|mapping| mapping.missing > 0);
    let bytes = left_out.clone().map(|mapping| mapping.missing).fold(0, u64::saturating_add);
    if let Some(first) = left_out.min_by_key(|mapping| mapping.address) {
        let address = Address(first.address.saturating_add(first.file_size));
        diagnostics.push(ImageDiagnostic::NotDumped { address, bytes });
    }
    mappings
}

fn permissions(flags: u32) -> Permissions {
    let pairs =
        [(PF_R.0, Permissions::READ), (PF_W.0, Permissions::WRITE), (PF_X.0, Permissions::EXECUTE)];
    pairs
        .into_iter()
        .filter(|(flag, _)| flags & flag != 0)
        .map(|(_, permission)| permission)
        .collect()
}

/// Maps within the limits. Where two mappings overlap the later one wins, as in the kernel.
pub(crate) fn map(
    reader: FileReader<'_>,
    mut wanted: Vec<Mapping>,
    arch: Arch,
    diagnostics: &mut Vec<ImageDiagnostic>,
) -> Vec<Segment> {
    wanted.retain(|mapping| mapping.size > 0);
    let mut left_out = wanted.len().saturating_sub(MAX_SEGMENTS);
    wanted.truncate(MAX_SEGMENTS);
    let mut budget = Budget {
        memory: MAX_MAPPED,
        file: (reader.bytes.len() as u64).saturating_mul(MAX_FILE_COPIES),
    };
    let mut mapped: Vec<Mapping> = Vec::new();
    for mapping in wanted {
        let Some(mapping) = budget.fit(reader, mapping, arch, diagnostics) else { continue };
        let mut kept: Vec<Mapping> =
            mapped.iter().flat_map(|other| other.without(&mapping)).collect();
        if kept.len() >= MAX_SEGMENTS {
            left_out += 1;
            continue;
        }
        if mapped.iter().any(|other| other.overlaps(&mapping)) {
            let address = Address(mapping.address);
            diagnostics.push(ImageDiagnostic::SegmentsOverlap { address });
        }
        kept.push(mapping);
        mapped = kept;
    }
    if left_out > 0 {
        diagnostics.push(ImageDiagnostic::SegmentsLeftOut { count: left_out });
    }
    mapped.into_iter().map(|mapping| segment(reader, &mapping)).collect()
}

struct Budget {
    memory: u64,
    file: u64,
}

impl Budget {
    /// Cuts a mapping to the file, to the address space and to what is left of the limits.
    fn fit(
        &mut self,
        reader: FileReader<'_>,
        mapping: Mapping,
        arch: Arch,
        diagnostics: &mut Vec<ImageDiagnostic>,
    ) -> Option<Mapping> {
        let address = Address(mapping.address);
        // The end is a number itself, so the very last byte of 64 bits of addresses stays out.
        let room = arch.address_mask().saturating_add(1).saturating_sub(mapping.address);
        let size = mapping.size.min(room).min(self.memory);
        if size < mapping.size {
            let (size, used) = (mapping.size, size);
            diagnostics.push(ImageDiagnostic::SegmentCut { address, size, used });
        }
        let stored = reader.clamped(mapping.offset, mapping.file_size).len() as u64;
        if stored < mapping.file_size {
            let missing = mapping.file_size - stored;
            diagnostics.push(ImageDiagnostic::SegmentTruncated { address, missing });
        }
        let file_size = stored.min(size).min(self.file);
        let known = mapping.file_size.saturating_add(mapping.missing).min(size);
        let missing = known - file_size;
        self.memory -= size;
        self.file -= file_size;
        (size > 0).then_some(Mapping { size, file_size, missing, ..mapping })
    }
}

fn segment(reader: FileReader<'_>, mapping: &Mapping) -> Segment {
    Segment {
        address: Address(mapping.address),
        data: reader.clamped(mapping.offset, mapping.file_size).to_vec(),
        missing: mapping.missing,
        size: mapping.size,
        permissions: mapping.permissions,
    }
}
