//! Events against indicators: hits with their evidence, and a summary of who was touched.

use std::collections::BTreeMap;

use miyaburi_model::{Confidence, EndpointRole};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::event::{Event, Field, Kind, Outcome};
use crate::indicators::{Indicators, Number};
use crate::time::Moment;

/// Bytes of a line that a hit quotes.
const QUOTED: usize = 1024;

/// Where a line is.
#[derive(Clone, Copy, Debug)]
pub struct Sighted<'l> {
    /// The file, as the user named it.
    pub file: &'l str,
    /// Byte of the decompressed file at which the line begins.
    pub offset: u64,
    /// The line without its end.
    pub line: &'l [u8],
}

/// An indicator in an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The indicator's value.
    pub indicator: String,
    /// Its kind: `domain`, `ip`, `ip:port`, `prefix` or `url`.
    pub indicator_type: &'static str,
    /// What its source says it is used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<EndpointRole>,
    /// How sure its source is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// The field that held it.
    pub field: Field,
    /// What happened.
    pub event: Kind,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
    /// Whether that is outside of the time for which the indicator holds.
    pub outside_validity: bool,
    /// Who was touched: see [`SummaryLine::entity`].
    pub entity: String,
    /// What that is.
    pub entity_type: EntityType,
    /// The name that was asked for or contacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The account that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The file.
    pub file: String,
    /// Byte of the decompressed file at which the line begins.
    pub offset: u64,
    /// SHA-256 of the line, without its end.
    pub line_sha256: String,
    /// The line, at most its first 1024 bytes; what is no UTF-8 is replaced.
    pub line: String,
}

/// What names an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityType {
    /// An address.
    Address,
    /// An account.
    Account,
    /// Nothing.
    Unknown,
}

/// Of one entity and one indicator, all hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SummaryLine {
    /// Who was touched: the client's address; where the indicator is the client, the account or
    /// server; `unknown` where the record names nobody.
    pub entity: String,
    /// What that is.
    pub entity_type: EntityType,
    /// The indicator's value.
    pub indicator: String,
    /// The first time, of records that have one.
    pub first: Option<Moment>,
    /// The last time.
    pub last: Option<Moment>,
    /// How many hits.
    pub count: u64,
    /// How many of them outside of the time for which the indicator holds.
    pub outside_validity: u64,
}

/// Who was touched by what.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    lines: BTreeMap<(EntityType, String, Number), SummaryLine>,
}

impl Summary {
    /// A line for each entity and indicator: the entities with the most hits first.
    #[must_use]
    pub fn lines(&self) -> Vec<&SummaryLine> {
        let mut lines: Vec<&SummaryLine> = self.lines.values().collect();
        lines.sort_by(|one, other| {
            (other.count, &one.entity, &one.indicator).cmp(&(
                one.count,
                &other.entity,
                &other.indicator,
            ))
        });
        lines
    }

    fn add(&mut self, number: Number, hit: &Hit) {
        let key = (hit.entity_type, hit.entity.clone(), number);
        let line = self.lines.entry(key).or_insert_with(|| SummaryLine {
            entity: hit.entity.clone(),
            entity_type: hit.entity_type,
            indicator: hit.indicator.clone(),
            first: None,
            last: None,
            count: 0,
            outside_validity: 0,
        });
        line.count += 1;
        line.outside_validity += u64::from(hit.outside_validity);
        line.first = [line.first, hit.time].into_iter().flatten().min();
        line.last = line.last.max(hit.time);
    }
}

/// A hunt for indicators.
#[derive(Debug)]
pub struct Hunt<'i> {
    indicators: &'i Indicators,
    /// What was found until now.
    pub summary: Summary,
}

impl<'i> Hunt<'i> {
    /// A hunt for these indicators, which are [sealed](Indicators::seal).
    #[must_use]
    pub fn new(indicators: &'i Indicators) -> Self {
        Self { indicators, summary: Summary::default() }
    }

