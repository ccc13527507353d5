//! Who was touched in a span of time, and who was not: accounts by contract and class of data.
//!
//! Confirmed: a record shows that an indicator accessed the account in a way that reads the class. Excluded:
//! every source that tells of such accesses is there, without a gap, and none shows one. Possible: neither;
//! the reason says what is missing, or which [alert](Suspicions) has to be looked at first. A source tells of a class when, in the span, any of its records is an
//! access that reads the class, whoever made it.
//!
//! All of it holds for the indicators alone: an attacker who came from elsewhere as well is not seen, and
//! somebody else behind an indicator's address is taken for them. A source whose records were lost here
//! and there without a [gap](crate::coverage) excludes what it should not, and one that is not given, with
//! others of its kind there, is not missed unless the table of accounts names it.

mod accounts;
mod lists;
mod rules;
mod suspicions;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::coverage::{Coverage, Gap, Spoken, Threshold, source_of};
use crate::event::{Event, Field};
use crate::holders::Holders;
use crate::hunt::Sighted;
use crate::indicators::Indicators;
use crate::pseudonyms::Pseudonyms;
use crate::time::Moment;

use suspicions::Suspicion;

pub use accounts::{AccountNumber, Accounts, ClassNumber, MOST_CLASSES, TableError};
pub use lists::{ClassTotal, ContractLine, Lists, Row};
pub use rules::Rules;
pub use suspicions::{AlertError, Suspicions};

/// Accounts outside of the table that are kept as samples.
const SAMPLES: usize = 1000;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'s> {
    /// Not before.
    pub since: Moment,
    /// Not after.
    pub until: Moment,
    /// Who did it.
    pub indicators: &'s Indicators,
    /// What reads which class.
    pub rules: &'s Rules,
    /// Of what behaviour tells.
    pub suspicions: &'s Suspicions,
    /// Who is behind an address.
    pub holders: &'s Holders,
    /// When a silence is a gap.
    pub threshold: Threshold,
    /// What stands for sources in reasons.
    pub pseudonyms: Option<&'s Pseudonyms>,
}

/// Accesses of an indicator to one account that read one class.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Access {
    first: Moment,
    last: Moment,
    count: u64,
    /// The place of the file of the first one.
    file: u32,
    offset: u64,
    line: [u8; 32],
}

/// Whether an account's data of one class was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A record shows it.
    Confirmed,
    /// Nothing shows it, and something that could is missing.
    Possible,
    /// All that could show it is there, and does not.
    Excluded,
}

/// The scope of an incident, which is found by looking at all events.
#[derive(Debug)]
pub struct Scope<'s> {
    accounts: &'s Accounts,
    question: Question<'s>,
    files: Vec<String>,
    accesses: FxHashMap<(AccountNumber, ClassNumber), Access>,
    /// Accounts that an indicator touched in a way that reads nothing, such as failed logins.
    attempts: FxHashMap<AccountNumber, u64>,
    /// Accesses by clients of which an alert tells.
    suspected: BTreeMap<(AccountNumber, ClassNumber), Suspicion>,
    /// Accesses whose record has no time.
    undated: BTreeSet<(AccountNumber, ClassNumber)>,
    unlisted: BTreeMap<String, u64>,
    coverage: Coverage,
    /// Which sources tell of which class.
    telling: BTreeMap<String, BTreeSet<ClassNumber>>,
}

impl<'s> Scope<'s> {
    /// One that has seen nothing. Indicators and holders are sealed.
    #[must_use]
    pub fn new(accounts: &'s Accounts, question: Question<'s>) -> Self {
        Self {
            accounts,
            question,
            files: Vec::new(),
            accesses: FxHashMap::default(),
            attempts: FxHashMap::default(),
            suspected: BTreeMap::new(),
            undated: BTreeSet::new(),
            unlisted: BTreeMap::new(),
            coverage: Coverage::default(),
            telling: BTreeMap::new(),
        }
    }

