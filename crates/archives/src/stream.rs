//! Compressed streams, which hold one member without a name. Streams one after the other are one.

use std::io::{self, BufRead, Cursor, Read};

use bzip2::bufread::{BzDecoder, MultiBzDecoder};
use flate2::bufread::{GzDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use crate::Format;
use crate::budget::{Budget, Shortfall};
use crate::walk::MemberError;

/// Memory for an xz dictionary, in KiB: `xz -9` needs 64 MiB.
const XZ_MEMORY_KIB: u32 = 128 << 10;

/// Bytes of the longest mark by which a compressor is known, that of xz.
const MARK: u64 = 6;

/// A compressor whose output holds one member.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codec {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Codec {
    /// The compressor of a format, none when it is an archive of members.
    pub(crate) const fn of(format: Format) -> Option<Self> {
        match format {
            Format::Gzip => Some(Self::Gzip),
            Format::Bzip2 => Some(Self::Bzip2),
            Format::Xz => Some(Self::Xz),
            Format::Zstd => Some(Self::Zstd),
            Format::Zip | Format::Tar | Format::SevenZip | Format::Ar | Format::Cpio => None,
        }
    }

    fn reader<'r>(self, reader: impl BufRead + 'r) -> Box<dyn Read + 'r> {
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(reader)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(reader)),
            Self::Xz => Box::new(XzReader::new_mem_limit(reader, true, XZ_MEMORY_KIB)),
            Self::Zstd => Box::new(Frames { reader: Some(reader), frame: None }),
        }
    }
}

/// What `bytes` were before they were compressed.
pub(crate) fn decompress(
    codec: Codec,
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Shortfall> {
    budget.read(codec.reader(bytes))
}

/// The bytes behind what `reader` is compressed with, if anything, as they stream; nothing limits
/// how many there are.
///
/// # Errors
/// When its beginning cannot be read.
pub fn decompressed<'r>(mut reader: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
    // A pipe may give less at once than a mark has.
    let mut start = Vec::new();
    reader.by_ref().take(MARK).read_to_end(&mut start)?;
    let codec = Format::of(&start).and_then(Codec::of);
    let reader = Cursor::new(start).chain(reader);
    Ok(match codec {
        Some(codec) => codec.reader(reader),
        None => Box::new(reader),
    })
}

/// What the first stream in `bytes` was, whatever stands behind it.
pub(crate) fn decompress_first(
    codec: Codec,
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Shortfall> {
    match codec {
        Codec::Gzip => budget.read(GzDecoder::new(bytes)),
        Codec::Bzip2 => budget.read(BzDecoder::new(bytes)),
        Codec::Xz => budget.read(XzReader::new_mem_limit(bytes, false, XZ_MEMORY_KIB)),
        Codec::Zstd => match StreamingDecoder::new(bytes) {
            Ok(frame) => budget.read(frame),
            Err(error) => Err(MemberError::Damaged(error.to_string()).into()),
        },
    }
}

type Frame<R> = StreamingDecoder<R, ruzstd::decoding::FrameDecoder>;

/// The frames of a Zstandard file, one after the other: rotating programs append them.
struct Frames<R: BufRead> {
    reader: Option<R>,
    frame: Option<Box<Frame<R>>>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                match frame.read(into)? {
                    0 if !into.is_empty() => {
                        self.reader = self.frame.take().map(|frame| frame.into_inner());
                    }
                    count => return Ok(count),
                }
            }
            let Some(mut reader) = self.reader.take() else { return Ok(0) };
            if reader.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.frame = Some(Box::new(StreamingDecoder::new(reader).map_err(io::Error::other)?));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use std::io::{BufReader, Write};

    fn plain(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        decompressed(Cursor::new(bytes))?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap()
    }

    fn zstd(text: &str) -> Vec<u8> {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
    }

    /// Gives one byte at a time, as a pipe may.
    struct Slow(Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = into.len().min(1);
            self.0.read(into.get_mut(..count).unwrap_or_default())
        }
    }

    #[test]
    fn a_pipe_that_gives_little_at_once() {
        for (bytes, expected) in [
            (gzip("a\n"), "a\n"),
            (zstd("a\n"), "a\n"),
            (b"a\nb".to_vec(), "a\nb"),
            (Vec::new(), ""),
        ] {
            let mut text = String::new();
            let slow = BufReader::new(Slow(Cursor::new(bytes)));
            decompressed(slow).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn every_compression_and_none() {
        assert_eq!(plain(b"a\nb".to_vec()).unwrap(), "a\nb");
        assert_eq!(plain(Vec::new()).unwrap(), "");
        // Rotated logs are often members one after the other.
        assert_eq!(plain([gzip("a\n"), gzip("b\n")].concat()).unwrap(), "a\nb\n");
        assert_eq!(plain([zstd("a\n"), zstd("b\n")].concat()).unwrap(), "a\nb\n");
        let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        writer.write_all(b"a\n").unwrap();
        assert_eq!(plain(writer.finish().unwrap()).unwrap(), "a\n");
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(b"a\n").unwrap();
        assert_eq!(plain(writer.finish().unwrap()).unwrap(), "a\n");
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let mut cut = gzip("a line that is long enough to be cut\n");
        cut.truncate(cut.len() - 6);
        assert!(plain(cut).is_err());
        assert!(plain([&b"\x28\xb5\x2f\xfd"[..], &[0xff; 9]].concat()).is_err());
    }
}
