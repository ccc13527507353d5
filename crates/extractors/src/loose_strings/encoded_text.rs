//! Text as it lies encoded in the file: where it begins and where it ends.

use crate::loose_strings::plain_text::{MIN_PLAIN, is_plain};
use crate::xor;
use miyaburi_image::{Address, Image};

/// Longest text, in bytes.
pub(super) const MAX_LENGTH: usize = 1024;

/// Most bytes of padding between texts.
const MAX_PADDING: u64 = 64;

/// So many zeros are padding, whatever the key.
const MIN_PADDING: u64 = 3;

/// Most bytes of something else between texts.
const MAX_BETWEEN: u64 = 128;

/// Fewest bytes of a text behind something else, its end included.
const MIN_ALONE: usize = 10;

/// So many texts right behind another tell that there is no padding.
const MIN_PACKED: usize = 6;

/// How texts lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    /// The key as one byte.
    pub key: u8,
    /// The alignment of all texts, in bytes; 1 when there is none, or not for all.
    pub alignment: u64,
    /// Whether texts follow each other without padding.
    pub is_packed: bool,
}

/// Shortest text that speaks for a key, in bytes with its end.
pub(super) const MIN_TELLING: usize = 6;

/// Texts longer than this say no more about the key, in bytes.
const MAX_TELLING: usize = 128;

/// Keys under which text of some length begins at `start`.
pub(crate) fn keys_at(image: &Image, start: Address) -> Vec<u8> {
    let bytes = image.bytes_from(start);
    let bytes = bytes.get(..MAX_TELLING).unwrap_or(bytes);
    let mut keys: Vec<u8> = Vec::new();
    for (end, key) in bytes.iter().enumerate().skip(MIN_TELLING - 1) {
        let is_text = |byte: &u8| xor::is_text_byte(byte ^ key);
        let before = bytes.get(..end).unwrap_or_default();
        // Under the key of an earlier end the text is over: that end is no text.
        if *key != 0 && before.iter().all(is_text) {
            keys.push(*key);
        }
    }
    let is_text = |key: &u8| Encoding::unaligned(*key).text_at(image, start);
    keys.retain(|key| is_text(key).is_some());
    keys
}

impl Encoding {
    /// That of texts under `key` of which nothing is known.
    pub(super) const fn unaligned(key: u8) -> Self {
        Self { key, alignment: 1, is_packed: false }
    }

    /// That of texts under `key` at these places.
    pub(super) fn of(key: u8, places: impl Iterator<Item = Address>) -> Self {
        let zeros = places.map(|place| place.0.trailing_zeros()).min().unwrap_or(0);
        Self { alignment: 1 << zeros.min(3), ..Self::unaligned(key) }
    }

    /// That of these texts under `key`, each with its length, in ascending order. The shortest may
    /// lie anywhere.
    pub(super) fn of_texts(key: u8, image: &Image, texts: &[(Address, u64)]) -> Self {
        let telling = texts.iter().filter(|(_, length)| *length >= MIN_TELLING as u64);
        let encoding = Self::of(key, telling.map(|(place, _)| *place));
        let gaps = texts.windows(2).filter_map(|pair| {
            let [(place, length), (next, _)] = pair else { return None };
            let gap = next.0.checked_sub(place.0 + length)?;
            (gap <= zeros(image.bytes_from(place.offset(*length)).iter())).then_some(gap)
        });
        let (packed, padded): (Vec<u64>, Vec<u64>) = gaps.partition(|gap| *gap == 0);
        Self { is_packed: padded.is_empty() && packed.len() >= MIN_PACKED, ..encoding }
    }

    /// The text that begins at `start`, decoded, its terminating zero included.
    ///
    /// `None` for plain text that happens to read as text under the key, too, and for text that
    /// begins with the key's own character or holds it several times in a row: its code is zero, as
    /// is padding.
    pub(super) fn text_at(self, image: &Image, start: Address) -> Option<Vec<u8>> {
        let text = self.text_before_known(image, start, None)?;
        (image.bytes_from(start).first() != Some(&0)).then_some(text)
    }

