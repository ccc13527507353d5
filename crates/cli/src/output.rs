//! Where results go.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write, stdout};
use std::path::Path;

use crate::error::CommandError;

/// Standard output or a file. A reader that went away (`| head`) is no error: what is written
/// after that is dropped, and [`Output::is_open`] says so.
pub(crate) struct Output {
    writer: Box<dyn Write>,
    is_terminal: bool,
    is_open: bool,
}

impl Output {
    /// Standard output, or `path` when given.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self, CommandError> {
        let Some(path) = path else { return Ok(Self::standard()) };
        let file = File::create(path)
            .map_err(|error| CommandError::Create { path: path.to_owned(), error })?;
        Ok(Self { writer: Box::new(BufWriter::new(file)), is_terminal: false, is_open: true })
    }

    pub(crate) fn standard() -> Self {
        let is_terminal = stdout().is_terminal();
        Self { writer: Box::new(BufWriter::new(stdout())), is_terminal, is_open: true }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether somebody still reads.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Writes `text` and hands it on at once.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), CommandError> {
        self.stream(|writer| writer.write_all(text.as_bytes()))
    }

    /// Lets `write` write piece by piece; its first error ends it.
    pub(crate) fn stream(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        if !self.is_open {
            return Ok(());
        }
        let written = write(&mut self.writer).and_then(|()| self.writer.flush());
        self.settle(written)
    }

    fn settle(&mut self, written: io::Result<()>) -> Result<(), CommandError> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_open = false;
                Ok(())
            }
            other => other.map_err(CommandError::Write),
        }
    }
}
