//! Running other programs so that a failure says what they said.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use anyhow::{Context, bail};

/// Runs `command` to its end and returns its standard output as text.
///
/// # Errors
/// When it cannot be started, or ends with another status than 0; the message then holds
/// the command line and the standard error.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<String> {
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}\n{}", String::from_utf8_lossy(&stderr).trim_end());
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// The program `name` in the search path.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