    /// The text that begins at `start`, even if with the key's own character, where the next that
    /// is known begins at `known`: a plain text would not reach into that one.
    fn text_before_known(
        self,
        image: &Image,
        start: Address,
        known: Option<Address>,
    ) -> Option<Vec<u8>> {
        let bytes = image.bytes_from(start);
        let bytes = bytes.get(..MAX_LENGTH).unwrap_or(bytes);
        let end = bytes.iter().position(|byte| *byte == self.key)?;
        let encoded = bytes.get(..=end)?;
        let decoded = xor::apply(encoded, self.key);
        let room = known.map_or(u64::MAX, |known| known.0.saturating_sub(start.0));
        let is_plain = bytes.iter().take_while(|byte| **byte != 0).count() as u64 <= room
            && is_plain(bytes, &decoded);
        let is_padding = encoded.windows(3).any(|some| some == [0; 3]);
        (xor::is_text(&decoded) && !is_padding && !is_plain).then_some(decoded)
    }

    /// The text that begins at `end` or behind the padding there: where it begins, and it decoded.
    /// The next that is known begins at `known`.
    pub(super) fn text_behind(
        self,
        image: &Image,
        end: Address,
        known: Option<Address>,
    ) -> Option<(Address, Vec<u8>)> {
        let zeros = zeros(image.bytes_from(end).iter());
        let behind = end.offset(zeros);
        let is_aligned = |place: Address| place.0.is_multiple_of(self.alignment);
        let start = match zeros {
            MAX_PADDING.. => None,
            0 => Some(end),
            // Where a zero is no character, it is padding wherever it stands.
            _ if !self.is_text(0) => Some(behind),
            _ if self.alignment > 1 && is_aligned(behind) => Some(behind),
            // It begins with the key's own character.
            1 if self.is_packed || self.alignment > 1 && is_aligned(end) => Some(end),
            _ => None,
        }?;
        self.text_before_known(image, start, known).map(|decoded| (start, decoded))
    }

    /// The texts that fill all that lies between `end` and `next` but for padding: that plain ones all
    /// ended in the key is no chance.
    pub(super) fn texts_between(
        self,
        image: &Image,
        mut end: Address,
        next: Address,
    ) -> Option<Vec<(Address, Vec<u8>)>> {
        let mut texts = Vec::new();
        while zeros(image.bytes_from(end).iter()) < next.0.checked_sub(end.0)? {
            let (address, decoded) = self.text_behind(image, end, Some(end))?;
            end = address.offset(decoded.len() as u64);
            texts.push((address, decoded));
        }
        Some(texts)
    }

    /// A text of some length that begins behind `end` and something that is no text.
    ///
    /// False positives: numbers that read as long text under the key up to an encoded zero. False
    /// negatives: shorter texts, and those without a zero and an alignment that tell where they begin.
    pub(super) fn text_beyond(self, image: &Image, end: Address) -> Option<(Address, Vec<u8>)> {
        let first = end.0.next_multiple_of(self.alignment);
        let places = (first..end.0.saturating_add(MAX_BETWEEN)).step_by(self.alignment as usize);
        let mut places = places.map(Address).filter(|place| {
            let before = place.0.checked_sub(1).map(Address);
            before.is_some_and(|before| image.bytes_from(before).first() == Some(&0))
        });
        if self.alignment < 4 {
            return None;
        }
        places.find_map(|place| {
            let decoded = self.text_at(image, place)?;
            (decoded.len() >= MIN_ALONE).then_some((place, decoded))
        })
    }

    /// The text that ends before `end` or before the padding there: where it begins, and it decoded.
    pub(super) fn text_before(self, image: &Image, end: Address) -> Option<(Address, Vec<u8>)> {
        let padding = zeros(bytes_before(image, end));
        let terminator = Address(end.0.checked_sub(padding + 1)?);
        if padding >= MAX_PADDING || image.bytes_from(terminator).first() != Some(&self.key) {
            return None;
        }
        let start = self.start_of(image, terminator)?;
        self.text_at(image, start).map(|decoded| (start, decoded))
    }

