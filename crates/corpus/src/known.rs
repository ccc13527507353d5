//! Reports by content: a copy is not analysed again, wherever it lies.
//!
//! A collection of malware holds the same file many times, beside each other and in archives. Reports
//! are kept compressed, the latest up to a limit, so that memory stays bounded whatever is fed.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use miyaburi_model::Report;
use sha2::{Digest, Sha256};

/// SHA-256 of a content.
type Key = [u8; 32];

/// The compressed report of a content, once there is one. Whoever makes it holds the lock.
type Slot = Arc<Mutex<Option<Vec<u8>>>>;

/// Reports of the contents that were analysed last.
#[derive(Debug)]
pub struct Known {
    kept: Mutex<Kept>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Kept {
    slots: HashMap<Key, Slot>,
    /// Contents with a report in the order in which they got it, each with the report's bytes.
    order: VecDeque<(Key, usize)>,
    bytes: usize,
}

impl Known {
    /// None yet; compressed reports are kept up to `limit` bytes, a few thousand bytes each.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { kept: Mutex::default(), limit }
    }

    /// What `analyze` makes of `content`, or the report of an equal one under the name `name`. Of two
    /// threads with equal contents one waits for the other.
    pub fn or_analyze<R: From<Report> + Borrow<Report>>(
        &self,
        content: &[u8],
        name: &str,
        analyze: impl FnOnce() -> R,
    ) -> R {
        let key = Sha256::digest(content).into();
        let slot = Arc::clone(self.lock().slots.entry(key).or_default());
        // One that panicked left nothing behind.
        let mut report = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut known) = report.as_deref().and_then(unpacked) {
            name.clone_into(&mut known.sample.path);
            return known.into();
        }
        let result = analyze();
        if let Some(packed) = packed(result.borrow()) {
            self.keep(key, packed.len());
            *report = Some(packed);
        }
        result
    }

    fn keep(&self, key: Key, bytes: usize) {
        let mut kept = self.lock();
        kept.order.push_back((key, bytes));
        kept.bytes += bytes;
        while kept.bytes > self.limit
            && let Some((oldest, bytes)) = kept.order.pop_front()
        {
            kept.slots.remove(&oldest);
            kept.bytes -= bytes;
        }
    }

    /// A panic never leaves it half changed, so a poisoned lock is as good as any.
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A report that cannot be packed is not kept.
fn packed(report: &Report) -> Option<Vec<u8>> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut packer, report).ok()?;
    packer.finish().ok()
}

fn unpacked(packed: &[u8]) -> Option<Report> {
    let mut text = Vec::new();
    DeflateDecoder::new(packed).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::Known;
    use miyaburi_model::{Report, Sample};
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn report(name: &str, reason: &str) -> Report {
        let sample = Sample { path: name.to_owned(), ..Sample::default() };
        Report::failed(sample, "test", reason.to_owned())
    }

    #[test]
    fn a_copy_is_analysed_once_and_reported_under_its_own_name() {
        let known = Known::new(1 << 20);
        let runs = Cell::new(0);
        let of = |content: &[u8], name: &str| {
            known.or_analyze(content, name, || {
                runs.set(runs.get() + 1);
                report(name, &format!("run {}", runs.get()))
            })
        };
        assert_eq!(of(b"one", "a"), report("a", "run 1"));
        assert_eq!(of(b"two", "b"), report("b", "run 2"));
        assert_eq!(of(b"one", "in.zip!c"), report("in.zip!c", "run 1"));
        assert_eq!(runs.get(), 2);
    }

    #[test]
    fn what_is_beyond_the_limit_is_analysed_again() {
        let known = Known::new(1);
        let runs = Cell::new(0);
        for _ in 0..3 {
            known.or_analyze(b"one", "a", || {
                runs.set(runs.get() + 1);
                report("a", "")
            });
        }
        assert_eq!(runs.get(), 3);
        assert_eq!(known.lock().slots.len(), 0);
        assert_eq!(known.lock().bytes, 0);
    }

    #[test]
    fn a_crash_is_nobodys_report() {
        let known = Known::new(1 << 20);
        let crash = || known.or_analyze(b"one", "a", || -> Report { panic!("crash") });
        assert!(catch_unwind(AssertUnwindSafe(crash)).is_err());
        assert_eq!(known.or_analyze(b"one", "b", || report("b", "fine")), report("b", "fine"));
    }
}
