//! Shared objects, which are packed in place.
//!
//! What the system's loader reads before any code runs stays as it is: all up to the code, and the
//! segments with data. The code gives way to `l_info`, `p_info`, the blocks and the stub. `DT_INIT` leads
//! to the stub, and what it was stands three words before that.
//!
//! False negatives: what `--android-shlib` of the older version packs, which moves what it keeps.

use std::ops::Range;

use miyaburi_image::Endian;

use super::UpxError;
use super::fields::Fields;
use super::layout::{Class, Layout, ProgramHeader};
use super::original::Original;
use super::rest::Rest;
use super::start::{BEFORE, Start};

const ET_DYN: u16 = 3;
const PT_DYNAMIC: u32 = 2;
const DT_NULL: usize = 0;
const DT_INIT: usize = 12;

/// From the begin of the stub back to the original `DT_INIT`.
const TO_INIT: usize = 12;

/// A shared object.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    class: Class,
    endian: Endian,
    /// Where in it the blocks take the place of code.
    code: usize,
    /// Segments that stay as they are, and where they are in the packed file.
    kept: Vec<(Range<usize>, usize)>,
    /// What links it, in the original and in the packed file.
    dynamic: [Range<usize>; 2],
}

impl Shared {
    /// The shared object that a file is when its blocks begin there: what links it has the same place in
    /// memory as in the original.
    pub(super) fn of(file: &[u8], start: &Start) -> Option<Self> {
        let (class, endian) = Class::of(file)?;
        let packed = Fields { bytes: file, endian };
        let original = class.program_headers(Fields { bytes: &start.headers, endian })?;
        let headers = class.program_headers(packed)?;
        let dynamic = |headers: &[ProgramHeader]| {
            headers.iter().find(|header| header.kind == PT_DYNAMIC).cloned()
        };
        let [before, after] = [dynamic(&original)?, dynamic(&headers)?];
        let is_one =
            endian == start.endian && packed.u16(16) == Some(ET_DYN) && is_same(&before, &after);
        let kept = original.iter().filter(|header| header.is_loaded()).filter_map(|header| {
            let behind = headers.iter().filter(|it| it.file.start > start.block);
            let same = behind.into_iter().find(|it| is_same(it, header))?;
            Some((header.file.clone(), same.file.start))
        });
        let (kept, code) = (kept.collect(), start.block.checked_sub(BEFORE)?);
        let dynamic = [before.file, after.file];
        is_one.then_some(Self { class, endian, code, kept, dynamic })
    }

    fn is_kept(&self, segment: &Range<usize>) -> bool {
        self.kept.iter().any(|(kept, _)| kept == segment)
    }

    /// What of the original the blocks behind the first one are: segments that are not kept, as far as they
    /// lie behind the first block's place.
    pub(super) fn blocks(&self, layout: &Layout) -> Vec<Range<usize>> {
        let packed = layout.segments.iter().filter(|segment| !self.is_kept(segment));
        let behind = packed.map(|segment| segment.start.max(self.code)..segment.end);
        behind.filter(|part| !part.is_empty()).collect()
    }

    /// Adds what the packer left as it is before the code.
    pub(super) fn add_head(
        &self,
        file: &[u8],
        start: &Start,
        original: &mut Original,
    ) -> Result<(), UpxError> {
        let head = start.headers.len();
        let bytes = file.get(head..self.code.max(head)).ok_or(UpxError::Header { offset: head })?;
        original.put_plain(head, bytes)
    }

    /// Where a segment begins that stays and is not all in the file.
    pub(super) fn missing(&self, file: &[u8]) -> Option<usize> {
        let is_cut = |(range, from): &&(Range<usize>, usize)| {
            file.len().checked_sub(*from).is_none_or(|left| left < range.len())
        };
        self.kept.iter().filter(is_cut).map(|(_, from)| *from).min()
    }

    /// Adds what the packer left as it is behind the code.
    pub(super) fn add_kept(&self, file: &[u8], original: &mut Original) -> Result<(), UpxError> {
        for (range, from) in &self.kept {
            let bytes = file.get(*from..).and_then(|rest| rest.get(..range.len()));
            let bytes = bytes.ok_or(UpxError::Header { offset: *from })?;
            original.put_plain(range.start, bytes)?;
        }
        self.restore_init(file, original);
        Ok(())
    }

    /// Puts `DT_INIT` back, where it is as the packer writes it.
    fn restore_init(&self, file: &[u8], original: &mut Original) {
        let packed = Fields { bytes: file, endian: self.endian };
        let [dynamic, _] = &self.dynamic;
        let restored = self.init(packed).and_then(|(at, stub)| {
            let init = packed.u32(stub.checked_sub(TO_INIT)?)?;
            let is_stub = packed.u32(stub.checked_sub(4)?)? as usize == self.code;
            is_stub.then_some((dynamic.start + at, init))
        });
        let Some((at, init)) = restored else { return };
        let bytes = match (self.class, self.endian) {
            (Class::Bits32, Endian::Little) => init.to_le_bytes().to_vec(),
            (Class::Bits32, Endian::Big) => init.to_be_bytes().to_vec(),
            (Class::Bits64, Endian::Little) => u64::from(init).to_le_bytes().to_vec(),
            (Class::Bits64, Endian::Big) => u64::from(init).to_be_bytes().to_vec(),
        };
        let place = original.file.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
        if let Some(place) = place {
            place.copy_from_slice(&bytes);
        }
    }

    /// Where the value of `DT_INIT` stands in what links the file, and where the stub begins that it leads
    /// to: on ARM, an odd address is one of Thumb code.
    fn init(&self, packed: Fields<'_>) -> Option<(usize, usize)> {
        let ([_, table], size) = (&self.dynamic, self.class.word());
        let is_64_bit = self.class == Class::Bits64;
        let entries = table.clone().step_by(2 * size);
        let mut tags = entries.map(|at| (at, packed.word(at, is_64_bit)));
        let mut used = tags.by_ref().take_while(|(_, tag)| tag.is_some_and(|tag| tag != DT_NULL));
        let (entry, _) = used.find(|(_, tag)| *tag == Some(DT_INIT))?;
        let stub = packed.word(entry.checked_add(size)?, is_64_bit)?;
        Some((entry - table.start + size, stub & !1))
    }

    /// Where the header at the end is to be: behind the segments that stay.
    pub(super) fn end(&self, rest: Rest) -> Rest {
        let kept = self.kept.iter().map(|(range, from)| from + range.len()).max().unwrap_or(0);
        match rest {
            Rest::Expected { end } => Rest::Expected { end: end.max(kept) },
            Rest::Moved { end } => Rest::Moved { end: end.max(kept) },
            Rest::Lost => Rest::Lost,
        }
    }
}

/// Whether both are about the same of memory.
fn is_same(one: &ProgramHeader, other: &ProgramHeader) -> bool {
    let about = |header: &ProgramHeader| (header.kind, header.address, header.file.len());
    about(one) == about(other)
}
