//! Where results go.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write, stdout};
use std::path::Path;

use crate::error::CommandError;

/// What the standard output is called in messages.
const STANDARD_OUTPUT: &str = "standard output";

/// Standard output or a file. A reader that went away (`| head`) is no error: what is written
/// after that is dropped, and [`Output::is_open`] says so.
pub(crate) struct Output {
    writer: Box<dyn Write>,
    /// The file as named, or that it is the standard output.
    name: String,
    is_terminal: bool,
    is_open: bool,
}

impl Output {
    /// Standard output, or `path` when given.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self, CommandError> {
        let Some(path) = path else { return Ok(Self::standard()) };
        let file = File::create(path)
            .map_err(|error| CommandError::Create { path: path.to_owned(), error })?;
        let (writer, name) = (Box::new(BufWriter::new(file)), path.display().to_string());
        Ok(Self { writer, name, is_terminal: false, is_open: true })
    }

    pub(crate) fn standard() -> Self {
        let is_terminal = stdout().is_terminal();
        let (writer, name) = (Box::new(BufWriter::new(stdout())), STANDARD_OUTPUT.to_owned());
        Self { writer, name, is_terminal, is_open: true }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The file as named, or what the standard output is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
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

    fn pass(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let written = if self.is_open { write(&mut self.writer) } else { Ok(()) };
        self.is_open &= !written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
        if self.is_open { written } else { Ok(()) }
    }

    fn settle(&mut self, written: io::Result<()>) -> Result<(), CommandError> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_open = false;
                Ok(())
            }
            Err(error) => Err(CommandError::Write { name: self.name.clone(), error }),
            Ok(()) => Ok(()),
        }
    }
}

/// For writers that want one. Where the reader went away, what is written is dropped.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pass(|writer| writer.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(|writer| writer.flush())
    }
}