    /// Where the text begins in which `place` lies: behind the end of another text or padding; or
    /// right there, when what is before is no text.
    ///
    /// A zero is padding or, when that is printable, the key's own character: in a row of several it
    /// is padding, and a single one counts as a character when some text is before it.
    pub(super) fn start_of(self, image: &Image, place: Address) -> Option<Address> {
        let mut start = place;
        let mut holds_zeros = false;
        let mut row = 0;
        while place.0 - start.0 <= MAX_LENGTH as u64 {
            let zeros = zeros(bytes_before(image, start));
            let beyond = Address(start.0.checked_sub(zeros + 1)?);
            let Some(byte) = image.bytes_from(beyond).first().copied() else {
                // Nothing lies before a segment.
                return (zeros == 0).then_some(start);
            };
            let is_believed = !holds_zeros || row >= MIN_PLAIN;
            match (zeros, byte) {
                (0, byte) if byte == self.key => return Some(start),
                (0, byte) if !self.is_text(byte) => return (start == place).then_some(start),
                (0, _) => row += 1,
                (MIN_PADDING.., _) if is_believed => return self.first_aligned(start, place),
                (_, byte) if byte == self.key || !self.is_text(byte) || !self.is_text(0) => {
                    let is_aligned = start.0.is_multiple_of(self.alignment) && self.alignment > 1;
                    return (is_aligned && is_believed).then_some(start);
                }
                _ => (holds_zeros, row) = (true, 0),
            }
            start = beyond;
        }
        None
    }

    /// The first place from `start` to `place` where a text can begin. Behind zeros, a single byte
    /// before such a place ends a number; more of them may be a text that begins with the key's own
    /// character.
    fn first_aligned(self, start: Address, place: Address) -> Option<Address> {
        let aligned = Address(start.0.next_multiple_of(self.alignment));
        let skipped = aligned.0 - start.0;
        let is_certain = skipped == 0 || skipped == 1 && self.alignment >= 4;
        (is_certain && aligned <= place).then_some(aligned)
    }

    fn is_text(self, byte: u8) -> bool {
        xor::is_text_byte(byte ^ self.key)
    }
}

/// The bytes before a place, backwards, as many as padding may have.
fn bytes_before(image: &Image, end: Address) -> impl Iterator<Item = &u8> {
    (1..=MAX_PADDING)
        .map_while(move |distance| end.0.checked_sub(distance))
        .map_while(move |address| image.bytes_from(Address(address)).first())
}

