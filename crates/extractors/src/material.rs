//! What decoding routines read besides what they decode, and what they do on the way: what a cipher
//! is told by.

use crate::subject::Subject;
use crate::trace::Trace;
use miyaburi_analysis::{FunctionId, ReferenceKind};
use miyaburi_image::{Address, Image};
use miyaburi_pcode::Varnode;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of all regions together: ciphers' tables take a few thousand.
const MAX_BYTES: usize = 1 << 16;

/// Routines below one whose constants are looked at.
const MAX_CALLEES: usize = 12;

/// Constants that are kept.
const MAX_CONSTANTS: usize = 1024;

/// Constants one behind the other of which two may be parts of one.
const NEAR: usize = 12;

/// Bits that are zero in the upper part of a constant, at least.
const UPPER_BITS: u32 = 10;

/// Entries of the permutations of RC4 and its kin.
const PERMUTATION: u64 = 256;

/// Stretches of so many bytes that are looked at.
const MAX_FILLED: usize = 64;

/// A load: where, and how many bytes.
type Read = (Address, u32);

/// The bytes of the file that were read in every one of several runs, as long stretches.
#[must_use]
pub fn common_regions(image: &Image, runs: &[Vec<Read>]) -> Vec<(Address, Vec<u8>)> {
    let bytes_of = |reads: &Vec<Read>| -> BTreeSet<u64> {
        let of_file = reads.iter().filter(|(address, _)| image.is_mapped(*address));
        of_file
            .flat_map(|(address, size)| (0..u64::from(*size)).map(|it| address.offset(it).0))
            .collect()
    };
    let mut runs = runs.iter().map(bytes_of);
    let Some(first) = runs.next() else { return Vec::new() };
    let common = runs.fold(first, |common, run| common.intersection(&run).copied().collect());
    let mut regions: Vec<(Address, Vec<u8>)> = Vec::new();
    for at in common.into_iter().take(MAX_BYTES).map(Address) {
        let Some(byte) = image.read_uint(at, 1) else { continue };
        match regions.last_mut() {
            Some((start, bytes)) if start.offset(bytes.len() as u64) == at => {
                bytes.push(byte as u8)
            }
            _ => regions.push((at, vec![byte as u8])),
        }
    }
    regions
}

/// Whether a run fills 256 bytes one behind the other, and leaves every byte once there: the state of
/// RC4 and its kin.
///
/// False negatives: a state of which other code has overwritten a part.
#[must_use]
pub fn fills_permutation(trace: &mut Trace<'_>) -> bool {
    let mut filled = BTreeSet::new();
    // Where nothing is optimised, the counter is written between, in another size.
    let mut runs: BTreeMap<u32, (Address, u64)> = BTreeMap::new();
    for (address, size) in trace.writes() {
        let (end, length) = runs.entry(size).or_default();
        *length = if address == *end { *length + u64::from(size) } else { u64::from(size) };
        *end = address.offset(u64::from(size));
        if *length >= PERMUTATION {
            filled.insert(Address(end.0 - PERMUTATION));
        }
    }
    filled.into_iter().take(MAX_FILLED).any(|start| {
        let bytes = trace.state.memory.bytes(start, PERMUTATION as usize).unwrap_or_default();
        bytes.into_iter().collect::<BTreeSet<u8>>().len() == PERMUTATION as usize
    })
}

/// Constants in the code of a routine and of those below it, and what can be made of two of them as
/// CPUs with short instructions do: of those that stand near each other first.
#[must_use]
pub fn constants(subject: &Subject<'_>, routine: Address) -> Vec<u32> {
    let mut in_order: Vec<u32> = Vec::new();
    for routine in below(subject, routine) {
        in_order.extend(constants_in(subject, routine));
    }
    let near = in_order.windows(NEAR).flat_map(|window| {
        let (first, others) = window.split_first().unwrap_or((&0, &[]));
        others.iter().flat_map(|other| [made_of(*first, *other), made_of(*other, *first)])
    });
    let different: BTreeSet<u32> = in_order.iter().copied().collect();
    let far = different.iter().flat_map(|high| different.iter().map(|low| made_of(*high, *low)));
    let mut seen = BTreeSet::new();
    let all = near.flatten().chain(in_order.iter().copied()).chain(far.flatten());
    all.filter(|constant| seen.insert(*constant)).take(MAX_CONSTANTS).collect()
}

/// The sum of an upper part and of what an instruction can add to it.
fn made_of(high: u32, low: u32) -> Option<u32> {
    let is_made = high != 0
        && high.trailing_zeros() >= UPPER_BITS
        && low.trailing_zeros() < UPPER_BITS
        && low.cast_signed().unsigned_abs() < 0x1_0000;
    is_made.then(|| high.wrapping_add(low))
}

