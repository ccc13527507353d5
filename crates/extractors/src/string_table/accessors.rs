//! The routines that decode an entry and give it out, found by running them.

use crate::string_table::records::{Record, Records};
use crate::subject::{Convention, Subject};
use crate::trace::{self, Policy, SystemCalls};
use miyaburi_analysis::Value;
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;

/// Instructions that an accessor may take.
const INSTRUCTIONS: u64 = 30_000;

/// Instructions that one may take which is seen to work on an entry: some ciphers take as many.
const MORE_INSTRUCTIONS: u64 = 1_500_000;

/// Most routines that are tried.
const MAX_CANDIDATES: usize = 48;

/// Most routines that are tried for a later argument than the first.
const MAX_LATER_CANDIDATES: usize = 12;

/// Ids are below this.
const MAX_ID: u64 = 4096;

/// A routine is tried when the program gives it at least this many different numbers.
const MIN_IDS: usize = 2;

/// The same for a later argument than the first, where lengths and flags stand, too.
const MIN_LATER_IDS: usize = 4;

/// The arguments among which the id is looked for.
const ID_ARGUMENTS: usize = 3;

/// Arguments that a routine is given.
const ARGUMENTS: usize = 4;

/// What a routine does when given an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It changes the bytes of that entry in place.
    Toggles,
    /// It gives the address of that entry's bytes.
    Retrieves,
}

/// A routine that can be given an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routine {
    /// Its entry.
    pub function: Address,
    /// Where it looks for its arguments.
    pub convention: Convention,
    /// Which argument is the id, from 0.
    pub id_argument: usize,
    /// Instructions that a call may take.
    pub instructions: u64,
    /// All arguments as one of its calls has them, such as a key or the object that holds the
    /// table; `None` stands for scratch memory.
    pub arguments: Vec<Option<u64>>,
}

impl Routine {
    /// Whether it takes as long as ciphers do.
    #[must_use]
    pub const fn is_laborious(&self) -> bool {
        self.instructions > INSTRUCTIONS
    }

    /// The same with as many instructions as ciphers take.
    #[must_use]
    pub fn laborious(&self) -> Self {
        Self { instructions: MORE_INSTRUCTIONS, ..self.clone() }
    }

    /// The id that the call at `site` in `caller` names.
    #[must_use]
    pub fn id_at(
        &self,
        subject: &Subject<'_>,
        caller: miyaburi_analysis::FunctionId,
        site: Address,
    ) -> Option<u64> {
        self.id_value_at(subject, caller, site).constant()
    }

    /// What is known of the id that the call at `site` in `caller` names.
    #[must_use]
    pub fn id_value_at(
        &self,
        subject: &Subject<'_>,
        caller: miyaburi_analysis::FunctionId,
        site: Address,
    ) -> Value {
        subject.argument(&self.convention, caller, site, self.id_argument)
    }

    /// Runs it on a copy of the filled table. Arguments of which nothing is known, such as where
    /// to put a length, point to scratch memory.
    pub fn call<'a>(
        &self,
        subject: &mut Subject<'a>,
        mut state: State<'a>,
        id: u64,
    ) -> trace::Trace<'a> {
        let layout = *subject.emulator.layout();
        let arguments: Vec<u64> = (0..ARGUMENTS)
            .map(|index| match self.arguments.get(index).copied().flatten() {
                _ if index == self.id_argument => id,
                Some(argument) => argument,
                None => layout.fresh_block(&mut state).0,
            })
            .collect();
        let policy = Policy {
            system_calls: SystemCalls::ReturnZero,
            limits: Limits {
                instructions: self.instructions,
                call_instructions: self.instructions / 2,
                ..Limits::default()
            },
        };
        subject.run_by(&self.convention, state, self.function, &arguments, &policy)
    }
}

/// A routine that handles entries by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accessor {
    /// The routine.
    pub routine: Routine,
    /// What it does.
    pub access: Access,
}

/// An accessor, and where its table begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The routine.
    pub accessor: Accessor,
    /// Address of the record with id 0.
    pub base: Address,
}

/// A routine that the program gives different small numbers, and these, ascending.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The routine.
    pub routine: Routine,
    /// The numbers; two at least.
    pub ids: Vec<u64>,
}

/// The routines that the program gives different small numbers as argument `id_argument`. The other
/// arguments are those of the call of which most is known, what the program keeps in `state`
/// included.
pub fn candidates(
    subject: &Subject<'_>,
    state: &State<'_>,
    convention: &Convention,
    id_argument: usize,
) -> Vec<Candidate> {
    let (min, most) = match id_argument {
        0 => (MIN_IDS, MAX_CANDIDATES),
        _ => (MIN_LATER_IDS, MAX_LATER_CANDIDATES),
    };
    let given = subject.functions_given_numbers(convention, id_argument, MAX_ID, min);
    given
        .into_iter()
        .take(most)
        .map(|(function, ids)| {
            let arguments = known_arguments(subject, state, convention, function, id_argument);
            let convention = convention.clone();
            let instructions = INSTRUCTIONS;
            let routine = Routine { function, convention, id_argument, instructions, arguments };
            Candidate { routine, ids }
        })
        .collect()
}

