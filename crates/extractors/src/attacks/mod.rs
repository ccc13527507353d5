//! The attack registry: which vector number is handled by which routine.
//!
//! How it works: of the routines that fill something item by item, the one that leaves behind
//! records of a code pointer and a number is the registering one; the order of its stores is the
//! order of registration.
//!
//! False positives: any registry of numbered callbacks, such as a command table; that alone is
//! therefore never reported as a configuration; numbers that an allocator keeps beside its blocks,
//! where those of the registry are not found. False negatives: dispatch without a registry, which
//! [`dispatch`] looks for.

pub mod dispatch;
pub mod observation;

use crate::found::{Diagnostic, Found};
use crate::initialisers::Initialiser;
use crate::string_table::base::call_that_wrote;
use crate::subject::Subject;
use crate::written::WrittenRanges;
use miyaburi_image::Address;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// The name under which diagnostics are given.
const STAGE: &str = "attacks";

/// Fewest vectors that make a registry.
const MIN_VECTORS: usize = 3;

/// A record's code pointer stands within so many pointers from its start.
const MAX_BEFORE: u64 = 3;

/// One registered vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// Its number.
    pub number: u32,
    /// The routine behind it.
    pub handler: Address,
    /// The call that registered it, when one can be named.
    pub registered_at: Option<Address>,
}

/// The registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// The routine that registers.
    pub initialiser: Address,
    /// Where the program keeps it, and how many bytes: the records themselves, or the variable with
    /// the address of the list that leads to them.
    pub place: Option<(Address, u64)>,
    /// In the order of registration.
    pub vectors: Vec<Vector>,
    /// Calls of the initialiser that could not be done because of bytes that the file lacks.
    pub unread: Vec<Address>,
}

impl Registry {
    /// The routines behind the vectors.
    pub fn handlers(&self) -> impl Iterator<Item = Address> + '_ {
        self.vectors.iter().map(|vector| vector.handler)
    }
}

/// Distances between records within which others of the same registry lie.
const MAX_GAP: u64 = 4;

/// A code pointer that a run stored.
struct Cell {
    address: Address,
    handler: Address,
    stored_by: usize,
}

/// Looks for the largest registry.
pub fn extract<'a>(subject: &Subject<'a>, runs: &mut [Initialiser<'a>]) -> Found<Option<Registry>> {
    let mut best: Option<Registry> = None;
    for run in runs {
        let Some(registry) = registry(subject, run) else { continue };
        if best.as_ref().is_none_or(|best| registry.vectors.len() > best.vectors.len()) {
            best = Some(registry);
        }
    }
    let diagnostics = best.iter().filter_map(told).collect();
    Found { finding: best, diagnostics }
}

/// What a reader should know of vectors that could not be read.
fn told(registry: &Registry) -> Option<Diagnostic> {
    let first = *registry.unread.first()?;
    let calls = registry.unread.len();
    let message = format!("vectors may be missing: {calls} calls need bytes that the file lacks");
    Some(Diagnostic::loss(STAGE, message, Some(first)))
}

/// What a reader should know of a program of the family in which no attacks were found.
#[must_use]
pub fn absent() -> Diagnostic {
    let message = "no attacks found: neither a registry nor a dispatcher of commands";
    Diagnostic::note(STAGE, message.to_owned(), None)
}

fn registry<'a>(subject: &Subject<'a>, run: &mut Initialiser<'a>) -> Option<Registry> {
    let writes: Vec<(Address, u32)> = run.trace.writes().collect();
    let ranges = WrittenRanges::new(writes.iter().copied());
    let cells = of_one_list(code_pointer_cells(subject, run, &writes), |cell| {
        subject.image.is_writable(cell.address)
    });
    if cells.len() < MIN_VECTORS {
        return None;
    }
    let numbers = numbers_beside(subject, run, &ranges, &cells)?;
    let mut seen = FxHashSet::default();
    let vectors: Vec<Vector> = cells
        .iter()
        .zip(numbers)
        .filter(|(cell, number)| seen.insert((cell.handler, *number)))
        .map(|(cell, number)| Vector {
            number,
            handler: cell.handler,
            registered_at: call_that_wrote(&run.trace, cell.stored_by).map(|call| call.call.site),
        })
        .collect();
    let unread = run.trace.lost_to_missing_bytes().collect();
    let place = place_of(subject, run, &writes, &cells);
    Some(Registry { initialiser: run.function, place, vectors, unread })
}

/// Where the program keeps the registry. A list in memory that it was given is known by the one
/// variable with the address of the records, or of pointers to each of them in turn.
///
/// False negatives: a list that more than one variable leads to, or by way of another object.
fn place_of<'a>(
    subject: &Subject<'a>,
    run: &mut Initialiser<'a>,
    writes: &[(Address, u32)],
    cells: &[Cell],
) -> Option<(Address, u64)> {
    let size = subject.emulator.arch().pointer_size();
    let step = u64::from(size);
    let first = cells.iter().map(|cell| cell.address).min()?;
    let last = cells.iter().map(|cell| cell.address).max()?;
    if cells.iter().all(|cell| subject.image.is_writable(cell.address)) {
        return Some((first, last.distance_from(first)? + step));
    }
    let memory = &mut run.trace.state.memory;
    let mut load = |at: Address| memory.load(at, size).ok().map(Address);
    let begins_at = |record: Address, cell: Address| {
        cell.distance_from(record).is_some_and(|distance| distance < MAX_BEFORE * step)
    };
    let variables: BTreeSet<Address> = writes
        .iter()
        .filter(|(address, written)| *written == size && subject.image.is_writable(*address))
        .map(|(address, _)| *address)
        .collect();
    let mut leading = variables.into_iter().filter(|variable| {
        let Some(list) = load(*variable) else { return false };
        let is_listed = |(number, cell): (u64, &Cell)| {
            load(list.offset(number.wrapping_mul(step)))
                .is_some_and(|record| begins_at(record, cell.address))
        };
        begins_at(list, first) || (0..).zip(cells).all(is_listed)
    });
    let variable = leading.next()?;
    leading.next().is_none().then_some((variable, step))
}

