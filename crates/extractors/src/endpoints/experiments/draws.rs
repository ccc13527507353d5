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
use crate::endpoints::experiments::watch::StandIn;
use crate::endpoints::experiments::ways::Ways;
use crate::string_table::Table;
use crate::subject::Subject;
use core::net::SocketAddr;
use miyaburi_emulator::{Exit, Limits};
use miyaburi_image::Address;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Most starts, the first one not counted. Of four who are drawn evenly, each is met twice by 32 starts
/// but for one time in 300.
const MOST: u32 = 32;

/// Starts in a row that meet nobody new, after which nobody is expected.
const QUIET: u32 = 6;

/// Instructions of all starts behind the second one.
const INSTRUCTIONS: u64 = 12_000_000;

/// Instructions in which a generator of random numbers makes one.
const GENERATION: u64 = 4_000;

/// Generators that are tried.
const MAX_GENERATORS: usize = 3;

/// Bits in which the numbers of a generator differ at least, one from the next.
const MIN_DIFFERENCE: u32 = 4;

/// What starts lead to in which every random number is 0, 1, and so on below `count`: in their order
/// the program lists those whom it draws among. Empty when they do not first meet `count` different
/// ones.
///
/// A routine is a generator when it returns another number each time. False positives: none, as
/// `count` different addresses follow from the numbers. False negatives: generators that were
/// inlined; lists that are drawn from otherwise than by a remainder.
pub(super) fn in_order<'a>(
    subject: &mut Subject<'a>,
    ways: &Rc<Ways>,
    gate: &Gate,
    table: Option<&Table<'a>>,
    first: &Outcome<'a>,
    count: usize,
) -> Vec<Outcome<'a>> {
    let own = subject.budget;
    subject.budget = own.apart(INSTRUCTIONS);
    let mut order: Vec<Outcome<'a>> = Vec::new();
    for routine in generators(subject, first) {
        order.clear();
        for result in 0..count as u64 {
            let stand_in = Some(StandIn { routine, result });
            let session = gates::again(subject, ways, gate, table, (0, stand_in));
            let outcome = session.map(|it| Outcome::of(subject, &it, Answers::refusing));
            let met = |it: &Outcome<'_>| it.contacts.first().map(|one| one.address);
            let is_new = |it: &Outcome<'_>| {
                met(it).is_some() && order.iter().all(|other| met(other) != met(it))
            };
            let Some(outcome) = outcome.filter(is_new) else { break };
            order.push(outcome);
        }
        if order.len() == count {
            break;
        }
    }
    subject.budget = own;
    if order.len() == count { order } else { Vec::new() }
}

/// Routines that return another number each time.
fn generators<'a>(subject: &mut Subject<'a>, first: &Outcome<'a>) -> Vec<Address> {
    let mut called: Vec<Address> = first.visit.called.iter().copied().collect();
    called.sort_unstable();
    called.retain(|routine| is_generator(subject, first, *routine));
    called.truncate(MAX_GENERATORS);
    called
}

fn is_generator<'a>(subject: &mut Subject<'a>, first: &Outcome<'a>, routine: Address) -> bool {
    let mut process = first.visit.process.clone();
    let entry = (routine, subject.context_of(routine));
    let result = subject.emulator.abi().result;
    let mut number = || {
        let limits = Limits { instructions: subject.budget.grant(GENERATION), ..Limits::default() };
        let (state, kernel) = (&mut process.state, &mut process.kernel);
        let outcome = subject.emulator.call(state, entry, &[], kernel, &limits);
        subject.budget.spend(outcome.instructions);
        (outcome.exit == Exit::Returned).then(|| state.register(&result) as u32)
    };
    let Some(numbers) = [(); 3].iter().map(|()| number()).collect::<Option<Vec<u32>>>() else {
        return false;
    };
    numbers.windows(2).all(|pair| match pair {
        [one, next] => (one ^ next).count_ones() >= MIN_DIFFERENCE,
        _ => false,
    })
}

/// What other starts lead to where everybody refuses; `first` is what the first one did there.
pub(super) fn again<'a>(
    subject: &mut Subject<'a>,
    ways: &Rc<Ways>,
    gate: &Gate,
    table: Option<&Table<'a>>,
    first: &Outcome<'a>,
) -> Vec<Outcome<'a>> {
    let start = |subject: &mut Subject<'a>, seed| {
        let session = gates::again(subject, ways, gate, table, (seed, None))?;
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
