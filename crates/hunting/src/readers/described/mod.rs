//! Formats that users describe: JSON of any names, separated values, and lines that a pattern takes apart.
//!
//! ```json
//! {
//!   "layout": {"separated": {"by": ";", "columns": ["when", "from", "to", "port", "action"]}},
//!   "kind": "connection",
//!   "time": {"field": "when", "as": "rfc3339"},
//!   "fields": {"client": "from", "server": "to", "port": "port"},
//!   "when": {"action": ["open", "refuse"]},
//!   "outcome": {"field": "action", "success": ["open"], "failure": ["refuse"]}
//! }
//! ```
//!
//! Lines whose fields have none of the values in `when` are of the format, and tell of nothing. Escapes, of
//! JSON and of quotes within quotes, stay as they are.

mod fields;

use std::collections::BTreeMap;

use miyaburi_model::Protocol;
use serde::Deserialize;

use super::text::{address, number};
use super::{Format, Reading};
use crate::event::{Event, Kind, Outcome};
use crate::time::{Clock, Moment, bind, common_log, epoch, rfc3164, rfc3339};
use fields::Layout;

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// It is no JSON object with the known names.
    #[error("no description of a format: {0}")]
    Json(#[from] serde_json::Error),
    /// Its pattern is none, or would take too much memory.
    #[error("{0}")]
    Pattern(#[from] regex::Error),
    /// It names a field that its layout has not.
    #[error("no field {0:?} in the layout")]
    Field(String),
}

/// A format as its user describes it.
#[derive(Clone, Debug)]
pub struct Described {
    layout: Layout,
    description: Description,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    layout: fields::Description,
    kind: Kind,
    time: Option<Time>,
    fields: Names,
    #[serde(default)]
    when: BTreeMap<String, Vec<String>>,
    outcome: Option<OutcomeOf>,
}

/// Where the time is, and how it is spelled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    field: String,
    #[serde(rename = "as")]
    spelling: Spelling,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Spelling {
    Rfc3339,
    Rfc3164,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMillis,
    CommonLog,
    Bind,
}

/// The format's fields that hold those of events.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    client: Option<String>,
    server: Option<String>,
    port: Option<String>,
    protocol: Option<String>,
    name: Option<String>,
    url: Option<String>,
    account: Option<String>,
}

/// Which values of a field tell how it ended.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutcomeOf {
    field: String,
    #[serde(default)]
    success: Vec<String>,
    #[serde(default)]
    failure: Vec<String>,
}

impl Described {
    /// The format of a description.
    ///
    /// # Errors
    /// When it is none, or its parts do not fit each other.
    pub fn parse(text: &str) -> Result<Self, DescriptionError> {
        let description: Description = serde_json::from_str(text)?;
        let layout = Layout::of(&description.layout)?;
        let Names { client, server, port, protocol, name, url, account } = &description.fields;
        let named = [client, server, port, protocol, name, url, account].into_iter().flatten();
        let named = named.chain(description.time.iter().map(|time| &time.field));
        let named = named.chain(description.outcome.iter().map(|outcome| &outcome.field));
        if let Some(missing) = named.chain(description.when.keys()).find(|it| !layout.has(it)) {
            return Err(DescriptionError::Field(missing.clone()));
        }
        Ok(Self { layout, description })
    }

    fn event<'l>(&self, fields: &fields::Fields<'l>, clock: &Clock) -> Option<Event<'l>> {
        let Description { kind, time, fields: names, outcome, .. } = &self.description;
        let get = |name: &Option<String>| fields.get(&self.layout, name.as_deref()?);
        let time = match time {
            Some(time) => Some(time.read(fields.get(&self.layout, &time.field)?, clock)?),
            None => None,
        };
        let outcome = outcome.as_ref().and_then(|outcome| outcome.of(fields, &self.layout));
        Some(Event {
            client: get(&names.client).and_then(address),
            server: get(&names.server).and_then(address),
            port: get(&names.port).and_then(number),
            protocol: get(&names.protocol).and_then(protocol),
            name: get(&names.name).filter(|name| address(name).is_none()),
            url: get(&names.url),
            account: get(&names.account),
            outcome,
            ..Event::new(*kind, time)
        })
    }
}

impl Format for Described {
    fn name(&self) -> &'static str {
        "described"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        let Some(fields) = self.layout.read(line) else { return Reading::Unread };
        let is_meant = self.description.when.iter().all(|(field, values)| {
            let value = fields.get(&self.layout, field);
            value.is_some_and(|value| values.iter().any(|it| it.as_bytes() == value))
        });
        if is_meant { Reading::of(self.event(&fields, clock)) } else { Reading::Quiet }
    }
}

impl Time {
    fn read(&self, text: &[u8], clock: &Clock) -> Option<Moment> {
        let (moment, rest) = match self.spelling {
            Spelling::Rfc3339 => rfc3339(text, clock)?,
            Spelling::Rfc3164 => rfc3164(text, clock)?,
            Spelling::Epoch => epoch(text, clock)?,
            Spelling::CommonLog => common_log(text, clock)?,
            Spelling::Bind => bind(text, clock)?,
            Spelling::EpochMillis => {
                let millis: i64 = number(text)?;
                let micros = millis.rem_euclid(1000) * 1000;
                (clock.zoned(millis.div_euclid(1000), micros, 0), &b""[..])
            }
        };
        rest.is_empty().then_some(moment)
    }
}