fn code_pointer_cells<'a>(
    subject: &Subject<'a>,
    run: &mut Initialiser<'a>,
    writes: &[(Address, u32)],
) -> Vec<Cell> {
    let pointer = subject.emulator.arch().pointer_size();
    let layout = *subject.emulator.layout();
    let mut seen = FxHashSet::default();
    let mut cells = Vec::new();
    // The last store counts: memory that was freed is given out again.
    for (stored_by, (address, size)) in writes.iter().enumerate().rev() {
        if *size != pointer || layout.is_stack(*address) || !seen.insert(address.0) {
            continue;
        }
        let Ok(value) = run.trace.state.memory.load(*address, pointer) else { continue };
        if let Some(handler) = subject.function_at_pointer(value) {
            cells.push(Cell { address: *address, handler, stored_by });
        }
    }
    cells.reverse();
    cells
}

/// The cells without the few that lie in another kind of memory than all others, or in the program's
/// own data far from them: variables that hold a callback.
///
/// False negatives: such variables beside a registry in the program's own data.
fn of_one_list(mut cells: Vec<Cell>, is_static: impl Fn(&Cell) -> bool) -> Vec<Cell> {
    let count = cells.iter().filter(|cell| is_static(cell)).count();
    let (is_list_static, others) = match cells.len() - count {
        allocated if count > allocated => (true, allocated),
        _ => (false, count),
    };
    if others > 0 && others < MIN_VECTORS {
        cells.retain(|cell| is_static(cell) == is_list_static);
    }
    if !cells.iter().all(is_static) {
        return cells;
    }
    let mut addresses: Vec<u64> = cells.iter().map(|cell| cell.address.0).collect();
    addresses.sort_unstable();
    let mut gaps: Vec<u64> = addresses
        .windows(2)
        .map(|pair| pair.last().zip(pair.first()).map_or(0, |(b, a)| b - a))
        .collect();
    gaps.sort_unstable();
    let Some(usual) = gaps.get(gaps.len() / 2).copied() else { return cells };
    let is_near = |one: u64| {
        addresses.iter().any(|other| *other != one && other.abs_diff(one) <= usual * MAX_GAP)
    };
    cells.retain(|cell| is_near(cell.address.0));
    cells
}

/// The numbers that stand at the same distance from every code pointer, different ones beside
/// different pointers; the same beside the same are copies, as a list that grows leaves them.
fn numbers_beside<'a>(
    subject: &Subject<'a>,
    run: &mut Initialiser<'a>,
    ranges: &WrittenRanges,
    cells: &[Cell],
) -> Option<Vec<u32>> {
    let pointer = i64::from(subject.emulator.arch().pointer_size());
    let behind = pointer..3 * pointer;
    let before = (-pointer..0).rev();
    for size in [4, 1] {
        for offset in behind.clone().chain(before.clone()) {
            let numbers: Option<Vec<u32>> = cells
                .iter()
                .map(|cell| {
                    let at = Address(cell.address.0.wrapping_add_signed(offset));
                    let number = run.trace.state.memory.load(at, size).ok()?;
                    // The number 0 need not be stored in memory that is given out zeroed.
                    let is_stored = number == 0 || ranges.length_from(at) >= u64::from(size);
                    (is_stored && number < 256).then_some(number as u32)
                })
                .collect();
            let Some(numbers) = numbers else { continue };
            let pairs: BTreeSet<(u32, Address)> =
                numbers.iter().copied().zip(cells.iter().map(|cell| cell.handler)).collect();
            let distinct: BTreeSet<u32> = pairs.iter().map(|(number, _)| *number).collect();
            if distinct.len() == pairs.len() && pairs.len() >= MIN_VECTORS {
                return Some(numbers);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Cell, of_one_list};
    use miyaburi_image::Address;

    const HEAP: u64 = 0x10_0000;

    fn kept(addresses: &[u64]) -> Vec<u64> {
        let cell = |at: &u64| Cell { address: Address(*at), handler: Address(0), stored_by: 0 };
        let cells = addresses.iter().map(cell).collect();
        let kept = of_one_list(cells, |cell| cell.address.0 < HEAP);
        kept.iter().map(|cell| cell.address.0).collect()
    }

    #[test]
    fn a_callback_in_a_variable_is_no_attack() {
        let records = [HEAP, HEAP + 24, HEAP + 4096];
        assert_eq!(kept(&[0x8000, HEAP, HEAP + 24, HEAP + 4096]), records);
        let records = [0x9000, 0x9008, 0x9010, 0x9018];
        assert_eq!(kept(&[0x8000, 0x9000, 0x9008, 0x9010, 0x9018]), records);
    }

    #[test]
    fn records_stay_where_they_are_kept() {
        let both = [0x9000, 0x9008, 0x9010, HEAP, HEAP + 24, HEAP + 48];
        assert_eq!(kept(&both), both, "nobody can tell which is the registry");
        let gaps = [0x9000, 0x9008, 0x9020, 0x9028];
        assert_eq!(kept(&gaps), gaps);
        assert_eq!(kept(&[]), []);
    }
}
