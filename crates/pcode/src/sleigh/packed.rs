//! Reader of the packed element format that compiled specifications are written in.
//!
//! A record starts with a byte whose top two bits say what it is (element start `01`, element end
//! `10`, attribute `11`), whose third bit says that the number continues in a second byte, and
//! whose low five bits are the (upper part of the) number. An attribute goes on with a type byte
//! (type, length) and its value in bytes of seven bits each, most significant first.

use super::error::SpecificationError;

const KIND: u8 = 0xc0;
const ELEMENT_START: u8 = 0x40;
const ELEMENT_END: u8 = 0x80;
const ATTRIBUTE: u8 = 0xc0;
const EXTENDED: u8 = 0x20;
const NUMBER: u8 = 0x1f;
const DATA: u8 = 0x7f;

/// No element of the format has more attributes.
const MAX_ATTRIBUTES: usize = 32;

#[derive(Clone, Copy)]
struct Attribute<'a> {
    number: u16,
    /// Signed values in two's complement.
    value: u64,
    text: &'a [u8],
}

/// A cursor over packed elements. The attributes of the element opened last can be asked for until
/// the next one is opened.
pub(super) struct PackedReader<'a> {
    bytes: &'a [u8],
    position: usize,
    attributes: [Attribute<'a>; MAX_ATTRIBUTES],
    attribute_count: usize,
    opened_at: usize,
}

type Result<T> = std::result::Result<T, SpecificationError>;

impl<'a> PackedReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            attributes: [Attribute { number: 0, value: 0, text: &[] }; MAX_ATTRIBUTES],
            attribute_count: 0,
            opened_at: 0,
        }
    }

    /// Bytes not yet read: a bound on how many elements can follow.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    /// An error at the element opened last.
    pub(super) fn malformed(&self, problem: &'static str) -> SpecificationError {
        SpecificationError::Malformed { offset: self.opened_at, problem }
    }

    /// A feature at the element opened last that this crate does not implement.
    pub(super) fn unsupported(&self, feature: &'static str) -> SpecificationError {
        SpecificationError::Unsupported { offset: self.opened_at, feature }
    }

    fn here(&self, problem: &'static str) -> SpecificationError {
        SpecificationError::Malformed { offset: self.position, problem }
    }

    /// The number of the element that starts here; `None` at an element's end.
    pub(super) fn peek(&self) -> Option<u16> {
        let first = *self.bytes.get(self.position)?;
        if first & KIND != ELEMENT_START {
            return None;
        }
        let upper = u16::from(first & NUMBER);
        if first & EXTENDED == 0 {
            return Some(upper);
        }
        let second = *self.bytes.get(self.position + 1)?;
        Some(upper << 7 | u16::from(second & DATA))
    }

    /// Opens the element that starts here and returns its number.
    pub(super) fn open(&mut self) -> Result<u16> {
        self.opened_at = self.position;
        let mut cursor = Cursor { rest: self.bytes.get(self.position..).unwrap_or(&[]) };
        let outcome = cursor.open(&mut self.attributes);
        self.position = self.bytes.len() - cursor.rest.len();
        match outcome {
            Ok((element, count)) => {
                self.attribute_count = count;
                Ok(element)
            }
            Err(problem) => Err(self.here(problem)),
        }
    }

    /// Opens the element that starts here, which must be `element`.
    pub(super) fn expect(&mut self, element: u16) -> Result<()> {
        if self.open()? == element {
            Ok(())
        } else {
            Err(self.malformed("another element was expected"))
        }
    }

    /// Reads the end of the element that is open.
    pub(super) fn close(&mut self) -> Result<()> {
        let Some(byte) = self.bytes.get(self.position).filter(|byte| *byte & KIND == ELEMENT_END)
        else {
            return Err(self.here("an element should end here"));
        };
        // The number says again which element it is.
        let end = self.position + if byte & EXTENDED == 0 { 1 } else { 2 };
        if end > self.bytes.len() {
            return Err(self.here("unexpected end"));
        }
        self.position = end;
        Ok(())
    }

    /// Skips what is left of the open element and its end.
    pub(super) fn skip(&mut self) -> Result<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            if self.peek().is_some() {
                self.open()?;
                depth += 1;
            } else {
                self.close()?;
                depth -= 1;
            }
        }
        Ok(())
    }

    fn find(&self, number: u16) -> Option<&Attribute<'a>> {
        let attributes = self.attributes.get(..self.attribute_count).unwrap_or(&[]);
        attributes.iter().find(|attribute| attribute.number == number)
    }

    /// The value of an attribute that may be missing.
    pub(super) fn optional(&self, number: u16) -> Option<u64> {
        self.find(number).map(|attribute| attribute.value)
    }

    /// The value of an attribute.
    pub(super) fn unsigned(&self, number: u16) -> Result<u64> {
        self.optional(number).ok_or_else(|| self.malformed("an attribute is missing"))
    }

    /// The value of a signed attribute.
    pub(super) fn signed(&self, number: u16) -> Result<i64> {
        Ok(self.unsigned(number)?.cast_signed())
    }

    /// The value of an attribute, which must fit the type.
    pub(super) fn small<T: TryFrom<u64>>(&self, number: u16) -> Result<T> {
        T::try_from(self.unsigned(number)?)
            .map_err(|_| self.malformed("an attribute is out of range"))
    }

    /// The value of an attribute, or 0 when it is missing.
    pub(super) fn small_or_zero<T: TryFrom<u64> + Default>(&self, number: u16) -> Result<T> {
        match self.optional(number) {
            None => Ok(T::default()),
            Some(_) => self.small(number),
        }
    }

    /// The value of a boolean attribute.
    pub(super) fn flag(&self, number: u16) -> Result<bool> {
        Ok(self.unsigned(number)? != 0)
    }

    /// The value of a text attribute, if it is there.
    pub(super) fn optional_text(&self, number: u16) -> Result<Option<&'a str>> {
        let Some(attribute) = self.find(number) else { return Ok(None) };
        match std::str::from_utf8(attribute.text) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(self.malformed("text is not UTF-8")),
        }
    }

    /// The value of a text attribute.
    pub(super) fn text(&self, number: u16) -> Result<&'a str> {
        self.optional_text(number)?.ok_or_else(|| self.malformed("an attribute is missing"))
    }
}

