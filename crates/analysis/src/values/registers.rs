//! The registers whose values are followed, as cells of pointer size.

use crate::arithmetic::mask;
use crate::values::Value;
use miyaburi_emulator::{Abi, ReturnAddress};
use miyaburi_image::{Arch, Endian};
use miyaburi_pcode::{Language, Space, Varnode};

/// How far from a register of the calling convention other general registers are looked for, in
/// register widths: every specification keeps a CPU's general registers together.
const NEIGHBOURHOOD: u64 = 32;

/// The most cells: more than any CPU's general and 16-byte vector registers.
const MAX_CELLS: u16 = 256;

/// The largest place in the register space, in register widths, that is followed: a
/// specification's other registers can lie megabytes further.
const MAX_INDEX: usize = 1 << 16;

const NO_CELL: u16 = u16::MAX;

/// Part of a register that lies within one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    cell: u16,
    /// Bytes above the least significant byte of the cell.
    position: u8,
    size: u8,
}

/// Which registers are followed and what the calling convention says of them.
#[derive(Clone, Debug)]
pub(crate) struct RegisterCells {
    cell_of: Vec<u16>,
    /// Byte offset in the register space, of each cell.
    offsets: Vec<u32>,
    preserved: CellSet,
    /// What they hold at entry.
    entry: Registers,
    zero: Option<u16>,
    width: u32,
    shift: u32,
    is_big_endian: bool,
}

impl RegisterCells {
    /// Cells for the general registers around those of `abi`, and for what moves data between
    /// them and memory (count register, SSE registers).
    pub(crate) fn new(arch: Arch, language: &dyn Language, abi: &Abi) -> Self {
        let width = arch.pointer_size();
        let mut cells = Self {
            cell_of: Vec::new(),
            offsets: Vec::new(),
            preserved: CellSet::default(),
            entry: Registers::default(),
            zero: None,
            width,
            shift: width.trailing_zeros(),
            is_big_endian: arch.endian == Endian::Big,
        };
        let known = convention_registers(abi);
        for (name, register) in language.registers() {
            let is_near = known.iter().any(|other| {
                register.offset.abs_diff(other.offset) <= NEIGHBOURHOOD * u64::from(width)
            });
            let is_vector = register.size == 16 && name.starts_with("XMM");
            if (register.size == width && (is_near || name == "CTR")) || is_vector {
                cells.add(register);
            }
            if matches!(name, "zero" | "g0") {
                cells.zero = cells.locate(&register).map(|place| place.cell);
            }
        }
        for register in known {
            cells.add(register);
        }
        let kept = abi.preserved.iter().chain([&abi.stack_pointer]);
        for register in kept {
            cells.set_preserved(register);
        }
        if let Some(zero) = cells.zero {
            cells.preserved.set(usize::from(zero), true);
        }
        cells.entry = Registers::at_entry(&cells);
        cells
    }

    /// What the registers hold at entry.
    pub(crate) fn at_entry(&self) -> Registers {
        self.entry.clone()
    }

    fn add(&mut self, register: Varnode) {
        for part in 0..register.size / self.width {
            let offset = register.offset + u64::from(part * self.width);
            let next = self.offsets.len() as u16;
            let index = (offset >> self.shift) as usize;
            if index >= MAX_INDEX {
                return;
            }
            if index >= self.cell_of.len() {
                self.cell_of.resize(index + 1, NO_CELL);
            }
            let Some(cell) = self.cell_of.get_mut(index) else { return };
            if *cell == NO_CELL && next < MAX_CELLS && offset.is_multiple_of(u64::from(self.width))
            {
                *cell = next;
                self.offsets.push(offset as u32);
            }
        }
    }

    fn set_preserved(&mut self, register: &Varnode) {
        if let Some(place) = self.locate(register) {
            self.preserved.set(usize::from(place.cell), true);
        }
    }

    /// Adds the cells that a place lies in, whole or in part: none when it is no register that is
    /// followed.
    pub(crate) fn mark(&self, place: &Varnode, marked: &mut CellSet) {
        if place.space != Space::Register || place.size == 0 {
            return;
        }
        let first = (place.offset >> self.shift) as usize;
        let count = (place.offset as u32 & (self.width - 1)).saturating_add(place.size - 1);
        let cells = self.cell_of.iter().skip(first).take(1 + (count >> self.shift) as usize);
        for cell in cells.filter(|cell| **cell != NO_CELL) {
            marked.set(usize::from(*cell), true);
        }
    }

