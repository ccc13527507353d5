//! Calls of ARM, branches and calls of AArch64.
//!
//! To the distance in every such instruction its own position was added, in units of instructions.

/// Byte order of instructions.
#[derive(Clone, Copy)]
pub(super) enum Order {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// `bl` under any condition, and `blx` by half a word.
pub(super) fn undo_arm(code: &mut [u8], order: Order) {
    each(code, order, |word, index| {
        let is_call = word >> 24 & 0x0f == 0x0b;
        is_call.then(|| word & 0xff00_0000 | word.wrapping_sub(index) & 0x00ff_ffff)
    });
}

/// `b` and `bl`.
pub(super) fn undo_aarch64(code: &mut [u8]) {
    each(code, Order::Little, |word, index| {
        let is_branch = word >> 26 & 0x1f == 5;
        is_branch.then(|| word & 0xfc00_0000 | word.wrapping_sub(index) & 0x03ff_ffff)
    });
}

/// Hands `change` every instruction but one at the very end, which the packer leaves alone, and its
/// number.
fn each(code: &mut [u8], order: Order, change: impl Fn(u32, u32) -> Option<u32>) {
    let end = code.len().saturating_sub(4);
    for (index, bytes) in code.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        if index * 4 >= end {
            return;
        }
        let word = match order {
            Order::Little => u32::from_le_bytes(*bytes),
            Order::Big => u32::from_be_bytes(*bytes),
        };
        if let Some(word) = change(word, index as u32) {
            *bytes = match order {
                Order::Little => word.to_le_bytes(),
                Order::Big => word.to_be_bytes(),
            };
        }
    }
}
