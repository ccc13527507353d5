//! Finds where the table begins, so that a record's place gives its id.

use crate::string_table::records::Records;
use crate::trace::{CallRecord, Trace};
use miyaburi_image::Address;

/// Fewest calls that must agree on the base.
const MIN_AGREEING: usize = 3;

/// The address of the record with id 0 according to the calls that stored the records: the
/// argument that grows with the record's place is the id.
///
/// `None` when the adding routine was inlined. False positives would need another argument that
/// is in step with the record's address for every entry; the encoded strings' addresses are not,
/// because their lengths differ.
pub fn from_arguments(trace: &Trace<'_>, records: &Records) -> Option<Address> {
    let calls: Vec<(Address, &CallRecord)> = records
        .records
        .iter()
        .filter_map(|record| {
            let call = call_that_wrote(trace, record.stored_by)?;
            Some((record.cell, call))
        })
        .collect();
    if calls.len() < MIN_AGREEING || calls.len() < records.records.len() {
        return None;
    }
    let possible: Vec<(Address, Vec<u64>)> =
        calls.iter().map(|(cell, call)| (*cell, call.possible_arguments().collect())).collect();
    let places = possible.iter().map(|(_, arguments)| arguments.len()).min()?;
    (0..places).find_map(|index| {
        let mut bases = possible.iter().map(|(cell, arguments)| {
            cell.0.checked_sub((arguments[index] & 0xffff) * records.stride)
        });
        let first = bases.next()??;
        let distinct = possible.windows(2).any(|pair| match pair {
            [(_, one), (_, other)] => one[index] != other[index],
            _ => false,
        });
        (distinct && bases.all(|base| base == Some(first))).then_some(Address(first))
    })
}

/// The routine's own call during which write number `write` happened.
pub fn call_that_wrote<'t>(trace: &'t Trace<'_>, write: usize) -> Option<&'t CallRecord> {
    let after =
        trace.calls.partition_point(|record| record.before.writes_since(trace.start) <= write);
    let record = trace.calls.get(after.checked_sub(1)?)?;
    (write < record.after.writes_since(trace.start)).then_some(record)
}
