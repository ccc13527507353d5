//! What an export changed, for people and programs.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use miyaburi_export::indicators::{InForce, Indicator, Timestamp, protocol_name, role_name};
use miyaburi_export::{Block, BlockList, ExportError, Folder, Stage, Withdrawal};
use miyaburi_ledger::{Before, Run};
use serde::Serialize;

/// File of the difference.
pub(super) const FILE: &str = "difference.json";

/// What was in force before an export and after it.
#[derive(Serialize)]
pub(crate) struct Difference<'a> {
    run: u64,
    time: Timestamp,
    /// The run before, none before the first.
    before: Option<State>,
    stage: Stage,
    unchanged: usize,
    added: Vec<Added<'a>>,
    renewed: Vec<Renewed<'a>>,
    withdrawn: Vec<Withdrawn<'a>>,
}

#[derive(Serialize)]
struct State {
    run: u64,
    stage: Stage,
}

#[derive(Serialize)]
struct Added<'a> {
    #[serde(flatten)]
    indicator: &'a Indicator,
    until: Timestamp,
}

/// The time at which it expires changed.
#[derive(Serialize)]
struct Renewed<'a> {
    #[serde(flatten)]
    indicator: &'a Indicator,
    since: Timestamp,
    until_before: Timestamp,
    until: Timestamp,
}

#[derive(Serialize)]
struct Withdrawn<'a> {
    #[serde(flatten)]
    indicator: &'a Indicator,
    #[serde(flatten)]
    in_force: InForce,
    reason: &'static str,
    detail: String,
}

impl<'a> Difference<'a> {
    /// What `run` changes by this list.
    pub(crate) fn new(before: &Before, run: &Run, list: &'a BlockList) -> Self {
        let state = |run: &Run| State { run: run.number, stage: run.stage };
        let mut difference = Self {
            run: run.number,
            time: run.time,
            before: before.runs().last().map(state),
            stage: run.stage,
            unchanged: 0,
            added: Vec::new(),
            renewed: Vec::new(),
            withdrawn: list.withdrawn.iter().flatten().map(Withdrawn::new).collect(),
        };
        for Block { indicator, expires, in_force, .. } in &list.blocks {
            let until = *expires;
            match *in_force {
                None => difference.added.push(Added { indicator, until }),
                Some(InForce { until: until_before, since, .. }) if until_before != until => {
                    difference.renewed.push(Renewed { indicator, since, until_before, until });
                }
                Some(_) => difference.unchanged += 1,
            }
        }
        difference
    }

    /// Writes it beside the files of the formats.
    pub(crate) fn write(&self, folder: &mut dyn Folder) -> Result<(), ExportError> {
        let written = folder.create(FILE).and_then(|mut writer| {
            serde_json::to_writer(&mut writer, self)?;
            writer.write_all(b"\n")?;
            writer.flush()
        });
        written.map_err(|error| ExportError { file: FILE.to_owned(), error })
    }

    /// What was added and withdrawn, one a line, and how many of each.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = self.print(&mut text);
        text
    }

    fn print(&self, writer: &mut String) -> fmt::Result {
        match &self.before {
            None => writeln!(writer, "export {}, stage {}", self.run, self.stage.name())?,
            Some(State { run, stage }) => {
                let (number, now) = (self.run, self.stage.name());
                let stage = match *stage == self.stage {
                    true => now.to_owned(),
                    false => format!("{} -> {now}", stage.name()),
                };
                writeln!(writer, "export {number} after {run}, stage {stage}")?;
            }
        }
        for Added { indicator, until } in &self.added {
            writeln!(writer, "+ {} until {until}", spelled(indicator))?;
        }
        for Withdrawn { indicator, in_force, detail, .. } in &self.withdrawn {
            let since = in_force.since;
            writeln!(writer, "- {} since {since}: {detail}", spelled(indicator))?;
        }
        let Self { added, renewed, withdrawn, unchanged, .. } = self;
        writeln!(
            writer,
            "{} added, {} withdrawn, {} with another end, {unchanged} unchanged",
            added.len(),
            withdrawn.len(),
            renewed.len()
        )
    }
}

impl<'a> Withdrawn<'a> {
    fn new(withdrawal: &'a Withdrawal) -> Self {
        let Withdrawal { indicator, in_force, reason } = withdrawal;
        Self { indicator, in_force: *in_force, reason: reason.name(), detail: reason.to_string() }
    }
}

/// Such as `c2 192.0.2.1 port 23 tcp`.
pub(crate) fn spelled(indicator: &Indicator) -> String {
    let Indicator { host, port, protocol, role } = indicator;
    let port = port.map(|port| format!(" port {port}")).unwrap_or_default();
    let protocol = protocol.map(|it| format!(" {}", protocol_name(it))).unwrap_or_default();
    format!("{} {host}{port}{protocol}", role_name(*role))
}
