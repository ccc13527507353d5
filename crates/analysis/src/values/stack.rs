//! What a function has stored in its stack frame.

use crate::arithmetic::mask;
use crate::values::Value;
use miyaburi_image::Endian;

/// The most slots that are remembered; further stores are forgotten, and with the first of them to
/// the incoming arguments what those held.
const MAX_SLOTS: usize = 1024;

/// Bytes from the address handed to a callee that it may have overwritten. Objects larger than
/// that keep values behind this point that a callee may have changed.
const CALLEE_REACH: i64 = 256;

/// One stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    /// Bytes from the stack pointer at entry.
    offset: i64,
    size: u8,
    /// A callee had its address since it was stored.
    is_stale: bool,
    value: Value,
}

impl Slot {
    const fn end(&self) -> i64 {
        self.offset.wrapping_add(self.size as i64)
    }
}

/// The stores into the frame that still hold, in address order, never overlapping.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StackMemory {
    slots: Vec<Slot>,
    /// What is at and above `0` beside the slots need not be the incoming arguments any more.
    has_lost_arguments: bool,
}

impl Clone for StackMemory {
    fn clone(&self) -> Self {
        Self { slots: self.slots.clone(), ..*self }
    }

    fn clone_from(&mut self, other: &Self) {
        self.slots.clone_from(&other.slots);
        self.has_lost_arguments = other.has_lost_arguments;
    }
}

