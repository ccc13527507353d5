//! The scanner, run again and again with what it draws decided.

use super::calls::CallDraws;
use super::draws::Draws;
use super::words::{Survey, WordDraws, Words};
use crate::probes::watch::{Watch, run};
use crate::probes::{Probes, system_calls};
use crate::subject::Subject;
use miyaburi_emulator::{Region, State};
use miyaburi_image::{Address, Permissions};

/// Instructions that a packet may take.
const INSTRUCTIONS_OF_PACKET: u64 = 10_000;

/// Instructions within which the first packets are made.
const INSTRUCTIONS_TO_FIRST: u64 = 300_000;

/// Numbers in one run: after so many packets a scanner waits for the next second.
const BATCH: usize = 96;

/// A scanner that can be run.
pub(super) struct Scanner<'q, 's, 'a> {
    pub(super) subject: &'q mut Subject<'a>,
    pub(super) state: &'s State<'a>,
    pub(super) probes: &'q Probes,
}

impl Scanner<'_, '_, '_> {
    fn run(&mut self, draws: Option<Draws>, instructions: u64) -> Watch {
        let way = self.probes.way;
        let mut watch = Watch::new(way.answers, system_calls(self.subject), Some(way.packet));
        watch.draws = draws;
        run(self.subject, self.state, self.probes.scanner, instructions, &mut watch);
        watch
    }

    /// The calls between two packets, in order.
    pub(super) fn calls(&mut self) -> Vec<Address> {
        self.run(None, INSTRUCTIONS_TO_FIRST).last_round
    }

    /// Words of memory that may be a generator's.
    pub(super) fn words(&mut self) -> Vec<Words> {
        let segments = self.subject.image.segments().iter();
        let writable = segments.filter(|segment| segment.permissions.contains(Permissions::WRITE));
        let regions = writable.map(|it| Region { start: it.address, size: it.size }).collect();
        let draws = Some(Draws::Survey(Survey::new(regions)));
        match self.run(draws, INSTRUCTIONS_TO_FIRST).draws {
            Some(Draws::Survey(survey)) => survey.groups(),
            _ => Vec::new(),
        }
    }

    /// What became of each of these answers of a call, and the destination when all packets went to
    /// the same one. `None` when nothing asked for them.
    pub(super) fn answer(&mut self, site: Address, numbers: &[u32]) -> Option<Answered<bool>> {
        self.in_batches(numbers, |scanner, numbers| {
            // Calling conventions extend numbers of 32 bits by their sign, where they do.
            let returned = numbers.iter().map(|number| number.cast_signed() as u64).collect();
            let draws = Some(Draws::Calls(CallDraws::new(site, returned)));
            let watch = scanner.run(draws, instructions_for(numbers));
            let destination = watch.one_destination(1);
            let Some(Draws::Calls(draws)) = watch.draws else { return None };
            Some(Answered { outcomes: draws.verdicts, destination, site: Some(site) })
        })
    }

    /// The words behind the packet, for each value of the one that is decided.
    pub(super) fn decide(&mut self, words: &Words, values: &[u32]) -> Option<Answered<Vec<u32>>> {
        self.in_batches(values, |scanner, values| {
            // The way to the first packet may be another one, with more draws: its outcome is nothing.
            let twice = values.iter().take(1).chain(values).copied().collect();
            let draws = Some(Draws::Words(WordDraws::new(words.clone(), twice)));
            let watch = scanner.run(draws, instructions_for(values));
            let destination = watch.one_destination(2);
            let Some(Draws::Words(draws)) = watch.draws else { return None };
            let outcomes = draws.outcomes.into_iter().skip(1).collect();
            Some(Answered { outcomes, destination, site: draws.site })
        })
    }

    fn in_batches<T>(
        &mut self,
        numbers: &[u32],
        mut ask: impl FnMut(&mut Self, &[u32]) -> Option<Answered<T>>,
    ) -> Option<Answered<T>> {
        let mut all = Answered { outcomes: Vec::new(), destination: None, site: None };
        while let Some(left) = numbers.get(all.outcomes.len()..).filter(|left| !left.is_empty()) {
            let batch = left.get(..BATCH).unwrap_or(left);
            let answered = ask(self, batch).filter(|answered| !answered.outcomes.is_empty())?;
            all.outcomes.extend(answered.outcomes);
            all.destination = answered.destination;
            all.site = all.site.or(answered.site);
        }
        Some(all)
    }
}

/// Instructions for a run that draws these numbers.
fn instructions_for(numbers: &[u32]) -> u64 {
    INSTRUCTIONS_TO_FIRST + INSTRUCTIONS_OF_PACKET * numbers.len() as u64
}

/// What became of numbers that were drawn.
pub(super) struct Answered<T> {
    /// Of each number.
    pub(super) outcomes: Vec<T>,
    /// The destination of all packets of the last run, when it is one.
    pub(super) destination: Option<[u8; 4]>,
    /// The code that drew.
    pub(super) site: Option<Address>,
}