    /// The cells that a place lies in.
    pub(crate) fn touched(&self, place: &Varnode) -> CellSet {
        let mut touched = CellSet::default();
        self.mark(place, &mut touched);
        touched
    }

    /// The cells that the calling convention lets a callee change.
    pub(crate) fn clobbered(&self) -> CellSet {
        let mut all = CellSet::default();
        (0..self.offsets.len()).for_each(|cell| all.set(cell, true));
        all.difference(self.preserved)
    }

    /// Bytes of a cell.
    pub(crate) const fn width(&self) -> u32 {
        self.width
    }

    /// The cell and the bytes in it of a register that is followed and no wider than a cell.
    pub(crate) fn locate(&self, register: &Varnode) -> Option<Place> {
        let cell = *self.cell_of.get((register.offset >> self.shift) as usize)?;
        let start = register.offset as u32 & (self.width - 1);
        let end = start.checked_add(register.size)?;
        if cell == NO_CELL || end > self.width || register.space != Space::Register {
            return None;
        }
        let position = if self.is_big_endian { self.width - end } else { start };
        Some(Place { cell, position: position as u8, size: register.size as u8 })
    }
}

fn convention_registers(abi: &Abi) -> Vec<Varnode> {
    let mut known = abi.argument_registers.clone();
    known.extend(&abi.preserved);
    known.extend([abi.stack_pointer, abi.result]);
    known.extend(
        [abi.result_high, abi.pointer_result, abi.callee_address, abi.global_pointer]
            .iter()
            .flatten(),
    );
    if let ReturnAddress::Register(link, _) = abi.return_address {
        known.push(link);
    }
    known
}

/// A set of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CellSet([u64; MAX_CELLS as usize / 64]);

impl CellSet {
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn union(self, other: Self) -> Self {
        self.zip(other, |own, other| own | other)
    }

    pub(crate) fn intersection(self, other: Self) -> Self {
        self.zip(other, |own, other| own & other)
    }

    pub(crate) fn difference(self, other: Self) -> Self {
        self.zip(other, |own, other| own & !other)
    }

    fn set(&mut self, cell: usize, is_in: bool) {
        if let Some(word) = self.0.get_mut(cell / 64) {
            *word = *word & !(1 << (cell % 64)) | u64::from(is_in) << (cell % 64);
        }
    }

    fn zip(self, other: Self, combine: fn(u64, u64) -> u64) -> Self {
        let mut words = self.0;
        words.iter_mut().zip(other.0).for_each(|(word, other)| *word = combine(*word, other));
        Self(words)
    }

    /// Ascending.
    fn members(self) -> impl Iterator<Item = usize> {
        (0..).step_by(64).zip(self.0).flat_map(|(first, mut word)| {
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(first + bit)
            })
        })
    }
}

/// The values of all followed registers at one point.
#[derive(Debug, Default)]
pub(crate) struct Registers {
    values: Vec<Value>,
    /// How many low bytes of each cell its value describes.
    known: Vec<u8>,
    /// Cells with a value.
    live: CellSet,
    /// Cells written since entry: all others hold what they held then.
    written: CellSet,
}

impl PartialEq for Registers {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values && self.known == other.known
    }
}

impl Eq for Registers {}

impl Clone for Registers {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), known: self.known.clone(), ..*self }
    }

    fn clone_from(&mut self, other: &Self) {
        self.values.clone_from(&other.values);
        self.known.clone_from(&other.known);
        (self.live, self.written) = (other.live, other.written);
    }
}

impl Registers {
    /// Every register holds what it held at entry.
    fn at_entry(cells: &RegisterCells) -> Self {
        let mut values: Vec<Value> = cells
            .offsets
            .iter()
            .map(|offset| Value::AtEntry { register: *offset, offset: 0 })
            .collect();
        if let Some(zero) = cells.zero.and_then(|zero| values.get_mut(usize::from(zero))) {
            *zero = Value::Constant(0);
        }
        let known = vec![cells.width as u8; values.len()];
        let mut live = CellSet::default();
        (0..values.len()).for_each(|cell| live.set(cell, true));
        Self { values, known, live, written: CellSet::default() }
    }

