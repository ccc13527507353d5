//! Sigma rules of the user's own, on the events of logs.
//!
//! A rule is asked where its `logsource` names no category, or one of the event's; `product` and `service`
//! are not looked at, since formats are recognised by content. Fields are those of Sigma's taxonomy:
//!
//! | event | categories | fields |
//! |---|---|---|
//! | any | | `src_ip`, `dst_ip`, `dst_port`, `user`, `message` (the record) |
//! | query | `dns`, `dns_query` | `query`, `QueryName` |
//! | request | `proxy`, `webserver` | `c-ip`, `cs-host`, `r-dns`, `c-uri`, `cs-uri-stem`, `cs-uri-query`, `cs-username` |
//! | connection | `firewall`, `network_connection` | `DestinationIp`, `DestinationPort`, `DestinationHostname`, `SourceIp` |
//! | login | `authentication` | `outcome`: `success` or `failure` |
//! | mail | `email` | `outcome` |
//!
//! A keyword is looked for anywhere in the record. False positives are those of the rules. False negatives:
//! fields that no event has, records that tell of no event, and rules of correlation, which are refused.

use serde::{Deserialize, Serialize};
use serde_norway::{Mapping, Value};
use sigma_rust::Rule;

use crate::event::{Event, Kind, Outcome};

/// Rules that can be asked.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

/// Why a document is no rule that can be asked.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// It is no YAML, or no rule.
    #[error("{0}")]
    Document(#[from] serde_norway::Error),
    /// It counts what others find.
    #[error("a rule of correlation, which is not supported")]
    Correlation,
}

/// A rule, as alerts name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleName {
    /// Its title.
    pub title: String,
    /// Its identifier, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How bad what it finds is, in Sigma's words, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

