//! Names the cipher of a routine that was run, from all that the program shows of it.
//!
//! How it works: what the routine read in every run comes first, as it holds the key and little else.
//! Where that does not give the key, everything counts that it and those below it refer to, and the
//! whole of what it read here and there, as it does in tables that it looks bytes up in.
//!
//! A key is believed only when it decodes all samples ([`cipher::recognise`]), so that more material
//! costs time and gives nothing wrong.

use crate::cipher::{self, Cipher, Coding, Material, Sample};
use crate::material;
use crate::subject::Subject;
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// Bytes of a table that may not be read, one behind the other.
const MAX_HOLE: u64 = 32;

/// Bytes that make a table, holes included.
const MIN_TABLE: u64 = 160;

/// A load: where, and how many bytes.
pub type Read = (Address, u32);

/// What was seen of a routine that decodes.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'s> {
    /// The routine.
    pub routine: Address,
    /// What it made of what.
    pub samples: &'s [Sample],
    /// What it read in several runs, in order.
    pub logs: &'s [Vec<Read>],
    /// Whether it set up a permutation of all bytes.
    pub fills_permutation: bool,
}

/// The cipher, as far as it shows.
#[must_use]
pub fn recognise(subject: &Subject<'_>, seen: &Seen<'_>) -> Coding {
    let constants = material::constants(subject, seen.routine);
    let recognise = |regions: &[(Address, Vec<u8>)]| {
        let material = Material {
            regions,
            reads: seen.logs.first().map_or(&[][..], Vec::as_slice),
            constants: &constants,
            writes_identity: seen.fills_permutation,
            endian: subject.emulator.arch().endian,
        };
        cipher::recognise(seen.samples, &material)
    };
    let mut regions = material::common_regions(subject.image, seen.logs);
    let first = recognise(&regions);
    let may_have_key = matches!(
        first.cipher,
        Cipher::Unknown | Cipher::RotXor | Cipher::Substitution | Cipher::Rc4Modified
    );
    if first.key.is_some() || !may_have_key {
        return first;
    }
    regions.extend(material::read_below(subject, seen.routine));
    regions.extend(tables(subject, seen.logs));
    let second = recognise(&regions);
    let is_better = second.cipher != Cipher::Unknown
        && (second.key.is_some() || first.cipher == Cipher::Unknown);
    if is_better { second } else { first }
}

/// What was read here and there in all runs together, as far as it may be a table, with what lies
/// beside it.
fn tables(subject: &Subject<'_>, logs: &[Vec<Read>]) -> Vec<(Address, Vec<u8>)> {
    let places: BTreeSet<Address> = logs
        .iter()
        .flatten()
        .map(|(at, _)| *at)
        .filter(|at| subject.image.is_mapped(*at))
        .filter(|at| subject.program.function_containing(*at).is_none())
        .collect();
    let mut joined: Vec<(Address, u64)> = Vec::new();
    for at in places {
        match joined.last_mut() {
            Some((start, length)) if at.0 - start.0 <= *length + MAX_HOLE => {
                *length = at.0 - start.0 + 1;
            }
            _ => joined.push((at, 1)),
        }
    }
    let tables = joined.into_iter().filter(|(_, length)| *length >= MIN_TABLE);
    tables
        .filter_map(|(start, length)| {
            // The file may end, or begin, between.
            let begin = (0..=MAX_HOLE).rev().map(|back| Address(start.0.saturating_sub(back)));
            let begin = begin.into_iter().find(|it| subject.image.is_mapped(*it))?;
            let bytes = subject.image.bytes_from(begin);
            let length = (start.0 - begin.0 + length + MAX_HOLE).min(bytes.len() as u64);
            Some((begin, bytes.get(..length as usize)?.to_vec()))
        })
        .collect()
}
