//! JSON with a line for every item of its lists, and no more.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// Breaks lines down to a depth and writes what is nested deeper without spaces.
pub(super) struct Lines {
    deepest: usize,
    depth: usize,
    has_value: bool,
}

impl Lines {
    pub(super) fn new(deepest: usize) -> Self {
        Self { deepest, depth: 0, has_value: false }
    }

    fn begin<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        writer.write_all(bracket)
    }

    fn end<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        let is_broken = self.has_value && self.depth <= self.deepest;
        self.depth = self.depth.saturating_sub(1);
        self.has_value = true;
        if is_broken {
            self.line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn item<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.has_value = true;
        if self.depth <= self.deepest { self.line(writer) } else { Ok(()) }
    }

    fn line<W: Write + ?Sized>(&self, writer: &mut W) -> io::Result<()> {
        write!(writer, "\n{:1$}", "", self.depth)
    }
}

impl Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.item(writer, first)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.item(writer, first)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Lines;
    use serde::Serialize;
    use serde_json::{Serializer, json};

    #[test]
    fn lines_are_broken_down_to_the_depth() {
        let value = json!({"a": 1, "list": [{"b": [1, 2]}, {}], "empty": []});
        let mut text = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut text, Lines::new(2))).unwrap();
        let expected = "{\n \"a\":1,\n \"list\":[\n  {\"b\":[1,2]},\n  {}\n ],\n \"empty\":[]\n}";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
