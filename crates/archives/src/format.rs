//! Recognising archives by what they hold.

use tar::Header;

/// Bytes of a block, and so of a header, in a tar archive.
const TAR_BLOCK_BYTES: usize = 512;

/// A kind of archive or compressed stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// ZIP, empty ones too (APPNOTE.TXT 4.3.7, 4.3.16).
    Zip,
    /// tar of any dialect.
    Tar,
    /// gzip with DEFLATE, the only method there is (RFC 1952).
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard (RFC 8878).
    Zstd,
    /// 7z.
    SevenZip,
    /// ar, as Debian packages and static libraries are.
    Ar,
    /// cpio of the newer ASCII formats.
    Cpio,
}

impl Format {
    /// The format of `bytes`, none when they are no archive. Names do not count.
    ///
    /// False positives: any file that begins with the magic number of a format, which then fails as
    /// damaged. False negatives: archives behind something else, such as self-extracting ones.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let magics: [(&[u8], Self); 10] = [
            (b"PK\x03\x04", Self::Zip),
            (b"PK\x05\x06", Self::Zip),
            (b"\x1f\x8b\x08", Self::Gzip),
            (b"BZh", Self::Bzip2),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
            (b"7z\xbc\xaf\x27\x1c", Self::SevenZip),
            (b"!<arch>\n", Self::Ar),
            (b"070701", Self::Cpio),
            (b"070702", Self::Cpio),
        ];
        let by_magic = magics.iter().find(|(magic, _)| bytes.starts_with(magic));
        by_magic.map(|(_, format)| *format).or_else(|| is_tar(bytes).then_some(Self::Tar))
    }
}

/// Whether the first block is a header whose checksum is right: old archives have no magic number.
fn is_tar(bytes: &[u8]) -> bool {
    let Some(block) = bytes.first_chunk::<TAR_BLOCK_BYTES>() else { return false };
    let header = Header::from_byte_slice(block);
    let blank = header.as_old().cksum.len() * usize::from(b' ');
    let stored: usize = header.as_old().cksum.iter().copied().map(usize::from).sum();
    let sum = block.iter().copied().map(usize::from).sum::<usize>() - stored + blank;
    header.cksum().is_ok_and(|claimed| usize::try_from(claimed) == Ok(sum))
        && block.first().is_some_and(|first| *first != 0)
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn other_files_are_no_archives() {
        let elf = [b"\x7fELF\x01\x01\x01".as_slice(), &[0; 600]].concat();
        for bytes in [b"".as_slice(), b"PK", b"PK\x01\x02", &[0; 1024], &[b' '; 512], &elf] {
            assert_eq!(Format::of(bytes), None);
        }
    }
}
