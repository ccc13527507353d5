//! Where the reports of `extract` go.

mod folders;
mod printer;

use miyaburi_model::Report;

use crate::arguments::{ExtractArguments, ReportFormat};
use crate::error::{CommandError, DumpError};
use crate::output::Output;
use crate::text::Palette;

pub(crate) use folders::{FolderError, FolderFormat, Folders};
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
        let (format, of_folders) = match arguments.format {
            Some(ReportFormat::Ndjson) => (Some(PrintedFormat::Ndjson), None),
            Some(ReportFormat::Json) => (Some(PrintedFormat::Json), None),
            Some(ReportFormat::Text) => (Some(PrintedFormat::Text), None),
            Some(ReportFormat::MiraiToushi) => (None, Some(FolderFormat::MiraiToushi)),
            Some(ReportFormat::Maco) => (None, Some(FolderFormat::Maco)),
            Some(ReportFormat::Labels) => (None, Some(FolderFormat::Labels)),
            None => (None, None),
        };
        // The argument parser lets no format of folders through without a path.
        if let (Some(format), Some(root)) = (of_folders, path) {
            return Ok(Self::Folders(Folders::create(root, format)?));
        }
        let output = Output::create(path)?;
        let format = format.unwrap_or(match arguments.explain || output.is_terminal() {
            true => PrintedFormat::Text,
            false => PrintedFormat::Ndjson,
        });
        Ok(Self::Printed(Printer::new(output, format, one_file)))
    }

    /// Takes one report, with how its values were found where that was asked.
    pub(crate) fn write(
        &mut self,
        report: &Report,
        why: Option<Result<String, DumpError>>,
    ) -> Result<(), CommandError> {
        match self {
            Self::Printed(printer) => printer.print(report, why),
            Self::Folders(folders) => Ok(folders.write(report).map(drop)?),
        }
    }

    /// Whether and how it colours.
    pub(crate) fn palette(&self) -> Palette {
        match self {
            Self::Printed(printer) => printer.palette(),
            Self::Folders(_) => Palette::for_terminal(false),
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
