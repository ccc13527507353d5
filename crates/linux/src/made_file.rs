//! Files without a path that a program makes and fills (`memfd_create`).

use crate::abi::errno::Errno;

/// Bytes that one such file may have.
const MAX_SIZE: u64 = 16 << 20;

/// A file in memory, and where it is read or written next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MadeFile {
    pub(crate) content: Vec<u8>,
    pub(crate) position: u64,
}

impl MadeFile {
    /// Bytes from a place on, at most `length`.
    pub(crate) fn part(&self, from: u64, length: u64) -> &[u8] {
        let start = from.min(self.content.len() as u64);
        let end = start.saturating_add(length).min(self.content.len() as u64);
        self.content.get(start as usize..end as usize).unwrap_or(&[])
    }

    /// Puts bytes at a place; zeros come to be before it.
    ///
    /// # Errors
    /// When the file would become larger than a file may.
    pub(crate) fn put(&mut self, at: u64, bytes: &[u8]) -> Result<u64, Errno> {
        let end = at.checked_add(bytes.len() as u64).ok_or(Errno::Invalid)?;
        if end > self.content.len() as u64 {
            self.resize(end)?;
        }
        if let Some(place) = self.content.get_mut(at as usize..end as usize) {
            place.copy_from_slice(bytes);
        }
        Ok(bytes.len() as u64)
    }

    /// Puts bytes where the file stands.
    ///
    /// # Errors
    /// As [`MadeFile::put`].
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<u64, Errno> {
        let written = self.put(self.position, bytes)?;
        self.position += written;
        Ok(written)
    }

    /// Cuts the file off, or adds zeros.
    ///
    /// # Errors
    /// As [`MadeFile::put`].
    pub(crate) fn resize(&mut self, size: u64) -> Result<(), Errno> {
        if size > MAX_SIZE {
            return Err(Errno::NoMemory);
        }
        self.content.resize(size as usize, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Errno, MAX_SIZE, MadeFile};

    #[test]
    fn what_is_written_is_there_and_sizes_are_bounded() {
        let mut file = MadeFile::default();
        assert_eq!(file.append(b"abc"), Ok(3));
        assert_eq!(file.append(b"de"), Ok(2));
        assert_eq!(file.put(7, b"x"), Ok(1));
        assert_eq!(file.content, b"abcde\0\0x");
        assert_eq!(file.part(1, 3), b"bcd");
        assert_eq!(file.part(9, 3), b"");
        assert_eq!(file.resize(2), Ok(()));
        assert_eq!(file.content, b"ab");
        assert_eq!(file.resize(MAX_SIZE + 1), Err(Errno::NoMemory));
        assert_eq!(file.put(u64::MAX, b"x"), Err(Errno::Invalid));
        assert_eq!(file.put(MAX_SIZE, b"x"), Err(Errno::NoMemory));
        assert_eq!(file.content, b"ab");
    }
}
