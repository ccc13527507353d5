//! A time line as Markdown.

use miyaburi_hunting::coverage::Gap;
use miyaburi_hunting::timeline::Entry;
use serde::Serialize;

use super::markdown::{plain, table};
use super::report::count;

/// The columns of a record.
pub(super) const COLUMNS: [&str; 8] =
    ["time", "event", "client", "server", "name or URL", "account", "outcome", "evidence"];

/// Renders what happened and where the logs say nothing; the text ends with a line break.
pub(crate) fn timeline(entity: &str, entries: &[Entry], gaps: &[Gap]) -> String {
    let mut text = format!("# Time line of {}\n\n", plain(entity));
    let (records, silences) =
        (count(entries.len(), "record", "records"), count(gaps.len(), "gap", "gaps"));
    text.push_str(&format!("{records}, {silences} in the logs\n"));
    if !entries.is_empty() {
        text.push_str("\n## What happened\n\n");
        text.push_str(&table(COLUMNS, entries.iter().map(row)));
    }
    text.push_str(&gap_table(gaps));
    text
}

/// The section of gaps; nothing without one.
pub(super) fn gap_table(gaps: &[Gap]) -> String {
    if gaps.is_empty() {
        return String::new();
    }
    let heading = ["source", "from", "until", "events expected"];
    let rows = gaps.iter().map(|gap| {
        let expected = format!("{:.0}", gap.expected);
        [gap.source.clone(), gap.from.to_string(), gap.until.to_string(), expected]
    });
    let table = table(heading, rows);
    format!("\n## Gaps\n\nWhat these sources would have said is not known.\n\n{table}")
}

/// The server with its port, as far as they are known.
pub(super) fn server(entry: &Entry) -> String {
    match (entry.server, entry.port) {
        (Some(server), Some(port)) => core::net::SocketAddr::new(server, port).to_string(),
        (Some(server), None) => server.to_string(),
        (None, Some(port)) => format!("port {port}"),
        (None, None) => String::new(),
    }
}

/// What is in the columns of a record.
pub(super) fn row(entry: &Entry) -> [String; 8] {
    let shown = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        entry.time.map_or_else(|| "unknown".to_owned(), |time| time.to_string()),
        word(&entry.event),
        entry.client.map(|client| client.to_string()).unwrap_or_default(),
        server(entry),
        entry.url.clone().unwrap_or_else(|| shown(&entry.name)),
        shown(&entry.account),
        entry.outcome.as_ref().map(word).unwrap_or_default(),
        format!("{} byte {}", entry.evidence.file, entry.evidence.offset),
    ]
}

/// What a value is called in JSON, with blanks.
pub(super) fn word(value: &impl Serialize) -> String {
    let name = serde_json::to_value(value).ok();
    name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().replace('_', " ")
}
