//! Options of all commands that read logs.

use std::path::PathBuf;

use clap::Args;
use miyaburi_hunting::readers::Described;
use miyaburi_hunting::time::Moment;
use miyaburi_model::Timestamp;

#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// Log files, plain or compressed, or directories of them; - is standard input
    #[arg(required = true, value_name = "LOGS")]
    pub logs: Vec<PathBuf>,

    /// Format of the logs [default: recognised by content, for each file]
    #[arg(long, value_name = "NAME", value_parser = known_format)]
    pub log_format: Option<String>,

    /// Description of the logs' format, for those that are not known: names, kind of event, and how lines
    /// are taken apart (JSON, separated values or a pattern), as specimens/described/gateway.json has it
    #[arg(long, value_name = "FILE", value_parser = described, conflicts_with = "log_format")]
    pub log_description: Option<Described>,

    /// How far local time is ahead of UTC, for times that do not say: such as +09:00
    #[arg(long, value_name = "OFFSET", default_value = "+00:00", value_parser = offset)]
    #[arg(allow_hyphen_values = true)]
    pub timezone: i32,

    /// Seconds that the clock of the logs was ahead of the true time, negative when behind
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_hyphen_values = true)]
    pub clock_ahead: i64,

    /// When the logs end, which decides the year of times that have none [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub latest: Option<Moment>,
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

/// Seconds of `+HH:MM`.
fn offset(text: &str) -> Result<i32, String> {
    let wrong = || "not an offset such as +09:00".to_owned();
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return Err(wrong()),
    };
    let (hours, minutes) = digits.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str, most: i32| {
        text.parse::<i32>().ok().filter(|number| text.len() == 2 && (0..=most).contains(number))
    };
    let (hours, minutes) = number(hours, 14).zip(number(minutes, 59)).ok_or_else(wrong)?;
    Ok(sign * (hours * 3600 + minutes * 60))
}

pub(super) fn moment(text: &str) -> Result<Moment, String> {
    let time: Timestamp = text.parse().map_err(|error| format!("{error}"))?;
    Ok(Moment::from_unix(time.unix()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn offsets() {
        assert_eq!(offset("+09:00"), Ok(9 * 3600));
        assert_eq!(offset("-03:30"), Ok(-(3 * 3600 + 1800)));
        for text in ["09:00", "+9:00", "+15:00", "+09:60", "", "+", "+0900"] {
            assert!(offset(text).is_err(), "{text}");
        }
    }
}
