//! A run of several steps, all of which run whatever the others gave.

use std::{
    path::Path,
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context, bail};

/// Counts what passed and what failed.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    passed: Vec<String>,
    failed: Vec<String>,
}

impl Steps {
    /// Runs one step and prints its outcome.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<()>) {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = step();
        let seconds = start.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                println!("{name}: passed ({seconds:.1} s)");
                self.passed.push(name.to_owned());
            }
            Err(error) => {
                println!("{name}: FAILED ({seconds:.1} s): {error:#}");
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Names the failed steps and prints the closing line.
    pub(crate) fn finish(self) -> ExitCode {
        println!();
        for name in &self.failed {
            println!("failed: {name}");
        }
        println!("{}", self.summary());
        if self.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn summary(&self) -> String {
        format!("steps: {} passed, {} failed", self.passed.len(), self.failed.len())
    }
}

/// Runs a program in the workspace's root with its output shown.
///
/// # Errors
/// When it cannot be started or ends with another status than 0.
pub(crate) fn show(
    root: &Path,
    program: impl AsRef<std::ffi::OsStr>,
    arguments: &[&str],
) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root);
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{command:?}: {status}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_stops_no_other_and_fails_the_run() {
        let mut steps = Steps::default();
        let mut ran = 0;
        steps.run("first", || {
            ran += 1;
            Err(anyhow::anyhow!("broken"))
        });
        steps.run("second", || {
            ran += 1;
            Ok(())
        });
        assert_eq!(ran, 2);
        assert_eq!(steps.summary(), "steps: 1 passed, 1 failed");
        assert_eq!(steps.finish(), ExitCode::FAILURE);
    }

    #[test]
    fn a_program_that_fails_is_an_error() {
        let here = Path::new(".");
        assert!(show(here, "true", &[]).is_ok());
        assert!(show(here, "false", &[]).is_err());
        assert!(show(here, "no-such-program-here", &[]).is_err());
    }
}
