//! Guest memory: pages made on first touch, shared between snapshots until written.

mod access;
mod journal;

pub use access::{Access, MemoryError, Region, WatchedAccess};
pub use journal::JournalMark;

use journal::{Journal, MAX_JOURNAL, Replaced};
use miyaburi_image::{Address, Endian, Image};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Bytes of a page.
pub const PAGE_SIZE: u64 = 4096;
const PAGE_BYTES: usize = PAGE_SIZE as usize;
const RECENT: usize = 64;

type Page = [u8; PAGE_BYTES];

/// Guest memory over an image. Cloning makes a snapshot: pages are shared until one side writes.
#[derive(Clone)]
pub struct Memory<'a> {
    image: &'a Image,
    endian: Endian,
    regions: Vec<Region>,
    pages: Vec<Arc<Page>>,
    index: FxHashMap<u64, u32>,
    recent: [(u64, u32); RECENT],
    page_limit: usize,
    journal: Option<Journal>,
    reads: Option<Vec<(Address, u32)>>,
    /// Accesses here are refused until they are let through.
    watched: Vec<Region>,
    /// What the file should hold and does not.
    missing: Vec<Region>,
    /// Whether anything is watched or missing.
    is_guarded: bool,
}

/// Loads kept by a log of reads.
const MAX_READS: usize = 1 << 16;

/// The parts of an access that lie within one page each: address and size in bytes.
fn pieces(address: Address, length: usize) -> impl Iterator<Item = (Address, usize)> + Clone {
    let first = (PAGE_BYTES - (address.0 % PAGE_SIZE) as usize).min(length);
    let rest = (first..length).step_by(PAGE_BYTES);
    let rest = rest.map(move |done| (address.offset(done as u64), (length - done).min(PAGE_BYTES)));
    (first > 0).then_some((address, first)).into_iter().chain(rest)
}

const NO_PAGE: (u64, u32) = (u64::MAX, 0);

impl<'a> Memory<'a> {
    /// Memory with the image's segments mapped, and at most `page_limit` pages ever touched.
    #[must_use]
    pub fn new(image: &'a Image, page_limit: usize) -> Self {
        let regions = image
            .segments()
            .iter()
            .map(|segment| Region { start: segment.address, size: segment.size })
            .collect();
        let missing: Vec<Region> = image
            .missing_ranges()
            .map(|range| Region {
                start: range.start,
                size: range.end.0.saturating_sub(range.start.0),
            })
            .collect();
        Self {
            image,
            endian: image.arch().endian,
            regions,
            pages: Vec::new(),
            index: FxHashMap::default(),
            recent: [NO_PAGE; RECENT],
            page_limit,
            journal: None,
            reads: None,
            watched: Vec::new(),
            is_guarded: !missing.is_empty(),
            missing,
        }
    }

    /// Sets the memory whose accesses fail with [`MemoryError::Watched`]; the one before.
    pub(crate) fn watch(&mut self, regions: Vec<Region>) -> Vec<Region> {
        self.is_guarded = !regions.is_empty() || !self.missing.is_empty();
        std::mem::replace(&mut self.watched, regions)
    }

    fn check_guarded(
        &self,
        address: Address,
        size: usize,
        access: Access,
    ) -> Result<(), MemoryError> {
        let touches = |region: &Region| {
            region.contains(address)
                || region.size > 0
                    && region.start.distance_from(address).is_some_and(|d| d < size as u64)
        };
        if self.missing.iter().any(touches) {
            return Err(MemoryError::Missing { address, access });
        }
        if self.watched.iter().any(touches) {
            return Err(MemoryError::Watched(WatchedAccess { address, size: size as u32, access }));
        }
        Ok(())
    }

    /// Begins to note loads of up to eight bytes, until the log is taken.
    pub fn start_read_log(&mut self) {
        self.reads = Some(Vec::new());
    }

    /// Ends the log of reads: address and size of each in order, the first 65,536 at most.
    pub fn take_read_log(&mut self) -> Vec<(Address, u32)> {
        self.reads.take().unwrap_or_default()
    }

    /// Maps a zeroed range.
    pub fn map(&mut self, start: Address, size: u64) {
        self.regions.push(Region { start, size });
    }

