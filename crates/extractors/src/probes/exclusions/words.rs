//! Addresses drawn from words of memory, for generators that are no call of their own: the compiler
//! has made them part of the loop, and often keeps their words in registers there.
//!
//! Before each packet the words are set to what they were once, but one of them, and at the next use
//! behind the packet they are read: one of them then holds what was drawn last. When it is what the
//! first draw gives, that was taken; otherwise it was refused and another one drawn.

use miyaburi_emulator::{Access, Region, State, WatchedAccess};
use miyaburi_image::Address;
use std::collections::BTreeMap;

/// Bytes of a word.
const WORD: u64 = 4;

/// Most words of a generator: xorshift has up to five.
const MAX_WORDS: usize = 8;

/// Most groups of words that are tried.
const MAX_GROUPS: usize = 4;

/// Most words that change between two packets, of which some may be a generator's.
const MAX_CHANGED: usize = 64;

/// Looks for words that are read and written for every packet.
#[derive(Clone, Debug)]
pub(in crate::probes) struct Survey {
    /// Where to look.
    regions: Vec<Region>,
    /// Of each word since the last destination, whether it was read and whether it was written.
    round: BTreeMap<Address, (bool, bool)>,
    /// The same for the packet before: a loop that was unrolled makes two in a round.
    round_before: BTreeMap<Address, (bool, bool)>,
    /// The words that were both, and what they were at the last packet.
    changed: Vec<(Address, u32)>,
}

impl Survey {
    pub(super) fn new(regions: Vec<Region>) -> Self {
        let round = BTreeMap::new();
        Self { regions, round_before: BTreeMap::clone(&round), round, changed: Vec::new() }
    }

    pub(super) fn regions(&self) -> Vec<Region> {
        self.regions.clone()
    }

    pub(super) fn accessed(&mut self, access: &WatchedAccess) {
        for number in 0..u64::from(access.size) / WORD {
            let word = Address(access.address.0.saturating_add(number * WORD));
            let uses = self.round.entry(word).or_default();
            match access.access {
                Access::Write => uses.1 = true,
                _ => uses.0 = true,
            }
        }
    }

    pub(super) fn is_accepted(&mut self, state: &mut State<'_>) {
        let round = std::mem::take(&mut self.round);
        let mut both = std::mem::replace(&mut self.round_before, round.clone());
        for (word, (is_read, is_written)) in round {
            let uses = both.entry(word).or_default();
            *uses = (uses.0 || is_read, uses.1 || is_written);
        }
        let changed = both.into_iter().filter(|(_, uses)| *uses == (true, true));
        self.changed = changed.filter_map(|(word, _)| Some((word, load(state, word)?))).collect();
    }

    /// Neighbours among the words that were read and written for the last packet, those that are
    /// most likely a generator's first: the more, the likelier.
    pub(super) fn groups(&self) -> Vec<Words> {
        if self.changed.len() > MAX_CHANGED {
            return Vec::new();
        }
        let are_neighbours =
            |(one, _): &(Address, u32), (next, _): &(Address, u32)| next.0 - one.0 == WORD;
        let groups = self.changed.chunk_by(are_neighbours);
        let groups = groups.filter(|group| group.len() <= MAX_WORDS).map(|group| {
            let (places, before) = group.iter().copied().unzip();
            Words { places, before, input: 0 }
        });
        let mut groups: Vec<Words> = groups.collect();
        groups.sort_by_key(|group| core::cmp::Reverse(group.places.len()));
        groups.truncate(MAX_GROUPS);
        groups
    }
}

fn load(state: &mut State<'_>, place: Address) -> Option<u32> {
    state.memory.load(place, WORD as u32).ok().map(|word| word as u32)
}

/// The words of a generator, one of which is decided from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// Where they lie, in order and side by side.
    pub(super) places: Vec<Address>,
    /// What they are before each packet.
    pub(super) before: Vec<u32>,
    /// Which of them is decided.
    pub(super) input: usize,
}

impl Words {
    fn set(&self, state: &mut State<'_>, value: u32) -> Option<()> {
        for (number, (place, before)) in self.places.iter().zip(&self.before).enumerate() {
            let word = if number == self.input { value } else { *before };
            state.memory.store(*place, WORD as u32, u64::from(word)).ok()?;
        }
        Some(())
    }
}

/// Words decided one after the other, and what became of them.
#[derive(Clone, Debug)]
pub(in crate::probes) struct WordDraws {
    words: Words,
    values: Vec<u32>,
    /// Of the first values, the words behind the packet.
    pub(super) outcomes: Vec<Vec<u32>>,
    /// Whether a destination was written since the words were used.
    is_behind_packet: bool,
    /// Whether the value behind the outcomes is in place.
    is_set: bool,
    /// Whether all values were used, or the words cannot be.
    is_done: bool,
    /// The code that first used a value.
    pub(super) site: Option<Address>,
}

impl WordDraws {
    pub(super) const fn new(words: Words, values: Vec<u32>) -> Self {
        Self {
            words,
            values,
            outcomes: Vec::new(),
            is_behind_packet: false,
            is_set: false,
            is_done: false,
            site: None,
        }
    }

    pub(super) fn regions(&self) -> Vec<Region> {
        let region = |start: &Address| Region { start: *start, size: WORD };
        self.words.places.iter().map(region).collect()
    }

    /// A destination was written.
    pub(super) const fn is_accepted(&mut self) {
        self.is_behind_packet = true;
    }

    /// Whether all values were used.
    pub(super) const fn is_done(&self) -> bool {
        self.is_done
    }

    pub(super) fn accessed(
        &mut self,
        state: &mut State<'_>,
        site: Address,
        access: &WatchedAccess,
    ) {
        if access.access == Access::Write || !core::mem::take(&mut self.is_behind_packet) {
            return;
        }
        self.is_done |= self.next(state).is_none();
        self.site.get_or_insert(site);
    }

    /// Takes what became of a value and puts the next one in place; `None` behind the last.
    fn next(&mut self, state: &mut State<'_>) -> Option<()> {
        let now: Option<Vec<u32>> =
            self.words.places.iter().map(|place| load(state, *place)).collect();
        let now = now?;
        if self.is_set {
            self.outcomes.push(now);
        }
        let value = self.values.get(self.outcomes.len())?;
        self.is_set = true;
        self.words.set(state, *value)
    }
}
