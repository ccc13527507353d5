//! Who uses which entry of the string table.
//!
//! How it works: a call of an accessor with a constant id is a reference to that entry, and so is
//! code that refers to the entry's own record. The address of the first record is also the table's,
//! so only reading or writing there counts.
//!
//! False positives: none known for calls; another object's end taken for a record. False negatives:
//! ids that are computed.

use crate::string_table::Table;
use crate::subject::Subject;
use miyaburi_analysis::{Reference, ReferenceKind};
use miyaburi_image::Address;

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
        // The table's own address is that of the entry with id 0.
        let names_entry = |reference: &&Reference| {
            reference.kind != ReferenceKind::Address || reference.to != table.record_at(table.base)
        };
        for reference in record.iter().filter(names_entry) {
            let function = program
                .function_containing(reference.from)
                .and_then(|function| program.function(function));
            let Some(function) = function.filter(|f| f.entry != table.initialiser) else {
                continue;
            };
            let site = reference.from;
            found.push(EntryReference { id: entry.id, site, function: function.entry });
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
