//! What the analysis of one program may spend, and what it has spent.
//!
//! Work is counted in steps, so that the same file is cut at the same place on every machine. A
//! step is roughly the evaluation of one instruction; whatever else grows with the input (lifting,
//! blocks joined, lists searched) is charged in the same unit.

use miyaburi_image::{Image, Permissions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Instant;

/// What the analysis of one program may spend. Values and references, which are worked out when
/// asked for, count too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: evaluations of one instruction, and work of that size. A file with little code gets
    /// less: eight million, and a hundred a byte.
    pub steps: u64,
    /// Bytes of tables, lifted code and values that are kept at the same time; a quarter more while
    /// results are put together, and the process needs more while a table grows. A file with little
    /// code gets less: 128 MiB, and 512 a byte.
    pub bytes: u64,
    /// Wall clock behind the other two: where it cuts depends on the machine.
    pub deadline: Option<Instant>,
}

impl Default for Limits {
    /// No deadline. Static programs of 2 MB, the largest measured, take 13 million steps and
    /// 230 MB.
    fn default() -> Self {
        Self { steps: 100_000_000, bytes: 512 << 20, deadline: None }
    }
}

/// What ended the analysis before it was done: functions, calls and values are missing, what is
/// there was found as in a whole analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The steps were spent.
    #[error("the analysis was cut: its steps are spent")]
    Steps,
    /// The memory was used up.
    #[error("the analysis was cut: its memory is used up")]
    Bytes,
    /// The time was up.
    #[error("the analysis was cut: the time is up, what was found depends on this machine")]
    Time,
    /// More instructions than are lifted of one file.
    #[error("the analysis was cut: the file has more instructions than are looked at")]
    Instructions,
    /// More functions than are looked at.
    #[error("the analysis was cut: the file has more functions than are looked at")]
    Functions,
    /// More decoding contexts (instruction sets and their modes) than are told apart.
    #[error("the analysis was cut: the code changes between more modes than are told apart")]
    Modes,
}

const CUTS: [Cut; 6] =
    [Cut::Steps, Cut::Bytes, Cut::Time, Cut::Instructions, Cut::Functions, Cut::Modes];

/// Steps that any file may take.
const BASE_STEPS: u64 = 8_000_000;

/// Steps for each byte of code: compiled programs take up to 15.
const STEPS_PER_BYTE: u64 = 100;

/// Bytes that may be kept of any file.
const BASE_BYTES: u64 = 128 << 20;

/// Bytes that may be kept for each byte of code: compiled programs take up to 240.
const BYTES_PER_BYTE: u64 = 512;

/// Steps between two looks at the clock.
const CLOCK_INTERVAL: u64 = 1 << 14;

/// Counts what is spent. Shared by everything that works on one program.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    steps: AtomicU64,
    bytes: AtomicU64,
    /// Steps at which the clock is looked at next.
    next_look: AtomicU64,
    /// `0`, or the place in [`CUTS`] plus one.
    cut: AtomicU8,
}

