//! The rows that a specimen's source hands to the routines that fill its tables, one call each, in
//! the order of the source. Without optimisation every row is a call with constants.

use miyaburi_analysis::{CallSite, Program, Value};

use crate::specimens::{Configuration, Row};

use super::{arguments::is_same, tally::Counts};

/// Compares the calls of every routine that fills a table, where the file names it.
pub(super) fn compare(program: &Program<'_>, configuration: &Configuration, counts: &mut Counts) {
    for (routine, rows) in configuration.added_rows() {
        let Some(entry) = program.image().symbol_named(routine).map(|symbol| symbol.address) else {
            continue;
        };
        let sites: Vec<CallSite> = program
            .function_at(entry)
            .map(|callee| program.callers(callee).copied().collect())
            .unwrap_or_default();
        for (number, row) in rows.iter().enumerate() {
            for (index, wanted) in row.iter().enumerate() {
                let found = sites.get(number).and_then(|site| {
                    Some(program.values(site.caller)?.argument(site.address, index))
                });
                judge(program, counts, routine, (number, index), wanted, found);
            }
        }
    }
}

fn judge(
    program: &Program<'_>,
    counts: &mut Counts,
    routine: &str,
    place: (usize, usize),
    wanted: &Row,
    found: Option<Value>,
) {
    let image = program.image();
    let is_right = |value: u64| match wanted {
        Row::Number(number) => is_same(value, *number),
        Row::Bytes(bytes) => {
            let read = image.read(miyaburi_image::Address(value), bytes.len() as u64);
            read.is_some_and(|read| read == bytes.as_slice())
        }
        Row::Routine(name) => image
            .symbol_named(name)
            .is_some_and(|symbol| value == symbol.address.0 | u64::from(symbol.thumb)),
    };
    let (row, index) = place;
    let note =
        || format!("call {row} of {routine}: argument {index} is {wanted:?}, found {found:x?}");
    match found {
        Some(Value::Constant(value)) if is_right(value) => counts.right += 1,
        Some(Value::Constant(_) | Value::StackOffset(_)) => {
            counts.notes.push(format!("wrong {}", note()));
            counts.wrong += 1;
        }
        _ => {
            counts.notes.push(format!("missing {}", note()));
            counts.missing += 1;
        }
    }
}
