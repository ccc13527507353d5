//! The memory that a process asks for.

use crate::abi::errno::Errno;
use miyaburi_emulator::{PAGE_SIZE, State};
use miyaburi_image::{Address, Image};

/// Bytes that `brk` may grow by.
const HEAP_SIZE: u64 = 16 << 20;

/// Bytes that may be mapped in all.
pub(crate) const MAPPED_SIZE: u64 = 64 << 20;

/// Where mappings begin: above the emulator's own stack, below all kernels.
const MAPPED: u64 = 0x7800_0000;

/// Where the heap lies when nothing is free behind the image.
const HEAP_ELSEWHERE: u64 = 0x7600_0000;

/// The heap and what was mapped. Mappings are never given out twice.
#[derive(Clone, Debug)]
pub(crate) struct AddressSpace {
    heap: u64,
    heap_end: u64,
    next: u64,
}

impl AddressSpace {
    /// The address space of a process with this image, mapped in `state`.
    pub(crate) fn new(image: &Image, state: &mut State<'_>) -> Self {
        let ends = image.segments().iter().map(|it| it.address.0.saturating_add(it.size));
        let behind = ends.max().unwrap_or(0).checked_next_multiple_of(PAGE_SIZE);
        let is_free = |start: &u64| {
            let overlaps = |start: u64, size: u64, other: u64, length: u64| {
                start < other.saturating_add(length) && other < start.saturating_add(size)
            };
            let taken = state.memory.regions().iter();
            start.saturating_add(HEAP_SIZE) < MAPPED
                && !taken.into_iter().any(|it| overlaps(*start, HEAP_SIZE, it.start.0, it.size))
        };
        let heap = behind.filter(is_free).unwrap_or(HEAP_ELSEWHERE);
        state.memory.map(Address(heap), HEAP_SIZE);
        state.memory.map(Address(MAPPED), MAPPED_SIZE);
        Self { heap, heap_end: heap, next: MAPPED }
    }

    /// `brk`: moves the end of the heap where that is possible; the end.
    pub(crate) fn set_break(&mut self, end: u64) -> u64 {
        if (self.heap..=self.heap + HEAP_SIZE).contains(&end) {
            self.heap_end = end;
        }
        self.heap_end
    }

    /// `mmap` of fresh memory anywhere.
    pub(crate) fn map(&mut self, size: u64) -> Result<u64, Errno> {
        if size == 0 {
            return Err(Errno::Invalid);
        }
        let end = size.checked_next_multiple_of(PAGE_SIZE).and_then(|it| self.next.checked_add(it));
        let end = end.filter(|end| *end <= MAPPED + MAPPED_SIZE).ok_or(Errno::NoMemory)?;
        Ok(std::mem::replace(&mut self.next, end))
    }
}