impl Meter {
    /// A meter for the analysis of `image`.
    pub(crate) fn for_image(limits: Limits, image: &Image) -> Self {
        let segments = image.segments().iter();
        let code = segments.filter(|segment| segment.permissions.contains(Permissions::EXECUTE));
        let code: u64 = code.map(|segment| segment.data.len() as u64).sum();
        let steps = BASE_STEPS.saturating_add(code.saturating_mul(STEPS_PER_BYTE));
        let bytes = BASE_BYTES.saturating_add(code.saturating_mul(BYTES_PER_BYTE));
        let (steps, bytes) = (limits.steps.min(steps), limits.bytes.min(bytes));
        Self::new(Limits { steps, bytes, ..limits })
    }

    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            steps: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            next_look: AtomicU64::new(0),
            cut: AtomicU8::new(0),
        }
    }

    /// Takes steps; false once nothing more may be done.
    pub(crate) fn spend(&self, steps: u64) -> bool {
        let spent = self.steps.load(Ordering::Relaxed).saturating_add(steps);
        self.steps.store(spent, Ordering::Relaxed);
        if spent > self.limits.steps {
            self.end(Cut::Steps);
        }
        if spent >= self.next_look.load(Ordering::Relaxed) {
            self.next_look.store(spent.saturating_add(CLOCK_INTERVAL), Ordering::Relaxed);
            if self.limits.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.end(Cut::Time);
            }
        }
        !self.is_cut()
    }

    /// Takes memory for something that is kept; false once nothing more may be done.
    pub(crate) fn keep(&self, bytes: usize) -> bool {
        let kept = self.bytes.load(Ordering::Relaxed).saturating_add(bytes as u64);
        self.bytes.store(kept, Ordering::Relaxed);
        if kept > self.limits.bytes {
            self.end(Cut::Bytes);
        }
        !self.is_cut()
    }

    /// Takes memory for `more` items of a list that is kept; false, and none is taken, once nothing
    /// more may be done.
    pub(crate) fn reserve<T>(&self, list: &mut Vec<T>, more: usize) -> bool {
        let bytes = growth(list, more) * size_of::<T>();
        if bytes > 0 && !self.keep(bytes) {
            self.release(bytes);
            return false;
        }
        reserve(list, more);
        true
    }

    /// Whether there is room for so much of the results; ends the work when there is not. They may
    /// take a quarter more than the work before.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        let kept = self.bytes.load(Ordering::Relaxed).saturating_add(bytes as u64);
        let fits = kept <= self.limits.bytes.saturating_add(self.limits.bytes / 4);
        if !fits {
            self.end(Cut::Bytes);
        }
        fits
    }

    /// Gives back memory of something that is dropped.
    pub(crate) fn release(&self, bytes: usize) {
        let kept = self.bytes.load(Ordering::Relaxed).saturating_sub(bytes as u64);
        self.bytes.store(kept, Ordering::Relaxed);
    }

    /// Ends the work; the first reason counts.
    pub(crate) fn end(&self, cut: Cut) {
        let place = CUTS.iter().position(|known| *known == cut).unwrap_or_default() as u8 + 1;
        // Fails when there is a reason already.
        let _ = self.cut.compare_exchange(0, place, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether nothing more may be done.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed) != 0
    }

    /// What ended the work.
    pub(crate) fn cut(&self) -> Option<Cut> {
        let place = usize::from(self.cut.load(Ordering::Relaxed));
        CUTS.get(place.checked_sub(1)?).copied()
    }

    /// The steps spent so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// The bytes kept at present.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Bytes up to which lists double.
const DOUBLED_BYTES: usize = 1 << 20;

/// By how many items a list has to grow so that `more` fit: large ones by a quarter at least, as
/// what it had and what it gets are there at the same time.
fn growth<T>(list: &Vec<T>, more: usize) -> usize {
    if list.capacity() - list.len() >= more {
        return 0;
    }
    let is_small = list.capacity() * size_of::<T>() < DOUBLED_BYTES;
    let step = if is_small { list.capacity() } else { list.capacity() / 4 };
    (list.len() + more).max(list.capacity() + step.max(4)) - list.capacity()
}

/// Makes room for `more` items without doubling large lists.
pub(crate) fn reserve<T>(list: &mut Vec<T>, more: usize) {
    let growth = growth(list, more);
    if growth > 0 {
        list.reserve_exact(list.capacity() + growth - list.len());
    }
}

/// Memory that is given back when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held {
    work: Option<Arc<Meter>>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub(crate) fn new(work: &Arc<Meter>) -> Self {
        Self { work: Some(work.clone()), bytes: 0 }
    }

    /// Takes more; false once nothing more may be done.
    pub(crate) fn keep(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.work.as_ref().is_some_and(|work| work.keep(bytes))
    }

    /// Keeps so much in place of what was kept before; false once nothing more may be done.
    pub(crate) fn set(&mut self, bytes: usize) -> bool {
        if let Some(work) = &self.work {
            work.release(self.bytes);
        }
        self.bytes = 0;
        self.keep(bytes)
    }

    /// The memory kept.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Never gives the memory back.
    pub(crate) fn for_good(mut self) {
        self.work = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(work) = &self.work {
            work.release(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Limits, Meter};
    use std::time::Instant;

    #[test]
    fn the_first_reason_counts() {
        let meter = Meter::new(Limits { steps: 10, bytes: 10, deadline: None });
        assert!(meter.spend(10) && meter.keep(10));
        assert_eq!(meter.cut(), None);
        assert!(!meter.keep(1));
        assert!(!meter.spend(1));
        assert_eq!(meter.cut(), Some(Cut::Bytes));
    }

    #[test]
    fn released_memory_can_be_used_again() {
        let meter = Meter::new(Limits { steps: 10, bytes: 10, deadline: None });
        assert!(meter.keep(8));
        meter.release(8);
        assert!(meter.keep(8));
        assert_eq!(meter.bytes(), 8);
    }

    #[test]
    fn the_clock_is_looked_at_before_the_first_step() {
        let limits = Limits { deadline: Some(Instant::now()), ..Limits::default() };
        let meter = Meter::new(limits);
        assert!(!meter.spend(1));
        assert_eq!(meter.cut(), Some(Cut::Time));
    }
}
