//! The string table: which values the program keeps encoded, under which ids.
//!
//! How it works: routines that call one other routine again and again are run in a bare machine;
//! the one that leaves a table behind ([`records`]) is the initialiser. The table's place gives
//! the ids ([`base`]). The sample's own accessors then decode each entry ([`accessors`]); where
//! the compiler left none to call, the key follows from the encoded terminators. Where no such
//! routine leaves a table, those are run that share data with a routine that looks something up by
//! number ([`fillers`]), and at last what such routines give without any table being filled
//! ([`on_demand`]).

pub mod accessors;
pub mod asked_for;
pub mod base;
pub mod beginning;
mod blocks;
mod constant_records;
mod decoding;
mod described;
pub mod fillers;
pub mod gaps;
mod handed_over;
mod in_use;
pub mod key_word;
mod made;
mod offsets;
pub mod on_demand;
pub mod records;
mod templates;

use crate::cipher::{Cipher, Coding};
use crate::found::{Diagnostic, Found, Weight};
use crate::initialisers::{self, Initialiser};
use crate::subject::Subject;
use crate::xor;
use accessors::{Access, Accessor};
use gaps::Gap;
use miyaburi_emulator::{Memory, State};
use miyaburi_image::Address;
use records::{Record, Records};
use rustc_hash::FxHashSet;

/// The name under which diagnostics are given.
const STAGE: &str = "string_table";

/// Fewest entries whose decoding must make sense, in percent, before a table is believed.
const SENSIBLE_PERCENT: usize = 60;

/// One decoded entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: u32,
    /// Its bytes as the running program would see them.
    pub decoded: Vec<u8>,
    /// Its bytes as stored.
    pub encoded: Vec<u8>,
    /// For one that is decoded before it is stored, the bytes that it is made of, as far as it is long;
    /// `None` where they are not known.
    pub made_of: Option<Vec<u8>>,
    /// Where the record is.
    pub cell: Address,
    /// Where its bytes are once the table is filled.
    pub buffer: Address,
    /// The instruction that added it, when one can be named.
    pub added_at: Option<Address>,
    /// The key under which the entry makes sense, when that is not the code's.
    pub stale_key: Option<u8>,
    /// The key that the code uses for this entry alone.
    pub own_key: Option<u8>,
}

impl Entry {
    /// The port that the entry is: two bytes in network order that are no one-letter text.
    ///
    /// False positives: texts of two characters in a table that keeps texts without their NUL.
    /// False negatives: ports 8192 to 32512 that are a multiple of 256 and whose high byte is a
    /// letter's code; they read as text.
    #[must_use]
    pub fn as_port(&self) -> Option<u16> {
        // Who decodes may put a NUL behind.
        let ([high, low] | [high, low, 0]) = *self.decoded.as_slice() else { return None };
        let port = u16::from_be_bytes([high, low]);
        (port != 0 && !xor::is_text(&self.decoded)).then_some(port)
    }
}

/// The table, and the machine with the table filled.
pub struct Table<'a> {
    /// The routine that fills it, or the one that decodes a table that nothing fills.
    pub initialiser: Address,
    /// Whether a routine fills it; otherwise it is constant, and `initialiser` decodes it.
    pub is_filled: bool,
    /// Whether it lies in memory that the program is given when it runs.
    pub is_allocated: bool,
    /// Where the pointer of the record with id 0 stands, or would.
    pub base: Address,
    /// Whether the base is known; otherwise ids count from the first record.
    pub base_is_certain: bool,
    /// Distance between records, in bytes; 0 when entries have no place in common.
    pub stride: u64,
    /// Where in a record its pointer stands, in bytes.
    pub pointer_offset: u64,
    /// How entries are decoded.
    pub coding: Coding,
    /// Whether the sample's own routine was seen to decode.
    pub is_observed: bool,
    /// The key that the entries' terminators speak for, under one-byte XOR.
    pub inferred_key: Option<u8>,
    /// Routines that handle entries.
    pub accessors: Vec<Accessor>,
    /// In the order in which the code adds them.
    pub entries: Vec<Entry>,
    /// Where entries may have been lost when it was filled.
    pub gaps: Vec<Gap>,
    /// The machine after the initialiser ran.
    pub filled: State<'a>,
}

