//! Indicators as CSV in the columns of ThreatFox, and refusals as CSV of their own.
//!
//! A cell never begins as a formula of a spreadsheet, and holds no control characters: hosts are
//! typed, and other text is escaped.

use std::io::{self, Write};

use miyaburi_model::{Confidence, EndpointRole};

use crate::gate::Refusal;
use crate::indicators::{Host, protocol_name, role_name};
use crate::list::{Block, BlockList, ExportError, Folder, Written, file};

/// File of the indicators.
pub const FILE: &str = "indicators.csv";

/// File of what was refused.
pub const REFUSALS: &str = "refusals.csv";

/// The columns of ThreatFox's export, without those that only its database fills: identifier,
/// reference, anonymity and reporter.
const COLUMNS: [&str; 8] = [
    "first_seen_utc",
    "ioc_value",
    "ioc_type",
    "threat_type",
    "fk_malware",
    "last_seen_utc",
    "confidence_level",
    "tags",
];

/// The name in Malpedia, which ThreatFox uses, of the family that reports agree on. Forks are not
/// told apart; where reports name no family, or not the same, or one that has no name here, it is
/// `unknown`.
fn malware(family: Option<&str>) -> &'static str {
    match family {
        Some("mirai") => "elf.mirai",
        _ => "unknown",
    }
}

/// Writes the indicators: one record each.
///
/// # Errors
/// When the file cannot be written.
pub fn write(list: &BlockList, folder: &mut dyn Folder) -> Result<Written, ExportError> {
    file(folder, FILE, |writer| {
        for line in list.head() {
            writeln!(writer, "# {line}")?;
        }
        let mut records = csv::Writer::from_writer(writer);
        records.write_record(COLUMNS)?;
        for block in &list.blocks {
            records.write_record(record(block))?;
        }
        records.flush()?;
        Ok(Written { entries: list.blocks.len(), left_out: 0 })
    })
}

fn record(block: &Block) -> [String; 8] {
    let indicator = &block.indicator;
    let (value, kind) = match (&indicator.host, indicator.port) {
        (host @ Host::Name(_), _) => (host.to_string(), "domain"),
        (Host::Address(address), Some(port)) => {
            (core::net::SocketAddr::new(*address, port).to_string(), "ip:port")
        }
        (host @ Host::Address(_), None) => (host.to_string(), "ip"),
    };
    let seen = block.sightings.seen;
    let threat = match indicator.role {
        EndpointRole::Loader => "payload_delivery",
        _ => "botnet_cc",
    };
    [
        seen.map_or(String::new(), |span| span.first.spaced()),
        value,
        kind.to_owned(),
        threat.to_owned(),
        malware(block.sightings.family.as_deref()).to_owned(),
        seen.map_or(String::new(), |span| span.last.spaced()),
        level(block.sightings.confidence).to_owned(),
        tags(block),
    ]
}

/// Confidence in the percent of ThreatFox, whose steps are 25 apart.
const fn level(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "25",
        Confidence::Medium => "75",
        Confidence::High => "100",
    }
}

/// Role, port of names, reports, expiry and what a list says, separated by commas.
fn tags(block: &Block) -> String {
    let indicator = &block.indicator;
    let mut tags = vec![role_name(indicator.role).to_owned()];
    tags.extend(indicator.port.map(|port| format!("port:{port}")));
    tags.extend(indicator.protocol.map(|protocol| protocol_name(protocol).to_owned()));
    tags.push(format!("reports:{}", block.sightings.reports));
    tags.push(format!("expires:{}", block.expires));
    tags.extend(block.note.as_ref().map(|note| cell(&note.replace(',', ";"))));
    tags.join(",")
}

/// Writes what was refused, with the reason.
///
/// # Errors
/// When the file cannot be written.
pub fn write_refusals(refusals: &[Refusal], folder: &mut dyn Folder) -> Result<(), ExportError> {
    file(folder, REFUSALS, |writer| write_all(refusals, writer))
}

fn write_all(refusals: &[Refusal], writer: &mut dyn Write) -> io::Result<()> {
    let mut records = csv::Writer::from_writer(writer);
    records.write_record(["host", "port", "protocol", "role", "reason", "detail"])?;
    for refusal in refusals {
        records.write_record([
            cell(&refusal.host),
            refusal.port.map_or(String::new(), |port| port.to_string()),
            refusal.protocol.map_or("", protocol_name).to_owned(),
            role_name(refusal.role).to_owned(),
            refusal.reason.name().to_owned(),
            cell(&refusal.reason.to_string()),
        ])?;
    }
    records.flush()
}

/// Text that is safe in a cell: anything but printable ASCII is written `\u{..}`, as is what a
/// spreadsheet takes for the beginning of a formula.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let begins_formula = safe.is_empty() && matches!(character, '=' | '+' | '-' | '@');
        if begins_formula || !matches!(character, ' '..='~') {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::gate::Reason;
    use crate::indicators::HostError;

    #[test]
    fn cells_begin_no_formula() {
        assert_eq!(cell("=1+1"), "\\u{3d}1+1");
        assert_eq!(cell("a\n\u{202e}b"), "a\\u{a}\\u{202e}b");
        assert_eq!(cell("a-b, \"c\""), "a-b, \"c\"");
    }

    proptest! {
        #[test]
        fn any_refused_text_is_one_safe_cell(host in any::<String>()) {
            let refusal = Refusal {
                host,
                port: None,
                protocol: None,
                role: EndpointRole::C2,
                reason: Reason::NotAHost(HostError::Character),
            };
            let mut text = Vec::new();
            write_all(std::slice::from_ref(&refusal), &mut text).unwrap();
            prop_assert!(text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')));
            let mut reader = csv::Reader::from_reader(text.as_slice());
            let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(records.len(), 1);
            let host = records[0].get(0).unwrap();
            prop_assert!(!host.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert_eq!(host, cell(&refusal.host));
        }
    }
}
