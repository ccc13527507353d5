//! Functions that work out the global pointer from their own address, as position-independent MIPS
//! code does before anything else (System V ABI, MIPS supplement, "Position-Independent Function
//! Prologue"): `lui gp, high; addiu gp, gp, low; addu gp, gp, t9`, where `t9` holds the function's
//! address. The distance is different for every function, and where it leads from the program's
//! global pointer, the function starts.
//!
//! False positives: none are known; other data would have to hold three instructions and the one
//! distance that fits. False negatives: code that is not position-independent, functions that need
//! no global pointer, code of other conventions than o32.

use miyaburi_image::{Address, Family, Image};

/// The most instructions from a function's start to the end of the sequence: compilers put others
/// in between.
const MAX_SEQUENCE: usize = 12;

/// `lui gp, 0`, of which the lower half is the distance's upper half.
const LUI_GP: u32 = 0x3c1c_0000;
/// `addiu gp, gp, 0`, of which the lower half is the distance's lower half.
const ADDIU_GP: u32 = 0x279c_0000;
/// `addu gp, gp, t9`, and with the operands the other way round.
const ADDU_GP_T9: [u32; 2] = [0x0399_e021, 0x033c_e021];

/// The starts in the code at `range` of functions that arrive at `global_pointer`, ascending.
pub(crate) fn function_starts(
    image: &Image,
    range: (Address, Address),
    global_pointer: u64,
) -> Vec<Address> {
    if image.arch().family != Family::Mips || image.arch().pointer_size() != 4 {
        return Vec::new();
    }
    let (start, end) = range;
    let length = end.0.saturating_sub(start.0) as usize;
    let bytes = image.bytes_from(start);
    let words: Vec<u32> = bytes
        .get(..length)
        .unwrap_or(bytes)
        .chunks_exact(4)
        .map(|word| image.arch().instruction_endian.read_uint(word) as u32)
        .collect();
    let found = words.iter().enumerate().filter(|(_, word)| *word & 0xffff_0000 == LUI_GP);
    let mut starts: Vec<Address> = found
        .filter_map(|(index, _)| {
            let distance = distance(words.get(index..)?)?;
            let function = (global_pointer as u32).wrapping_sub(distance);
            let here = start.offset(index as u64 * 4);
            let before = here.0.checked_sub(u64::from(function))?;
            (before < MAX_SEQUENCE as u64 * 4).then_some(Address(u64::from(function)))
        })
        .collect();
    starts.dedup();
    starts
}

/// The distance that the sequence at the start of `words` adds to the function's address.
fn distance(words: &[u32]) -> Option<u32> {
    let words = words.get(..MAX_SEQUENCE).unwrap_or(words);
    let low = words.iter().position(|word| word & 0xffff_0000 == ADDIU_GP)?;
    words.iter().skip(low).find(|word| ADDU_GP_T9.contains(word))?;
    let half = |word: &u32| word & 0xffff;
    let (upper, lower) = (half(words.first()?), half(words.get(low)?));
    Some((upper << 16).wrapping_add(lower as u16 as i16 as u32))
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn the_distance_is_that_of_both_halves() {
        let plain = [0x3c1c_000a, 0x279c_1620, 0x0399_e021];
        assert_eq!(distance(&plain), Some(0xa_1620));
        let borrowing = [0x3c1c_0009, 0x27bd_ffc0, 0x279c_bd50, 0x0399_e021];
        assert_eq!(distance(&borrowing), Some(0x8_bd50));
    }

    #[test]
    fn a_sequence_that_is_not_whole_has_none() {
        assert_eq!(distance(&[0x3c1c_000a, 0x279c_1620]), None);
        // The global pointer plus another register, and a sequence in another order.
        assert_eq!(distance(&[0x3c1c_000a, 0x279c_1620, 0x0384_e021]), None);
        assert_eq!(distance(&[0x3c1c_000a, 0x0399_e021, 0x279c_1620]), None);
    }
}
