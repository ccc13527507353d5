//! Who uses which entry of the string table.
//!
//! How it works: a call of an accessor with a constant id is a reference to that entry, and so is
//! what a function does with the entry's own record when it reads there. Who only writes fills it. A
//! record's mere address says nothing: a register that was moved on behind the record before, or from
//! which others are reached, holds it too, and so does the first step of another address.
//!
//! False positives: none known for calls; another object's end taken for a record. False negatives:
//! ids that are computed, and records that only a callee reads which is no accessor.

use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use crate::trace::ARGUMENTS;
use miyaburi_analysis::{CallSite, Reference, ReferenceKind, Value};
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};

/// One reference to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryReference {
    /// The entry's id.
    pub id: u32,
    /// The instruction.
    pub site: Address,
    /// The function it belongs to.
    pub function: Address,
}

/// Those of `references`, which are ordered by id, that name `id`.
#[must_use]
pub fn references_to(references: &[EntryReference], id: u32) -> &[EntryReference] {
    let behind = &references[references.partition_point(|reference| reference.id < id)..];
    &behind[..behind.partition_point(|reference| reference.id == id)]
}

/// All references to entries of `table`, by id and address.
#[must_use]
pub fn references(subject: &Subject<'_>, table: &Table<'_>) -> Vec<EntryReference> {
    let mut found = Vec::new();
    let program = subject.program;
    for accessor in &table.accessors {
        let routine = &accessor.routine;
        let Some(callee) = program.function_at(routine.function) else { continue };
        for site in program.callers(callee) {
            let id = routine.id_at(subject, site.caller, site.address);
            let (Some(id), Some(caller)) = (id, program.function(site.caller)) else { continue };
            let id = id as u32;
            found.push(EntryReference { id, site: site.address, function: caller.entry });
        }
    }
    for entry in &table.entries {
        let start = table.record_at(entry.cell);
        let record = program.references().to(start, start.offset(table.stride));
        let within: Vec<(&Reference, Address)> = record
            .iter()
            .filter_map(|reference| {
                let function = program.function_containing(reference.from)?;
                Some((reference, program.function(function)?.entry))
            })
            .filter(|(_, function)| *function != table.initialiser)
            .collect();
        let uses: FxHashSet<Address> = within
            .iter()
            .filter(|(reference, _)| reference.kind == ReferenceKind::Read)
            .map(|(_, function)| *function)
            .collect();
        let of_users = within.into_iter().filter(|(_, function)| uses.contains(function));
        found.extend(of_users.map(|(reference, function)| EntryReference {
            id: entry.id,
            site: reference.from,
            function,
        }));
    }
    if table.accessors.is_empty() && !table.is_filled {
        match table.is_observed {
            true => found.extend(handed_over(subject, table)),
            false => found.extend(decoded_in_place(subject, table)),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Code that refers to the stored bytes of an entry, to decode them where they are used.
fn decoded_in_place(subject: &Subject<'_>, table: &Table<'_>) -> Vec<EntryReference> {
    let program = subject.program;
    let of_entry = |entry: &Entry| {
        let end = entry.buffer.offset(entry.encoded.len() as u64);
        let from = program.references().to(entry.buffer, end).iter().map(|it| it.from);
        let reference = |site: Address| {
            let function = program.function(program.function_containing(site)?)?.entry;
            Some(EntryReference { id: entry.id, site, function })
        };
        from.filter_map(reference).collect::<Vec<_>>()
    };
    table.entries.iter().flat_map(of_entry).collect()
}

/// Calls that hand the stored bytes of an entry to the routine that decodes them.
fn handed_over(subject: &Subject<'_>, table: &Table<'_>) -> Vec<EntryReference> {
    let program = subject.program;
    let by_source: FxHashMap<u64, u32> =
        table.entries.iter().map(|entry| (entry.buffer.0, entry.id)).collect();
    let conventions = subject.conventions();
    let callee = program.function_at(table.initialiser).into_iter();
    let sites = callee.flat_map(|callee| program.callers(callee));
    let reference = |site: &CallSite| {
        let function = program.function(site.caller)?.entry;
        let id = conventions.iter().find_map(|convention| {
            let constant =
                |index| subject.constant_argument(convention, site.caller, site.address, index);
            (0..ARGUMENTS).filter_map(constant).find_map(|value| by_source.get(&value).copied())
        })?;
        Some(EntryReference { id, site: site.address, function })
    };
    sites.filter_map(reference).collect()
}

/// The functions that ask for entries by ids that they compute themselves, as one does that chooses
/// among several.
///
/// False positives: an id that differs between the paths that lead to a call. False negatives: a
/// choice made by a routine of its own, which hands the id over.
#[must_use]
pub fn choosing_functions(subject: &Subject<'_>, table: &Table<'_>) -> FxHashSet<Address> {
    let mut choosing = FxHashSet::default();
    let program = subject.program;
    for routine in table.accessors.iter().map(|accessor| &accessor.routine) {
        let Some(callee) = program.function_at(routine.function) else { continue };
        for site in program.callers(callee) {
            let id = routine.id_value_at(subject, site.caller, site.address);
            let is_computed = !matches!(id, Value::Constant(_) | Value::Argument { .. });
            let caller = program.function(site.caller).filter(|_| is_computed);
            choosing.extend(caller.map(|caller| caller.entry));
        }
    }
    for accessor in &table.accessors {
        choosing.remove(&accessor.routine.function);
    }
    choosing
}

#[cfg(test)]
mod tests {
    use super::{EntryReference, references_to};
    use miyaburi_image::Address;

    #[test]
    fn references_are_found_by_the_id_that_they_name() {
        let reference =
            |(id, site)| EntryReference { id, site: Address(site), function: Address(0x10) };
        let all = [(1, 0x10), (3, 0x14), (3, 0x18), (4, 0x12)].map(reference);
        assert_eq!(references_to(&all, 3), &all[1..3]);
        assert_eq!(references_to(&all, 1), &all[..1]);
        for absent in [0, 2, 5] {
            assert_eq!(references_to(&all, absent), &[]);
        }
    }
}