impl Table<'_> {
    /// Where the record begins whose pointer stands at `cell`.
    #[must_use]
    pub const fn record_at(&self, cell: Address) -> Address {
        Address(cell.0.saturating_sub(self.pointer_offset))
    }

    /// Whether entries take longer to be decoded than under one byte.
    #[must_use]
    pub fn is_laborious(&self) -> bool {
        self.coding.cipher != Cipher::Xor
            || self.accessors.iter().any(|accessor| accessor.routine.is_laborious())
    }

    /// The routine that fills it. What decodes a table that nothing fills is none: all who read
    /// the table call it.
    #[must_use]
    pub fn filler(&self) -> Option<Address> {
        self.is_filled.then_some(self.initialiser)
    }
}

/// Looks for the table among what the initialisers left behind.
pub fn extract<'a>(
    subject: &mut Subject<'a>,
    runs: &mut [Initialiser<'a>],
) -> Found<Option<Table<'a>>> {
    let table = decoded_table(subject, runs)
        .or_else(|| {
            let mut runs = fillers::run(subject);
            decoded_table(subject, &mut runs)
        })
        .or_else(|| on_demand::extract(subject));
    let diagnostics = table.iter().flat_map(diagnostics_of).collect();
    Found { finding: table, diagnostics }
}

/// Looks for a table whose entries are decoded when they are asked for, by number or by where they
/// are stored, under any cipher, or that is described under one key. That takes long: for programs that
/// are of the family by another sign.
pub fn extract_asked_for<'a>(subject: &mut Subject<'a>) -> Found<Option<Table<'a>>> {
    let table = asked_for::extract(subject)
        .or_else(|| handed_over::extract(subject))
        .or_else(|| described::extract(subject));
    let diagnostics = table.iter().flat_map(diagnostics_of).collect();
    Found { finding: table, diagnostics }
}

fn diagnostics_of(table: &Table<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut tell = |message: &str, at, weight| {
        let message = message.to_owned();
        diagnostics.push(Diagnostic { stage: STAGE, message, at: Some(at), weight });
    };
    if !table.base_is_certain {
        let message = "where the table begins is a guess: ids may be off by the same number";
        tell(message, table.base, Weight::Doubt);
    }
    if !table.is_observed {
        let message = "no routine was seen to decode: the key is that of the terminators";
        tell(message, table.base, Weight::Doubt);
    }
    if let Some(key) = table.coding.effective_key.filter(|key| table.inferred_key != Some(*key))
        && table.coding.cipher == Cipher::Xor
    {
        let message = match table.inferred_key {
            Some(other) => format!(
                "the code decodes with {key:#04x}, the terminators of the entries speak for \
                 {other:#04x}"
            ),
            None => "the terminators of the entries speak for no key".to_owned(),
        };
        tell(&message, table.base, Weight::Doubt);
    }
    if table.coding.cipher == Cipher::Unknown {
        let message =
            "the cipher was not recognised: entries are what the sample's code made of them";
        tell(message, table.base, Weight::Note);
    }
    diagnostics.extend(gaps::told(&table.gaps));
    diagnostics
}

/// The largest table among what the runs left behind whose decoding makes sense.
fn decoded_table<'a>(subject: &mut Subject<'a>, runs: &mut [Initialiser<'a>]) -> Option<Table<'a>> {
    [false, true].into_iter().find_map(|is_allocated| {
        let left = left_behind(subject, runs, is_allocated);
        left.into_iter().find_map(|(run, records)| {
            let run = runs.get_mut(run)?;
            let records = whole(subject, run, is_allocated).unwrap_or(records);
            decoding::decode(subject, run, &records)
        })
    })
}

/// What a run leaves behind when it may take longer, where it was cut while it made texts that are
/// not in the file; the run goes with it.
fn whole<'a>(
    subject: &mut Subject<'a>,
    run: &mut Initialiser<'a>,
    is_allocated: bool,
) -> Option<Records> {
    let so_far = records_of(subject, run, is_allocated).filter(|_| run.trace.is_spent())?;
    let memory = &mut run.trace.state.memory;
    let bytes = |record: &Record| memory.bytes(record.buffer, record.length as usize);
    let kept: Vec<Vec<u8>> = so_far.records.iter().filter_map(bytes).collect();
    if !made::are_made(subject, &kept) || !subject.may_be_laborious() {
        return None;
    }
    let mut longer = subject.attempt(|subject| initialisers::run_longer(subject, run.function))?;
    let records = records_of(subject, &mut longer, is_allocated)?;
    *run = longer;
    subject.laborious += 1;
    Some(records)
}

