//! Where the table may begin when no routine is there to be asked: all accesses were inlined.
//!
//! How it works: the first record that is filled need not be that with id 0. What decides is what
//! the code refers to before it: memory that it reads or writes belongs to another variable, so the
//! table begins behind; and the address that code keeps to reach the records from is that of the
//! record with id 0, even when that is never used.
//!
//! False positives: an array whose address is taken and that is never accessed by a fixed address,
//! directly before the table and so many records long, is taken for unused records; code that reads
//! a record that is never filled takes the first one's place. False negatives: code that reaches
//! each record by an address of its own (x86, `lui` and an offset elsewhere), when there is room
//! before the first one; the beginning is then the likeliest place, and said to be a guess. On x86 that
//! is the aligned one, by how the program's other large objects are.

use crate::string_table::records::Records;
use crate::subject::Subject;
use miyaburi_analysis::{FunctionId, Reference, ReferenceKind};
use miyaburi_image::{Address, Family, Permissions, Segment};
use rustc_hash::FxHashSet;

/// Most unused ids before the first one that is filled.
const MAX_SKIPPED_IDS: u64 = 8;

/// How GCC aligns large arrays on x86 (`-malign-data=compat`), in bytes.
const GCC_ALIGNMENT: u64 = 32;

/// How every compiler does there (System V ABI of AMD64, 3.1.2), in bytes.
const LEAST_ALIGNMENT: u64 = 16;

/// A page, in bytes.
const PAGE: u64 = 4096;

/// Bytes of an object that is certainly large.
const LARGE: u64 = 64;

/// Large objects that tell how a program's are aligned.
const TELLING: usize = 4;

/// Bytes that a variable takes with the padding behind it, at least.
const PADDED: u64 = 4;

/// How far before the last byte that is read or written of it a socket address begins, in bytes; the
/// rest of it is never used.
const SOCKET_ADDRESS: u64 = 7;

/// Where a table begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// Records before the first one that is filled.
    pub skipped: u64,
    /// Whether what the code refers to leaves no other place.
    pub is_certain: bool,
}

/// The code's view of the memory around the first record that is filled.
#[derive(Clone, Debug, Default)]
struct Surroundings {
    /// Where the first filled record begins.
    first: u64,
    /// Distance between records, in bytes.
    stride: u64,
    /// The last byte before it that code reads or writes.
    accessed: Option<u64>,
    /// Whether code takes an address shortly before that: what lies there, such as a socket address,
    /// may be longer than what is read or written of it.
    is_addressed: bool,
    /// Addresses up to the first record that users of the table keep.
    kept: Vec<u64>,
    /// Whether code keeps the address of the first record and of none behind it.
    is_reached_from_first: bool,
    /// What compilers align large arrays to, in bytes, the likeliest first.
    alignments: &'static [u64],
}

/// Where the table of `records` begins.
pub fn of(subject: &Subject<'_>, records: &Records) -> Option<Beginning> {
    let cells = || records.records.iter().map(|record| record.cell);
    let first = Address(cells().min()?.0.checked_sub(records.pointer_offset)?);
    let end = cells().max()?.offset(records.stride - records.pointer_offset);
    let lowest = Address(first.0.saturating_sub(records.stride * MAX_SKIPPED_IDS));
    let references = subject.program.references();
    let function_of = |reference: &Reference| subject.program.function_containing(reference.from);
    let users: FxHashSet<FunctionId> =
        references.to(first, end).iter().filter_map(function_of).collect();
    let before = references.to(lowest, first);
    let is_kept = |reference: &&Reference| {
        reference.kind == ReferenceKind::Address
            && function_of(reference).is_some_and(|function| users.contains(&function))
    };
    let kept = references.to(lowest, first.offset(1)).iter().filter(is_kept);
    let mut records_kept = references
        .to(first, end)
        .iter()
        .filter(|reference| reference.kind == ReferenceKind::Address)
        .map(|reference| reference.to.0 - first.0)
        .filter(|distance| distance.is_multiple_of(records.stride))
        .peekable();
    let accessed = before
        .iter()
        .filter(|reference| reference.kind != ReferenceKind::Address)
        .map(|reference| reference.to.0)
        .max();
    let around = accessed.map_or((first, first), |byte| {
        (Address(byte.saturating_sub(SOCKET_ADDRESS)), Address(byte).offset(1))
    });
    let surroundings = Surroundings {
        first: first.0,
        stride: records.stride,
        accessed,
        is_addressed: references
            .to(around.0, around.1)
            .iter()
            .any(|reference| reference.kind == ReferenceKind::Address),
        kept: kept.map(|reference| reference.to.0).collect(),
        is_reached_from_first: records_kept.peek().is_some()
            && records_kept.all(|distance| distance == 0),
        alignments: alignments(subject),
    };
    Some(surroundings.beginning())
}

