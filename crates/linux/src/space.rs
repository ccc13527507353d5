//! The memory that a process asks for.

use crate::abi::errno::Errno;
use miyaburi_emulator::{PAGE_SIZE, Region, State};
use miyaburi_image::{Address, Family, Image};
use std::collections::BTreeSet;

/// Bytes that `brk` may grow by.
const HEAP_SIZE: u64 = 16 << 20;

/// Bytes that may be mapped in all.
pub(crate) const MAPPED_SIZE: u64 = 64 << 20;

/// Mappings that a program may have where it wants them.
const MAX_WANTED: usize = 1024;

/// Steps in which a free range is looked for, from the last one downwards.
const STEP: u64 = 16 << 20;

/// The last place for a range of its own: below all kernels.
const LAST: u64 = 0x7800_0000;

/// The same on i386, whose kernel begins at 3 GiB; stubs of UPX take lower mappings for errors.
const LAST_X86: u64 = 0xb000_0000;

/// The heap and what was mapped. Mappings are never given out twice.
#[derive(Clone, Debug)]
pub(crate) struct AddressSpace {
    heap: u64,
    heap_end: u64,
    next: u64,
    mapped_end: u64,
    /// Mappings at places that the program wanted.
    wanted: usize,
}

impl AddressSpace {
    /// The address space of a process with this image, mapped in `state`.
    ///
    /// # Errors
    /// [`Errno::NoMemory`] when the image leaves no room.
    pub(crate) fn new(image: &Image, state: &mut State<'_>) -> Result<Self, Errno> {
        let last = if image.arch().family == Family::X86 { LAST_X86 } else { LAST };
        let mapped = free_range(state, MAPPED_SIZE, last).ok_or(Errno::NoMemory)?;
        state.memory.map(Address(mapped), MAPPED_SIZE);
        let ends = image.segments().iter().map(|it| it.address.0.saturating_add(it.size));
        let behind = ends.max().unwrap_or(0).checked_next_multiple_of(PAGE_SIZE);
        let heap = behind
            .filter(|start| *start <= last && is_free(state, *start, HEAP_SIZE))
            .or_else(|| free_range(state, HEAP_SIZE, last))
            .ok_or(Errno::NoMemory)?;
        state.memory.map(Address(heap), HEAP_SIZE);
        Ok(Self { heap, heap_end: heap, next: mapped, mapped_end: mapped + MAPPED_SIZE, wanted: 0 })
    }

    /// `brk`: moves the end of the heap where that is possible; the end.
    pub(crate) fn set_break(&mut self, end: u64) -> u64 {
        if (self.heap..=self.heap + HEAP_SIZE).contains(&end) {
            self.heap_end = end;
        }
        self.heap_end
    }

    /// Whether fresh memory can be where a program would like it: at a page's begin, and with
    /// nothing there.
    pub(crate) fn could_be_at(&self, state: &State<'_>, start: u64, size: u64) -> bool {
        start != 0
            && start.is_multiple_of(PAGE_SIZE)
            && start <= LAST
            && is_free(state, start, size)
    }

    /// `mmap` of fresh memory where the program insists on it: what was there is gone.
    pub(crate) fn map_at(
        &mut self,
        state: &mut State<'_>,
        start: u64,
        size: u64,
    ) -> Result<u64, Errno> {
        let length = size.checked_next_multiple_of(PAGE_SIZE).filter(|it| *it > 0);
        let length = length.filter(|_| start.is_multiple_of(PAGE_SIZE)).ok_or(Errno::Invalid)?;
        let is_room = start.checked_add(length).is_some() && length <= MAPPED_SIZE;
        if !is_room || self.wanted >= MAX_WANTED {
            return Err(Errno::NoMemory);
        }
        let range = Region { start: Address(start), size: length };
        for page in occupied(state, &range) {
            state.memory.write(page, &[0; PAGE_SIZE as usize]).map_err(|_| Errno::NoMemory)?;
        }
        state.memory.map(range.start, range.size);
        self.wanted += 1;
        Ok(start)
    }

