//! NRV2B, NRV2D and NRV2E: Lempel-Ziv with numbers in interleaved bits.
//!
//! A set bit announces a literal byte. A match gives its distance, of which the upper part is in
//! pairs of a value bit and a stop bit and the lower eight bits are a byte, then its length; the
//! shortest code of a distance repeats the last one, and a distance of all ones ends the stream. The
//! three differ in the order of the bits and in the distance from which on a match is one longer.

use super::DecompressError;
use super::bits::Bits;
use super::output::Output;

/// The variants of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nrv {
    /// NRV2B.
    B,
    /// NRV2D.
    D,
    /// NRV2E.
    E,
}

/// How many bits are fetched at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A byte.
    Bits8,
    /// Two bytes, the lower one first.
    Bits16,
    /// Four bytes, the lowest one first.
    Bits32,
}

/// The code of a distance that ends the stream.
const END: u32 = u32::MAX;

/// Decompresses `input` to `size` bytes.
///
/// # Errors
/// When `input` is not a whole stream of that size, with nothing left.
pub fn nrv(
    variant: Nrv,
    unit: Unit,
    input: &[u8],
    size: usize,
) -> Result<Vec<u8>, DecompressError> {
    let mut output = Output::new(size);
    decode(variant, unit, input, &mut output)?;
    output.finish()
}

/// As far as a stream goes that is cut off: what [`nrv`] would give begins with it.
///
/// # Errors
/// When `input` is anything else than the beginning of a longer stream of that size.
pub fn nrv_beginning(
    variant: Nrv,
    unit: Unit,
    input: &[u8],
    size: usize,
) -> Result<Vec<u8>, DecompressError> {
    let mut output = Output::new(size);
    match decode(variant, unit, input, &mut output) {
        Err(DecompressError::InputEnds) => Ok(output.unfinished()),
        Err(error) => Err(error),
        Ok(()) => Err(DecompressError::TooLittle),
    }
}

fn decode(
    variant: Nrv,
    unit: Unit,
    input: &[u8],
    output: &mut Output,
) -> Result<(), DecompressError> {
    match unit {
        Unit::Bits8 => decode_units::<1>(variant, input, output),
        Unit::Bits16 => decode_units::<2>(variant, input, output),
        Unit::Bits32 => decode_units::<4>(variant, input, output),
    }
}

fn decode_units<const UNIT: usize>(
    variant: Nrv,
    input: &[u8],
    output: &mut Output,
) -> Result<(), DecompressError> {
    let mut bits = Bits::<UNIT>::new(input);
    // Distances are counted from 0 here.
    let mut last = 0;
    loop {
        while bits.bit()? == 1 {
            output.push(bits.byte()?)?;
        }
        let Some((distance, first)) = distance(variant, &mut bits, last)? else { break };
        last = distance;
        let length = length(variant, &mut bits, first)?;
        let (distance, length) = (distance as usize + 1, length as usize);
        let far = if variant == Nrv::B { 0xd00 } else { 0x500 };
        output.repeat(distance, length + usize::from(distance > far))?;
    }
    if bits.is_at_end() { Ok(()) } else { Err(DecompressError::InputLeft) }
}

/// A distance and the first bit of the length that belongs to it; `None` at the end of the stream.
fn distance<const UNIT: usize>(
    variant: Nrv,
    bits: &mut Bits<'_, UNIT>,
    last: u32,
) -> Result<Option<(u32, u32)>, DecompressError> {
    let mut upper: u32 = 1;
    loop {
        upper = append(upper, bits.bit()?)?;
        if bits.bit()? == 1 {
            break;
        }
        if variant != Nrv::B {
            upper = append(upper - 1, bits.bit()?)?;
        }
    }
    if upper == 2 {
        return Ok(Some((last, bits.bit()?)));
    }
    // Three codes are taken: one and two do not occur, or repeat the last distance.
    let upper = upper.checked_sub(3).ok_or(DecompressError::Damaged)?;
    let code = upper.checked_mul(256).ok_or(DecompressError::Distance)? | u32::from(bits.byte()?);
    if code == END {
        return Ok(None);
    }
    if variant == Nrv::B {
        return Ok(Some((code, bits.bit()?)));
    }
    // The lowest bit, inverted, belongs to the length.
    Ok(Some((code >> 1, !code & 1)))
}

/// The number of bytes that a match repeats, as if it was near.
fn length<const UNIT: usize>(
    variant: Nrv,
    bits: &mut Bits<'_, UNIT>,
    first: u32,
) -> Result<u32, DecompressError> {
    if variant == Nrv::E {
        if first == 1 {
            return Ok(2 + bits.bit()?);
        }
        if bits.bit()? == 1 {
            return Ok(4 + bits.bit()?);
        }
        return number(bits)?.checked_add(4).ok_or(DecompressError::TooMuch);
    }
    match first << 1 | bits.bit()? {
        0 => number(bits)?.checked_add(3).ok_or(DecompressError::TooMuch),
        short => Ok(short + 1),
    }
}

/// A number of two or more: value bits, each followed by whether it was the last.
fn number<const UNIT: usize>(bits: &mut Bits<'_, UNIT>) -> Result<u32, DecompressError> {
    let mut value = 1;
    loop {
        value = append(value, bits.bit()?)?;
        if bits.bit()? == 1 {
            return Ok(value);
        }
    }
}

fn append(value: u32, bit: u32) -> Result<u32, DecompressError> {
    if value >> 31 == 1 { Err(DecompressError::Damaged) } else { Ok(value << 1 | bit) }
}
