//! Where indicators come from: our reports, threat lists as CSV, MISP events, and plain lists. Which
//! it is shows in the content.

use std::io::BufRead;

use miyaburi_model::{Confidence, EndpointRole, Report, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{Indicator, Indicators, Validity, Value, ValueError};
use crate::time::Moment;

/// What of a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read, or is no text.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// Looks like JSON and is neither a report nor a MISP event.
    #[error("line {line}: neither a report nor a MISP event: {error}")]
    Json {
        /// From 1.
        line: usize,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// A table that lacks a column or ends within a record.
    #[error("CSV: {0}")]
    Csv(#[from] csv::Error),
    /// A value that is none.
    #[error("line {line}: {text:?}: {error}")]
    Value {
        /// From 1.
        line: usize,
        /// The value.
        text: String,
        /// Why.
        error: ValueError,
    },
}

/// Adds what `reader` holds to `set`. Values that are none are handed to `refused`; the rest goes on.
///
/// # Errors
/// When the whole cannot be read.
pub fn read(
    reader: &mut dyn BufRead,
    set: &mut Indicators,
    refused: &mut dyn FnMut(SourceError),
) -> Result<(), SourceError> {
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    let begins = text.trim_start();
    if begins.starts_with(['{', '[']) {
        return json(&text, set, refused);
    }
    if text.lines().take(HEAD).any(is_header) {
        return table(&text, set, refused);
    }
    plain(&text, set, refused);
    Ok(())
}

/// The column of values in ThreatFox's tables and ours.
const VALUE: &str = "ioc_value";

/// Lines within which a table has its header: ThreatFox has it at the end of a remark.
const HEAD: usize = 32;

/// Whether the line names the columns, as a remark or not.
fn is_header(line: &str) -> bool {
    let columns = line.trim_start_matches(['#', ' ']);
    columns.split(',').any(|column| column.trim_matches([' ', '"']) == VALUE)
}

/// A line of our own or ThreatFox's table.
#[derive(Deserialize)]
struct Row {
    ioc_value: String,
    #[serde(default)]
    threat_type: String,
    #[serde(default)]
    first_seen_utc: String,
    #[serde(default)]
    confidence_level: String,
}

fn table(
    text: &str,
    set: &mut Indicators,
    refused: &mut dyn FnMut(SourceError),
) -> Result<(), SourceError> {
    // The header out of its remark, and no blanks before quotes, which would be part of the value.
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let line = if is_header(line) { line.trim_start_matches(['#', ' ']) } else { line };
        plain.push_str(&line.replace("\", \"", "\",\""));
        plain.push('\n');
    }
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(plain.as_bytes());
    let headers = reader.headers()?.clone();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let row: Row = record.deserialize(Some(&headers))?;
        let role = match row.threat_type.as_str() {
            "botnet_cc" => Some(EndpointRole::C2),
            "payload_delivery" => Some(EndpointRole::Loader),
            _ => None,
        };
        let from = row.first_seen_utc.replacen(' ', "T", 1);
        let from = format!("{}Z", from.trim_end_matches('Z')).parse::<Timestamp>().ok();
        let validity =
            Validity { from: from.map(|from| Moment::from_unix(from.unix())), until: None };
        let confidence = row.confidence_level.parse().ok().map(confidence_of);
        add(set, refused, line, &row.ioc_value, |value| Indicator {
            value,
            role,
            confidence,
            validity,
        });
    }
    Ok(())
}

/// Percent in the steps of reports.
const fn confidence_of(percent: u8) -> Confidence {
    match percent {
        75.. => Confidence::High,
        50..75 => Confidence::Medium,
        _ => Confidence::Low,
    }
}

fn plain(text: &str, set: &mut Indicators, refused: &mut dyn FnMut(SourceError)) {
    for (line, text) in (1..).zip(text.lines()) {
        // A remark may follow.
        let value = text.split('#').next().unwrap_or_default();
        let value = if value.contains("://") { text } else { value };
        let value = value.split_whitespace().next().unwrap_or_default();
        if !value.is_empty() && !value.starts_with('#') {
            add(set, refused, line, value, unqualified);
        }
    }
}

