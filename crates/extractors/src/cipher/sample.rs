//! What a decoding routine was seen to do with one text.

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

/// The bytes with which a stream cipher that begins anew for each text was combined, as far as the
/// longest text goes. `None` when two samples contradict each other, or there are none.
pub(super) fn key_stream(samples: &[Sample]) -> Option<Vec<u8>> {
    let mut stream: Vec<u8> = Vec::new();
    for (encoded, text) in all_bytes(samples)? {
        for (place, (coded, plain)) in encoded.iter().zip(text).enumerate() {
            let byte = coded ^ plain;
            match stream.get(place) {
                Some(known) if *known != byte => return None,
                Some(_) => {}
                None => stream.push(byte),
            }
        }
    }
    (!stream.is_empty()).then_some(stream)
}
