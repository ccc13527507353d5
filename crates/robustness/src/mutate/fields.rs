//! Damage to headers, tables and pointers.

use super::layout::Field;
use super::values::instead_of;
use super::{Victim, length};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// `e_machine` of the CPUs that are analysed.
const MACHINES: [u64; 11] = [2, 3, 4, 8, 18, 20, 40, 42, 62, 183, 243];

/// `p_type` values that mean something: load, dynamic, interpreter, note, program headers, thread
/// storage, the GNU and the MIPS ones.
const SEGMENT_KINDS: [u64; 11] =
    [0, 1, 2, 3, 4, 6, 7, 0x6474_e550, 0x6474_e551, 0x6474_e552, 0x7000_0000];

/// `sh_type` values that mean something: symbols, strings, relocations, dynamic section, no bytes.
const SECTION_KINDS: [u64; 9] = [1, 2, 3, 4, 6, 8, 9, 11, 14];

/// `d_tag` values that mean something: needed, PLT, hash, strings, symbols, relocations,
/// initialisers, the GNU and the MIPS ones.
const DYNAMIC_TAGS: [u64; 27] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    17,
    18,
    19,
    20,
    23,
    25,
    27,
    36,
    0x6fff_fef5,
    0x7000_0005,
    0x7000_000a,
    0x7000_0011,
    0x7000_0013,
];

/// The most fields changed at once.
const MAX_FIELDS: usize = 8;

/// The most pointers redirected at once.
const MAX_POINTERS: usize = 32;

impl Victim<'_> {
    fn change(&mut self, field: Field, random: &mut impl Rng) {
        let Some(old) = self.layout.read(&self.bytes, field) else { return };
        let new = instead_of(old, self.bytes.len(), random);
        self.layout.write(&mut self.bytes, field, new);
    }

    /// Some address: of a segment's byte, of its end, or one taken from elsewhere in the file.
    pub(super) fn address(&self, random: &mut impl Rng) -> u64 {
        let Some(segment) = self.layout.addresses.choose(random) else { return random.random() };
        match random.random_range(0..8) {
            0 => segment.end.wrapping_sub(random.random_range(0..8)),
            1 => segment.end.wrapping_add(random.random_range(0..64)),
            2 => instead_of(segment.start, self.bytes.len(), random),
            _ => random.random_range(segment.start..segment.end.max(segment.start + 1)),
        }
    }
}

pub(super) fn attack_file_header(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    for _ in 0..=length(2, random) {
        // Type, machine and version first: with those gone nothing else is read.
        let fields = victim.layout.file_header.get(3..).unwrap_or_default();
        let is_entry = random.random_range(0..4) == 0;
        let field = if is_entry { fields.first() } else { fields.choose(random) }.copied();
        match field {
            Some(entry) if is_entry => {
                let address = victim.address(random);
                victim.layout.write(&mut victim.bytes, entry, address);
            }
            Some(field) => victim.change(field, random),
            None => {}
        }
    }
}

/// Gives the file to another CPU or makes it a file of another type or with other flags.
pub(super) fn change_cpu(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let (index, value) = match random.random_range(0..6) {
        0 => (0, random.random_range(0..5)),
        1 => (6, 1 << random.random_range(0..32)),
        2 => (6, u64::from(random.random::<u32>())),
        _ => (1, MACHINES.choose(random).copied().unwrap_or_default()),
    };
    if let Some(field) = victim.layout.file_header.get(index).copied() {
        victim.layout.write(&mut victim.bytes, field, value);
    }
}

fn attack_table(
    victim: &mut Victim<'_>,
    table: &[Vec<Field>],
    (kind, kinds): (usize, &[u64]),
    random: &mut ChaCha8Rng,
) {
    for _ in 0..=length(MAX_FIELDS, random) {
        let Some(entry) = table.choose(random) else { return };
        match random.random_range(0..8) {
            0 => {
                let new = kinds.choose(random).copied().unwrap_or_default();
                if let Some(field) = entry.get(kind) {
                    victim.layout.write(&mut victim.bytes, *field, new);
                }
            }
            1 => {
                // One entry becomes another: overlaps, and two of a kind.
                let Some(other) = table.choose(random) else { return };
                for (to, from) in entry.iter().zip(other) {
                    if let Some(value) = victim.layout.read(&victim.bytes, *from) {
                        victim.layout.write(&mut victim.bytes, *to, value);
                    }
                }
            }
            _ => {
                if let Some(field) = entry.choose(random) {
                    victim.change(*field, random);
                }
            }
        }
    }
}

pub(super) fn attack_program_headers(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let table = victim.layout.program_headers.clone();
    attack_table(victim, &table, (0, &SEGMENT_KINDS), random);
}

pub(super) fn attack_section_headers(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let table = victim.layout.section_headers.clone();
    attack_table(victim, &table, (1, &SECTION_KINDS), random);
}