/// The arguments of the call of `function` of which most is known.
fn known_arguments(
    subject: &Subject<'_>,
    state: &State<'_>,
    convention: &Convention,
    function: Address,
    id_argument: usize,
) -> Vec<Option<u64>> {
    let Some(callee) = subject.program.function_at(function) else { return Vec::new() };
    let pointer = subject.emulator.arch().pointer_size();
    let mut memory = state.memory.clone();
    let mut best: Vec<Option<u64>> = Vec::new();
    let known = |arguments: &[Option<u64>]| arguments.iter().flatten().count();
    for site in subject.program.callers(callee) {
        let mut argument =
            |index| match subject.argument(convention, site.caller, site.address, index) {
                Value::Constant(value) => Some(value),
                Value::Loaded { from, offset } => {
                    let value = memory.load(from, pointer).ok()?;
                    Some(value.wrapping_add_signed(i64::from(offset)))
                }
                _ => None,
            };
        let arguments: Vec<Option<u64>> = (0..ARGUMENTS).map(&mut argument).collect();
        let has_id = arguments.get(id_argument).is_some_and(Option::is_some);
        if has_id && (best.is_empty() || known(&arguments) > known(&best)) {
            best = arguments;
        }
    }
    best
}

/// Runs every routine that the program gives different small numbers, with two of those, on the
/// filled table, and keeps those that each time treat exactly one entry, at places that agree on
/// where the table begins. Later arguments than the first are tried only as long as no routine is
/// known that decodes.
///
/// False positives: a routine that changes an entry for another reason than decoding (none is
/// known). False negatives: accessors that take the id in a later place than their third
/// argument, that are called with too few different ids, that are reached through a pointer, or
/// that were inlined everywhere.
pub fn locate<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    records: &Records,
) -> Vec<Located> {
    let mut found: Vec<Located> = Vec::new();
    for id_argument in 0..ID_ARGUMENTS {
        if found.iter().any(|known| known.accessor.access == Access::Toggles) {
            break;
        }
        for convention in subject.conventions() {
            for candidate in candidates(subject, filled, &convention, id_argument) {
                let function = candidate.routine.function;
                if found.iter().any(|known| known.accessor.routine.function == function) {
                    continue;
                }
                let Candidate { routine, ids } = candidate;
                let located = located(subject, filled, records, &routine, &ids);
                let located = located.or_else(|| {
                    // What a register holds at a call is no argument for certain.
                    let plain = Routine { arguments: Vec::new(), ..routine };
                    self::located(subject, filled, records, &plain, &ids)
                });
                found.extend(located);
            }
        }
    }
    found
}

/// The accessor that `routine` is, when it treats the entries of its first and last id alike.
fn located<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    records: &Records,
    routine: &Routine,
    ids: &[u64],
) -> Option<Located> {
    let mut routine = routine.clone();
    let mut first = treated(subject, filled, records, &routine, *ids.first()?);
    if first == Treated::Unfinished && subject.may_be_laborious() {
        routine = routine.laborious();
        let id = *ids.first()?;
        first = subject.attempt(|subject| treated(subject, filled, records, &routine, id));
    }
    let Treated::Entry { access, base } = first else { return None };
    // The last id may be one of which the program has no entry.
    let same = ids.iter().rev().take(MAX_TRIED).any(|id| {
        ids.first() != Some(id) && treated(subject, filled, records, &routine, *id) == first
    }) || ids.len() == 1;
    if same && routine.is_laborious() {
        subject.laborious += 1;
    }
    same.then_some(Located { accessor: Accessor { routine, access }, base })
}

/// Ids with which a routine is tried beside the first.
const MAX_TRIED: usize = 3;

/// What a routine does with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treated {
    /// It treats one entry, from which the base follows.
    Entry { access: Access, base: Address },
    /// It reads an entry, and has not come to its end.
    Unfinished,
    /// Nothing.
    Nothing,
}

/// What `routine` does with the id.
fn treated<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    records: &Records,
    routine: &Routine,
    id: u64,
) -> Treated {
    let mut state = filled.clone();
    state.memory.start_read_log();
    let mut trace = routine.call(subject, state, id);
    let reads = trace.state.memory.take_read_log();
    let nothing = match trace.is_spent() && reads.iter().any(|read| is_of_entry(records, read)) {
        true => Treated::Unfinished,
        false => Treated::Nothing,
    };
    if !trace.completed() || nothing == Treated::Unfinished {
        return nothing;
    }
    let mut before = filled.clone();
    let result = trace.outcome.result;
    let mut after = trace.state;
    let mut changed = records.records.iter().filter(|record| {
        let length = record.length as usize;
        before.memory.bytes(record.buffer, length) != after.memory.bytes(record.buffer, length)
    });
    let found = match (changed.next(), changed.next()) {
        (Some(record), None) => Some((Access::Toggles, record)),
        (None, _) => {
            let given = records.records.iter().find(|record| record.buffer.0 == result);
            given.map(|record| (Access::Retrieves, record))
        }
        _ => None,
    };
    let entry = found.and_then(|(access, record)| {
        let base = Address(record.cell.0.checked_sub(id * records.stride)?);
        Some(Treated::Entry { access, base })
    });
    entry.unwrap_or(nothing)
}

/// Whether a load is of an entry's bytes.
fn is_of_entry(records: &Records, (address, _): &(Address, u32)) -> bool {
    let holds =
        |it: &Record| address.distance_from(it.buffer).is_some_and(|distance| distance < it.length);
    records.records.iter().any(holds)
}
