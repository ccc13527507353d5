//! What the image holds in memory before the program changes it.

use crate::values::Value;
use miyaburi_image::{Address, Image, Permissions};

/// The most bytes of writable memory whose stores are noted; what lies beyond counts as written.
const MAX_WRITABLE: usize = 16 << 20;

/// Which stored bytes of writable memory the program is seen to overwrite.
///
/// Only stores to constant addresses are seen: memory that is written through a computed pointer
/// counts as unchanged (false negative), so a constant read from it can be out of date.
#[derive(Clone, Debug)]
pub(crate) struct WrittenMemory {
    segments: Vec<(u64, Vec<u64>)>,
}

impl WrittenMemory {
    /// Nothing written yet.
    pub(crate) fn new(image: &Image) -> Self {
        let mut left = MAX_WRITABLE;
        let writable = image
            .segments()
            .iter()
            .filter(|segment| segment.permissions.contains(Permissions::WRITE));
        let segments = writable
            .map(|segment| {
                let length = segment.data.len().min(left);
                left -= length;
                (segment.address.0, vec![0; length / 64 + 1])
            })
            .collect();
        let mut written = Self { segments };
        let size = image.arch().pointer_size();
        // The loader or start-up code fills these before anything reads them.
        for slot in image.indirect_functions().iter().map(|function| function.slot) {
            written.write(slot, size);
        }
        for slot in image.imports().iter().map(|import| import.slot) {
            written.write(slot, size);
        }
        written
    }

    fn word(&self, address: u64) -> Option<(usize, usize, u64)> {
        let after = self.segments.partition_point(|(start, _)| *start <= address);
        let index = after.checked_sub(1)?;
        let (start, words) = self.segments.get(index)?;
        let offset = usize::try_from(address - start).ok()?;
        (offset / 64 < words.len()).then_some((index, offset / 64, 1 << (offset % 64)))
    }

    /// Notes a store of `size` bytes.
    pub(crate) fn write(&mut self, address: Address, size: u32) {
        for offset in 0..u64::from(size.min(64)) {
            if let Some((segment, word, bit)) = self.word(address.0.wrapping_add(offset))
                && let Some((_, words)) = self.segments.get_mut(segment)
                && let Some(word) = words.get_mut(word)
            {
                *word |= bit;
            }
        }
    }

    /// Whether any of `size` bytes of writable memory is overwritten, as far as anyone knows.
    pub(crate) fn is_written(&self, address: Address, size: u32) -> bool {
        (0..u64::from(size)).any(|offset| {
            self.word(address.0.wrapping_add(offset)).is_none_or(|(segment, word, bit)| {
                let words = self.segments.get(segment).map(|(_, words)| words);
                words.and_then(|words| words.get(word)).is_none_or(|word| word & bit != 0)
            })
        })
    }
}

/// What a load yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) value: Value,
    /// It holds as long as no store there is seen.
    pub(crate) is_assumption: bool,
}

/// What a load of `size` bytes (at most 8) at a constant address yields.
///
/// Writable memory that the file initialises and no store is seen to change is taken as constant;
/// zero-initialised memory is not, as programs have it to write to it.
pub(crate) fn load(image: &Image, written: &WrittenMemory, address: Address, size: u32) -> Loaded {
    let certain = |value| Loaded { value, is_assumption: false };
    let Some(segment) = image.segment_at(address) else { return certain(Value::Unknown) };
    let stored = segment.bytes_from(address).get(..size as usize);
    let is_writable = segment.permissions.contains(Permissions::WRITE);
    match stored {
        Some(bytes) if !is_writable || !written.is_written(address, size) => Loaded {
            value: Value::Constant(image.arch().endian.read_uint(bytes)),
            is_assumption: is_writable,
        },
        None if !is_writable => {
            certain(image.read_uint(address, size).map_or(Value::Unknown, Value::Constant))
        }
        _ => certain(Value::Loaded { from: address, offset: 0 }),
    }
}
