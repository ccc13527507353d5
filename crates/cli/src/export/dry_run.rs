//! What an export would have hit in logs, rule by rule, before anything of it is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};

use core::net::IpAddr;

use miyaburi_export::flowspec::Routes;
use miyaburi_export::indicators::{DomainName, Timestamp};
use miyaburi_export::rules::{Conditions, Contact, Rule, Rules};
use miyaburi_export::{nftables, rpz, sigma, suricata};
use miyaburi_hunting::time::Moment;
use miyaburi_hunting::{Event, Kind, Sighted};
use serde::Serialize;

use super::{Access, Book, ExportProblem, Prepared};
use crate::Status;
use crate::arguments::{DryRunFormat, ExportArguments, ExportFormat};
use crate::commands::logs::Logs;
use crate::error::{CommandError, complain};
use crate::output::Output;

/// Clients of one rule that are told apart.
const MAX_CLIENTS: usize = 1000;

/// What a rule hit.
#[derive(Default)]
struct Tally {
    records: u64,
    clients: HashSet<IpAddr>,
    first: Option<Moment>,
    last: Option<Moment>,
    /// The first record: its file and the byte at which it begins.
    sample: Option<(String, u64)>,
}

/// One rule as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    format: &'static str,
    rule: String,
    records: u64,
    /// How many clients, counted to 1000.
    clients: usize,
    first: Option<Moment>,
    last: Option<Moment>,
    file: Option<&'a str>,
    offset: Option<u64>,
}

/// Reads what an export would be made from, and the logs; tells what its rules would have hit.
pub(crate) fn dry_run(arguments: &ExportArguments) -> Result<Status, CommandError> {
    let (rules, untold, now) = rules(arguments).map_err(CommandError::Export)?;
    let mut tallies: HashMap<&Rule, Tally> = HashMap::new();
    let (mut records, mut status) = (0_u64, Status::Clean);
    let (reading, against) = (&arguments.dry_run.reading, &arguments.dry_run.against);
    let logs = Logs::of(reading, against, Moment::from_unix(now.unix()), false)?;
    for log in &logs.files {
        let mut seen = |event: &Event<'_>, at: Sighted<'_>| {
            records += 1;
            let contact = contact(event);
            for rule in rules.hit(&contact) {
                tallies.entry(rule).or_default().add(event, &at);
            }
        };
        if !logs.read(log, &mut seen) {
            status = Status::SomethingFailed;
        }
    }
    logs.finish();
    let tallies: BTreeMap<&Rule, Tally> = tallies.into_iter().collect();
    let hit = (tallies.len(), rules.len());
    for (format, count) in untold {
        complain(format_args!("{format}: {count} rules look for what no log says"));
    }
    complain(format_args!(
        "{records} records of {} files: {} of {} rules would have hit",
        logs.files.len(),
        hit.0,
        hit.1
    ));
    let mut output = Output::standard();
    let usual = if output.is_terminal() { DryRunFormat::Text } else { DryRunFormat::Ndjson };
    let format = arguments.dry_run.format.unwrap_or(usual);
    output.stream(|writer| {
        tallies.iter().try_for_each(|(rule, tally)| print(writer, rule, tally, format))
    })?;
    Ok(status)
}

/// The rules of all formats, how many of each look for what no log says, and the time of the export.
fn rules(
    arguments: &ExportArguments,
) -> Result<(Rules, BTreeMap<&'static str, usize>, Timestamp), ExportProblem> {
    let path = arguments.state.state.as_deref().filter(|path| path.exists());
    let book = path.map(|path| Book::open(path, Access::Read)).transpose()?;
    let Prepared { list, state, .. } = Prepared::read(arguments, None, book.as_ref())?;
    let (mut rules, mut untold) = (Rules::default(), BTreeMap::new());
    for format in &arguments.formats() {
        let conditions = match format {
            ExportFormat::Flowspec => state
                .flows
                .as_ref()
                .map(|flows| Routes::new(&list, &state.traffic, flows).conditions())
                .unwrap_or_default(),
            ExportFormat::Nftables => nftables::conditions(&list),
            ExportFormat::Rpz => rpz::conditions(&list),
            ExportFormat::Sigma => sigma::conditions(&list),
            ExportFormat::Suricata => suricata::conditions(&list, &state.traffic),
            // Nothing acts on these by itself.
            ExportFormat::Csv | ExportFormat::Stix | ExportFormat::Misp => continue,
            ExportFormat::Labels | ExportFormat::Maco | ExportFormat::Yara => continue,
        };
        let Conditions { told, untold: count } = conditions;
        rules.add(format.name(), told);
        if count > 0 {
            untold.insert(format.name(), count);
        }
    }
    Ok((rules, untold, list.stamp.now))
}

/// Who contacted whom in an event.
fn contact(event: &Event<'_>) -> Contact {
    let name = event.name.and_then(|name| str::from_utf8(name).ok());
    let name: Option<DomainName> = name.and_then(|name| name.parse().ok());
    let (query, request) = match event.kind {
        Kind::DnsQuery => (name, None),
        Kind::WebRequest => (None, name),
        Kind::Connection | Kind::Login | Kind::Mail | Kind::Traffic => (None, None),
    };
    let Event { client, server, port, protocol, .. } = *event;
    Contact { query, request, client, server, port, protocol }
}

impl Tally {
    fn add(&mut self, event: &Event<'_>, at: &Sighted<'_>) {
        self.records += 1;
        if self.clients.len() < MAX_CLIENTS {
            self.clients.extend(event.client);
        }
        self.first = [self.first, event.time].into_iter().flatten().min();
        self.last = self.last.max(event.time);
        self.sample.get_or_insert_with(|| (at.file.to_owned(), at.offset));
    }
}

fn print(
    writer: &mut dyn Write,
    rule: &Rule,
    tally: &Tally,
    format: DryRunFormat,
) -> io::Result<()> {
    let sample = tally.sample.as_ref();
    let line = Line {
        format: rule.format,
        rule: rule.condition.to_string(),
        records: tally.records,
        clients: tally.clients.len(),
        first: tally.first,
        last: tally.last,
        file: sample.map(|(file, _)| file.as_str()),
        offset: sample.map(|(_, offset)| *offset),
    };
    match format {
        DryRunFormat::Ndjson => {
            serde_json::to_writer(&mut *writer, &line)?;
            writeln!(writer)
        }
        DryRunFormat::Text => {
            let Line { format, rule, records, clients, .. } = line;
            let time = |time: Option<Moment>| time.map_or("?".to_owned(), |time| time.to_string());
            let (first, last) = (time(line.first), time(line.last));
            writeln!(
                writer,
                "{format}: {rule}: {records} records of {clients} clients, {first} to {last}"
            )
        }
    }
}
