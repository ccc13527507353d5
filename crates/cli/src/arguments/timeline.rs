//! Options of `miyaburi timeline`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use miyaburi_hunting::coverage::{EXPECTED, Threshold};
use miyaburi_hunting::time::Moment;
use miyaburi_hunting::timeline::Subject;

use super::logs::moment;
use super::{Confinement, LogArguments, RedactArguments};

#[derive(Debug, Args)]
pub(crate) struct TimelineArguments {
    /// Whose time line: an address, a network, an account or a domain name
    #[arg(value_name = "ENTITY")]
    pub entity: Subject,

    #[command(flatten)]
    pub logs: LogArguments,

    /// Nothing before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<Moment>,

    /// Nothing after this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Moment>,

    #[command(flatten)]
    pub silence: SilenceArguments,

    /// How to print [default: markdown on a terminal, ndjson elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<TimelineFormat>,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub redaction: RedactArguments,

    #[command(flatten)]
    pub confinement: Confinement,
}

/// When a silence is a gap.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct SilenceArguments {
    /// Name every silence of a source that lasts as many hours a gap [default: those in which, by the
    /// source's own habits, 20 events are missing]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    pub silence: Option<u32>,
}

impl SilenceArguments {
    pub(crate) fn threshold(self) -> Threshold {
        self.silence.map_or(Threshold::Expected(EXPECTED), |hours| {
            Threshold::Silence(i64::from(hours) * 3600)
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimelineFormat {
    /// A table for people and reports
    Markdown,
    /// One page with drawings: when, at which hours, who with whom; nothing in it is loaded or run
    Html,
    /// One JSON object a line for every record and gap
    Ndjson,
}
