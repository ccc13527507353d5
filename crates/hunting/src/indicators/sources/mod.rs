//! Where indicators come from: our reports, threat lists as CSV, MISP events, bundles of STIX 2.1, and
//! plain lists. Which it is shows in the content.

mod misp;
mod pattern;
mod report;
mod stix;
mod table;

use std::io::BufRead;

use serde_json::Value as Json;

use super::{Indicator, Indicators, Value, ValueError};
use crate::time::{Clock, Moment, rfc3339};

/// What of a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read, or is no text.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// Looks like JSON and is nothing that is known.
    #[error("line {line}: neither a report, a MISP event nor STIX: {error}")]
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
    /// An indicator of STIX of which not all is understood: what is not is not looked for.
    #[error("{id:?}: not understood: {reason}")]
    Pattern {
        /// Its identifier.
        id: String,
        /// What of it.
        reason: String,
    },
}

/// What a source holds and does not want to be looked for, or that no log shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Indicators that their source withdrew.
    pub revoked: u64,
    /// Those that it does not mark as fit for detection, or as benign.
    pub not_for_detection: u64,
    /// Those of other things, such as files.
    pub others: u64,
}

/// Where indicators of one source go.
struct Taken<'t> {
    set: &'t mut Indicators,
    refused: &'t mut dyn FnMut(SourceError),
    passed: Passed,
    /// The line, or the first of the document, from 1.
    line: usize,
}

impl Taken<'_> {
    /// Takes a value as `indicator` makes one of it, unless it is none.
    fn add(&mut self, text: &str, indicator: impl FnOnce(Value) -> Indicator) {
        match Value::parse(text) {
            Ok(value) => self.set.insert(indicator(value)),
            Err(error) => {
                let (line, text) = (self.line, text.to_owned());
                (self.refused)(SourceError::Value { line, text, error });
            }
        }
    }
}

/// Adds what `reader` holds to `set`. Values that are none are handed to `refused`; the rest goes on.
///
/// # Errors
/// When the whole cannot be read.
pub fn read(
    reader: &mut dyn BufRead,
    set: &mut Indicators,
    refused: &mut dyn FnMut(SourceError),
) -> Result<Passed, SourceError> {
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    let mut taken = Taken { set, refused, passed: Passed::default(), line: 1 };
    if text.trim_start().starts_with(['{', '[']) {
        json(&text, &mut taken)?;
    } else if table::is_one(&text) {
        table::read(&text, &mut taken)?;
    } else {
        plain(&text, &mut taken);
    }
    Ok(taken.passed)
}

fn plain(text: &str, taken: &mut Taken<'_>) {
    for (line, text) in (1..).zip(text.lines()) {
        // A remark may follow.
        let value = text.split('#').next().unwrap_or_default();
        let value = if value.contains("://") { text } else { value };
        let value = value.split_whitespace().next().unwrap_or_default();
        if !value.is_empty() && !value.starts_with('#') {
            taken.line = line;
            taken.add(value, Indicator::from);
        }
    }
}

/// Documents line by line, or one document over several lines.
fn json(text: &str, taken: &mut Taken<'_>) -> Result<(), SourceError> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if lines.next().is_some() && serde_json::from_str::<Json>(first).is_err() {
        let whole = serde_json::from_str(text);
        return document(whole.map_err(|error| SourceError::Json { line: 1, error })?, taken);
    }
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        taken.line = line;
        let one = serde_json::from_str(text).map_err(|error| SourceError::Json { line, error })?;
        document(one, taken)?;
    }
    Ok(())
}

fn document(document: Json, taken: &mut Taken<'_>) -> Result<(), SourceError> {
    if let Json::Array(all) = document {
        // Versions of one object of STIX may stand in one list.
        if all.iter().any(stix::is_object) {
            stix::read(all, taken);
            return Ok(());
        }
        return all.into_iter().try_for_each(|one| self::document(one, taken));
    }
    if stix::is_object(&document) {
        stix::read(vec![document], taken);
        return Ok(());
    }
    let event = document.get("Event").or_else(|| document.get("Attribute").map(|_| &document));
    if let Some(event) = event {
        misp::read(event, taken);
        return Ok(());
    }
    let read = serde_json::from_value(document);
    let report = read.map_err(|error| SourceError::Json { line: taken.line, error })?;
    report::read(&report, taken);
    Ok(())
}

/// A time of RFC 3339.
fn moment(text: &str) -> Option<Moment> {
    let (time, rest) = rfc3339(text.as_bytes(), &Clock::utc(Moment(0)))?;
    rest.is_empty().then_some(time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use miyaburi_model::EndpointRole;

    use super::*;
    use crate::event::{Event, Kind};
    use crate::indicators::Validity;

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
    fn what_is_no_list_is_an_error() {
        let mut set = Indicators::default();
        let error = read(&mut &b"{\"a\": 1}"[..], &mut set, &mut |_| {}).unwrap_err();
        assert!(matches!(error, SourceError::Json { line: 1, .. }), "{error}");
        assert!(read(&mut &b"\xff\xfe"[..], &mut set, &mut |_| {}).is_err());
    }
}
