//! What a handler is given: the target, and options with their texts, laid out in its memory.

use miyaburi_emulator::{MemoryError, Region, State};
use miyaburi_image::{Address, Arch, Family};

/// The address that handlers are told to attack: of a documentation network (RFC 5737), and its last
/// number no other is likely to be.
pub(super) const TARGET: [u8; 4] = [203, 0, 113, 77];

/// `AF_INET`.
const AF_INET: u64 = 2;

/// An option's key and its text.
pub(super) type Given = (u8, Vec<u8>);

/// Bytes of the longest text that an option can have: its length is a byte.
const MAX_TEXT: u64 = 256;

/// Where targets, options and texts lie in the block that they are given.
const OPTIONS: u64 = 0x100;
const TEXTS: u64 = 0x2000;

/// An order in the memory of a process.
#[derive(Clone, Debug)]
pub(super) struct Order {
    block: Address,
    keys: Vec<u8>,
    /// Bytes of a pointer, and of one option.
    pointer: u32,
    stride: u64,
}

impl Order {
    /// Writes one target and `options` to `block`, as the leaked program lays them out: a target is a
    /// socket address, the address again and the length of its network; an option a pointer to its
    /// text and its key.
    ///
    /// # Errors
    /// When the memory budget of `state` is spent.
    pub(super) fn write(
        state: &mut State<'_>,
        arch: Arch,
        block: Address,
        options: &[Given],
    ) -> Result<Self, MemoryError> {
        let pointer = arch.pointer_size();
        // Structures are aligned to two bytes there.
        let alignment = match arch.family {
            Family::M68k | Family::ColdFire => 2,
            _ => u64::from(pointer),
        };
        let stride = (u64::from(pointer) + 1).next_multiple_of(alignment);
        let keys = options.iter().map(|(key, _)| *key).collect();
        let order = Self { block, keys, pointer, stride };
        state.memory.store(block, 2, AF_INET)?;
        state.memory.write(block.offset(4), &TARGET)?;
        state.memory.write(block.offset(16), &TARGET)?;
        state.memory.store(block.offset(20), 1, 32)?;
        for (index, (key, text)) in (0..).zip(options) {
            let at = order.option(index);
            let place = order.text(index);
            state.memory.store(at, pointer, place.0)?;
            state.memory.store(at.offset(u64::from(pointer)), 1, u64::from(*key))?;
            state.memory.write(place, text)?;
        }
        Ok(order)
    }

    fn option(&self, index: u64) -> Address {
        self.block.offset(OPTIONS + self.stride * index)
    }

    fn text(&self, index: u64) -> Address {
        self.block.offset(TEXTS + MAX_TEXT * index)
    }

    /// The handler's arguments: how many targets, the targets, how many options, the options.
    pub(super) fn arguments(&self) -> [u64; 4] {
        [1, self.block.0, self.keys.len() as u64, self.option(0).0]
    }

    /// Where the options lie.
    pub(super) fn options(&self) -> Region {
        Region { start: self.option(0), size: self.stride * self.keys.len() as u64 }
    }

    /// The key of the option whose text's address is read at `address`.
    pub(super) fn key_read_at(&self, address: Address) -> Option<u8> {
        let distance = address.distance_from(self.option(0))?;
        let is_text = distance % self.stride < u64::from(self.pointer);
        is_text.then(|| self.keys.get((distance / self.stride) as usize).copied()).flatten()
    }

    /// Whether `value` is the address of the text of the option with this key.
    pub(super) fn is_text_of(&self, key: u8, value: u64) -> bool {
        let index = self.keys.iter().position(|known| *known == key);
        index.is_some_and(|index| self.text(index as u64).0 == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_where_their_text_is_read() {
        let order =
            |pointer, stride| Order { block: Address(0x1000), keys: vec![7, 9], pointer, stride };
        let packed = order(4, 6);
        assert_eq!(packed.key_read_at(Address(0x1100)), Some(7));
        assert_eq!(packed.key_read_at(Address(0x1104)), None, "the key itself");
        assert_eq!(packed.key_read_at(Address(0x1106)), Some(9));
        assert_eq!(packed.key_read_at(Address(0x110c)), None, "behind the last");
        let wide = order(8, 16);
        assert_eq!(wide.key_read_at(Address(0x1110)), Some(9));
        assert!(wide.is_text_of(9, 0x1000 + TEXTS + MAX_TEXT));
        assert!(!wide.is_text_of(7, 0x1000 + TEXTS + MAX_TEXT));
        assert!(!wide.is_text_of(8, 0x1000 + TEXTS));
    }
}