    /// Begins a file, whose events are then looked at.
    pub fn begin(&mut self, file: &str) -> Reading {
        self.files.push(file.to_owned());
        let file = u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX);
        Reading { file, spoken: Spoken::default(), telling: 0 }
    }

    /// Looks at an event of a file that was begun.
    pub fn look(&mut self, reading: &mut Reading, event: &Event<'_>, at: Sighted<'_>) {
        let Question { since, until, indicators, rules, suspicions, .. } = self.question;
        if event.time.is_some_and(|time| time < since || until < time) {
            return;
        }
        event.time.into_iter().for_each(|time| reading.spoken.note(time));
        let read = rules.read_by(event).fold(0_u16, |mask, class| mask | class.bit());
        reading.telling |= read;
        let mut touched = None;
        indicators.find(event, &mut |field, number| {
            let holds = indicators.get(number).is_some_and(|it| it.validity.holds(event.time));
            if holds && (touched.is_none() || field == Field::Client) {
                touched = Some(field);
            }
        });
        if let Some(field) = touched {
            self.touch(reading.file, field, read, event, at);
        } else if let Some(suspicion) = event.client.and_then(|it| suspicions.of_client(it)) {
            self.suspect(suspicion, read, event);
        }
    }

    fn suspect(&mut self, suspicion: Suspicion, read: u16, event: &Event<'_>) {
        let Some(account) = event.account.and_then(|name| self.accounts.find(name)) else { return };
        let classes = self.accounts.classes().map(|(class, _)| class);
        let classes = classes.filter(|class| read & class.bit() != 0);
        self.suspected.extend(classes.map(|class| ((account, class), suspicion)));
    }

    fn touch(&mut self, file: u32, field: Field, read: u16, event: &Event<'_>, at: Sighted<'_>) {
        let held = || self.question.holders.holder(event.client?, event.time).map(str::as_bytes);
        let name = event.account.or_else(|| if field == Field::Client { None } else { held() });
        let Some(name) = name else { return };
        let Some(account) = self.accounts.find(name) else {
            let name = String::from_utf8_lossy(name).into_owned();
            if self.unlisted.len() < SAMPLES || self.unlisted.contains_key(&name) {
                *self.unlisted.entry(name).or_default() += 1;
            }
            return;
        };
        if read == 0 {
            *self.attempts.entry(account).or_default() += 1;
            return;
        }
        let classes = self.accounts.classes().map(|(class, _)| class);
        for class in classes.filter(|class| read & class.bit() != 0) {
            let key = (account, class);
            let Some(time) = event.time else {
                self.undated.insert(key);
                continue;
            };
            let line = || Sha256::digest(at.line).into();
            let access = self.accesses.entry(key).or_insert_with(|| Access {
                first: time,
                last: time,
                count: 0,
                file,
                offset: at.offset,
                line: line(),
            });
            if time < access.first {
                (access.file, access.offset, access.line) = (file, at.offset, line());
                access.first = time;
            }
            access.last = access.last.max(time);
            access.count += 1;
        }
    }

    /// Ends a file that was begun.
    pub fn end(&mut self, reading: Reading) {
        let Reading { file, spoken, telling } = reading;
        let Some(path) = self.files.get(file as usize) else { return };
        let classes = self.accounts.classes().map(|(class, _)| class);
        let classes = classes.filter(|class| telling & class.bit() != 0);
        self.telling.entry(source_of(path)).or_default().extend(classes);
        self.coverage.add(path, spoken);
    }

    /// The gaps in the sources within the span.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        let Question { since, until, threshold, .. } = self.question;
        self.coverage.gaps(since, until, threshold)
    }

    /// Accounts outside of the table that an indicator touched, with how often: at most 1000 of them.
    #[must_use]
    pub const fn unlisted(&self) -> &BTreeMap<String, u64> {
        &self.unlisted
    }
}

impl ClassNumber {
    /// Its bit in a set of classes.
    const fn bit(self) -> u16 {
        1 << self.index()
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct Reading {
    file: u32,
    spoken: Spoken,
    telling: u16,
}