/// Changes tags and values of the dynamic section. A file without one gets one: a random part of
/// a segment.
pub(super) fn attack_dynamic_section(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    if victim.layout.dynamic.is_empty() {
        make_dynamic(victim, random);
    }
    let fields = victim.layout.dynamic.clone();
    for _ in 0..=length(MAX_FIELDS, random) {
        let entry = random.random_range(0..fields.len().max(2) / 2) * 2;
        let (Some(tag), Some(value)) = (fields.get(entry), fields.get(entry + 1)) else { return };
        if random.random() {
            let new = DYNAMIC_TAGS.choose(random).copied().unwrap_or_default();
            victim.layout.write(&mut victim.bytes, *tag, new);
        }
        if random.random() {
            let new = victim.address(random);
            victim.layout.write(&mut victim.bytes, *value, new);
        } else {
            victim.change(*value, random);
        }
    }
}

fn make_dynamic(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    const ENTRIES: usize = 24;
    let layout = &victim.layout;
    let word = layout.word;
    let part = layout.data.iter().chain(&layout.code).find(|part| part.len() > ENTRIES * 2 * word);
    let loads: Vec<&Vec<Field>> = layout
        .program_headers
        .iter()
        .filter(|header| layout.read(&victim.bytes, header[0]) == Some(1))
        .collect();
    // The header before the last becomes that of the dynamic section; the rest still loads.
    let headers = layout.program_headers.iter().rev().find(|header| !loads.contains(header));
    let (Some(part), Some(header)) = (part.cloned(), headers.cloned()) else { return };
    let start = part.start + random.random_range(0..part.len() - ENTRIES * 2 * word) / word * word;
    let size = ENTRIES * 2 * word;
    victim.layout.dynamic =
        (0..ENTRIES * 2).map(|index| Field { offset: start + index * word, size: word }).collect();
    let dynamic = victim.layout.dynamic.clone();
    for entry in dynamic.chunks_exact(2) {
        let tag = DYNAMIC_TAGS.get(1..).and_then(|tags| tags.choose(random)).copied();
        victim.layout.write(&mut victim.bytes, entry[0], tag.unwrap_or_default());
        let value = victim.address(random);
        victim.layout.write(&mut victim.bytes, entry[1], value);
    }
    let address = victim.address_of(start).unwrap_or_default();
    let values = if word == 8 {
        [2, 6, start as u64, address, address, size as u64, size as u64, 8]
    } else {
        [2, start as u64, address, address, size as u64, size as u64, 6, 4]
    };
    for (field, value) in header.iter().zip(values) {
        victim.layout.write(&mut victim.bytes, *field, value);
    }
}

impl Victim<'_> {
    /// The address of a byte of the file, when a segment holds it.
    fn address_of(&self, offset: usize) -> Option<u64> {
        let (file, address) = if self.layout.word == 8 { (2, 3) } else { (1, 2) };
        self.layout.program_headers.iter().find_map(|header| {
            let value = |index: usize| self.layout.read(&self.bytes, *header.get(index)?);
            let start = usize::try_from(value(file)?).ok()?;
            let size = usize::try_from(value(if self.layout.word == 8 { 5 } else { 4 })?).ok()?;
            let distance = offset.checked_sub(start).filter(|distance| *distance < size)?;
            Some(value(address)?.wrapping_add(distance as u64)).filter(|_| value(0) == Some(1))
        })
    }
}

/// Lets words that hold addresses point elsewhere: into the middle of code, to the end of a
/// segment, to each other.
pub(super) fn redirect_pointers(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let word = victim.layout.word;
    let parts: Vec<Range<usize>> =
        victim.layout.data.iter().chain(&victim.layout.code).cloned().collect();
    let Some(part) = parts.choose(random) else { return };
    let mut left = 1 + length(MAX_POINTERS, random);
    let start = random.random_range(0..part.len().max(1)) / word * word;
    for offset in (part.start + start..part.end).step_by(word) {
        let field = Field { offset, size: word };
        let Some(old) = victim.layout.read(&victim.bytes, field) else { return };
        let is_pointer = victim.layout.addresses.iter().any(|segment| segment.contains(&old));
        if !is_pointer {
            continue;
        }
        let new = victim.address(random);
        victim.layout.write(&mut victim.bytes, field, new);
        left -= 1;
        if left == 0 {
            return;
        }
    }
}

/// Takes the ends of strings away, or puts ends into their middles.
pub(super) fn break_strings(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let Some(part) = victim.layout.data.choose(random).cloned() else { return };
    let takes_ends = random.random();
    let rarity = 1 << random.random_range(0..8);
    let Some(bytes) = victim.bytes.get_mut(part) else { return };
    for byte in bytes.iter_mut().filter(|byte| (**byte == 0) == takes_ends) {
        if random.random_range(0..rarity) == 0 {
            *byte = if takes_ends { b'A' } else { 0 };
        }
    }
}
