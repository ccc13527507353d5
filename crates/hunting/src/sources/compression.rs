//! Decompression, recognised by content.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

/// The beginning of gzip (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b, 8];

/// The beginning of xz (the xz file format, section 2.1.1).
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];

/// The beginning of a Zstandard frame (RFC 8878, section 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The beginning of bzip2.
const BZIP2: &[u8] = b"BZh";

/// Memory for an xz dictionary, in KiB: a log may claim any, and `xz -9` needs 64 MiB.
const XZ_MEMORY_KIB: u32 = 128 << 10;

/// Bytes read at once.
const BUFFER: usize = 1 << 16;

/// The bytes behind what `reader` is compressed with, if anything.
pub(super) fn reader(reader: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    let start = reader.fill_buf()?;
    Ok(if start.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(reader))
    } else if start.starts_with(XZ) {
        Box::new(XzReader::new_mem_limit(reader, true, XZ_MEMORY_KIB))
    } else if start.starts_with(ZSTD) {
        Box::new(Frames { reader: Some(reader), frame: None })
    } else if start.starts_with(BZIP2) {
        Box::new(MultiBzDecoder::new(reader))
    } else {
        Box::new(reader)
    })
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
    use std::io::{Cursor, Write};

    fn plain(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        reader(Box::new(Cursor::new(bytes)))?.read_to_string(&mut text)?;
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
        assert!(plain([ZSTD, &[0xff; 9]].concat()).is_err());
    }
}
