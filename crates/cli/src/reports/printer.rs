//! Reports one after the other, in one file or on standard output.

use miyaburi_model::Report;

use crate::error::{CommandError, DumpError};
use crate::output::Output;
use crate::text::{self, Palette};

/// Formats that put all reports into one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrintedFormat {
    /// One JSON object a line.
    Ndjson,
    /// Indented JSON.
    Json,
    /// For people.
    Text,
}

/// Prints reports one after the other.
pub(crate) struct Printer {
    output: Output,
    format: PrintedFormat,
    palette: Palette,
    /// Indented JSON is a single object, not an array, unless there is another report: a single
    /// file can be an archive.
    single: bool,
    /// The single object, until it is known to be one.
    pending: Option<String>,
    printed: usize,
}

impl Printer {
    /// Indented JSON is a single object when `single` and there is one report.
    pub(super) fn new(output: Output, format: PrintedFormat, single: bool) -> Self {
        let palette = Palette::for_terminal(output.is_terminal());
        Self { output, format, palette, single, pending: None, printed: 0 }
    }

    /// Prints a report, in text with how its values were found, where that was asked.
    pub(super) fn print(
        &mut self,
        report: &Report,
        why: Option<Result<String, DumpError>>,
    ) -> Result<(), CommandError> {
        let body = match self.format {
            PrintedFormat::Ndjson => serde_json::to_string(report)? + "\n",
            PrintedFormat::Json => serde_json::to_string_pretty(report)?,
            PrintedFormat::Text => {
                let why = why.transpose().map_err(|error| CommandError::Dump {
                    path: report.sample.path.clone().into(),
                    error,
                })?;
                text::report(report, self.palette) + &why.unwrap_or_default()
            }
        };
        if self.format == PrintedFormat::Json && self.single && self.printed == 0 {
            self.printed = 1;
            self.pending = Some(body);
            return Ok(());
        }
        let first = self.pending.take().map(|first| format!("[\n{first}"));
        let separator = match (self.format, self.printed) {
            (PrintedFormat::Json, 0) => "[\n",
            (PrintedFormat::Json, 1..) => ",\n",
            (PrintedFormat::Text, 1..) => "\n",
            _ => "",
        };
        self.printed += 1;
        self.output.write(&format!("{}{separator}{body}", first.unwrap_or_default()))
    }

    /// Whether and how it colours.
    pub(super) const fn palette(&self) -> Palette {
        self.palette
    }

    /// Whether somebody still reads.
    pub(super) fn is_open(&self) -> bool {
        self.output.is_open()
    }

    /// Ends what is open.
    pub(super) fn finish(mut self) -> Result<(), CommandError> {
        match (self.format, self.pending.take(), self.printed) {
            (PrintedFormat::Json, Some(single), _) => self.output.write(&(single + "\n")),
            (PrintedFormat::Json, None, 0) => self.output.write("[]\n"),
            (PrintedFormat::Json, None, _) => self.output.write("\n]\n"),
            _ => Ok(()),
        }
    }
}
