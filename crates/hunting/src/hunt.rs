//! Events against indicators: hits with their evidence, and a summary of who was touched.

use core::net::IpAddr;
use std::collections::BTreeMap;

use miyaburi_model::{Confidence, EndpointRole};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::event::{Event, Field, Kind, Outcome};
use crate::holders::Holders;
use crate::indicators::{Indicators, Number};
use crate::pseudonyms::Pseudonyms;
use crate::time::Moment;

/// Bytes of a line that evidence quotes.
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

/// A line that proves something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The file.
    pub file: String,
    /// Byte of the decompressed file at which the line begins.
    pub offset: u64,
    /// SHA-256 of the line, without its end.
    pub line_sha256: String,
    /// The line, at most its first 1024 bytes; what is no UTF-8 is replaced. What has a NUL is a packet, and
    /// stands in hexadecimal.
    pub line: String,
}

impl Evidence {
    /// The line there.
    #[must_use]
    pub fn of(at: Sighted<'_>) -> Self {
        let quoted = at.line.get(..QUOTED).unwrap_or(at.line);
        let is_text = memchr::memchr(0, quoted).is_none();
        Self {
            file: at.file.to_owned(),
            offset: at.offset,
            line_sha256: hex::encode(Sha256::digest(at.line)),
            line: if is_text {
                String::from_utf8_lossy(quoted).into_owned()
            } else {
                hex::encode(quoted)
            },
        }
    }
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
    /// Of a subscriber, the address by which they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The name that was asked for or contacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The account that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The line.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// What names an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityType {
    /// An address.
    Address,
    /// An account.
    Account,
    /// Who had the address at the time: see [`Holders`].
    Subscriber,
    /// The machine that wrote the record, where it tells of nobody else.
    Host,
    /// Nothing.
    Unknown,
}

/// Of one entity and one indicator, all hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SummaryLine {
    /// Who was touched: the client's address, or who had it at the time where that is known; where the
    /// indicator is the client, the account or server, else the machine that wrote it; `unknown` where the record names nobody.
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
    holders: Option<&'i Holders>,
    pseudonyms: Option<&'i Pseudonyms>,
    /// What was found until now.
    pub summary: Summary,
}

impl<'i> Hunt<'i> {
    /// A hunt for these indicators, which are [sealed](Indicators::seal).
    #[must_use]
    pub fn new(indicators: &'i Indicators) -> Self {
        Self { indicators, holders: None, pseudonyms: None, summary: Summary::default() }
    }

    /// The same, in which addresses stand for those who had them at the time.
    #[must_use]
    pub const fn with_holders(mut self, holders: &'i Holders) -> Self {
        self.holders = Some(holders);
        self
    }

    /// The same, in which all that is told of anybody has a pseudonym.
    #[must_use]
    pub const fn with_pseudonyms(mut self, pseudonyms: Option<&'i Pseudonyms>) -> Self {
        self.pseudonyms = pseudonyms;
        self
    }

    /// Looks at an event; each hit is handed to `found`.
    pub fn look(&mut self, event: &Event<'_>, at: Sighted<'_>, found: &mut impl FnMut(Hit)) {
        if event.kind == Kind::Traffic {
            return;
        }
        let Self { indicators, holders, pseudonyms, summary } = self;
        indicators.find(event, &mut |field, number| {
            if let Some(mut hit) = hit(indicators, *holders, event, at, field, number) {
                pseudonyms.iter().for_each(|pseudonyms| pseudonyms.hit(&mut hit));
                summary.add(number, &hit);
                found(hit);
            }
        });
    }
}

fn hit(
    indicators: &Indicators,
    holders: Option<&Holders>,
    event: &Event<'_>,
    at: Sighted<'_>,
    field: Field,
    number: Number,
) -> Option<Hit> {
    let indicator = indicators.get(number)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let Touched { entity_type, entity, address } = touched(event, field, holders);
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
        address,
        name: event.name.map(text),
        account: event.account.map(text),
        outcome: event.outcome,
        evidence: Evidence::of(at),
    })
}

/// Who was touched.
struct Touched {
    entity_type: EntityType,
    entity: String,
    address: Option<IpAddr>,
}