/// Bytes of initialised data that a routine and those below it refer to, from each place on that is
/// referred to up to the next, as far as a key or a cipher's table may reach; then those that lie one
/// behind the other as one, as a key may be loaded in parts.
#[must_use]
pub fn read_below(subject: &Subject<'_>, routine: Address) -> Vec<(Address, Vec<u8>)> {
    const LENGTH: usize = 512;
    let program = subject.program;
    let mut places = BTreeSet::new();
    for routine in below(subject, routine) {
        for block in program.function(routine).map(|it| it.blocks()).unwrap_or(&[]) {
            let read = program.references().from(block.start, block.end).iter();
            places.extend(read.map(|reference| reference.to));
        }
    }
    places.retain(|place| program.function_containing(*place).is_none());
    let next = |place: Address| {
        places.range(place.offset(1)..).next().and_then(|next| next.distance_from(place))
    };
    let mut found: Vec<(Address, Vec<u8>)> = places
        .iter()
        .filter_map(|place| {
            let bytes = subject.image.bytes_from(*place);
            let length = next(*place).map_or(LENGTH, |it| LENGTH.min(it as usize));
            let bytes = bytes.get(..length.min(bytes.len()))?;
            (!bytes.is_empty()).then(|| (*place, bytes.to_vec()))
        })
        .collect();
    found.extend(joined(&found));
    found
}

/// Stretches that end where the next begins, put together.
fn joined(stretches: &[(Address, Vec<u8>)]) -> Vec<(Address, Vec<u8>)> {
    let ends_at = |(start, bytes): &(Address, Vec<u8>)| start.offset(bytes.len() as u64);
    stretches
        .chunk_by(|one, next| ends_at(one) == next.0)
        .filter(|parts| parts.len() > 1)
        .filter_map(|parts| {
            let (start, _) = parts.first()?;
            Some((*start, parts.iter().flat_map(|(_, bytes)| bytes).copied().collect()))
        })
        .collect()
}

/// Bytes of the file, code apart, that a run with a read log has read.
#[must_use]
pub fn data_read(subject: &Subject<'_>, trace: &Trace<'_>) -> usize {
    let mut memory = trace.state.memory.clone();
    let reads = memory.take_read_log();
    let mut places = BTreeSet::new();
    for (address, size) in reads {
        let is_data = subject.image.is_mapped(address)
            && subject.program.function_containing(address).is_none();
        if is_data {
            places.extend((0..u64::from(size)).map(|it| address.offset(it)));
        }
    }
    places.len()
}

/// A routine and those that it calls, directly or not.
fn below(subject: &Subject<'_>, routine: Address) -> Vec<FunctionId> {
    let program = subject.program;
    let mut routines: Vec<FunctionId> = program.function_at(routine).into_iter().collect();
    let mut next = 0;
    while let Some(routine) = routines.get(next).copied() {
        next += 1;
        for callee in program.calls_of(routine).filter_map(|site| site.callee) {
            if routines.len() < MAX_CALLEES && !routines.contains(&callee) {
                routines.push(callee);
            }
        }
    }
    routines
}

/// Constants of a routine's instructions in their order, and words of the file that it reads.
fn constants_in(subject: &Subject<'_>, routine: FunctionId) -> Vec<u32> {
    let program = subject.program;
    let mut found = Vec::new();
    let Some(function) = program.function(routine) else { return found };
    for block in function.blocks() {
        for (_, instruction) in function.instructions_of(block) {
            let ops = program.code().instruction(*instruction).ops;
            let inputs = ops.iter().flat_map(|op| op.inputs());
            found.extend(inputs.filter_map(Varnode::as_constant).map(|constant| constant as u32));
        }
        let read = program.references().from(block.start, block.end).iter();
        let read = read.filter(|reference| reference.kind == ReferenceKind::Read);
        let words = read.filter_map(|reference| subject.image.read_uint(reference.to, 4));
        found.extend(words.map(|word| word as u32));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::joined;
    use miyaburi_image::Address;

    #[test]
    fn what_lies_behind_each_other_is_one() {
        let part = |at: u64, bytes: &[u8]| (Address(at), bytes.to_vec());
        let parts = [part(8, &[1, 2]), part(10, &[3]), part(12, &[4]), part(20, &[5, 6])];
        assert_eq!(joined(&parts), [part(8, &[1, 2, 3])]);
        assert_eq!(joined(&parts[2..]), []);
    }
}
