//! Sources as their readers see them: where the bytes come from, and where events go.

use std::io::{self, Read};
use std::marker::PhantomData;

use super::{Format, Reading};
use crate::event::Event;
use crate::hunt::Sighted;
use crate::sources::{Lines, Piece};
use crate::time::Clock;

/// The bytes of a source.
pub type Input<'r> = Lines<&'r mut dyn Read>;

/// Unread records that are kept as samples.
const SAMPLES: usize = 5;

/// Bytes of a sample.
const SAMPLED: usize = 160;

/// What is said instead of a line that is too long.
const TOO_LONG: &[u8] = b"(too long)";

/// A kind of source: what its bytes mean. Every [`Format`] of lines is one.
pub trait Source: Sync {
    /// What users call it.
    fn name(&self) -> &'static str;

    /// Whether the first bytes of a source, 64 where it has as many, can be of no other format.
    fn is_marked(&self, _beginning: &[u8]) -> bool {
        false
    }

    /// How many of the first lines are of this format.
    fn fit(&self, _lines: &[&[u8]], _clock: &Clock) -> Fit {
        Fit::default()
    }

    /// Reads a source to its end. What is not of the format is counted, and is no error.
    ///
    /// # Errors
    /// When the input fails.
    fn read_all(
        &self,
        input: &mut Input<'_>,
        clock: &Clock,
        records: &mut Records<'_>,
    ) -> io::Result<()>;
}

/// Of some lines, how many a format reads; what finds more events fits better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit {
    /// Lines that tell of something.
    pub events: usize,
    /// Lines of the format.
    pub read: usize,
}

impl Fit {
    /// Of lines that turned out to be these.
    pub(super) fn of<'l>(readings: impl Iterator<Item = Reading<'l>>) -> Self {
        readings.fold(Self::default(), |Self { events, read }, reading| match reading {
            Reading::Event(_) => Self { events: events + 1, read: read + 1 },
            Reading::Quiet => Self { events, read: read + 1 },
            Reading::Unread => Self { events, read },
        })
    }
}

impl<F: Format> Source for F {
    fn name(&self) -> &'static str {
        Format::name(self)
    }

    fn fit(&self, lines: &[&[u8]], clock: &Clock) -> Fit {
        Fit::of(lines.iter().map(|line| self.read(line, clock)))
    }

    fn read_all(
        &self,
        input: &mut Input<'_>,
        clock: &Clock,
        records: &mut Records<'_>,
    ) -> io::Result<()> {
        each_line(input, records, |line| self.read(line, clock))
    }
}

/// What the lines so far say of those behind them, as the names of columns. Its default is what holds where
/// none says anything.
pub(super) trait Header: Default {
    /// What users call the format.
    const NAME: &'static str;

    /// How a source begins that can be of no other format: one of these.
    const MARKS: &'static [&'static [u8]];

    /// Reads one line, and learns from it.
    fn read<'l>(&mut self, line: &'l [u8], clock: &Clock) -> Reading<'l>;
}

/// The format of lines under such headers.
pub(super) struct Headed<H>(PhantomData<fn() -> H>);

impl<H> Headed<H> {
    /// The format.
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<H: Header> Source for Headed<H> {
    fn name(&self) -> &'static str {
        H::NAME
    }

    fn is_marked(&self, beginning: &[u8]) -> bool {
        H::MARKS.iter().any(|mark| beginning.starts_with(mark))
    }

    fn fit(&self, lines: &[&[u8]], clock: &Clock) -> Fit {
        let mut header = H::default();
        Fit::of(lines.iter().map(|line| header.read(line, clock)))
    }

    fn read_all(
        &self,
        input: &mut Input<'_>,
        clock: &Clock,
        records: &mut Records<'_>,
    ) -> io::Result<()> {
        let mut header = H::default();
        each_line(input, records, |line| header.read(line, clock))
    }
}

/// Reads every line.
fn each_line(
    input: &mut Input<'_>,
    records: &mut Records<'_>,
    mut read: impl for<'l> FnMut(&'l [u8]) -> Reading<'l>,
) -> io::Result<()> {
    while let Some((offset, piece)) = input.next_line()? {
        match piece {
            Piece::Line(line) => records.take(offset, line, &read(line)),
            Piece::TooLong => records.too_long(offset),
        }
    }
    Ok(())
}

/// What became of the records of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The format; none when it was not recognised, and nothing was read.
    pub format: Option<&'static str>,
    /// All lines, or records where the format has no lines.
    pub lines: u64,
    /// Events that they told of.
    pub events: u64,
    /// Lines of the format that tell of nothing to hunt.
    pub quiet: u64,
    /// Lines that are not of the format, or too long.
    pub unread: u64,
    /// The first of them: offset in bytes and beginning.
    pub samples: Vec<(u64, String)>,
}

impl Scanned {
    fn leave_unread(&mut self, offset: u64, line: &[u8]) {
        self.unread += 1;
        if self.samples.len() < SAMPLES {
            let start = line.get(..SAMPLED).unwrap_or(line);
            self.samples.push((offset, String::from_utf8_lossy(start).into_owned()));
        }
    }
}

/// Where a reader's events go.
pub struct Records<'s> {
    file: &'s str,
    scanned: &'s mut Scanned,
    seen: &'s mut dyn FnMut(&Event<'_>, Sighted<'_>),
}

impl<'s> Records<'s> {
    /// Events of `file` are handed to `seen`, and all is counted.
    pub fn new(
        file: &'s str,
        scanned: &'s mut Scanned,
        seen: &'s mut dyn FnMut(&Event<'_>, Sighted<'_>),
    ) -> Self {
        Self { file, scanned, seen }
    }

    /// A line, or a record of one event at most, with what it turned out to be.
    pub fn take(&mut self, offset: u64, line: &[u8], reading: &Reading<'_>) {
        self.scanned.lines += 1;
        match reading {
            Reading::Event(event) => self.event(offset, line, event),
            Reading::Quiet => self.scanned.quiet += 1,
            Reading::Unread if line.is_empty() => self.scanned.quiet += 1,
            Reading::Unread => self.scanned.leave_unread(offset, line),
        }
    }

    /// A record with all that it tells.
    pub fn take_all<'e>(
        &mut self,
        offset: u64,
        record: &[u8],
        events: impl Iterator<Item = &'e Event<'e>>,
    ) {
        self.scanned.lines += 1;
        let before = self.scanned.events;
        events.for_each(|event| self.event(offset, record, event));
        self.scanned.quiet += u64::from(self.scanned.events == before);
    }

    /// A line that is too long.
    pub fn too_long(&mut self, offset: u64) {
        self.take(offset, TOO_LONG, &Reading::Unread);
    }

    /// The first line of a source whose format is unknown.
    pub(crate) fn unknown(&mut self, line: &[u8]) {
        self.scanned.leave_unread(0, line);
    }

    fn event(&mut self, offset: u64, line: &[u8], event: &Event<'_>) {
        self.scanned.events += 1;
        (self.seen)(event, Sighted { file: self.file, offset, line });
    }
}
