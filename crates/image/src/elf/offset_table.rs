//! The global offset table that linking an object file of position-independent code makes.

use crate::elf::patch::MIPS_LO16;
use crate::elf::relocations::Relocation;
use crate::elf::symbols::RawSymbol;
use crate::{Address, Arch, Family, Permissions, Segment};
use std::collections::BTreeMap;

/// Bytes of address space kept for the table: all of it is in reach of signed 16-bit offsets,
/// from the start as from MIPS's `$gp`.
pub(crate) const TABLE_SIZE: u64 = 0x8000;

/// Distance of `$gp` from the start of the table (System V ABI, MIPS supplement).
const MIPS_GP_OFFSET: u64 = 0x7ff0;

/// Stands for the value of `_gp_disp`, which differs from place to place; no symbol of a file with
/// 32-bit addresses has it.
const GP_DISPLACEMENT: u64 = u64::MAX;

/// Slots with one address each, in the order in which relocations asked for them.
#[derive(Debug)]
pub(crate) struct OffsetTable {
    arch: Arch,
    start: u64,
    values: Vec<u64>,
    slots: BTreeMap<u64, u64>,
}

impl OffsetTable {
    /// An empty table at `start`.
    pub(crate) const fn new(arch: Arch, start: u64) -> Self {
        Self { arch, start, values: Vec::new(), slots: BTreeMap::new() }
    }

    /// The address that code keeps in its table register.
    pub(crate) const fn pointer(&self) -> u64 {
        match self.arch.family {
            Family::Mips => self.start + MIPS_GP_OFFSET,
            _ => self.start,
        }
    }

    /// The address that an undefined symbol has by its name: that of the table or its register.
    pub(crate) fn address_of(&self, symbol: &RawSymbol, names: &[u8]) -> Option<u64> {
        if !symbol.is_undefined() {
            return None;
        }
        match (symbol.name_bytes_in(names), self.arch.family) {
            (b"_GLOBAL_OFFSET_TABLE_", _) => Some(self.start),
            (b"__gnu_local_gp", Family::Mips) => Some(self.pointer()),
            (b"_gp_disp", Family::Mips) => Some(GP_DISPLACEMENT),
            _ => None,
        }
    }

    /// What `value` is for a relocation: MIPS's `_gp_disp` is the distance of `$gp` from the first
    /// of two instructions, the second of which follows it.
    pub(crate) fn value_at(&self, value: u64, relocation: &Relocation) -> u64 {
        if value != GP_DISPLACEMENT {
            return value;
        }
        let first = if relocation.kind == MIPS_LO16 { 4 } else { 0 };
        self.pointer().wrapping_sub(relocation.slot.0).wrapping_add(first)
    }

    /// The address of the slot that holds `value`; `None` when the table is full. What refers to the
    /// table itself needs no slot.
    pub(crate) fn slot(&mut self, value: u64) -> Option<u64> {
        if value == self.start {
            return Some(value);
        }
        if let Some(slot) = self.slots.get(&value) {
            return Some(*slot);
        }
        let size = u64::from(self.arch.pointer_size());
        let at = self.values.len() as u64 * size;
        if at + size > TABLE_SIZE {
            return None;
        }
        self.values.push(value);
        self.slots.insert(value, self.start + at);
        Some(self.start + at)
    }

    /// The table as memory; `None` while nothing has asked for a slot.
    pub(crate) fn to_segment(&self) -> Option<Segment> {
        let size = self.arch.pointer_size() as usize;
        let mut data = vec![0; self.values.len() * size];
        for (bytes, value) in data.chunks_exact_mut(size).zip(&self.values) {
            self.arch.endian.write_uint(bytes, *value);
        }
        (!data.is_empty()).then_some(Segment {
            address: Address(self.start),
            missing: 0,
            size: data.len() as u64,
            data,
            permissions: Permissions::READ,
        })
    }
}
