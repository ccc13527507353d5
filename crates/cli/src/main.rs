//! `miyaburi`: what Mirai-family files are configured to do, read without running them natively.

mod arguments;
mod captures;
mod commands;
mod confinement;
mod dump;
mod error;
mod explain;
mod export;
mod follow;
mod loaded;
mod output;
mod progress;
mod reports;
mod text;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::error::CommandError;

/// What a command that ran to its end says about its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Nothing failed.
    Clean,
    /// Something failed or is not as demanded, and was named on standard error or in the output.
    SomethingFailed,
}

impl Status {
    /// Both together.
    fn with(self, other: Self) -> Self {
        if self == Self::Clean { other } else { self }
    }
}

/// The exit code for a wrong command line, as the argument parser gives it.
const USAGE: u8 = 2;

/// Exit codes: 0 nothing failed, 1 something failed, 2 usage.
fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(Status::Clean) => ExitCode::SUCCESS,
        Ok(Status::SomethingFailed) => ExitCode::FAILURE,
        Err(error) => {
            error::complain(&error);
            if error.is_usage() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn run(command: &Command) -> Result<Status, CommandError> {
    match command {
        Command::Extract(arguments) => commands::extract::run(arguments),
        Command::Score(arguments) => commands::score::run(arguments),
        Command::Diff(arguments) => commands::diff::run(arguments),
        Command::Devices(arguments) => commands::devices::run(arguments),
        Command::Plan(arguments) => commands::plan::run(arguments),
        Command::Hunt(arguments) => commands::hunt::run(arguments),
        Command::Timeline(arguments) => commands::timeline::run(arguments),
        Command::Scope(arguments) => commands::scope::run(arguments),
        Command::Behaviour(arguments) => commands::behaviour::run(arguments),
        Command::Count(arguments) => commands::count::run(arguments),
        Command::Events(arguments) => commands::events::run(arguments),
        Command::Dump(arguments) => commands::dump::run(arguments),
        Command::Unpack(arguments) => commands::unpack::run(arguments),
        Command::Export(arguments) => commands::export::run(arguments),
        Command::Ledger(arguments) => commands::ledger::run(arguments),
        Command::Schema(arguments) => commands::schema::run(arguments),
        Command::Completions(arguments) => commands::completions::run(arguments),
        Command::Man(arguments) => commands::man::run(arguments),
    }
}
