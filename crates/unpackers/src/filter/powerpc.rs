//! Branches of PowerPC.
//!
//! A changed branch has the distance of its target from the block's start, with the parameter in
//! the upper four of its 26 bits.

/// The bits of a target below the parameter, in whole instructions.
const TARGET: u32 = 0x003f_fffc;
/// The bits of a distance.
const DISTANCE: u32 = 0x03ff_fffc;
/// Code that starts behind this is left alone: the parameter takes the place of its address bits.
const REACH: usize = 1 << 22;

pub(super) fn undo(code: &mut [u8], parameter: u8) {
    for (index, bytes) in code.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let at = index * 4;
        if at > REACH {
            return;
        }
        let word = u32::from_be_bytes(*bytes);
        let is_branch = word >> 26 == 18;
        if is_branch && word >> 22 & 0x0f == u32::from(parameter) {
            let distance = (word & TARGET).wrapping_sub(at as u32) & DISTANCE;
            *bytes = (word & !DISTANCE | distance).to_be_bytes();
        }
    }
}