fn zeros<'a>(bytes: impl Iterator<Item = &'a u8>) -> u64 {
    bytes.take_while(|byte| **byte == 0).count() as u64
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::Encoding;
    use crate::loose_strings::chains;
    use crate::xor;
    use miyaburi_image::{Address, Image};

    const BASE: u64 = 0x40_0000;
    /// Bytes of the headers of [`image_of`].
    const HEADERS: u64 = 64 + 56;

    /// An x86-64 program of one segment: its headers, then `data`.
    fn image_of(data: &[u8]) -> Image {
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        file.resize(16, 0);
        file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        for word in [BASE + HEADERS, 64, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0; 4]);
        for half in [64_u16, 56, 1, 64, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        file.extend([1, 0, 0, 0, 7, 0, 0, 0]);
        let size = HEADERS + data.len() as u64;
        for word in [0, BASE, BASE, size, size, 16] {
            file.extend(word.to_le_bytes());
        }
        file.extend(data);
        Image::parse(&file).expect("an ELF file")
    }

    fn place(offset: u64) -> Address {
        Address(BASE + HEADERS + offset)
    }

    #[test]
    fn texts_are_found_before_and_behind_padding() {
        let key = 0x54;
        let mut data = vec![3, 0, 0, 0];
        for text in [&b"sh\0"[..], b"/bin/busybox\0", b"TSource Engine\0"] {
            data.extend(xor::apply(text, key));
            data.resize(data.len().next_multiple_of(4), 0);
        }
        let image = image_of(&data);
        let encoding = Encoding { alignment: 4, ..Encoding::unaligned(key) };
        let shell = Some((place(4), b"sh\0".to_vec()));
        let busybox = Some((place(8), b"/bin/busybox\0".to_vec()));
        assert_eq!(encoding.text_behind(&image, place(7), None), busybox);
        assert_eq!(encoding.text_before(&image, place(24)), busybox);
        // The number before it has a byte that reads as text.
        assert_eq!(encoding.text_before(&image, place(8)), shell);
        assert_eq!(encoding.start_of(&image, place(12)), Some(place(8)));
        // Its first character is the key's own: padding or not, nobody can tell.
        assert_eq!(encoding.text_behind(&image, place(21), None), None);
        // Unless no text has padding before it.
        let packed = Encoding { is_packed: true, ..Encoding::unaligned(key) };
        let query = Some((place(24), b"TSource Engine\0".to_vec()));
        assert_eq!(packed.text_behind(&image, place(24), None), query);
    }

    #[test]
    fn what_reads_better_decoded_is_not_plain() {
        let key = 0x37;
        let mut data = vec![0; 8];
        data.extend(xor::apply(b"content-length:\0", key));
        data.extend([0; 8]);
        let plain = data.len() as u64;
        data.extend(b"usage: tool [OPTION] FILE7\0\0");
        let image = image_of(&data);
        let encoding = Encoding { alignment: 4, ..Encoding::unaligned(key) };
        assert_eq!(encoding.text_at(&image, place(8)), Some(b"content-length:\0".to_vec()));
        assert_eq!(encoding.text_at(&image, place(plain)), None);
    }

    #[test]
    fn what_lies_between_known_texts_is_text_when_all_of_it_is() {
        let key = 0x37;
        // `system` reads as `DNDCRZ7`.
        let system = xor::apply(b"system\0", key);
        let mut data = vec![3, 0, 0, 0];
        data.extend(&system);
        data.push(0);
        data.extend(xor::apply(b"enable\0", key));
        data.push(0);
        let end = data.len() as u64;
        let encoding = Encoding { alignment: 4, ..Encoding::unaligned(key) };
        let image = image_of(&data);
        assert_eq!(encoding.text_at(&image, place(4)), None);
        let texts = vec![(place(4), b"system\0".to_vec()), (place(12), b"enable\0".to_vec())];
        assert_eq!(encoding.texts_between(&image, place(4), place(end)), Some(texts));
        // A number among them is no text.
        assert_eq!(encoding.texts_between(&image, place(0), place(end)), None);
    }

    #[test]
    fn a_long_text_behind_other_data_is_found_and_a_short_one_is_not() {
        let key = 0x54;
        let mut data = vec![0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xfe, 0, 0];
        data.extend(xor::apply(b"/bin/busybox ps\0", key));
        let encoding = Encoding { alignment: 4, ..Encoding::unaligned(key) };
        let found = Some((place(12), b"/bin/busybox ps\0".to_vec()));
        assert_eq!(encoding.text_beyond(&image_of(&data), place(0)), found);
        data.truncate(12);
        data.extend(xor::apply(b"sh\0", key));
        assert_eq!(encoding.text_beyond(&image_of(&data), place(0)), None);
        assert_eq!(Encoding::unaligned(key).text_beyond(&image_of(&data), place(0)), None);
    }

    #[test]
    fn plain_text_is_none_under_any_key() {
        let lines = "usage: tool [OPTION] FILE...\nPrints each FILE.\n\0-a  all\n\0";
        let image = image_of(lines.repeat(40).as_bytes());
        for key in 1..=255 {
            let encoding = Encoding::unaligned(key);
            for offset in 0..lines.len() as u64 {
                let text = encoding.text_at(&image, place(offset));
                let rest = lines.get(offset as usize..).unwrap_or("");
                let is_long = rest.find('\0').is_some_and(|end| end >= super::MIN_PLAIN);
                assert!(!is_long || text.is_none(), "{key:#x} {offset}: {text:?}");
            }
        }
        assert_eq!(chains::strings(&image), Vec::new());
    }

    #[test]
    fn a_row_of_texts_tells_its_key_and_a_short_one_does_not() {
        let texts: Vec<String> = (0..20).map(|number| format!("string {number}\0")).collect();
        let encoded: Vec<u8> =
            texts.iter().flat_map(|text| xor::apply(text.as_bytes(), 0xbb)).collect();
        let found = chains::strings(&image_of(&encoded));
        let found: Vec<&[u8]> = found.iter().map(|string| string.decoded.as_slice()).collect();
        let expected: Vec<&[u8]> = texts.iter().skip(2).map(String::as_bytes).collect();
        assert_eq!(found, expected);
        let short = encoded.get(..60).expect("some texts");
        assert_eq!(chains::strings(&image_of(short)), Vec::new());
    }
}
