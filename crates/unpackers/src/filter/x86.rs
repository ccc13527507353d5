//! Calls and jumps of x86.
//!
//! A changed branch has the distance of its target from the block's start, most significant byte
//! first, whose first byte is the parameter.

/// `e8`.
pub(super) const CALLS: u8 = 1;
/// `e9`.
pub(super) const JUMPS: u8 = 2;
/// `0f 80` to `0f 8f`.
pub(super) const CONDITIONS: u8 = 4;

/// Bytes of an operand.
const OPERAND: usize = 4;

pub(super) fn undo(code: &mut [u8], parameter: u8, which: u8) {
    let end = code.len().saturating_sub(1 + OPERAND);
    let mut at = 0;
    // The byte after the last changed branch begins no condition.
    let mut after_last = 0;
    while at < end {
        if is_branch(code, at, after_last, which) && code.get(at + 1) == Some(&parameter) {
            restore(code, at + 1, parameter);
            at += OPERAND;
            after_last = at + 1;
        }
        at += 1;
    }
}

fn is_branch(code: &[u8], at: usize, after_last: usize, which: u8) -> bool {
    match code.get(at) {
        Some(0xe8) => which & CALLS != 0,
        Some(0xe9) => which & JUMPS != 0,
        Some(0x80..=0x8f) => {
            let before = at.checked_sub(1).and_then(|before| code.get(before));
            which & CONDITIONS != 0 && at != after_last && before == Some(&0x0f)
        }
        _ => false,
    }
}

fn restore(code: &mut [u8], operand: usize, parameter: u8) {
    let Some(bytes) = code.get_mut(operand..).and_then(|rest| rest.first_chunk_mut::<OPERAND>())
    else {
        return;
    };
    let target = u32::from_be_bytes(*bytes).wrapping_sub(u32::from(parameter) << 24);
    // Distances count from the operand here, as the packer counts them.
    *bytes = target.wrapping_sub(operand as u32).to_le_bytes();
}
