//! Threat lists as CSV: ThreatFox's, and those that exports make in its columns.

use miyaburi_model::{Confidence, EndpointRole, Protocol};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use super::{SourceError, Taken, moment};
use crate::indicators::{Indicator, Validity};

/// The column of values in ThreatFox's tables and ours.
const VALUE: &str = "ioc_value";

/// Lines within which a table has its header: ThreatFox has it at the end of a remark.
const HEAD: usize = 32;

/// Whether a text is such a table.
pub(super) fn is_one(text: &str) -> bool {
    text.lines().take(HEAD).any(is_header)
}

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
    fk_malware: String,
    #[serde(default)]
    first_seen_utc: String,
    #[serde(default)]
    confidence_level: String,
    #[serde(default)]
    tags: String,
}

pub(super) fn read(text: &str, taken: &mut Taken<'_>) -> Result<(), SourceError> {
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
        taken.line = record.position().map_or(0, |position| position.line() as usize);
        let row: Row = record.deserialize(Some(&headers))?;
        taken.add(&row.ioc_value, |value| indicator(&row, Indicator::from(value)));
    }
    Ok(())
}

/// What the row says of its value. Exports say more in tags, each of which means one thing alone.
fn indicator(row: &Row, plain: Indicator) -> Indicator {
    let tags = || row.tags.split(',').map(str::trim);
    let role = match row.threat_type.as_str() {
        "botnet_cc" => Some(EndpointRole::C2),
        "payload_delivery" => Some(EndpointRole::Loader),
        _ => None,
    };
    let until = tags().find_map(|tag| moment(tag.strip_prefix("expires:")?));
    let malware = Some(row.fk_malware.as_str()).filter(|it| !matches!(*it, "" | "unknown"));
    Indicator {
        protocol: tags().find_map(named::<Protocol>),
        role: tags().find_map(named).or(role),
        confidence: row.confidence_level.parse().ok().map(confidence),
        validity: Validity { from: moment(&row.first_seen_utc), until },
        botnets: malware.map(Box::from).into_iter().collect(),
        ..plain
    }
}

/// The role or transport that reports call so.
pub(super) fn named<'n, T: Deserialize<'n>>(name: &'n str) -> Option<T> {
    let spelling: StrDeserializer<'n, Error> = name.into_deserializer();
    T::deserialize(spelling).ok()
}

/// Percent in the steps of reports: such tables mostly say 25, 50, 75 or 100.
const fn confidence(percent: u8) -> Confidence {
    match percent {
        76.. => Confidence::High,
        50..76 => Confidence::Medium,
        _ => Confidence::Low,
    }
}
