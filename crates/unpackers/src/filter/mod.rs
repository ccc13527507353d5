//! What packers do to code before they compress it, undone.
//!
//! A filter makes the targets of branches absolute, so that branches to one routine look the same.
//! The numbers are those of UPX.

mod arm;
mod powerpc;
mod x86;

/// Bytes at the end of a block that is cut off of which it is not known whether they were changed:
/// those of one operand.
pub const UNDECIDED: usize = 4;

/// Undoes filter `id` of a whole block in place; `parameter` is the byte that marks changed
/// branches, where the filter has one.
///
/// # Errors
/// The number of a filter that is not known.
pub fn undo(id: u8, parameter: u8, code: &mut [u8]) -> Result<(), u8> {
    match id {
        0 => {}
        0x24 => x86::undo(code, parameter, x86::CALLS),
        0x25 => x86::undo(code, parameter, x86::JUMPS),
        0x26 | 0x46 => x86::undo(code, parameter, x86::CALLS | x86::JUMPS),
        0x49 => x86::undo(code, parameter, x86::CALLS | x86::JUMPS | x86::CONDITIONS),
        0x50 => arm::undo_arm(code, arm::Order::Little),
        0x51 => arm::undo_arm(code, arm::Order::Big),
        0x52 => arm::undo_aarch64(code),
        0xd0 => powerpc::undo(code, parameter),
        _ => return Err(id),
    }
    Ok(())
}