fn touched(event: &Event<'_>, field: Field, holders: Option<&Holders>) -> Touched {
    let named = |entity_type, entity: String, address| Touched { entity_type, entity, address };
    let address = match (field, event.account) {
        (Field::Client, Some(account)) => {
            let account = String::from_utf8_lossy(account).into_owned();
            return named(EntityType::Account, account, None);
        }
        (Field::Client, None) => event.server,
        _ => event.client,
    };
    let host = event.host.filter(|_| field == Field::Client);
    let Some(address) = address else {
        if let Some(host) = host {
            return named(EntityType::Host, String::from_utf8_lossy(host).into_owned(), None);
        }
        return named(EntityType::Unknown, "unknown".to_owned(), None);
    };
    match holders.and_then(|holders| holders.holder(address, event.time)) {
        Some(holder) => named(EntityType::Subscriber, holder.to_owned(), Some(address)),
        None => named(EntityType::Address, address.to_string(), None),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::holders::Lease;
    use crate::indicators::{Indicator, Validity, Value};

    #[test]
    fn who_only_a_host_can_be() {
        let mut indicators = Indicators::default();
        let value = Value::parse("192.0.2.9").unwrap();
        let validity = Validity::default();
        indicators.insert(Indicator { validity, ..Indicator::from(value) });
        indicators.seal();
        let entity = |event: Event<'_>| {
            let mut entity = None;
            let at = Sighted { file: "x", offset: 0, line: b"" };
            Hunt::new(&indicators).look(&event, at, &mut |hit| {
                entity = Some((hit.entity_type, hit.entity));
            });
            entity.unwrap()
        };
        let mail = Event {
            client: "192.0.2.9".parse().ok(),
            host: Some(b"mx"),
            ..Event::new(Kind::Mail, None)
        };
        assert_eq!(entity(mail), (EntityType::Host, "mx".to_owned()));
        let account = Some(&b"alice"[..]);
        assert_eq!(entity(Event { account, ..mail }).0, EntityType::Account);
        let server = "198.51.100.7".parse().ok();
        assert_eq!(entity(Event { server, ..mail }).0, EntityType::Address);
        assert_eq!(entity(Event { host: None, ..mail }).0, EntityType::Unknown);
        // Who reaches out to an indicator is a client, and the log's machine only wrote it down.
        let out = Event { client: None, server: mail.client, ..mail };
        assert_eq!(entity(out).0, EntityType::Unknown);
    }

    #[test]
    fn hits_and_their_summary() {
        let mut indicators = Indicators::default();
        let validity = Validity { from: Some(Moment::from_unix(100)), until: None };
        for value in ["c2.example", "192.0.2.9"] {
            let value = Value::parse(value).unwrap();
            let role = Some(EndpointRole::C2);
            indicators.insert(Indicator { role, validity, ..Indicator::from(value) });
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
        assert_eq!(hits[0].evidence.line_sha256, expected);
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

    #[test]
    fn packets_are_quoted_in_hexadecimal() {
        let quoted = |line| Evidence::of(Sighted { file: "x", offset: 0, line }).line;
        assert_eq!(quoted(b"\x00\xffa"), "00ff61");
        assert_eq!(quoted("\u{1b}[2J é".as_bytes()), "\u{1b}[2J é");
        assert_eq!(quoted(&[0; 2000]).len(), 2 * QUOTED);
    }

    #[test]
    fn an_address_stands_for_who_had_it_then() {
        let mut indicators = Indicators::default();
        let value = Value::parse("c2.example").unwrap();
        let validity = Validity::default();
        indicators.insert(Indicator { validity, ..Indicator::from(value) });
        indicators.seal();
        let mut holders = Holders::default();
        holders.insert(Lease {
            network: "192.0.2.7/32".parse().unwrap(),
            from: Some(Moment::from_unix(100)),
            until: Some(Moment::from_unix(200)),
            holder: "line 7".to_owned(),
        });
        holders.seal();
        let mut hunt = Hunt::new(&indicators).with_holders(&holders);
        let mut hits = Vec::new();
        for seconds in [100, 200] {
            let event = Event {
                client: "192.0.2.7".parse().ok(),
                name: Some(b"c2.example"),
                ..Event::new(Kind::DnsQuery, Some(Moment::from_unix(seconds)))
            };
            let at = Sighted { file: "q.log", offset: 7, line: b"the line" };
            hunt.look(&event, at, &mut |hit| hits.push(hit));
        }
        let told: Vec<_> =
            hits.iter().map(|hit| (hit.entity_type, hit.entity.as_str(), hit.address)).collect();
        let address = "192.0.2.7".parse().ok();
        let expected =
            [(EntityType::Subscriber, "line 7", address), (EntityType::Address, "192.0.2.7", None)];
        assert_eq!(told, expected);
        assert_eq!(hunt.summary.lines().len(), 2);
    }
}