/// What is left to read. Separate from the reader, so that reading an element keeps it at hand;
/// most of the time to load a specification is spent here.
struct Cursor<'a> {
    rest: &'a [u8],
}

type Read<T> = std::result::Result<T, &'static str>;

impl<'a> Cursor<'a> {
    #[inline]
    fn byte(&mut self) -> Read<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or("unexpected end")?;
        self.rest = rest;
        Ok(byte)
    }

    /// The number of the element that starts here, and of its attributes.
    fn open(&mut self, attributes: &mut [Attribute<'a>]) -> Read<(u16, usize)> {
        if self.rest.first().is_none_or(|byte| byte & KIND != ELEMENT_START) {
            return Err("an element should start here");
        }
        let element = self.number()?;
        let mut count = 0;
        while self.rest.first().is_some_and(|byte| byte & KIND == ATTRIBUTE) {
            let slot = attributes.get_mut(count).ok_or("too many attributes")?;
            *slot = self.attribute()?;
            count += 1;
        }
        Ok((element, count))
    }

    #[inline]
    fn number(&mut self) -> Read<u16> {
        let first = self.byte()?;
        let upper = u16::from(first & NUMBER);
        if first & EXTENDED == 0 {
            return Ok(upper);
        }
        Ok(upper << 7 | u16::from(self.byte()? & DATA))
    }

    #[inline]
    fn attribute(&mut self) -> Read<Attribute<'a>> {
        let number = self.number()?;
        let kind = self.byte()?;
        let (kind, length) = (kind >> 4, kind & 0xf);
        let mut attribute = Attribute { number, value: 0, text: &[] };
        match kind {
            // Booleans and special spaces have their value in place of a length.
            1 | 6 => attribute.value = u64::from(length),
            // Positive, unsigned, address space.
            2 | 4 | 5 => attribute.value = self.integer(length)?,
            3 => attribute.value = self.integer(length)?.wrapping_neg(),
            7 => {
                let size = usize::try_from(self.integer(length)?).unwrap_or(usize::MAX);
                (attribute.text, self.rest) =
                    self.rest.split_at_checked(size).ok_or("text runs past the end")?;
            }
            _ => return Err("unknown attribute type"),
        }
        Ok(attribute)
    }

    #[inline]
    fn integer(&mut self, length: u8) -> Read<u64> {
        let (digits, rest) =
            self.rest.split_at_checked(usize::from(length)).ok_or("unexpected end")?;
        self.rest = rest;
        Ok(digits.iter().fold(0, |value, digit| value << 7 | u64::from(digit & DATA)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Element 3 with attribute 2 = -5 and attribute 12 = "ab", holding the empty element 33.
    const SAMPLE: &[u8] =
        &[0x43, 0xc2, 0x31, 0x85, 0xcc, 0x71, 0x82, b'a', b'b', 0x60, 0xa1, 0xa0, 0xa1, 0x83];

    #[test]
    fn elements_and_attributes() {
        let mut reader = PackedReader::new(SAMPLE);
        assert_eq!(reader.peek(), Some(3));
        assert_eq!(reader.open().unwrap(), 3);
        assert_eq!(reader.signed(2).unwrap(), -5);
        assert_eq!(reader.text(12).unwrap(), "ab");
        assert_eq!(reader.optional(7), None);
        assert_eq!(reader.open().unwrap(), 33);
        reader.close().unwrap();
        reader.close().unwrap();
        assert_eq!(reader.remaining(), 0);
    }

    #[test]
    fn skip_leaves_the_element() {
        let mut reader = PackedReader::new(SAMPLE);
        reader.open().unwrap();
        reader.skip().unwrap();
        assert_eq!(reader.remaining(), 0);
    }

    #[test]
    fn every_truncation_is_an_error() {
        for end in 0..SAMPLE.len() {
            let mut reader = PackedReader::new(&SAMPLE[..end]);
            let outcome = reader.open().and_then(|_| reader.skip());
            assert!(
                matches!(outcome, Err(SpecificationError::Malformed { offset, .. }) if offset <= end),
                "{end}: {outcome:?}"
            );
        }
    }

    #[test]
    fn bad_records_are_errors_with_their_offset() {
        let missing =
            SpecificationError::Malformed { offset: 0, problem: "an attribute is missing" };
        let mut reader = PackedReader::new(SAMPLE);
        reader.open().unwrap();
        assert_eq!(reader.unsigned(9), Err(missing));

        let mut unknown_type = PackedReader::new(&[0x43, 0xc2, 0x90, 0x83]);
        assert_eq!(
            unknown_type.open(),
            Err(SpecificationError::Malformed { offset: 3, problem: "unknown attribute type" })
        );

        let mut long_text = PackedReader::new(&[0x43, 0xcc, 0x71, 0xff, b'a', 0x83]);
        assert!(long_text.open().is_err());

        let mut not_utf8 = PackedReader::new(&[0x43, 0xcc, 0x71, 0x81, 0xff, 0x83]);
        not_utf8.open().unwrap();
        assert!(not_utf8.text(12).is_err());

        let mut too_many = vec![0x43];
        too_many.extend([0xc2, 0x11].repeat(MAX_ATTRIBUTES + 1));
        assert!(PackedReader::new(&too_many).open().is_err());
    }

    #[test]
    fn deep_nesting_is_no_recursion() {
        let deep = vec![0x43; 1 << 20];
        let mut reader = PackedReader::new(&deep);
        reader.open().unwrap();
        assert!(reader.skip().is_err());
    }
}
