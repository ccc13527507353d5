//! Where entries were lost while the table was filled, so that it is not whole.
//!
//! How it works: every call of the routine that adds entries leaves one; a call that leaves none, or
//! that could not be done, lost one. So did a call that was handed memory and could not be done, where
//! that memory holds no entry. A run that ends on the way, before anything but entries came,
//! may have lost all that would have followed.
//!
//! False positives: a call that adds an entry somewhere else; memory that is given back. False
//! negatives: entries that a routine which was inlined adds after a place where it could not go on,
//! when it came to its end.

use crate::found::Diagnostic;
use crate::string_table::STAGE;
use crate::string_table::base::call_that_wrote;
use crate::string_table::records::Records;
use crate::trace::{CallRecord, Lost, Trace, is_missing};
use miyaburi_emulator::{Exit, Layout};
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};

/// Fewest entries that a routine must have added before each of its calls is taken to add one.
const MIN_ADDED: usize = 3;

/// A place where an entry may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The call, or where the run ended.
    pub at: Address,
    /// What happened there.
    pub what: String,
}

/// The gaps in what a run left behind, in the order of the run.
pub fn of(trace: &Trace<'_>, layout: &Layout, records: &Records) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let calls = trace.lost.iter().map(|Lost { site, reason }| Gap {
        at: *site,
        what: format!("this call could not be done: {reason}"),
    });
    gaps.extend(calls);
    gaps.extend(without_entry(trace, records).map(|call| Gap {
        at: call.call.site,
        what: "this call adds no entry that could be read".to_owned(),
    }));
    gaps.extend(not_filled(trace, layout, records).map(|call| Gap {
        at: call.call.site,
        what: "this call, which is handed memory for an entry, could not be done".to_owned(),
    }));
    if let Some(at) = end_on_the_way(trace, records) {
        gaps.push(Gap { at, what: "the run of the filling routine ended here".to_owned() });
    }
    let mut seen: FxHashSet<Address> = FxHashSet::default();
    gaps.retain(|gap| seen.insert(gap.at));
    gaps
}

/// What a reader should know of them.
pub fn told(gaps: &[Gap]) -> Option<Diagnostic> {
    let first = gaps.first()?;
    let message = match gaps.len() {
        1 => format!("entries may be missing: {}", first.what),
        more => format!("entries may be missing at {more} places; the first: {}", first.what),
    };
    Some(Diagnostic::loss(STAGE, message, Some(first.at)))
}

/// Calls of the adding routine that left nothing in the table.
fn without_entry<'t>(
    trace: &'t Trace<'_>,
    records: &Records,
) -> impl Iterator<Item = &'t CallRecord> {
    let mut added: FxHashMap<Address, usize> = FxHashMap::default();
    for record in &records.records {
        if let Some(call) = call_that_wrote(trace, record.stored_by) {
            *added.entry(call.call.callee).or_default() += 1;
        }
    }
    added.retain(|_, count| *count >= MIN_ADDED);
    let cells: FxHashSet<Address> = records.records.iter().map(|record| record.cell).collect();
    let writes: Vec<Address> = trace.writes().map(|(address, _)| address).collect();
    trace.calls.iter().filter(move |call| {
        let (start, end) =
            (call.before.writes_since(trace.start), call.after.writes_since(trace.start));
        let written = writes.get(start..end).unwrap_or(&[]);
        added.contains_key(&call.call.callee) && !written.iter().any(|at| cells.contains(at))
    })
}

/// Calls that were handed a block of fresh memory first and were undone, where the block became no
/// entry: what copies an entry's bytes is one.
fn not_filled<'t>(
    trace: &'t Trace<'_>,
    layout: &Layout,
    records: &Records,
) -> impl Iterator<Item = &'t CallRecord> {
    let layout = *layout;
    let block_of = move |address| layout.fresh_block_at(Address(address));
    let buffers: FxHashSet<Address> =
        records.records.iter().filter_map(|record| block_of(record.buffer.0)).collect();
    let undone = trace.calls.iter().filter(|call| call.is_undone);
    undone.filter(move |call| {
        let local = call.local_arguments.iter().filter_map(|arguments| arguments.first());
        let mut first = call.arguments.iter().take(1).chain(local).copied();
        first.any(|address| block_of(address).is_some_and(|block| !buffers.contains(&block)))
    })
}

/// Where the run ended, when nothing shows that it had added all entries before.
fn end_on_the_way(trace: &Trace<'_>, records: &Records) -> Option<Address> {
    let at = match &trace.outcome.exit {
        Exit::Returned => return None,
        Exit::Failed { at, reason } if is_missing(reason) => return Some(*at),
        Exit::Stopped { at } | Exit::Budget { at } | Exit::Failed { at, .. } => *at,
    };
    let stores: Vec<usize> = records.records.iter().map(|record| record.stored_by).collect();
    let last = stores.iter().copied().max()?;
    let calls_between = |from: usize, to: usize| {
        let calls = trace.calls.iter();
        calls.filter(|call| (from..to).contains(&call.before.writes_since(trace.start))).count()
    };
    let gaps = stores.windows(2).filter_map(|pair| match pair {
        [one, next] => Some((*one.min(next), *one.max(next))),
        _ => None,
    });
    let (widest, most_calls) = gaps.fold((0, 0), |(widest, calls), (one, next)| {
        (widest.max(next - one), calls.max(calls_between(one, next)))
    });
    let end = trace.writes().count();
    let went_on = end - last > 2 * widest || calls_between(last, usize::MAX) > 2 * most_calls + 1;
    (!went_on).then_some(at)
}
