//! The same start with other random numbers: what stays, and whom a program draws among.
//!
//! How it works: one other start tells what does not depend on chance. When it connects to others
//! than the first did, the program draws; it is started anew until several starts in a row connect
//! to nobody new and everyone was met twice.
//!
//! False positives: none of its own, everyone who counts was met by two starts
//! ([`super::Judge`]). False negatives: who is drawn so seldom that [`MOST`] starts do not meet him
//! twice.

use crate::endpoints::experiments::answers::Answers;
use crate::endpoints::experiments::gates::{self, Gate};
use crate::endpoints::experiments::outcome::Outcome;
use crate::endpoints::experiments::ways::Ways;
use crate::string_table::Table;
use crate::subject::Subject;
use core::net::SocketAddr;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Most starts, the first one not counted. Of four who are drawn evenly, each is met twice by 32 starts
/// but for one time in 300.
const MOST: u32 = 32;

/// Starts in a row that meet nobody new, after which nobody is expected.
const QUIET: u32 = 6;

/// Instructions of all starts behind the second one.
const INSTRUCTIONS: u64 = 12_000_000;

/// What other starts lead to where everybody refuses; `first` is what the first one did there.
pub(super) fn again<'a>(
    subject: &mut Subject<'a>,
    ways: &Rc<Ways>,
    gate: &Gate,
    table: Option<&Table<'a>>,
    first: &Outcome<'a>,
) -> Vec<Outcome<'a>> {
    let start = |subject: &mut Subject<'a>, seed| {
        let session = gates::again(subject, ways, gate, table, seed)?;
        Some(Outcome::of(subject, &session, Answers::refusing))
    };
    let Some(second) = start(subject, 1) else { return Vec::new() };
    let mut met = Met::default();
    met.add(first);
    if !met.add(&second) {
        return vec![second];
    }
    let mut starts = vec![second];
    let own = subject.budget;
    subject.budget = own.apart(INSTRUCTIONS);
    let mut quiet = 0;
    for seed in 2..=MOST {
        let Some(next) = start(subject, seed).filter(|_| subject.budget.cut().is_none()) else {
            break;
        };
        quiet = if met.add(&next) { 0 } else { quiet + 1 };
        starts.push(next);
        if quiet >= QUIET && met.are_all_met_twice() {
            break;
        }
    }
    subject.budget = own;
    starts
}

/// How many starts met whom.
#[derive(Debug, Default)]
struct Met(FxHashMap<SocketAddr, u32>);

impl Met {
    /// Counts those whom a start met; whether any is new.
    fn add(&mut self, start: &Outcome<'_>) -> bool {
        let mut has_new = false;
        for contact in &start.contacts {
            let count = self.0.entry(contact.address).or_default();
            has_new |= *count == 0;
            *count += 1;
        }
        has_new
    }

    fn are_all_met_twice(&self) -> bool {
        self.0.values().all(|count| *count > 1)
    }
}
