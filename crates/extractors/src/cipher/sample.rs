//! What a decoding routine was seen to do with each text.

/// What one run of a decoding routine made of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The stored bytes, with the padding of ciphers that work on blocks. More than the routine
    /// took does no harm, except to ciphers whose blocks are as long as the text.
    pub encoded: Vec<u8>,
    /// What the routine left; a NUL behind the text may or may not have been encoded.
    pub decoded: Vec<u8>,
}

impl Sample {
    /// The decoded bytes that must have been encoded: a NUL at the end may not have been, nor
    /// zeros for which there are no encoded bytes.
    pub(super) fn text(&self) -> &[u8] {
        let mut text = self.decoded.strip_suffix(&[0]).unwrap_or(&self.decoded);
        while text.len() > self.encoded.len() {
            let Some(shorter) = text.strip_suffix(&[0]) else { break };
            text = shorter;
        }
        text
    }

    /// Encoded and decoded byte of each place, for encodings that keep the length. `None` when the
    /// text is longer than what it would be made of.
    pub(super) fn bytes(&self) -> Option<(&[u8], &[u8])> {
        let text = self.text();
        self.encoded.get(..text.len()).map(|encoded| (encoded, text))
    }
}

/// [`Sample::bytes`] of all samples that have any.
pub(super) fn all_bytes(samples: &[Sample]) -> Option<Vec<(&[u8], &[u8])>> {
    let pairs: Option<Vec<_>> = samples.iter().map(Sample::bytes).collect();
    pairs.map(|pairs| pairs.into_iter().filter(|(_, text)| !text.is_empty()).collect())
}

/// What a stream cipher that begins anew for each text was combined with.
pub(super) struct KeyStream {
    /// The stream, as far as the longest text goes; not empty.
    pub(super) bytes: Vec<u8>,
    /// Bytes for which different coded ones agree on the stream.
    pub(super) confirmed: usize,
}

impl KeyStream {
    /// The stream that explains all samples. `None` when two contradict each other, or there are
    /// none. One sample always has a stream.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let mut stream = Self { bytes: Vec::new(), confirmed: 0 };
        let mut first_coded: Vec<u8> = Vec::new();
        for (encoded, text) in all_bytes(samples)? {
            for (place, (coded, plain)) in encoded.iter().zip(text).enumerate() {
                let byte = coded ^ plain;
                match stream.bytes.get(place).zip(first_coded.get(place)) {
                    Some((known, _)) if *known != byte => return None,
                    Some((_, first)) => stream.confirmed += usize::from(first != coded),
                    None => {
                        stream.bytes.push(byte);
                        first_coded.push(*coded);
                    }
                }
            }
        }
        (!stream.bytes.is_empty()).then_some(stream)
    }

    /// Whether the samples show that this is a stream cipher.
    pub(super) const fn is_certain(&self) -> bool {
        self.confirmed >= MIN_CONFIRMED
    }
}

/// Fewest bytes on which different texts must agree before it is taken for a stream cipher.
const MIN_CONFIRMED: usize = 6;
