//! What rests on what.

use miyaburi_model::{
    Attack, Credentials, Endpoint, EndpointRole, EntryRole, Evidence, Exploit, ExternalSource,
    LooseString, Report, Scan, StringTable, TableEntry, VirtualAddress,
};

use crate::text::{endpoint_address, entry_value, spelled};

/// Loose strings that are explained; the rest are decoded like them.
const MAX_STRINGS: usize = 3;

/// Entries of the table that are explained besides those of endpoints; the rest are like them.
const MAX_ENTRIES: usize = 3;

/// How one value came about.
pub(super) struct Story {
    /// The value.
    pub(super) about: String,
    /// In the order in which one leads to the next.
    pub(super) steps: Vec<Step>,
}

/// One thing that was seen.
#[derive(PartialEq, Eq)]
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
    let external = report.external.iter().map(|external| names.external(external));
    let table = report.string_table.iter().flat_map(|table| names.table(table));
    let strings = report.strings.iter().take(MAX_STRINGS).map(|string| names.string(string));
    let credentials = report.credentials.iter().filter_map(|list| names.credentials(list));
    let scan = report.scan.iter().flat_map(|scan| names.scan(scan));
    endpoints
        .chain(external)
        .chain(table)
        .chain(strings)
        .chain(credentials)
        .chain(names.attacks(&report.attacks))
        .chain(scan)
        .map(Story::without_repetition)
        .filter(|story| !story.steps.is_empty())
        .collect()
}

impl Story {
    /// The story with each thing told once.
    fn without_repetition(mut self) -> Self {
        let mut told: Vec<Step> = Vec::new();
        for step in self.steps {
            if !told.contains(&step) {
                told.push(step);
            }
        }
        self.steps = told;
        self
    }
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

    fn external(&self, external: &ExternalSource) -> Story {
        let about = format!("C2 from outside the file, {}", spelled(&external.source));
        Story { about, steps: external.evidence.iter().map(|it| self.step(it)).collect() }
    }

    /// The key of the table, then its stale entries and the first of those that no endpoint is made
    /// of.
    fn table(&self, table: &StringTable) -> Vec<Story> {
        let of_endpoints = [
            EntryRole::C2Host,
            EntryRole::C2Port,
            EntryRole::ScanReceiverHost,
            EntryRole::ScanReceiverPort,
        ];
        let others = table.entries.iter().filter(|entry| !of_endpoints.contains(&entry.role));
        let (stale, others): (Vec<&TableEntry>, Vec<&TableEntry>) =
            others.partition(|entry| entry.stale);
        let entries = stale.into_iter().chain(others.into_iter().take(MAX_ENTRIES));
        let entries = entries.map(|entry| Story {
            about: format!("entry {} of the string table, {}", entry.id, entry_value(entry)),
            steps: self.entry(entry, table),
        });
        self.key(table).into_iter().chain(entries).collect()
    }

    /// How the key is known: by the routines that decode with it.
    fn key(&self, table: &StringTable) -> Option<Story> {
        let effective = table.effective_key.as_ref()?;
        let word = match &table.key {
            Some(word) => format!(" of the key {word}"),
            None => ", folded by the compiler".to_owned(),
        };
        let decodes = self.0.functions.iter().filter(|function| function.role == "toggle_obf");
        let steps = decodes.map(|routine| Step {
            says: format!("{} decodes with it when run", self.routine(routine.address)),
            at: routine.address,
        });
        let about = format!("effective key {effective}{word}");
        Some(Story { about, steps: steps.collect() })
    }

    fn scan(&self, scan: &Scan) -> Vec<Story> {
        let ports: Vec<String> = scan.probes.iter().map(|probe| probe.port.to_string()).collect();
        let of_requests = |evidence: &&Evidence| {
            !scan.exploits.iter().any(|exploit| exploit.evidence.contains(evidence))
        };
        let packet = scan.evidence.iter().filter(of_requests).map(|it| self.step(it)).collect();
        let probes =
            Story { about: format!("probes of ports {}", ports.join(", ")), steps: packet };
        let exploits = scan.exploits.iter().map(|exploit| self.exploit(exploit));
        std::iter::once(probes).chain(exploits).collect()
    }

    fn exploit(&self, exploit: &Exploit) -> Story {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
        let about = format!("request {} {}", part(&exploit.method), part(&exploit.path));
        Story { about, steps: exploit.evidence.iter().map(|it| self.step(it)).collect() }
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
            let (routine_named, cipher) = (self.routine(routine.address), spelled(&table.cipher));
            let says = match entry.effective_key.as_ref().filter(|_| entry.stale) {
                Some(own) => format!(
                    "stale: it makes sense under key {own} alone; {routine_named} would make \
                     something else of it when run: {cipher} with key {key}"
                ),
                None => format!("{routine_named} decodes it when run: {cipher} with key {key}"),
            };
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
            let order = match (attack.vector, &attack.command) {
                (Some(vector), _) => format!("vector {vector}"),
                (None, Some(command)) => format!("command \"{command}\""),
                (None, None) => "no known order".to_owned(),
            };
            let about = format!("attack of {order}, handler {}", attack.handler);
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