impl Rules {
    /// Adds the rules of a file, which may hold several documents. Those that cannot be asked go to `failed`,
    /// with their number, counted from 1.
    pub fn read(&mut self, text: &str, failed: &mut impl FnMut(usize, RuleError)) {
        for (number, document) in (1..).zip(serde_norway::Deserializer::from_str(text)) {
            let read = Value::deserialize(document);
            // What is behind a document that is no YAML cannot be found.
            let is_broken = read.is_err();
            match read.map_err(RuleError::from).and_then(rule) {
                Ok(rule) => self.0.extend(rule),
                Err(error) => failed(number, error),
            }
            if is_broken {
                return;
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules that match an event, of which `line` is the record.
    pub(super) fn matching(&self, event: &Event<'_>, line: &[u8]) -> Vec<RuleName> {
        if self.is_empty() {
            return Vec::new();
        }
        let is_meant = |rule: &&Rule| {
            let category = rule.logsource.category.as_deref();
            category.is_none_or(|category| categories(event.kind).contains(&category))
        };
        let fields = fields(event, line);
        let matching = self.0.iter().filter(is_meant).filter(|rule| rule.is_match(&fields));
        matching.map(RuleName::of).collect()
    }
}

impl RuleName {
    fn of(rule: &Rule) -> Self {
        let level = rule.level.as_ref().map(|level| format!("{level:?}").to_ascii_lowercase());
        Self { title: rule.title.clone(), id: rule.id.clone(), level }
    }
}

/// The rule of a document; none of an empty one.
fn rule(mut document: Value) -> Result<Option<Rule>, RuleError> {
    if document.is_null() {
        return Ok(None);
    }
    if document.get("correlation").is_some() {
        return Err(RuleError::Correlation);
    }
    if let Some(Value::Mapping(detection)) = document.get_mut("detection") {
        let searches = detection.iter_mut().filter(|(name, _)| name.as_str() != Some("condition"));
        searches.for_each(|(_, search)| widen(search));
    }
    Ok(Some(serde_norway::from_value(document)?))
}

/// Makes of keywords, which are looked for anywhere in the record (Sigma rules specification 2.0.0, "Lists"), what
/// the library looks for there: it compares them with whole values, and knows no `|all` of them.
fn widen(search: &mut Value) {
    let (modifiers, keywords) = match search {
        Value::Sequence(keywords) if !keywords.iter().any(Value::is_mapping) => ("", keywords),
        Value::Mapping(fields) if fields.len() == 1 => {
            let Some(Value::Sequence(keywords)) = fields.get_mut("|all") else { return };
            ("|all", keywords)
        }
        _ => return,
    };
    let text = |keyword: &Value| match keyword {
        Value::Number(number) => Value::String(number.to_string()),
        other => other.clone(),
    };
    let keywords = keywords.iter().map(text).collect();
    let field = format!("message|contains{modifiers}").into();
    *search = Value::Mapping(Mapping::from_iter([(field, Value::Sequence(keywords))]));
}

const fn categories(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::DnsQuery => &["dns", "dns_query"],
        Kind::WebRequest => &["proxy", "webserver"],
        Kind::Connection => &["firewall", "network_connection"],
        Kind::Login => &["authentication"],
        Kind::Mail => &["email"],
        Kind::Traffic => &[],
    }
}

/// What an event has, in the words of the taxonomy.
fn fields(event: &Event<'_>, line: &[u8]) -> sigma_rust::Event {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let name = event.name.map(|name| text(name.strip_suffix(b".").unwrap_or(name)));
    let [client, server] = [event.client, event.server].map(|it| it.map(|it| it.to_string()));
    let user = event.account.map(text);
    let mut fields = sigma_rust::Event::new();
    fields.insert("message", text(line));
    let mut add = |names: &[&str], value: Option<&str>| {
        for (name, value) in names.iter().zip(value.into_iter().cycle()) {
            fields.insert(*name, value);
        }
    };
    add(&["src_ip"], client.as_deref());
    add(&["dst_ip"], server.as_deref());
    add(&["user"], user.as_deref());
    match event.kind {
        Kind::DnsQuery => add(&["query", "QueryName"], name.as_deref()),
        Kind::WebRequest => {
            let url = event.url.map(text);
            let parts = url.as_deref().map(|url| url.split_once('?').unwrap_or((url, "")));
            add(&["c-ip"], client.as_deref());
            add(&["cs-host", "r-dns"], name.or(server).as_deref());
            add(&["c-uri"], url.as_deref());
            add(&["cs-uri-stem"], parts.map(|(stem, _)| stem));
            add(&["cs-uri-query"], parts.map(|(_, query)| query));
            add(&["cs-username"], user.as_deref());
        }
        Kind::Connection => {
            add(&["SourceIp"], client.as_deref());
            add(&["DestinationIp"], server.as_deref());
            add(&["DestinationHostname"], name.as_deref());
        }
        Kind::Login | Kind::Mail => {
            let outcome = event.outcome.map(|outcome| match outcome {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
            });
            add(&["outcome"], outcome);
        }
        Kind::Traffic => {}
    }
    // Rules have numbers there.
    for port in event.port.into_iter().map(i64::from) {
        fields.insert("dst_port", port);
        if event.kind == Kind::Connection {
            fields.insert("DestinationPort", port);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn rules(text: &str) -> Rules {
        let mut rules = Rules::default();
        rules.read(text, &mut |number, error| panic!("{number}: {error}"));
        rules
    }

    fn one(category: &str, detection: &str) -> Rules {
        rules(&format!(
            "title: T\nid: 6d2c4b0e-0f64-4c8e-9a53-3b1d8f0c7a11\nlevel: high\n\
             logsource: {{{category}}}\ndetection: {{{detection}, condition: x}}\n"
        ))
    }

    fn query(name: &'static str) -> Event<'static> {
        Event {
            name: Some(name.as_bytes()),
            client: "192.0.2.7".parse().ok(),
            ..Event::new(Kind::DnsQuery, None)
        }
    }

    #[test]
    fn fields_are_those_of_the_taxonomy() {
        let request = Event {
            url: Some(b"/a.php?cmd=id"),
            name: Some(b"c2.example"),
            port: Some(8080),
            client: "192.0.2.7".parse().ok(),
            ..Event::new(Kind::WebRequest, None)
        };
        let flow = Event { kind: Kind::Connection, server: "198.51.100.9".parse().ok(), ..request };
        let login = Event {
            account: Some(b"alice"),
            outcome: Some(Outcome::Failure),
            ..Event::new(Kind::Login, None)
        };
        for (category, detection, event) in [
            ("category: dns", "x: {query|endswith: .c2.example}", query("a.C2.example.")),
            ("category: dns_query", "x: {QueryName: c2.example}", query("c2.example")),
            ("category: webserver", "x: {cs-uri-query|contains: cmd=}", request),
            ("category: proxy", "x: {cs-host: c2.example, c-uri|startswith: /a}", request),
            ("category: firewall", "x: {dst_ip|cidr: 198.51.100.0/24, dst_port: 8080}", flow),
            ("category: authentication", "x: {user: alice, outcome: failure}", login),
            ("product: linux", "x: {user: alice}", login),
            ("service: sshd", "x: ['for ALICE']", login),
            ("service: sshd", "x: {'|all': ['for', 'alice']}", login),
            ("service: sshd", "x: [bob, 22]", login),
        ] {
            let told =
                one(category, detection).matching(&event, b"Failed password for alice port 22");
            let expected = RuleName {
                title: "T".to_owned(),
                id: Some("6d2c4b0e-0f64-4c8e-9a53-3b1d8f0c7a11".to_owned()),
                level: Some("high".to_owned()),
            };
            assert_eq!(told, [expected], "{category} {detection}");
        }
        for (category, detection, event) in [
            ("category: proxy", "x: {query: c2.example}", query("c2.example")),
            ("category: dns", "x: {query: c2.example}", query("xc2.example")),
            ("category: dns", "x: {cs-host: c2.example}", query("c2.example")),
            ("service: sshd", "x: ['for bob']", login),
            ("service: sshd", "x: {'|all': ['for', 'bob']}", login),
            ("category: process_creation", "x: {user: alice}", login),
        ] {
            let told =
                one(category, detection).matching(&event, b"Failed password for alice port 22");
            assert_eq!(told, [], "{category} {detection}");
        }
    }

    #[test]
    fn what_is_no_rule_is_told_and_the_rest_goes_on() {
        let text = "title: A\nlogsource: {}\ndetection: {x: {user: a}, condition: x}\n---\n\
                    title: B\ncorrelation: {type: event_count}\n---\n\
                    title: C\nlogsource: {}\ndetection: {x: {user: a}, condition: y}\n---\n\
                    title: D\nlogsource: {}\ndetection: {x: {user: a}, condition: x}\n---\n[a\n";
        let (mut rules, mut failed) = (Rules::default(), Vec::new());
        rules.read(text, &mut |number, error| failed.push((number, error.to_string())));
        let numbers: Vec<usize> = failed.iter().map(|(number, _)| *number).collect();
        assert_eq!((rules.len(), numbers), (2, vec![2, 3, 5]), "{failed:?}");
        assert!(failed[0].1.contains("correlation"), "{failed:?}");
    }
}
