//! Which instruction refers to which data.
//!
//! An address counts as referred to where it is loaded from, stored to, stored as a value, handed
//! to a callee, or put into a register.
//!
//! # False positives
//! - Numbers that happen to lie in mapped memory, in files mapped at low addresses above all.
//! - The upper half of an address that is put together in several steps, where that lies in mapped
//!   memory itself.
//!
//! # False negatives
//! - Addresses that differ between the paths that lead to the instruction, and addresses computed
//!   from an index.

use crate::functions::reading::Fact;
use crate::values::Value;
use crate::values::observer::StoreEvent;
use miyaburi_image::{Address, Family, Image};
use miyaburi_pcode::Varnode;

/// How an instruction refers to data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferenceKind {
    /// It loads from there.
    Read,
    /// It stores there.
    Write,
    /// It has the address.
    Address,
}

/// One reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The address referred to.
    pub to: Address,
    /// The instruction.
    pub from: Address,
    /// How.
    pub kind: ReferenceKind,
}

/// All references of a program.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// By address referred to.
    by_target: Vec<Reference>,
    /// By instruction.
    by_source: Vec<Reference>,
}

impl References {
    pub(crate) fn new(mut found: Vec<Reference>) -> Self {
        found.sort_unstable();
        found.dedup();
        let mut by_source = found.clone();
        by_source.sort_unstable_by_key(|reference| (reference.from, reference.to, reference.kind));
        Self { by_target: found, by_source }
    }

    /// References to addresses in `start..end`, by address referred to.
    #[must_use]
    pub fn to(&self, start: Address, end: Address) -> &[Reference] {
        slice(&self.by_target, start, end, |reference| reference.to)
    }

    /// References from instructions in `start..end`, by instruction.
    #[must_use]
    pub fn from(&self, start: Address, end: Address) -> &[Reference] {
        slice(&self.by_source, start, end, |reference| reference.from)
    }

    /// All references, by address referred to.
    #[must_use]
    pub fn all(&self) -> &[Reference] {
        &self.by_target
    }
}

fn slice(
    sorted: &[Reference],
    start: Address,
    end: Address,
    key: impl Fn(&Reference) -> Address,
) -> &[Reference] {
    let first = sorted.partition_point(|reference| key(reference) < start);
    let last = sorted.partition_point(|reference| key(reference) < end);
    sorted.get(first..last.max(first)).unwrap_or(&[])
}

/// Collects the references of a function.
pub(crate) struct ReferenceCollector<'a> {
    image: &'a Image,
    lowest: u64,
    pub(crate) found: Vec<Reference>,
    /// The latest constants put into registers: register, value, place in `found`.
    recent: Vec<(Varnode, u64, usize)>,
}

impl<'a> ReferenceCollector<'a> {
    pub(crate) fn new(image: &'a Image) -> Self {
        let lowest = image.segments().first().map_or(0, |segment| segment.address.0);
        // The first page of an image at 0 holds file headers; small numbers lie there.
        Self { image, lowest: lowest.max(0x400), found: Vec::new(), recent: Vec::new() }
    }

    /// Takes the next thing that happens in the function, in address order.
    pub(crate) fn take(&mut self, fact: &Fact) {
        match *fact {
            Fact::Load { instruction, from, .. } => {
                self.note(instruction, from, ReferenceKind::Read);
            }
            Fact::Store(event) => self.store(event),
            Fact::Constant { instruction, value, register } => {
                self.constant(instruction, value, register);
            }
            Fact::Site { is_jump: false, .. } => self.recent.clear(),
            Fact::Site { .. } | Fact::Candidate(_) | Fact::Jump(_) | Fact::GlobalPointer(_) => {}
        }
    }

    fn refers(&self, address: u64) -> bool {
        address >= self.lowest && is_data(self.image, Address(address))
    }

    fn note(&mut self, from: Address, to: u64, kind: ReferenceKind) {
        if self.refers(to) {
            self.found.push(Reference { to: Address(to), from, kind });
        }
    }

    fn store(&mut self, event: StoreEvent) {
        if let Value::Constant(address) = event.to {
            self.note(event.instruction, address, ReferenceKind::Write);
        }
        if let Value::Constant(address) = event.value
            && event.size == self.image.arch().pointer_size()
        {
            self.note(event.instruction, address, ReferenceKind::Address);
        }
    }

    fn constant(&mut self, instruction: Address, value: u64, register: Varnode) {
        if register.size != self.image.arch().pointer_size() {
            return;
        }
        let known = self.recent.iter().position(|(other, ..)| *other == register);
        if let Some((_, old, place)) = known.map(|known| self.recent.swap_remove(known))
            && value != old
            && is_upper_part(self.image.arch().family, old)
            && value.wrapping_sub(old).wrapping_add(0x8000) < 0x1_0000
            && let Some(upper) = self.found.get(place)
            && instruction.0.wrapping_sub(upper.from.0) < 64
            && upper.kind == ReferenceKind::Address
            && upper.to.0 == old
        {
            // The register held the upper half of the same address.
            self.found.swap_remove(place);
            self.recent.retain(|(.., other)| *other != place && *other != self.found.len());
        }
        if self.refers(value) {
            self.recent.push((register, value, self.found.len()));
            self.note(instruction, value, ReferenceKind::Address);
        }
    }
}

/// Whether a constant can be the first step of an address: `lui`, `sethi`, `lis` and `adrp` leave
/// the low bits clear, `auipc` does not.
fn is_upper_part(family: Family, constant: u64) -> bool {
    family == Family::RiscV64 || constant & 0x3ff == 0
}

fn is_data(image: &Image, address: Address) -> bool {
    image.is_mapped(address)
}
