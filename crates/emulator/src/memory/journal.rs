//! The record of what writes replaced, by which they can be undone.

use super::{Access, Memory, MemoryError, PAGE_SIZE, pieces};
use miyaburi_image::Address;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Writes that can be undone at the same time; they take 100 MB.
pub(super) const MAX_JOURNAL: usize = 4 << 20;

/// Writes recorded before those are looked for that nothing will undo.
const WORTH_TRIMMING: usize = 1 << 16;

/// What writes replaced, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    writes: Vec<Replaced>,
    /// Writes before these, which are not kept any more.
    forgotten: usize,
}

impl Journal {
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    pub(super) fn push(&mut self, replaced: Replaced) {
        self.writes.push(replaced);
    }

    /// The writes since `mark`, when all of them are kept.
    fn since(&self, mark: JournalMark) -> Option<&[Replaced]> {
        self.writes.get(mark.0.checked_sub(self.forgotten)?..)
    }

    fn end(&self) -> JournalMark {
        JournalMark(self.forgotten.saturating_add(self.writes.len()))
    }
}

/// The bytes that a write replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replaced {
    pub(super) address: u64,
    pub(super) size: u8,
    pub(super) bytes: [u8; 8],
}

/// A position in the journal of writes, to which memory can be rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalMark(usize);

impl JournalMark {
    /// Writes recorded since `earlier`.
    #[must_use]
    pub fn writes_since(self, earlier: Self) -> usize {
        self.0.saturating_sub(earlier.0)
    }

    /// The position so many writes later.
    #[must_use]
    pub const fn behind(self, writes: usize) -> Self {
        Self(self.0.saturating_add(writes))
    }
}

impl Memory<'_> {
    /// Begins (or goes on) recording writes, so that they can be undone. The journal lasts until
    /// it is stopped, as the record of what was written; a snapshot copies it. A run that finds none
    /// has its own, which ends with it and keeps no more than it may undo.
    pub fn start_journal(&mut self) {
        self.journal.get_or_insert_default();
    }

    /// Forgets what was recorded and stops recording.
    pub fn stop_journal(&mut self) {
        self.journal = None;
    }

    /// The present end of the journal.
    #[must_use]
    pub fn journal_mark(&self) -> JournalMark {
        JournalMark(self.journal.as_ref().map_or(0, |journal| journal.end().0))
    }

    /// Whether writes are recorded.
    #[must_use]
    pub(crate) fn has_journal(&self) -> bool {
        self.journal.is_some()
    }

    /// Forgets the writes before `mark`, or all without one, when there are so many that it is worth
    /// it.
    pub(crate) fn trim_journal(&mut self, mark: Option<JournalMark>) {
        let Some(journal) = self.journal.as_mut() else { return };
        let kept = journal.writes.len();
        let dead = mark.map_or(kept, |mark| mark.0.saturating_sub(journal.forgotten).min(kept));
        if dead >= WORTH_TRIMMING && dead >= kept / 2 {
            journal.writes.drain(..dead);
            journal.forgotten = journal.forgotten.saturating_add(dead);
        }
    }

    /// Whether every byte holds what it held at `mark`; false when more than `max` writes would have
    /// to be looked at.
    pub(crate) fn is_as_at(&mut self, mark: JournalMark, max: usize) -> bool {
        let written = self.journal.as_ref().and_then(|journal| journal.since(mark));
        let Some(written) = written.filter(|written| written.len() <= max) else { return false };
        let mut before: FxHashMap<u64, u8> = FxHashMap::default();
        for replaced in written {
            for (offset, byte) in (0..).zip(&replaced.bytes[..usize::from(replaced.size)]) {
                before.entry(replaced.address.wrapping_add(offset)).or_insert(*byte);
            }
        }
        before.into_iter().all(|(at, byte)| {
            let mut now = [0];
            self.copy(Address(at), &mut now, Access::Read).is_ok_and(|()| now == [byte])
        })
    }

    /// Undoes the writes since `mark`, latest first.
    pub fn roll_back(&mut self, mark: JournalMark) {
        let Some(mut journal) = self.journal.take() else { return };
        while journal.end() > mark {
            let Some(replaced) = journal.writes.pop() else { break };
            let size = usize::from(replaced.size);
            let mut rest = &replaced.bytes[..size];
            for (at, count) in pieces(Address(replaced.address), size) {
                let (piece, after) = rest.split_at(count);
                let offset = (at.0 % PAGE_SIZE) as usize;
                if let Some(&slot) = self.index.get(&(at.0 / PAGE_SIZE)) {
                    let page = Arc::make_mut(&mut self.pages[slot as usize]);
                    page[offset..offset + count].copy_from_slice(piece);
                }
                rest = after;
            }
        }
        self.journal = Some(journal);
    }

    /// The writes recorded since `mark` in order: address and size of each, at most eight bytes.
    pub fn written_since(&self, mark: JournalMark) -> impl Iterator<Item = (Address, u32)> + '_ {
        self.journal
            .iter()
            .flat_map(move |journal| journal.since(mark).unwrap_or(&[]))
            .map(|replaced| (Address(replaced.address), u32::from(replaced.size)))
    }

    /// Notes what a write of `length` bytes is about to replace: one entry for each eight bytes.
    pub(super) fn record(&mut self, address: Address, length: usize) -> Result<(), MemoryError> {
        let Some(mut journal) = self.journal.take() else { return Ok(()) };
        for done in (0..length).step_by(8) {
            let at = address.offset(done as u64);
            let size = (length - done).min(8);
            let mut bytes = [0; 8];
            let copied = self.copy(at, &mut bytes[..size], Access::Write);
            if copied.is_err() {
                self.journal = Some(journal);
                return copied;
            }
            journal.push(Replaced { address: at.0, size: size as u8, bytes });
        }
        self.journal = Some(journal);
        Ok(())
    }
}