impl StackMemory {
    /// The memory they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.slots.as_slice())
    }

    /// Stores `size` bytes. Unknown values are kept at and above `0`, where the incoming
    /// arguments lie, to say that those are no longer there.
    pub(crate) fn store(&mut self, offset: i64, size: u8, value: Value, endian: Endian) {
        let Some(end) = offset.checked_add(i64::from(size)) else { return };
        let first = self.slots.partition_point(|slot| slot.end() <= offset);
        let count =
            self.slots.get(first..).unwrap_or(&[]).partition_point(|slot| slot.offset < end);
        let fresh = Slot { offset, size, is_stale: false, value };
        let is_kept = value.is_known() || offset >= 0;
        if let ([old], true) =
            (self.slots.get_mut(first..first + count).unwrap_or(&mut []), is_kept)
            && old.offset == offset
            && old.size == size
        {
            *old = fresh;
            return;
        }
        let mut parts: Vec<Slot> = Vec::with_capacity(3);
        for old in self.slots.get(first..first + count).unwrap_or(&[]) {
            parts.extend(part(old, old.offset, offset, endian));
            parts.extend(part(old, end, old.end(), endian));
        }
        if is_kept && self.slots.len() < MAX_SLOTS {
            parts.push(fresh);
        } else if is_kept {
            self.has_lost_arguments |= end > 0;
        }
        parts.sort_by_key(|slot| slot.offset);
        self.slots.splice(first..first + count, parts);
    }

    /// Gives up all values but those to be kept.
    pub(crate) fn forget(&mut self, is_kept: impl Fn(Value) -> bool) {
        self.slots.retain(|slot| is_kept(slot.value));
        self.has_lost_arguments = true;
    }

    /// The value of `size` bytes, or `None` when nothing was stored there.
    pub(crate) fn load(&self, offset: i64, size: u8, endian: Endian) -> Option<Value> {
        let end = offset.checked_add(i64::from(size))?;
        let first = self.slots.partition_point(|slot| slot.end() <= offset);
        let Some(slot) = self.slots.get(first).filter(|slot| slot.offset < end) else {
            return (self.has_lost_arguments && end > 0).then_some(Value::Unknown);
        };
        if slot.is_stale {
            return Some(Value::Unknown);
        }
        if slot.offset == offset && slot.size == size {
            return Some(slot.value);
        }
        let holds_low_bytes = match endian {
            Endian::Little => slot.offset == offset && slot.size >= size,
            Endian::Big => slot.end() == end && slot.size >= size,
        };
        if holds_low_bytes {
            return Some(slot.value.truncated(u32::from(size)));
        }
        Some(self.compose(offset, size, endian).map_or(Value::Unknown, Value::Constant))
    }

    /// The constant that the bytes of several slots, or of a part of one, make up.
    fn compose(&self, offset: i64, size: u8, endian: Endian) -> Option<u64> {
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..usize::from(size))?;
        // The other way round the offset behind the last byte would be worked out, too.
        for (byte, place) in bytes.iter_mut().zip(offset..) {
            let (value, is_stale) = self.byte(place, endian)?;
            *byte = if is_stale { return None } else { value };
        }
        Some(endian.read_uint(bytes))
    }

    /// The byte at `offset` and whether a callee may have changed it since.
    pub(crate) fn byte(&self, offset: i64, endian: Endian) -> Option<(u8, bool)> {
        let first = self.slots.partition_point(|slot| slot.end() <= offset);
        let slot = self.slots.get(first).filter(|slot| slot.offset <= offset)?;
        let constant = slot.value.constant()?;
        let index = (offset - slot.offset) as u32;
        let significance = match endian {
            Endian::Little => index,
            Endian::Big => u32::from(slot.size) - 1 - index,
        };
        Some(((constant >> (significance * 8)) as u8, slot.is_stale))
    }

    /// Notes that a callee was handed the address `offset`. Saved registers stay as they are: a
    /// callee that reaches those has broken its caller.
    pub(crate) fn hand_out(&mut self, offset: i64) {
        let first = self.slots.partition_point(|slot| slot.end() <= offset);
        let reach = offset.saturating_add(CALLEE_REACH);
        for slot in self.slots.iter_mut().skip(first).take_while(|slot| slot.offset < reach) {
            slot.is_stale = !matches!(slot.value, Value::AtEntry { offset: 0, .. });
        }
    }

    /// Takes what holds in both; true when that is less than before.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        if self == other {
            return false;
        }
        let before = self.slots.len();
        let mut changed = other.has_lost_arguments && !self.has_lost_arguments;
        self.has_lost_arguments |= other.has_lost_arguments;
        let mut others = other.slots.iter().peekable();
        let mut lost_arguments = Vec::new();
        self.slots.retain_mut(|slot| {
            while let Some(other) = others.next_if(|other| other.offset < slot.offset) {
                lost_arguments.extend((other.offset >= 0).then_some(*other));
            }
            let same =
                others.next_if(|other| other.offset == slot.offset && other.size == slot.size);
            let joined = same.map_or(Value::Unknown, |other| slot.value.join(other.value));
            let is_stale = slot.is_stale || same.is_some_and(|other| other.is_stale);
            changed |= joined != slot.value || is_stale != slot.is_stale;
            slot.value = joined;
            slot.is_stale = is_stale;
            joined.is_known() || slot.offset >= 0
        });
        lost_arguments.extend(others.filter(|other| other.offset >= 0));
        for lost in lost_arguments {
            if self.load(lost.offset, lost.size, Endian::Little).is_none() {
                self.store(lost.offset, lost.size, Value::Unknown, Endian::Little);
                changed = true;
            }
        }
        changed || self.slots.len() != before
    }
}

/// What is left of a slot between two offsets, when it is a constant.
fn part(slot: &Slot, start: i64, end: i64, endian: Endian) -> Option<Slot> {
    let constant = slot.value.constant()?;
    let size = u8::try_from(end.checked_sub(start)?).ok().filter(|size| *size > 0)?;
    let above = match endian {
        Endian::Little => start - slot.offset,
        Endian::Big => slot.end() - end,
    };
    let value = Value::Constant(constant >> (above as u32 * 8) & mask(u32::from(size)));
    Some(Slot { offset: start, size, is_stale: slot.is_stale, value })
}

#[cfg(test)]
mod tests {
    use super::{MAX_SLOTS, StackMemory};
    use crate::values::Value;
    use miyaburi_image::Endian::{Big, Little};

    #[test]
    fn a_store_leaves_the_bytes_around_it() {
        for endian in [Little, Big] {
            let mut stack = StackMemory::default();
            stack.store(-16, 8, Value::Constant(0x1122_3344_5566_7788), endian);
            stack.store(-14, 2, Value::Constant(0xabcd), endian);
            let expected = match endian {
                Little => 0x1122_3344_abcd_7788,
                Big => 0x1122_abcd_5566_7788,
            };
            assert_eq!(stack.load(-16, 8, endian), Some(Value::Constant(expected)));
            assert_eq!(stack.load(-14, 2, endian), Some(Value::Constant(0xabcd)));
        }
    }