impl OutcomeOf {
    fn of(&self, fields: &fields::Fields<'_>, layout: &Layout) -> Option<Outcome> {
        let value = fields.get(layout, &self.field)?;
        let is_in = |values: &[String]| values.iter().any(|it| it.as_bytes() == value);
        match (is_in(&self.success), is_in(&self.failure)) {
            (true, _) => Some(Outcome::Success),
            (false, true) => Some(Outcome::Failure),
            (false, false) => None,
        }
    }
}

/// By name, or by number as IANA assigns it.
fn protocol(text: &[u8]) -> Option<Protocol> {
    if text.eq_ignore_ascii_case(b"tcp") || text == b"6" {
        Some(Protocol::Tcp)
    } else if text.eq_ignore_ascii_case(b"udp") || text == b"17" {
        Some(Protocol::Udp)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read<'l>(format: &Described, line: &'l str) -> Reading<'l> {
        format.read(line.as_bytes(), &Clock::utc(Moment::from_unix(1_795_435_200)))
    }

    fn described(layout: &str, time: &str) -> Described {
        let text = format!(
            r#"{{"layout":{layout},"kind":"login","time":{{"field":"when","as":"{time}"}},
            "fields":{{"client":"from","account":"who","port":"port","protocol":"over"}},
            "when":{{"what":["in","no"]}},
            "outcome":{{"field":"what","success":["in"],"failure":["no"]}}}}"#
        );
        Described::parse(&text).unwrap()
    }

    fn login(outcome: Outcome) -> Reading<'static> {
        Reading::Event(Event {
            client: "192.0.2.7".parse().ok(),
            account: Some(b"alice b"),
            port: Some(22),
            protocol: Some(Protocol::Tcp),
            outcome: Some(outcome),
            ..Event::new(Kind::Login, Some(Moment(1_795_408_149_250_000)))
        })
    }

    #[test]
    fn json_of_any_names() {
        let format = described("\"json\"", "epoch_millis");
        let line = r#"{"when":1795408149250,"what":"in","from":"192.0.2.7","who":"alice b","port":22,"over":"TCP","x":{"what":"no"}}"#;
        assert_eq!(read(&format, line), login(Outcome::Success));
        assert_eq!(read(&format, &line.replace("\"in\"", "\"no\"")), login(Outcome::Failure));
        assert_eq!(read(&format, &line.replace("\"in\"", "\"out\"")), Reading::Quiet);
        assert_eq!(read(&format, &line.replace("1795408149250", "\"x\"")), Reading::Unread);
        for other in ["", "[]", "{", "1"] {
            assert_eq!(read(&format, other), Reading::Unread, "{other}");
        }
        let paths =
            r#"{"layout":"json","kind":"dns_query","fields":{"client":"src.ip","name":"id.q"}}"#;
        let line = r#"{"src":{"ip":"192.0.2.7"},"id.q":"c2.example","id":{"q":"x.example"}}"#;
        let Reading::Event(event) = read(&Described::parse(paths).unwrap(), line) else {
            panic!("unread")
        };
        assert_eq!(event.client, "192.0.2.7".parse().ok());
        assert_eq!(event.name, Some(&b"c2.example"[..]), "a whole name comes before a path");
    }

    #[test]
    fn separated_values() {
        let layout =
            r#"{"separated":{"by":";","columns":["when","what","who","from","port","over"]}}"#;
        let format = described(layout, "rfc3339");
        let line = "2026-11-23T04:29:09.25Z;in;\"alice b\";192.0.2.7;22;6";
        assert_eq!(read(&format, line), login(Outcome::Success));
        let quoted = "2026-11-23T04:29:09.25Z;in;\"x;203.0.113.1\";192.0.2.7;22;6";
        let Reading::Event(event) = read(&format, quoted) else { panic!("unread") };
        assert_eq!(event.client, "192.0.2.7".parse().ok(), "a separator within quotes is none");
        assert_eq!(read(&format, "when;what;who;from;port;over"), Reading::Quiet);
        assert_eq!(read(&format, "2026-11-23T04:29:09.25Z;in"), Reading::Unread);
    }

    #[test]
    fn patterns() {
        let pattern = r#"{"pattern":"^(?<when>\\S+ \\S+) (?<what>\\w+) user=(?<who>.*) from=(?<from>\\S+) (?<over>\\w+)/(?<port>\\d+)$"}"#;
        let format = described(pattern, "bind");
        let line = "23-Nov-2026 04:29:09.250 no user=alice b from=192.0.2.7 tcp/22";
        assert_eq!(read(&format, line), login(Outcome::Failure));
        assert_eq!(read(&format, "23-Nov-2026 04:29:09.250 no user=alice"), Reading::Unread);
    }

    #[test]
    fn what_is_no_description() {
        let error = |text: &str| Described::parse(text).unwrap_err().to_string();
        assert!(error("{}").starts_with("no description"));
        let unknown = r#"{"layout":"json","kind":"login","fields":{"who":"x"}}"#;
        assert!(error(unknown).contains("unknown field"));
        let pattern = r#"{"layout":{"pattern":"(?<a>x"},"kind":"login","fields":{}}"#;
        assert!(error(pattern).contains("unclosed group"));
        let huge = r#"{"layout":{"pattern":"(x{1000}){1000}"},"kind":"login","fields":{}}"#;
        assert!(error(huge).contains("size limit"));
        let missing = r#"{"layout":{"pattern":"(?<a>x)"},"kind":"login","fields":{"client":"b"}}"#;
        assert_eq!(error(missing), "no field \"b\" in the layout");
    }
}
