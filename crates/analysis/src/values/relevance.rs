//! Which operations of an instruction the value analysis has to look at.
//!
//! Specifications spell out every flag an instruction sets. Flags are not followed, so most of
//! those operations end in nothing that is; they are found once, when the instruction is lifted.

use crate::values::registers::RegisterCells;
use miyaburi_emulator::Abi;
use miyaburi_pcode::{Op, Opcode, Space, Varnode};
use std::sync::Arc;

/// Specifications place their temporaries this many bits of address apart.
const TEMPORARY_SHIFT: u32 = 7;

/// Marks the operations that matter.
#[derive(Clone, Debug)]
pub(crate) struct Relevance {
    cells: Arc<RegisterCells>,
    /// Where computed jumps note the instruction set mode.
    mode: Option<Varnode>,
}

/// A set of temporaries and registers that may hold more than what was put in, never less.
#[derive(Default)]
struct PlaceSet {
    temporaries: u64,
    registers: u64,
}

impl PlaceSet {
    fn insert(&mut self, place: &Varnode) {
        match place.space {
            Space::Unique => self.temporaries |= bits(place, TEMPORARY_SHIFT),
            Space::Register => self.registers |= bits(place, 0),
            _ => {}
        }
    }

    fn may_overlap(&self, place: &Varnode) -> bool {
        match place.space {
            Space::Unique => self.temporaries & bits(place, TEMPORARY_SHIFT) != 0,
            Space::Register => self.registers & bits(place, 0) != 0,
            _ => true,
        }
    }
}

/// One bit for every run of `1 << shift` bytes that a place touches, modulo 64.
const fn bits(place: &Varnode, shift: u32) -> u64 {
    let first = place.offset >> shift;
    let last = place.offset.saturating_add(place.size.saturating_sub(1) as u64) >> shift;
    let count = last - first + 1;
    let run = if count >= 64 { u64::MAX } else { (1 << count) - 1 };
    run.rotate_left((first % 64) as u32)
}

impl Relevance {
    /// For a CPU whose registers `cells` names.
    pub(crate) fn new(cells: Arc<RegisterCells>, abi: &Abi) -> Self {
        let mode = abi.mode_switch.as_ref().map(|switch| switch.register);
        Self { cells, mode }
    }

    /// Appends to `marks`, for each operation of one instruction, whether it can change a followed
    /// register or memory or leaves the instruction.
    pub(crate) fn mark(&self, ops: &[Op], marks: &mut Vec<bool>) {
        let first = marks.len();
        marks.resize(first + ops.len(), true);
        let mut read_later = PlaceSet::default();
        let own = marks.get_mut(first..).unwrap_or(&mut []);
        for (op, mark) in ops.iter().zip(own).rev() {
            let inputs = match op.opcode {
                Opcode::BRANCH
                | Opcode::CBRANCH
                | Opcode::CALL
                | Opcode::CALLOTHER
                | Opcode::RETURN => &[],
                Opcode::LOAD | Opcode::STORE | Opcode::BRANCHIND | Opcode::CALLIND => op.inputs(),
                _ => {
                    *mark = op.output.is_some_and(|output| self.matters(&output, &read_later));
                    if *mark { op.inputs() } else { &[] }
                }
            };
            for input in inputs {
                read_later.insert(input);
            }
        }
    }

    fn matters(&self, output: &Varnode, read_later: &PlaceSet) -> bool {
        let is_followed = match output.space {
            Space::Unique => false,
            Space::Register => {
                output.size >= self.cells.width()
                    || self.cells.locate(output).is_some()
                    || self.mode.is_some_and(|mode| mode.overlaps(output))
            }
            _ => true,
        };
        is_followed || read_later.may_overlap(output)
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::Relevance;
    use crate::values::registers::RegisterCells;
    use miyaburi_emulator::Abi;
    use miyaburi_image::{Arch, Endian, Family};
    use miyaburi_pcode::{Op, Opcode, Space, Varnode, language_for, space_number};
    use std::sync::Arc;

    #[test]
    fn what_only_flags_are_made_of_does_not_matter() {
        let arch = Arch::ALL
            .into_iter()
            .find(|arch| arch.family == Family::X86 && arch.endian == Endian::Little)
            .expect("x86 is supported");
        let language = language_for(arch).expect("a specification");
        let abi = Abi::new(arch, language.as_ref()).expect("its registers");
        let cells = Arc::new(RegisterCells::new(arch, language.as_ref(), &abi));
        let register = |name| language.register(name).expect("a register");
        let temporary = |offset| Varnode { space: Space::Unique, offset, size: 4 };
        let (eax, flag) = (register("EAX"), register("ZF"));
        let one = Varnode::constant(1, 4);
        let ram = Varnode::constant(space_number(Space::Ram), 4);
        let ops = [
            Op::new(Opcode::INT_ADD, Some(temporary(0)), &[eax, one]),
            Op::new(Opcode::INT_AND, Some(temporary(0x100)), &[eax, one]),
            Op::new(Opcode::INT_EQUAL, Some(flag), &[temporary(0x100), one]),
            Op::new(Opcode::LOAD, Some(eax), &[ram, temporary(0)]),
            Op::new(Opcode::CBRANCH, None, &[one, flag]),
        ];
        let mut marks = vec![true];
        Relevance::new(cells, &abi).mark(&ops, &mut marks);
        assert_eq!(marks, [true, true, false, false, true, true]);
    }
}
