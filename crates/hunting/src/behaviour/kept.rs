//! What a behaviour keeps of each entity, bounded.

use core::hash::Hash;

use rustc_hash::FxHashMap;

use crate::time::Moment;

/// Entities of which something is kept at most.
const MOST: usize = 1 << 20;

/// Something of each entity, as long as it counts.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    all: FxHashMap<K, (Moment, V)>,
    /// When what no longer counts was last thrown away.
    swept: Option<Moment>,
    /// Events of entities for which there was no room.
    pub(super) unwatched: u64,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { all: FxHashMap::default(), swept: None, unwatched: 0 }
    }
}

impl<K: Eq + Hash, V> Kept<K, V> {
    /// What is kept of `key`, which is `new` when nothing is; `span` is how long something counts after it
    /// was last asked for. `None` when there is no room.
    pub(super) fn of(
        &mut self,
        key: K,
        time: Moment,
        span: i64,
        new: impl FnOnce() -> V,
    ) -> Option<&mut V> {
        if self.all.len() >= MOST && !self.all.contains_key(&key) {
            let is_near = |other: Moment| time.0.saturating_sub(other.0).saturating_abs() <= span;
            // Once a span, so that a log full of entities is read as fast as any other.
            if !self.swept.is_some_and(is_near) {
                self.all.retain(|_, (last, _)| is_near(*last));
                self.swept = Some(time);
            }
            if self.all.len() >= MOST {
                self.unwatched += 1;
                return None;
            }
        }
        let (last, value) = self.all.entry(key).or_insert_with(|| (time, new()));
        *last = time;
        Some(value)
    }

    /// What is kept of `key`, and how long it counts stays as it is.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.all.get(key).map(|(_, value)| value)
    }

    /// Takes out what is kept of `key`.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        self.all.remove(key).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_longer_counts_makes_room() {
        let mut kept = Kept::default();
        for number in 0..MOST {
            assert_eq!(kept.of(number, Moment(0), 10, || 7), Some(&mut 7));
        }
        assert_eq!(kept.of(MOST, Moment(5), 10, || 7), None);
        assert_eq!((kept.unwatched, kept.of(3, Moment(14), 10, || 8)), (1, Some(&mut 7)));
        assert_eq!(kept.of(MOST, Moment(20), 10, || 8), Some(&mut 8));
        assert_eq!((kept.all.len(), kept.take(&3), kept.take(&4)), (2, Some(7), None));
    }
}
