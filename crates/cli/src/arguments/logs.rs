//! Options of all commands that read logs.

use std::path::PathBuf;

use clap::Args;
use miyaburi_hunting::readers::Described;
use miyaburi_hunting::time::{Clocks, Moment, Zone};
use miyaburi_model::Timestamp;

#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// Log files, plain or compressed, or directories of them; - is standard input
    #[arg(required = true, value_name = "LOGS")]
    pub logs: Vec<PathBuf>,

    #[command(flatten)]
    pub reading: ReadingArguments,
}

/// How logs are read.
#[derive(Debug, Args)]
#[group(id = "reading", multiple = true)]
pub(crate) struct ReadingArguments {
    /// Format of the logs [default: recognised by content, for each file]
    #[arg(long, value_name = "NAME", value_parser = known_format)]
    pub log_format: Option<String>,

    /// Description of the logs' format, for those that are not known: names, kind of event, and how lines
    /// are taken apart (JSON, separated values or a pattern), as specimens/described/gateway.json has it
    #[arg(long, value_name = "FILE", value_parser = described, conflicts_with = "log_format")]
    pub log_description: Option<Described>,

    /// Local time, for times that do not say: how far ahead of UTC, such as +09:00, or a place, such as
    /// Asia/Tokyo
    #[arg(long, value_name = "ZONE", default_value = "+00:00", value_parser = Zone::parse)]
    #[arg(allow_hyphen_values = true)]
    pub timezone: Zone,

    /// Seconds that the clock of the logs was ahead of the true time, negative when behind
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_hyphen_values = true)]
    pub clock_ahead: i64,

    /// When the logs end, which decides the year of times that have none [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub latest: Option<Moment>,

    /// Clocks of single sources, CSV: "source" (the name of a file up to a dot, or of a folder) with any of
    /// "timezone", "ahead" and "latest", which count more than the options of these names
    #[arg(long, value_name = "FILE", value_parser = clocks)]
    pub clocks: Option<Clocks>,
}

fn known_format(name: &str) -> Result<String, String> {
    let names: Vec<&str> =
        miyaburi_hunting::readers::FORMATS.iter().map(|format| format.name()).collect();
    if names.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(format!("one of {}", names.join(", ")))
    }
}

/// The format that a file describes.
fn described(path: &str) -> Result<Described, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    Described::parse(&text).map_err(|error| error.to_string())
}

/// The clocks in a table.
fn clocks(path: &str) -> Result<Clocks, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    Clocks::read(file).map_err(|error| error.to_string())
}

pub(super) fn moment(text: &str) -> Result<Moment, String> {
    let time: Timestamp = text.parse().map_err(|error| format!("{error}"))?;
    Ok(Moment::from_unix(time.unix()))
}