/// What large arrays of the program may be aligned to beyond what their members need: compilers do so
/// on x86. That it was not GCC is seen by large objects elsewhere, or by the linker.
fn alignments(subject: &Subject<'_>) -> &'static [u64] {
    let family = subject.emulator.arch().family;
    if !matches!(family, Family::X86 | Family::X86_64) {
        return &[];
    }
    let references = subject.program.references().all();
    let objects = references.chunk_by(|one, other| one.to == other.to).map(|to| {
        let is_addressed = to.iter().any(|one| one.kind == ReferenceKind::Address);
        (to.first().map_or(0, |one| one.to.0), is_addressed)
    });
    let in_data: Vec<(u64, bool)> =
        objects.filter(|(to, _)| subject.image.is_writable(Address(*to))).collect();
    let large = in_data.windows(2).filter_map(|pair| match pair {
        [(at, true), (next, _)] if next - at >= LARGE => Some(*at),
        _ => None,
    });
    let is_gcc = is_aligned_by_gcc(large.filter(|at| at.is_multiple_of(LEAST_ALIGNMENT)));
    match is_gcc.unwrap_or_else(|| !has_layout_of_lld(subject.image.segments())) {
        true => &[GCC_ALIGNMENT, LEAST_ALIGNMENT],
        false if family == Family::X86_64 => &[LEAST_ALIGNMENT],
        // The ABI of 32-bit programs asks for nothing.
        false => &[],
    }
}

/// Whether large objects at these places lie where GCC puts them, when there are enough to tell.
fn is_aligned_by_gcc(large: impl Iterator<Item = u64>) -> Option<bool> {
    let (as_gcc, others): (Vec<u64>, Vec<u64>) =
        large.partition(|at| at.is_multiple_of(GCC_ALIGNMENT));
    // Every second one would be by chance.
    let is_telling = as_gcc.len() + others.len() >= TELLING;
    is_telling.then_some(others.len() * 3 <= as_gcc.len())
}

/// Whether code begins within a page, behind a segment without code, as LLVM's linker has it, which
/// few use with GCC; GNU's begins code on a page of its own there.
fn has_layout_of_lld(segments: &[Segment]) -> bool {
    let code = segments.iter().position(|it| it.permissions.contains(Permissions::EXECUTE));
    let code = code.filter(|number| *number > 0).and_then(|number| segments.get(number));
    code.is_some_and(|code| !code.address.0.is_multiple_of(PAGE))
}

impl Surroundings {
    fn beginning(&self) -> Beginning {
        let possible = self.possible();
        let is_kept = |skipped: &&u64| **skipped > 0 && self.kept.contains(&self.place(**skipped));
        let kept = possible.iter().find(is_kept).copied();
        let (skipped, is_certain) = match kept {
            _ if possible == [0] => (0, true),
            Some(kept) => (kept, !self.is_reached_from_first),
            None if self.is_reached_from_first => (0, true),
            // Code that has an address for each record has that of the first one, too.
            None => (self.likeliest(&possible), false),
        };
        Beginning { skipped, is_certain }
    }

    fn place(&self, skipped: u64) -> u64 {
        self.first.saturating_sub(self.stride * skipped)
    }

    /// How many records there is room for before the first one.
    fn possible(&self) -> Vec<u64> {
        let is_free = |skipped: &u64| self.accessed.is_none_or(|byte| byte < self.place(*skipped));
        (0..=MAX_SKIPPED_IDS)
            .filter(|skipped| self.stride * skipped <= self.first)
            .take_while(is_free)
            .collect()
    }

    /// The aligned place; else the one right behind another variable; else ids begin with 1, as they
    /// do in the leak.
    fn likeliest(&self, possible: &[u64]) -> u64 {
        let aligned = self.alignments.iter().find_map(|alignment| {
            let is_aligned = |skipped: &&u64| self.place(**skipped).is_multiple_of(*alignment);
            let is_telling = !self.stride.is_multiple_of(*alignment);
            possible.iter().filter(|_| is_telling).find(is_aligned).copied()
        });
        let behind = || {
            let farthest = *possible.last().filter(|it| **it < MAX_SKIPPED_IDS)?;
            let room = self.place(farthest).checked_sub(self.accessed?)?;
            (room <= PADDED && !self.is_addressed).then_some(farthest)
        };
        aligned.or_else(behind).unwrap_or_else(|| u64::from(possible.contains(&1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(accessed: Option<u64>, kept: &[u64]) -> Surroundings {
        Surroundings {
            first: 0x1018,
            stride: 8,
            accessed,
            kept: kept.to_vec(),
            ..Surroundings::default()
        }
    }

    fn certain(skipped: u64) -> Beginning {
        Beginning { skipped, is_certain: true }
    }

    fn guess(skipped: u64) -> Beginning {
        Beginning { skipped, is_certain: false }
    }

    #[test]
    fn a_variable_right_before_the_first_record_leaves_no_room_for_unused_ids() {
        assert_eq!(around(Some(0x1014), &[]).beginning(), certain(0));
        // Its own address is no record's.
        assert_eq!(around(Some(0x1010), &[0x1010]).beginning(), certain(0));
    }

    #[test]
    fn the_address_that_records_are_reached_from_is_the_beginning() {
        assert_eq!(around(Some(0x0ffc), &[0x1010]).beginning(), certain(1));
        assert_eq!(around(Some(0x0ffc), &[0x1000]).beginning(), certain(3));
        let is_reached_from_first =
            Surroundings { is_reached_from_first: true, ..around(None, &[0x1018]) };
        assert_eq!(is_reached_from_first.beginning(), certain(0));
        let both = Surroundings { is_reached_from_first: true, ..around(None, &[0x1018, 0x1010]) };
        assert_eq!(both.beginning(), guess(1));
    }

    #[test]
    fn addresses_between_records_and_before_other_variables_decide_nothing() {
        assert_eq!(around(Some(0x1001), &[0x0ff0]).beginning(), guess(1));
        assert_eq!(around(None, &[0x1014, 0x100c]).beginning(), guess(1));
        // Each record is reached by its own address.
        assert_eq!(around(None, &[0x1018]).beginning(), guess(1));
    }

    #[test]
    fn right_behind_another_variable_is_a_guess() {
        // Two bytes of padding behind two of a variable; then a word.
        assert_eq!(around(Some(0x1004), &[]).beginning(), guess(2));
        assert_eq!(around(Some(0x0ffe), &[]).beginning(), guess(3));
        let socket_address = Surroundings { is_addressed: true, ..around(Some(0x1004), &[]) };
        assert_eq!(socket_address.beginning(), guess(1));
        // Something that nothing is seen to use lies in between.
        assert_eq!(around(Some(0x0ffb), &[]).beginning(), guess(1));
    }

    #[test]
    fn alignment_is_a_guess() {
        let aligned = |first, accessed| Surroundings {
            first,
            alignments: &[GCC_ALIGNMENT, LEAST_ALIGNMENT],
            ..around(Some(accessed), &[])
        };
        assert_eq!(aligned(0x1028, 0x1000).beginning(), guess(1));
        assert_eq!(aligned(0x1040, 0x1000).beginning(), guess(0));
        assert_eq!(aligned(0x1018, 0x1008).beginning(), guess(1));
        let otherwise = Surroundings { alignments: &[LEAST_ALIGNMENT], ..aligned(0x1038, 0x1008) };
        assert_eq!(aligned(0x1038, 0x1008).beginning(), guess(3));
        assert_eq!(otherwise.beginning(), guess(1));
    }

    #[test]
    fn large_objects_tell_how_they_are_aligned() {
        let told = |places: &[u64]| is_aligned_by_gcc(places.iter().copied());
        assert_eq!(told(&[0x20, 0x80, 0x110, 0x1f0]), Some(false));
        // A member of a structure among arrays of GCC's; too few to tell.
        assert_eq!(told(&[0x20, 0x80, 0x110, 0x1e0, 0x400]), Some(true));
        assert_eq!(told(&[0x110, 0x1f0]), None);
    }

    #[test]
    fn code_within_a_page_behind_another_segment_is_of_llvm() {
        let segment = |address, permissions| Segment {
            address: Address(address),
            data: Vec::new(),
            missing: 0,
            size: 0x10,
            permissions,
        };
        let code = Permissions::READ | Permissions::EXECUTE;
        let has_layout = |segments: &[(u64, Permissions)]| {
            let segments =
                segments.iter().map(|(address, permissions)| segment(*address, *permissions));
            has_layout_of_lld(&segments.collect::<Vec<Segment>>())
        };
        assert!(has_layout(&[(0x10000, Permissions::READ), (0x120e0, code)]));
        assert!(!has_layout(&[(0x400000, Permissions::READ), (0x401000, code)]));
        assert!(!has_layout(&[(0x400094, code), (0x402000, Permissions::READ)]));
    }
}