    /// `mmap` of fresh memory anywhere.
    pub(crate) fn map(&mut self, size: u64) -> Result<u64, Errno> {
        if size == 0 {
            return Err(Errno::Invalid);
        }
        let end = size.checked_next_multiple_of(PAGE_SIZE).and_then(|it| self.next.checked_add(it));
        let end = end.filter(|end| *end <= self.mapped_end).ok_or(Errno::NoMemory)?;
        Ok(std::mem::replace(&mut self.next, end))
    }
}

/// Pages of a range that hold something: those that were touched, and those of the file.
fn occupied(state: &State<'_>, range: &Region) -> BTreeSet<Address> {
    let mut pages: BTreeSet<Address> =
        state.memory.touched(range.start, range.size).into_iter().collect();
    let end = range.start.0.saturating_add(range.size);
    for region in state.memory.file_regions() {
        let first = region.start.0.max(range.start.0) / PAGE_SIZE * PAGE_SIZE;
        let last = region.start.0.saturating_add(region.size).min(end);
        pages.extend((first..last).step_by(PAGE_SIZE as usize).map(Address));
    }
    pages
}

/// The highest free range of so many bytes that begins at `last` or below.
fn free_range(state: &State<'_>, size: u64, last: u64) -> Option<u64> {
    (1..=last / STEP).rev().map(|step| step * STEP).find(|start| is_free(state, *start, size))
}

/// Whether nothing is mapped in a range.
fn is_free(state: &State<'_>, start: u64, size: u64) -> bool {
    let overlaps = |region: &Region| {
        let end = region.start.0.saturating_add(region.size);
        start < end && region.start.0 < start.saturating_add(size)
    };
    !state.memory.regions().iter().any(overlaps)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{AddressSpace, HEAP_SIZE, LAST, MAPPED_SIZE};
    use miyaburi_emulator::{Abi, Emulator, Region};
    use miyaburi_image::{Address, Image};

    /// An x86-64 program of one byte at `address`.
    fn file(address: u64) -> Vec<u8> {
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        for word in [address + 120, 64, 0] {
            file.extend(u64::to_le_bytes(word));
        }
        file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        file.extend([1, 0, 0, 0, 5, 0, 0, 0]);
        for word in [0, address, address, 121, 121, 0x1000] {
            file.extend(u64::to_le_bytes(word));
        }
        file.push(0xc3);
        file
    }

    #[test]
    fn heap_and_mappings_lie_where_the_image_does_not() {
        for address in [0x40_0000, LAST, LAST + 0x100_0000] {
            let image = Image::parse(&file(address)).unwrap();
            let language = miyaburi_pcode::language_for(image.arch()).unwrap();
            let abi = Abi::new(image.arch(), &*language).unwrap();
            let emulator = Emulator::new(&image, &*language, abi);
            let mut state = emulator.bare_state(16);
            let before: Vec<Region> = state.memory.regions().to_vec();
            let mut space = AddressSpace::new(&image, &mut state).unwrap();
            let mapping = space.map(MAPPED_SIZE).unwrap();
            let heap = space.set_break(0);
            for (start, size) in [(mapping, MAPPED_SIZE), (heap, HEAP_SIZE)] {
                let ends = [start, start + size - 1].map(Address);
                assert!(ends.iter().all(|end| !before.iter().any(|it| it.contains(*end))));
                let inside = |it: &Region| (start..start + size).contains(&it.start.0);
                assert!(!before.iter().any(inside), "{address:#x}");
            }
            assert!(space.map(1).is_err(), "all is given out");
            assert_eq!(space.set_break(heap + HEAP_SIZE), heap + HEAP_SIZE);
            assert_eq!(space.set_break(heap + HEAP_SIZE + 1), heap + HEAP_SIZE);
        }
    }
}