const fn unqualified(value: Value) -> Indicator {
    let validity = Validity { from: None, until: None };
    Indicator { value, role: None, confidence: None, validity }
}

fn add(
    set: &mut Indicators,
    refused: &mut dyn FnMut(SourceError),
    line: usize,
    text: &str,
    indicator: impl FnOnce(Value) -> Indicator,
) {
    match Value::parse(text) {
        Ok(value) => set.insert(indicator(value)),
        Err(error) => refused(SourceError::Value { line, text: text.to_owned(), error }),
    }
}

/// Reports line by line, or one document: a report, several, or a MISP event.
fn json(
    text: &str,
    set: &mut Indicators,
    refused: &mut dyn FnMut(SourceError),
) -> Result<(), SourceError> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if lines.next().is_some() && serde_json::from_str::<Json>(first).is_err() {
        let whole = serde_json::from_str(text);
        return document(
            whole.map_err(|error| SourceError::Json { line: 1, error })?,
            1,
            set,
            refused,
        );
    }
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let one = serde_json::from_str(text).map_err(|error| SourceError::Json { line, error })?;
        document(one, line, set, refused)?;
    }
    Ok(())
}

fn document(
    document: Json,
    line: usize,
    set: &mut Indicators,
    refused: &mut dyn FnMut(SourceError),
) -> Result<(), SourceError> {
    if let Json::Array(all) = document {
        return all.into_iter().try_for_each(|one| self::document(one, line, set, refused));
    }
    let event = document.get("Event").or_else(|| document.get("Attribute").map(|_| &document));
    if let Some(event) = event {
        attributes(event, line, set, refused);
        return Ok(());
    }
    let report: Report =
        serde_json::from_value(document).map_err(|error| SourceError::Json { line, error })?;
    endpoints(&report, line, set, refused);
    Ok(())
}

/// What a report says is the attackers' own. Its other endpoints are decoys, resolvers and the bot's
/// own port: whoever talks to them is not infected.
fn endpoints(
    report: &Report,
    line: usize,
    set: &mut Indicators,
    refused: &mut dyn FnMut(SourceError),
) {
    for endpoint in &report.endpoints {
        let is_hunted = matches!(
            endpoint.role,
            EndpointRole::C2
                | EndpointRole::ScanReceiver
                | EndpointRole::Loader
                | EndpointRole::DeadDropResolver
                | EndpointRole::Peer
        );
        if !is_hunted {
            continue;
        }
        add(set, refused, line, &endpoint.host, |value| {
            let value = match (value, endpoint.port) {
                (Value::Address(address, None), port) => Value::Address(address, port),
                (value, _) => value,
            };
            let (role, confidence) = (Some(endpoint.role), Some(endpoint.confidence));
            Indicator { role, confidence, ..unqualified(value) }
        });
    }
}

/// The network indicators among the attributes of a MISP event and its objects, those that it marks
/// as fit for detection.
fn attributes(
    event: &Json,
    line: usize,
    set: &mut Indicators,
    refused: &mut dyn FnMut(SourceError),
) {
    let list = |holder: &Json, name: &str| {
        holder.get(name).and_then(Json::as_array).cloned().unwrap_or_default()
    };
    let objects = list(event, "Object");
    let of_objects = objects.iter().flat_map(|object| list(object, "Attribute"));
    for attribute in list(event, "Attribute").into_iter().chain(of_objects) {
        let text = |name: &str| attribute.get(name).and_then(Json::as_str).unwrap_or_default();
        if attribute.get("to_ids").and_then(Json::as_bool) == Some(false) {
            continue;
        }
        let value = match text("type") {
            "domain" | "hostname" | "ip-dst" | "ip-src" | "url" | "uri" => text("value").to_owned(),
            "ip-dst|port" | "ip-src|port" | "hostname|port" => socket(text("value")),
            "domain|ip" => text("value").split('|').next().unwrap_or_default().to_owned(),
            _ => continue,
        };
        let seen = |name: &str| {
            let time = text(name).parse::<Timestamp>().ok()?;
            Some(Moment::from_unix(time.unix()))
        };
        let validity = Validity { from: seen("first_seen"), until: None };
        add(set, refused, line, &value, |value| Indicator { validity, ..unqualified(value) });
    }
}

