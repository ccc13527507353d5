//! Bytes cut into lines, with bounded memory.

use std::io::{self, Read};

/// The longest line that is looked at, in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// A line, or what is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'b> {
    /// A line without its end.
    Line(&'b [u8]),
    /// A line beyond [`MAX_LINE`], which was skipped.
    TooLong,
}

/// Reads lines.
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer is not yet handed out.
    start: usize,
    end: usize,
    /// Bytes before `start`.
    offset: u64,
    is_at_end: bool,
}

impl<R: Read> Lines<R> {
    /// The lines of `reader`.
    pub fn new(reader: R) -> Self {
        let buffer = vec![0; MAX_LINE + 1];
        Self { reader, buffer, start: 0, end: 0, offset: 0, is_at_end: false }
    }

    /// The next lines, at most `count`, as far as they are in the buffer; none at the end, and where
    /// the next line is too long. Nothing is consumed.
    ///
    /// # Errors
    /// When the reader fails.
    pub fn peek(&mut self, count: usize) -> io::Result<Vec<&[u8]>> {
        loop {
            let left = self.buffer.get(self.start..self.end).unwrap_or_default();
            let has_line = memchr::memchr(b'\n', left).is_some();
            if has_line || self.is_at_end || left.len() > MAX_LINE {
                break;
            }
            self.fill()?;
        }
        let left = self.buffer.get(self.start..self.end).unwrap_or_default();
        let mut lines: Vec<&[u8]> = left.split(|byte| *byte == b'\n').take(count + 1).collect();
        // What is behind the last end of line may be half a line.
        if lines.len() > count
            || !self.is_at_end
            || lines.last().is_some_and(|last| last.is_empty())
        {
            lines.pop();
        }
        Ok(lines.into_iter().map(without_return).collect())
    }

    /// The next line with its offset in bytes; `None` at the end.
    ///
    /// # Errors
    /// When the reader fails.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, Piece<'_>)>> {
        let offset = self.offset;
        loop {
            let left = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(length) = memchr::memchr(b'\n', left) {
                let start = self.start;
                self.advance(length + 1);
                let line = self.buffer.get(start..start + length).unwrap_or_default();
                return Ok(Some((offset, Piece::Line(without_return(line)))));
            }
            if self.is_at_end {
                let (start, end) = (self.start, self.end);
                self.advance(end - start);
                let line = self.buffer.get(start..end).unwrap_or_default();
                return Ok((start < end).then_some((offset, Piece::Line(without_return(line)))));
            }
            if left.len() > MAX_LINE {
                self.skip_line()?;
                return Ok(Some((offset, Piece::TooLong)));
            }
            self.fill()?;
        }
    }

    /// The next `count` bytes with their offset, or what is left where the source ends before; at most
    /// [`MAX_LINE`] bytes. Nothing is consumed.
    ///
    /// # Errors
    /// When the reader fails.
    pub fn ahead(&mut self, count: usize) -> io::Result<(u64, &[u8])> {
        let count = count.min(MAX_LINE);
        while self.end - self.start < count && !self.is_at_end {
            self.fill()?;
        }
        let left = self.buffer.get(self.start..self.end).unwrap_or_default();
        Ok((self.offset, left.get(..count).unwrap_or(left)))
    }

    /// Goes behind the next `count` bytes, of which [`Self::ahead`] has shown at least as many.
    pub fn skip(&mut self, count: usize) {
        self.advance(count.min(self.end - self.start));
    }

    /// Goes to the end.
    ///
    /// # Errors
    /// When the reader fails.
    pub fn skip_all(&mut self) -> io::Result<()> {
        loop {
            let count = self.ahead(MAX_LINE)?.1.len();
            if count == 0 {
                return Ok(());
            }
            self.skip(count);
        }
    }

    fn advance(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads on until the buffer is full or the reader at its end, at least once.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while !self.is_at_end {
            let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) else {
                break;
            };
            match self.reader.read(room) {
                Ok(0) => self.is_at_end = true,
                Ok(count) => {
                    self.end += count;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Goes behind the next end of line.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let left = self.buffer.get(self.start..self.end).unwrap_or_default();
            match memchr::memchr(b'\n', left) {
                Some(length) => {
                    self.advance(length + 1);
                    return Ok(());
                }
                None => self.advance(left.len()),
            }
            if self.is_at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use proptest::prelude::*;

    /// Gives a few bytes at a time.
    struct Slow<'b>(&'b [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(into.len()).min(self.0.len());
            let (now, later) = self.0.split_at(count);
            into[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn all(bytes: &[u8], step: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines = Lines::new(Slow(bytes, step));
        let mut found = Vec::new();
        while let Some((offset, piece)) = lines.next_line().unwrap() {
            found.push(match piece {
                Piece::Line(line) => (offset, Some(line.to_vec())),
                Piece::TooLong => (offset, None),
            });
        }
        found
    }

    #[test]
    fn lines_with_their_offsets() {
        let line = |offset, text: &str| (offset, Some(text.as_bytes().to_vec()));
        let expected = [line(0, "a"), line(3, ""), line(4, "bc"), line(7, "d")];
        for step in [1, 2, 100] {
            assert_eq!(all(b"a\r\n\nbc\nd", step), expected);
        }
        assert_eq!(all(b"", 1), []);
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_and_told() {
        let mut bytes = vec![b'x'; 3 * MAX_LINE];
        bytes.extend_from_slice(b"\nnext\n");
        let behind = 3 * MAX_LINE as u64 + 1;
        assert_eq!(all(&bytes, 1 << 16), [(0, None), (behind, Some(b"next".to_vec()))]);
    }

    #[test]
    fn peeking_consumes_nothing() {
        // One byte at a time, a whole line comes all the same.
        assert_eq!(Lines::new(Slow(b"ab\nc", 1)).peek(2).unwrap(), [b"ab"]);
        assert_eq!(Lines::new(Slow(b"ab", 1)).peek(2).unwrap(), [b"ab"]);
        let mut lines = Lines::new(&b"a\nb\nc"[..]);
        assert_eq!(lines.peek(2).unwrap(), [b"a", b"b"]);
        assert_eq!(lines.next_line().unwrap(), Some((0, Piece::Line(&b"a"[..]))));
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200), step in 1_usize..9) {
            let found = all(&bytes, step);
            let mut expected: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            if expected.last().is_some_and(|last| last.is_empty()) {
                expected.pop();
            }
            let expected: Vec<Vec<u8>> = expected.into_iter().map(|line| without_return(line).to_vec()).collect();
            let found: Vec<Vec<u8>> = found.into_iter().map(|(_, line)| line.unwrap()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
