//! Reports one after the other, in one file or on standard output.

use miyaburi_model::Report;

use crate::error::CommandError;
use crate::explain::explain;
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
    /// Indented JSON is a single object, not an array.
    single: bool,
    printed: usize,
    /// Whether texts say how values were found.
    explains: bool,
}

impl Printer {
    /// Indented JSON is a single object when `single`; texts say how values were found when it
    /// `explains`.
    pub(super) fn new(output: Output, format: PrintedFormat, single: bool, explains: bool) -> Self {
        let palette = Palette::for_terminal(output.is_terminal());
        Self { output, format, palette, single, printed: 0, explains }
    }

    pub(super) fn print(&mut self, report: &Report) -> Result<(), CommandError> {
        let separator = match (self.format, self.printed) {
            (PrintedFormat::Json, 0) if !self.single => "[\n",
            (PrintedFormat::Json, 1..) => ",\n",
            (PrintedFormat::Text, 1..) => "\n",
            _ => "",
        };
        let body = match self.format {
            PrintedFormat::Ndjson => serde_json::to_string(report)? + "\n",
            PrintedFormat::Json if self.single => serde_json::to_string_pretty(report)? + "\n",
            PrintedFormat::Json => serde_json::to_string_pretty(report)?,
            PrintedFormat::Text if self.explains => {
                let explained = explain(report, self.palette).map_err(|error| {
                    CommandError::Dump { path: report.sample.path.clone().into(), error }
                })?;
                text::report(report, self.palette) + &explained
            }
            PrintedFormat::Text => text::report(report, self.palette),
        };
        self.printed += 1;
        self.output.write(&format!("{separator}{body}"))
    }

    /// Whether somebody still reads.
    pub(super) fn is_open(&self) -> bool {
        self.output.is_open()
    }

    /// Ends what is open.
    pub(super) fn finish(mut self) -> Result<(), CommandError> {
        match (self.format, self.single, self.printed) {
            (PrintedFormat::Json, false, 0) => self.output.write("[]\n"),
            (PrintedFormat::Json, false, _) => self.output.write("\n]\n"),
            _ => Ok(()),
        }
    }
}