/// `address|port` as a socket address.
fn socket(text: &str) -> String {
    match text.split_once('|') {
        Some((host, port)) if host.contains(':') => format!("[{host}]:{port}"),
        Some((host, port)) => format!("{host}:{port}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::event::{Event, Kind};

    fn set(text: &str) -> (Indicators, Vec<String>) {
        let (mut set, mut refused) = (Indicators::default(), Vec::new());
        read(&mut text.as_bytes(), &mut set, &mut |error| refused.push(error.to_string())).unwrap();
        set.seal();
        (set, refused)
    }

    fn role_of(set: &Indicators, name: &str) -> Option<(Option<EndpointRole>, Validity)> {
        let mut found = None;
        let event = Event { name: Some(name.as_bytes()), ..Event::new(Kind::DnsQuery, None) };
        set.find(&event, &mut |_, number| found = set.get(number).map(|it| (it.role, it.validity)));
        found
    }

    #[test]
    fn plain_lists() {
        let (set, refused) = set("# list\n\nc2[.]example # seen\n192.0.2.1:23\nnot a host!\n");
        assert_eq!(set.len(), 2);
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused[0].starts_with("line 5: \"not\""), "{refused:?}");
        assert_eq!(role_of(&set, "a.c2.example"), Some((None, Validity::default())));
    }

    #[test]
    fn tables_of_threat_lists() {
        let (set, refused) = set(
            "# made by us\nfirst_seen_utc,ioc_value,ioc_type,threat_type,fk_malware,last_seen_utc,\
             confidence_level,tags\n2026-11-01 00:00:00,c2.example,domain,botnet_cc,elf.mirai,,75,\n\
             ,192.0.2.1:80,ip:port,payload_delivery,elf.mirai,,50,\n",
        );
        assert_eq!((set.len(), refused.len()), (2, 0));
        let (role, validity) = role_of(&set, "c2.example").unwrap();
        assert_eq!(role, Some(EndpointRole::C2));
        assert_eq!(validity.from.unwrap().to_string(), "2026-11-01T00:00:00Z");
    }

    #[test]
    fn tables_as_threatfox_publishes_them() {
        let (set, refused) = set(
            "#####\n# ThreatFox IOCs: recent - CSV format #\n#\n# \"first_seen_utc\",\"ioc_id\",\
             \"ioc_value\",\"ioc_type\",\"threat_type\",\"confidence_level\"\n\
             \"2026-11-01 00:00:00\", \"1\", \"c2.example\", \"domain\", \"botnet_cc\", \"75\"\n",
        );
        assert_eq!((set.len(), refused), (1, Vec::<String>::new()));
        let (role, validity) = role_of(&set, "c2.example").unwrap();
        assert_eq!(role, Some(EndpointRole::C2));
        assert_eq!(validity.from.unwrap().to_string(), "2026-11-01T00:00:00Z");
    }

    #[test]
    fn misp_events() {
        let (set, refused) = set(r#"{"Event": {"Attribute": [
                {"type": "domain", "value": "c2.example", "to_ids": true},
                {"type": "domain", "value": "decoy.example", "to_ids": false},
                {"type": "sha256", "value": "00"}],
              "Object": [{"name": "ip-port", "Attribute": [
                {"type": "ip-dst|port", "value": "2001:db8::1|23", "to_ids": true}]}]}}"#);
        assert_eq!((set.len(), refused.len()), (2, 0), "{refused:?}");
        assert!(role_of(&set, "c2.example").is_some());
        assert!(role_of(&set, "decoy.example").is_none());
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        let mut set = Indicators::default();
        let error = read(&mut &b"{\"a\": 1}"[..], &mut set, &mut |_| {}).unwrap_err();
        assert!(matches!(error, SourceError::Json { line: 1, .. }), "{error}");
        assert!(read(&mut &b"\xff\xfe"[..], &mut set, &mut |_| {}).is_err());
    }
}