/// Most tables whose decoding is tried.
const MAX_TABLES: usize = 3;

/// The largest tables that runs left in the program's own data, or in memory that these lead to:
/// the number of the run with what it left, largest first.
fn left_behind<'a>(
    subject: &Subject<'a>,
    runs: &mut [Initialiser<'a>],
    is_allocated: bool,
) -> Vec<(usize, Records)> {
    let mut found: Vec<(usize, Records)> = Vec::new();
    for (index, run) in runs.iter_mut().enumerate() {
        let records = records_of(subject, run, is_allocated);
        found.extend(records.map(|records| (index, records)));
    }
    found.sort_by_key(|(index, found)| (std::cmp::Reverse(found.records.len()), *index));
    found.truncate(MAX_TABLES);
    found
}

/// The largest table that one run left.
fn records_of<'a>(
    subject: &Subject<'a>,
    run: &mut Initialiser<'a>,
    is_allocated: bool,
) -> Option<Records> {
    let arch = subject.emulator.arch();
    let layout = *subject.emulator.layout();
    let writes: Vec<(Address, u32)> = run.trace.writes().collect();
    let memory = &mut run.trace.state.memory;
    let objects =
        if is_allocated { objects(subject, memory, &writes) } else { FxHashSet::default() };
    let may_hold_records = |address: Address| match is_allocated {
        false => subject.image.is_writable(address),
        true => layout.fresh_block_at(address).is_some_and(|it| objects.contains(&it)),
    };
    records::find(arch, &layout, memory, &writes, &may_hold_records)
}

/// Blocks of fresh memory that a run has left a pointer to in the program's own data.
fn objects(
    subject: &Subject<'_>,
    memory: &mut Memory<'_>,
    writes: &[(Address, u32)],
) -> FxHashSet<Address> {
    let pointer = subject.emulator.arch().pointer_size();
    let layout = subject.emulator.layout();
    writes
        .iter()
        .filter(|(address, size)| *size == pointer && subject.image.is_writable(*address))
        .filter_map(|(address, _)| memory.load(*address, pointer).ok())
        .filter_map(|object| layout.fresh_block_at(Address(object)))
        .collect()
}

/// Where the table lies, and who handles its entries.
struct Placed {
    base: Address,
    end: Address,
    is_certain: bool,
    is_allocated: bool,
    accessors: Vec<Accessor>,
}

impl Placed {
    fn id_of(&self, records: &Records, record: &Record) -> u64 {
        record.cell.0.wrapping_sub(self.base.0) / records.stride
    }

    fn toggle(&self) -> Option<&Accessor> {
        self.accessors.iter().find(|accessor| accessor.access == Access::Toggles)
    }
}

/// Finds the base: by the ids that the adding routine was given, by the entries that accessors
/// treat, by what stands beside the entries' encoded bytes, or at last by what code refers to
/// ([`beginning`]).
fn place<'a>(
    subject: &mut Subject<'a>,
    run: &Initialiser<'a>,
    records: &Records,
    encoded: &[Vec<u8>],
) -> Option<Placed> {
    let lowest = records.records.iter().map(|record| record.cell).min()?;
    let end = records.records.iter().map(|record| record.cell).max()?.offset(records.stride);
    let located = accessors::locate(subject, &run.trace.state, records);
    let known = base::from_arguments(&run.trace, records)
        .or_else(|| located.first().map(|located| located.base))
        .or_else(|| base::from_sources(subject, records, encoded));
    // What lies before records in allocated memory says nothing.
    let is_allocated = !subject.image.is_mapped(lowest);
    let (base, is_certain) = match known {
        Some(base) => (base, true),
        None if is_allocated => return None,
        None => {
            let beginning = beginning::of(subject, records)?;
            let before = records.stride.checked_mul(beginning.skipped)?;
            (Address(lowest.0.checked_sub(before)?), beginning.is_certain)
        }
    };
    let accessors = located
        .into_iter()
        .filter(|located| located.base == base)
        .map(|located| located.accessor)
        .collect();
    Some(Placed { base, end, is_certain, is_allocated, accessors })
}
