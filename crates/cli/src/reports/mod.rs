//! Where the reports of `extract` go.

mod folders;
mod printer;

use miyaburi_model::Report;

use crate::arguments::{ExtractArguments, ReportFormat};
use crate::error::CommandError;
use crate::output::Output;

use folders::Folders;
use printer::{PrintedFormat, Printer};

/// Takes reports in the format and to the place that the user named.
pub(crate) enum ReportWriter {
    /// All in one place.
    Printed(Printer),
    /// A folder for each.
    Folders(Folders),
}

impl ReportWriter {
    /// The writer that `arguments` ask for; `one_file` says that they name a single file.
    pub(crate) fn create(
        arguments: &ExtractArguments,
        one_file: bool,
    ) -> Result<Self, CommandError> {
        let path = arguments.output.as_deref();
        let format = match (arguments.format, path) {
            (Some(ReportFormat::MiraiToushi), Some(root)) => {
                return Folders::create(root).map(Self::Folders);
            }
            (Some(ReportFormat::Ndjson), _) => Some(PrintedFormat::Ndjson),
            (Some(ReportFormat::Json), _) => Some(PrintedFormat::Json),
            (Some(ReportFormat::Text), _) => Some(PrintedFormat::Text),
            // The argument parser lets no format of folders through without a path.
            (Some(ReportFormat::MiraiToushi) | None, _) => None,
        };
        let output = Output::create(path)?;
        let format = format.unwrap_or(match arguments.explain || output.is_terminal() {
            true => PrintedFormat::Text,
            false => PrintedFormat::Ndjson,
        });
        Ok(Self::Printed(Printer::new(output, format, one_file, arguments.explain)))
    }

    /// Takes one report.
    pub(crate) fn write(&mut self, report: &Report) -> Result<(), CommandError> {
        match self {
            Self::Printed(printer) => printer.print(report),
            Self::Folders(folders) => folders.write(report),
        }
    }

    /// Whether somebody still reads.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Printed(printer) => printer.is_open(),
            Self::Folders(_) => true,
        }
    }

    /// Ends the output.
    pub(crate) fn finish(self) -> Result<(), CommandError> {
        match self {
            Self::Printed(printer) => printer.finish(),
            Self::Folders(_) => Ok(()),
        }
    }
}
