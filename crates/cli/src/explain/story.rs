//! What rests on what.

use miyaburi_model::{
    Attack, Credentials, Endpoint, EndpointRole, EntryRole, Evidence, LooseString, Report,
    StringTable, TableEntry, VirtualAddress,
};

use crate::text::{endpoint_address, entry_value, spelled};

/// Loose strings that are explained; the rest are decoded like them.
const MAX_STRINGS: usize = 3;

/// How one value came about.
pub(super) struct Story {
    /// The value.
    pub(super) about: String,
    /// In the order in which one leads to the next.
    pub(super) steps: Vec<Step>,
}

/// One thing that was seen.
pub(super) struct Step {
    /// What.
    pub(super) says: String,
    /// Where.
    pub(super) at: VirtualAddress,
}

/// The stories of a report's values.
pub(super) fn stories(report: &Report) -> Vec<Story> {
    let names = Names(report);
    let endpoints = report.endpoints.iter().map(|endpoint| names.endpoint(endpoint));
    let strings = report.strings.iter().take(MAX_STRINGS).map(|string| names.string(string));
    let credentials = report.credentials.iter().filter_map(|list| names.credentials(list));
    endpoints
        .chain(strings)
        .chain(credentials)
        .chain(names.attacks(&report.attacks))
        .filter(|story| !story.steps.is_empty())
        .collect()
}

/// A report as the source of names.
struct Names<'a>(&'a Report);

impl Names<'_> {
    /// A routine by its role and address.
    fn routine(&self, entry: VirtualAddress) -> String {
        match self.0.functions.iter().find(|function| function.address == entry) {
            Some(function) => format!("{} ({entry})", function.role),
            None => format!("the routine {entry}"),
        }
    }

    fn step(&self, evidence: &Evidence) -> Step {
        let place = evidence.function.map(|function| format!(" in {}", self.routine(function)));
        let place = place.unwrap_or_default();
        Step { says: format!("{}{place}", evidence.note), at: evidence.address }
    }

    fn endpoint(&self, endpoint: &Endpoint) -> Story {
        let about = format!(
            "{} {}, by {}, confidence {}",
            spelled(&endpoint.role),
            endpoint_address(endpoint),
            spelled(&endpoint.method),
            spelled(&endpoint.confidence)
        );
        let mut steps = Vec::new();
        if let Some(table) = &self.0.string_table {
            for entry in entries_of(endpoint, table) {
                steps.extend(self.entry(entry, table));
            }
        }
        steps.extend(endpoint.evidence.iter().map(|evidence| self.step(evidence)));
        Story { about, steps }
    }

    /// From where an entry is added to where it is fetched.
    fn entry(&self, entry: &TableEntry, table: &StringTable) -> Vec<Step> {
        let value = format!("entry {} of the string table, {}", entry.id, entry_value(entry));
        let mut steps: Vec<Step> = Vec::new();
        steps.extend(entry.evidence.iter().map(|evidence| {
            let step = self.step(evidence);
            Step { says: format!("{value}: {}", step.says), at: step.at }
        }));
        let decodes = self.0.functions.iter().find(|function| function.role == "toggle_obf");
        if let (Some(routine), Some(key)) = (decodes, &table.effective_key) {
            let says = format!(
                "{} decodes it when run: {} with key {key}",
                self.routine(routine.address),
                spelled(&table.cipher)
            );
            steps.push(Step { says, at: routine.address });
        }
        if let Some(first) = entry.references.first() {
            let place = first.function.map(|function| format!(" by {}", self.routine(function)));
            let says = format!("it is asked for by its id{}", place.unwrap_or_default());
            steps.push(Step { says, at: first.address });
        }
        steps
    }

    fn string(&self, string: &LooseString) -> Story {
        let steps = string.evidence.iter().map(|evidence| self.step(evidence)).collect();
        Story { about: format!("string \"{}\" at {}", string.text, string.address), steps }
    }

    fn credentials(&self, list: &Credentials) -> Option<Story> {
        let first = list.entries.first()?;
        let key = list.effective_key.as_ref().map(|key| format!(" with key {key}"));
        let about = format!(
            "{} credentials, {}{}",
            list.entries.len(),
            spelled(&list.cipher),
            key.unwrap_or_default()
        );
        let steps = first.evidence.iter().map(|evidence| {
            let step = self.step(evidence);
            let says = format!("the first, {}:{}: {}", first.user, first.password, step.says);
            Step { says, at: step.at }
        });
        Some(Story { about, steps: steps.collect() })
    }

    fn attacks(&self, attacks: &[Attack]) -> impl Iterator<Item = Story> {
        attacks.iter().map(|attack| {
            let about = format!("attack with handler {}", attack.handler);
            let registered = attack.evidence.iter().map(|evidence| self.step(evidence));
            let begins = Step { says: "its handler begins".to_owned(), at: attack.handler };
            Story { about, steps: registered.chain([begins]).collect() }
        })
    }
}

/// The entries of the table that an endpoint is made of.
fn entries_of<'t>(endpoint: &Endpoint, table: &'t StringTable) -> Vec<&'t TableEntry> {
    let roles = match endpoint.role {
        EndpointRole::C2 => [EntryRole::C2Host, EntryRole::C2Port],
        EndpointRole::ScanReceiver => [EntryRole::ScanReceiverHost, EntryRole::ScanReceiverPort],
        _ => return Vec::new(),
    };
    let is_part = |entry: &&TableEntry| {
        let value = entry_value(entry);
        let port = endpoint.port.map(|port| format!("port {port}"));
        roles.contains(&entry.role)
            && (value == format!("\"{}\"", endpoint.host) || Some(value) == port)
    };
    table.entries.iter().filter(is_part).collect()
}