    #[test]
    fn an_unknown_store_hides_what_was_there() {
        let mut stack = StackMemory::default();
        stack.store(-8, 4, Value::Constant(7), Little);
        stack.store(-6, 1, Value::Unknown, Little);
        assert_eq!(stack.load(-8, 4, Little), Some(Value::Unknown));
        assert_eq!(stack.byte(-8, Little), Some((7, false)));
        assert_eq!(stack.byte(-6, Little), None);
        stack.store(4, 4, Value::Unknown, Little);
        assert_eq!(stack.load(4, 4, Little), Some(Value::Unknown));
        assert_eq!(stack.load(8, 4, Little), None);
    }

    #[test]
    fn what_a_callee_could_change_is_not_loaded_but_still_shown() {
        let mut stack = StackMemory::default();
        stack.store(-16, 4, Value::Constant(2), Little);
        stack.store(-24, 4, Value::Constant(9), Little);
        stack.hand_out(-16);
        assert_eq!(stack.load(-16, 4, Little), Some(Value::Unknown));
        assert_eq!(stack.byte(-16, Little), Some((2, true)));
        assert_eq!(stack.load(-24, 4, Little), Some(Value::Constant(9)));
    }

    #[test]
    fn a_callee_leaves_saved_registers_alone_and_nothing_else() {
        let mut stack = StackMemory::default();
        let saved = Value::AtEntry { register: 8, offset: 0 };
        stack.store(-4, 4, saved, Little);
        stack.store(-8, 4, Value::AtEntry { register: 8, offset: 4 }, Little);
        stack.hand_out(-16);
        assert_eq!(stack.load(-4, 4, Little), Some(saved));
        assert_eq!(stack.load(-8, 4, Little), Some(Value::Unknown));
    }

    /// A join that says again and again that something was lost would never settle.
    #[test]
    fn arguments_that_no_slot_is_left_for_are_lost_once() {
        let mut full = StackMemory::default();
        (0..MAX_SLOTS as i64).for_each(|at| full.store(-8 - at * 8, 8, Value::Constant(1), Little));
        let mut other = full.clone();
        other.store(16, 8, Value::Constant(5), Little);
        assert_eq!(other.load(16, 8, Little), Some(Value::Unknown));
        assert_eq!(full.load(16, 8, Little), None);
        assert!(full.join(&other));
        assert_eq!(full.load(16, 8, Little), Some(Value::Unknown));
        assert_eq!(full.load(-8, 8, Little), Some(Value::Constant(1)));
        assert!(!full.join(&other));
    }

    #[test]
    fn what_is_forgotten_is_unknown() {
        let saved = Value::AtEntry { register: 8, offset: 0 };
        let mut stack = StackMemory::default();
        stack.store(-8, 8, saved, Little);
        stack.store(-16, 8, Value::Constant(3), Little);
        stack.store(8, 8, Value::Constant(4), Little);
        stack.forget(|value| value == saved);
        assert_eq!(stack.load(-8, 8, Little), Some(saved));
        assert_eq!(stack.load(-16, 8, Little), None);
        assert_eq!(stack.load(8, 8, Little), Some(Value::Unknown));
    }

    #[test]
    fn a_join_keeps_what_both_hold() {
        let mut one = StackMemory::default();
        one.store(-16, 4, Value::Constant(2), Little);
        one.store(-12, 4, Value::Constant(3), Little);
        let mut two = one.clone();
        assert!(!two.join(&one));
        two.store(-12, 4, Value::Constant(4), Little);
        two.store(8, 4, Value::Unknown, Little);
        assert!(one.join(&two));
        assert_eq!(one.load(-16, 4, Little), Some(Value::Constant(2)));
        assert_eq!(one.load(-12, 4, Little), None);
        assert_eq!(one.load(8, 4, Little), Some(Value::Unknown));
    }
}