    /// The mapped ranges, those of the image first.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Where the file's bytes lie.
    pub fn file_regions(&self) -> impl Iterator<Item = Region> + '_ {
        let segments = self.image.segments().iter();
        segments.map(|it| Region { start: it.address, size: it.data.len() as u64 })
    }

    /// Whether the address is mapped.
    #[must_use]
    pub fn is_mapped(&self, address: Address) -> bool {
        self.regions.iter().any(|region| region.contains(address))
    }

    /// How many pages have been touched.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// Starts of the touched pages in a range, ascending.
    #[must_use]
    pub fn touched(&self, start: Address, size: u64) -> Vec<Address> {
        let first = start.0 / PAGE_SIZE;
        let last = start.0.saturating_add(size.saturating_sub(1)) / PAGE_SIZE;
        let mut pages: Vec<Address> = self
            .index
            .keys()
            .filter(|number| (first..=last).contains(*number))
            .map(|number| Address(number * PAGE_SIZE))
            .collect();
        pages.sort_unstable();
        pages
    }

    /// Loads an unsigned integer of at most eight bytes.
    ///
    /// # Errors
    /// When a byte is not mapped or missing in the file, or the page budget is spent.
    #[inline]
    pub fn load(&mut self, address: Address, size: u32) -> Result<u64, MemoryError> {
        let offset = (address.0 % PAGE_SIZE) as usize;
        let length = (size as usize).min(8);
        if self.is_guarded {
            self.check_guarded(address, length, Access::Read)?;
        }
        if let Some(reads) = self.reads.as_mut().filter(|reads| reads.len() < MAX_READS) {
            reads.push((address, size));
        }
        if offset + length <= PAGE_BYTES {
            let slot = self.slot(address, Access::Read)?;
            let bytes = &self.pages[slot][offset..offset + length];
            return Ok(self.endian.read_uint(bytes));
        }
        let mut buffer = [0; 8];
        self.read(address, &mut buffer[..length])?;
        Ok(self.endian.read_uint(&buffer[..length]))
    }

    /// Stores the low `size` bytes (at most eight) of `value`.
    ///
    /// # Errors
    /// As [`Memory::load`]; a failed store changes nothing.
    #[inline]
    pub fn store(&mut self, address: Address, size: u32, value: u64) -> Result<(), MemoryError> {
        let length = (size as usize).min(8);
        let offset = (address.0 % PAGE_SIZE) as usize;
        if offset + length > PAGE_BYTES || self.is_guarded {
            let mut buffer = [0; 8];
            self.endian.write_uint(&mut buffer[..length], value);
            return self.write(address, &buffer[..length]);
        }
        let slot = self.slot(address, Access::Write)?;
        let place = &mut Arc::make_mut(&mut self.pages[slot])[offset..offset + length];
        if let Some(journal) = &mut self.journal {
            if journal.len() >= MAX_JOURNAL {
                return Err(MemoryError::Budget { address });
            }
            let mut bytes = [0; 8];
            // In the order in which they lie there.
            Endian::Little.write_uint(&mut bytes[..length], Endian::Little.read_uint(place));
            journal.push(Replaced { address: address.0, size: length as u8, bytes });
        }
        self.endian.write_uint(place, value);
        Ok(())
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// As [`Memory::load`].
    pub fn read(&mut self, address: Address, into: &mut [u8]) -> Result<(), MemoryError> {
        if self.is_guarded {
            self.check_guarded(address, into.len(), Access::Read)?;
        }
        self.copy(address, into, Access::Read)
    }

    /// Reads `length` bytes, or `None` when not all are mapped.
    pub fn bytes(&mut self, address: Address, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.read(address, &mut bytes).ok().map(|()| bytes)
    }

    /// At most `length` bytes, up to the first that is not mapped.
    pub fn bytes_up_to(&mut self, address: Address, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut read = 0;
        for (at, count) in pieces(address, length) {
            let piece = bytes.get_mut(read..read + count).unwrap_or(&mut []);
            if self.copy(at, piece, Access::Read).is_err() {
                break;
            }
            read += count;
        }
        bytes.truncate(read);
        bytes
    }

    /// Whether these bytes lie there.
    pub(crate) fn holds(&mut self, address: Address, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        pieces(address, bytes.len()).all(|(at, count)| {
            let (piece, after) = rest.split_at(count);
            rest = after;
            let offset = (at.0 % PAGE_SIZE) as usize;
            let slot = self.slot(at, Access::Read);
            slot.is_ok_and(|slot| self.pages[slot][offset..offset + count] == *piece)
        })
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// As [`Memory::load`], or when the journal is full; a failed write changes nothing.
    pub fn write(&mut self, address: Address, bytes: &[u8]) -> Result<(), MemoryError> {
        if self.is_guarded {
            self.check_guarded(address, bytes.len(), Access::Write)?;
        }
        if self.journal.as_ref().is_some_and(|journal| journal.len() >= MAX_JOURNAL) {
            return Err(MemoryError::Budget { address });
        }
        let pieces = pieces(address, bytes.len());
        if pieces.clone().nth(1).is_some() {
            // All pages first, so that nothing is written when one is missing.
            for (at, _) in pieces.clone() {
                self.slot(at, Access::Write)?;
            }
        }
        self.record(address, bytes.len())?;
        let mut rest = bytes;
        for (at, count) in pieces {
            let slot = self.slot(at, Access::Write)?;
            let (piece, after) = rest.split_at(count);
            let offset = (at.0 % PAGE_SIZE) as usize;
            let page = Arc::make_mut(&mut self.pages[slot]);
            page[offset..offset + count].copy_from_slice(piece);
            rest = after;
        }
        Ok(())
    }

    /// Copies bytes of pages out.
    fn copy(&mut self, from: Address, into: &mut [u8], access: Access) -> Result<(), MemoryError> {
        let mut rest = into;
        for (at, count) in pieces(from, rest.len()) {
            let slot = self.slot(at, access)?;
            let (piece, after) = rest.split_at_mut(count);
            let offset = (at.0 % PAGE_SIZE) as usize;
            piece.copy_from_slice(&self.pages[slot][offset..offset + count]);
            rest = after;
        }
        Ok(())
    }

    /// The slot of the page that holds `address`, made on first touch.
    #[inline]
    fn slot(&mut self, address: Address, access: Access) -> Result<usize, MemoryError> {
        let number = address.0 / PAGE_SIZE;
        let recent = &mut self.recent[(number as usize) % RECENT];
        if recent.0 == number {
            return Ok(recent.1 as usize);
        }
        if let Some(&slot) = self.index.get(&number) {
            *recent = (number, slot);
            return Ok(slot as usize);
        }
        self.touch(number, address, access)
    }

    /// Makes the page `number`. As in the kernel, a page is mapped when any byte of it is.
    #[cold]
    fn touch(
        &mut self,
        number: u64,
        address: Address,
        access: Access,
    ) -> Result<usize, MemoryError> {
        let start = number * PAGE_SIZE;
        let last = start + (PAGE_SIZE - 1);
        let mapped = self.regions.iter().any(|region| {
            region.size > 0
                && region.start.0 <= last
                && start <= region.start.0.saturating_add(region.size - 1)
        });
        if !mapped {
            return Err(MemoryError::Unmapped { address, access });
        }
        if self.pages.len() >= self.page_limit {
            return Err(MemoryError::Budget { address });
        }
        let mut page = [0; PAGE_BYTES];
        self.fill_from_image(start, &mut page);
        let slot = self.pages.len() as u32;
        self.pages.push(Arc::new(page));
        self.index.insert(number, slot);
        self.recent[(number as usize) % RECENT] = (number, slot);
        Ok(slot as usize)
    }

    fn fill_from_image(&self, start: u64, page: &mut Page) {
        for segment in self.image.segments() {
            let begin = segment.address.0.max(start);
            let end = (segment.address.0.saturating_add(segment.data.len() as u64))
                .min(start.saturating_add(PAGE_SIZE));
            if begin >= end {
                continue;
            }
            let from = (begin - segment.address.0) as usize;
            let to = (begin - start) as usize;
            let count = (end - begin) as usize;
            page[to..to + count].copy_from_slice(&segment.data[from..from + count]);
        }
    }
}