    /// The memory they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.values.as_slice()) + self.known.len()
    }

    pub(crate) fn read(&self, place: Place) -> Value {
        let cell = usize::from(place.cell);
        let (Some(&value), Some(&known)) = (self.values.get(cell), self.known.get(cell)) else {
            return Value::Unknown;
        };
        if place.position + place.size > known {
            return Value::Unknown;
        }
        let size = u32::from(place.size);
        match (place.position, value) {
            (0, value) => value.truncated(size),
            (position, Value::Constant(value)) => {
                Value::Constant(value >> (u32::from(position) * 8) & mask(size))
            }
            _ => Value::Unknown,
        }
    }

    pub(crate) fn write(&mut self, cells: &RegisterCells, place: Place, value: Value) {
        if cells.zero == Some(place.cell) {
            return;
        }
        let cell = usize::from(place.cell);
        self.put(cells, place, value);
        self.written.set(cell, true);
        self.live.set(cell, self.values.get(cell).is_some_and(|value| value.is_known()));
    }

    fn put(&mut self, cells: &RegisterCells, place: Place, value: Value) {
        let cell = usize::from(place.cell);
        let (Some(old), Some(known)) = (self.values.get_mut(cell), self.known.get_mut(cell)) else {
            return;
        };
        if u32::from(place.size) == cells.width {
            *old = value;
            *known = place.size;
            return;
        }
        let (start, end) = (place.position, place.position + place.size);
        match (*old, value) {
            (Value::Constant(under), Value::Constant(over)) if *known >= start => {
                let shift = u32::from(start) * 8;
                let kept = under & !(mask(u32::from(place.size)) << shift);
                *old = Value::Constant(kept | over << shift);
                *known = end.max(*known);
            }
            _ if start == 0 => {
                *old = value;
                *known = end;
            }
            (Value::Constant(_), _) => *known = start.min(*known),
            _ => *old = Value::Unknown,
        }
    }

    /// The cells with a value.
    pub(crate) const fn live(&self) -> CellSet {
        self.live
    }

    /// The cells with a constant.
    pub(crate) fn constants(&self) -> CellSet {
        let mut constants = self.live;
        for cell in self.live.members() {
            let is_constant = matches!(self.values.get(cell), Some(Value::Constant(_)));
            constants.set(cell, is_constant);
        }
        constants
    }

    /// What a call leaves: preserved registers, and of the others those that the callee does not
    /// write when that is known.
    pub(crate) fn clobber(&mut self, cells: &RegisterCells, written: Option<CellSet>) {
        let mut lost = self.live.difference(cells.preserved);
        if let Some(written) = written {
            lost = lost.intersection(written);
        }
        for cell in lost.members() {
            if let Some(value) = self.values.get_mut(cell) {
                *value = Value::Unknown;
            }
            self.written.set(cell, true);
            self.live.set(cell, false);
        }
    }

    /// Gives up all values but that of the stack pointer, of the register that is always zero, and
    /// those to be kept.
    pub(crate) fn forget(
        &mut self,
        cells: &RegisterCells,
        stack_pointer: Option<Place>,
        is_kept: impl Fn(Value) -> bool,
    ) {
        let fixed = [stack_pointer.map(|place| place.cell), cells.zero];
        let is_fixed =
            |cell: usize| fixed.iter().flatten().any(|fixed| usize::from(*fixed) == cell);
        for cell in self.live.members().filter(|cell| !is_fixed(*cell)) {
            if let Some(value) = self.values.get_mut(cell).filter(|value| !is_kept(**value)) {
                *value = Value::Unknown;
                self.written.set(cell, true);
                self.live.set(cell, false);
            }
        }
    }

    /// Takes what holds in both; true when that is less than before. A known stack pointer
    /// survives an unknown one, as compilers keep it equal on all paths.
    pub(crate) fn join(&mut self, other: &Self, stack_pointer: Option<Place>) -> bool {
        let mut changed = false;
        let stack_cell = stack_pointer.map(|place| usize::from(place.cell));
        // What neither has written is the same in both, and of what is not known nothing is lost.
        let written = self.written.zip(other.written, |own, other| own | other);
        for cell in self.live.zip(written, |live, written| live & written).members() {
            let own = (self.values.get_mut(cell), self.known.get_mut(cell));
            let (Some(value), Some(known)) = own else { break };
            let (Some(&other_value), Some(&other_known)) =
                (other.values.get(cell), other.known.get(cell))
            else {
                break;
            };
            if *value == other_value && *known == other_known {
                continue;
            }
            if Some(cell) == stack_cell && !other_value.is_known() {
                continue;
            }
            let before = (*value, *known);
            *known = (*known).min(other_known);
            let size = u32::from(*known);
            *value = value.truncated(size).join(other_value.truncated(size));
            changed |= before != (*value, *known);
            self.written.set(cell, true);
            self.live.set(cell, value.is_known());
        }
        changed
    }
}