    /// Looks at an event; each hit is handed to `found`.
    pub fn look(&mut self, event: &Event<'_>, at: Sighted<'_>, found: &mut impl FnMut(Hit)) {
        let Self { indicators, summary } = self;
        indicators.find(event, &mut |field, number| {
            if let Some(hit) = hit(indicators, event, at, field, number) {
                summary.add(number, &hit);
                found(hit);
            }
        });
    }
}

fn hit(
    indicators: &Indicators,
    event: &Event<'_>,
    at: Sighted<'_>,
    field: Field,
    number: Number,
) -> Option<Hit> {
    let indicator = indicators.get(number)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (entity_type, entity) = entity(event, field);
    Some(Hit {
        indicator: indicator.value.to_string(),
        indicator_type: indicator.value.kind(),
        role: indicator.role,
        confidence: indicator.confidence,
        field,
        event: event.kind,
        time: event.time,
        outside_validity: !indicator.validity.holds(event.time),
        entity,
        entity_type,
        name: event.name.map(text),
        account: event.account.map(text),
        outcome: event.outcome,
        file: at.file.to_owned(),
        offset: at.offset,
        line_sha256: hex::encode(Sha256::digest(at.line)),
        line: text(at.line.get(..QUOTED).unwrap_or(at.line)),
    })
}

fn entity(event: &Event<'_>, field: Field) -> (EntityType, String) {
    let address = |address: core::net::IpAddr| (EntityType::Address, address.to_string());
    let account = |name: &[u8]| (EntityType::Account, String::from_utf8_lossy(name).into_owned());
    let touched = match field {
        Field::Client => event.account.map(account).or(event.server.map(address)),
        _ => event.client.map(address),
    };
    touched.unwrap_or_else(|| (EntityType::Unknown, "unknown".to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::indicators::{Indicator, Validity, Value};

    #[test]
    fn hits_and_their_summary() {
        let mut indicators = Indicators::default();
        let validity = Validity { from: Some(Moment::from_unix(100)), until: None };
        for value in ["c2.example", "192.0.2.9"] {
            let value = Value::parse(value).unwrap();
            let role = Some(EndpointRole::C2);
            indicators.insert(Indicator { value, role, confidence: None, validity });
        }
        indicators.seal();
        let mut hunt = Hunt::new(&indicators);
        let mut hits = Vec::new();
        let at = Sighted { file: "q.log", offset: 7, line: b"the line" };
        let query = |seconds| Event {
            client: Some("192.0.2.7".parse().unwrap()),
            name: Some(b"A.c2.example"),
            ..Event::new(Kind::DnsQuery, Some(Moment::from_unix(seconds)))
        };
        for seconds in [200, 50] {
            hunt.look(&query(seconds), at, &mut |hit| hits.push(hit));
        }
        let login = Event {
            client: Some("192.0.2.9".parse().unwrap()),
            account: Some(b"alice"),
            ..Event::new(Kind::Login, None)
        };
        hunt.look(&login, at, &mut |hit| hits.push(hit));
        assert_eq!(hits.len(), 3);
        assert_eq!((hits[0].outside_validity, hits[1].outside_validity), (false, true));
        assert_eq!((hits[0].entity.as_str(), hits[2].entity.as_str()), ("192.0.2.7", "alice"));
        // printf 'the line' | sha256sum
        let expected = "366ffdeec8bf5dda2d1466824dc275769cba0e8c5fc0b50af8c58abc4fe9fff7";
        assert_eq!(hits[0].line_sha256, expected);
        assert_eq!(hits[2].entity_type, EntityType::Account);
        let lines = hunt.summary.lines();
        assert_eq!((lines[0].entity.as_str(), lines[0].count), ("192.0.2.7", 2));
        assert_eq!(
            (lines[0].first, lines[0].last),
            (Some(Moment::from_unix(50)), Some(Moment::from_unix(200)))
        );
        assert_eq!(lines[0].outside_validity, 1);
        assert_eq!((lines[1].entity.as_str(), lines[1].first), ("alice", None));
    }
}
