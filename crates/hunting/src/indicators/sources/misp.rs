//! Events of MISP: attributes, and those of objects, that are marked as fit for detection.
//!
//! The port of an object (`dst-port` of an `ip-port`) is that of its addresses. An indicator holds from
//! `first_seen` to `last_seen`, or until what the comment of its object says when that is `valid until`
//! and a time, as exports write it. How sure it is says a tag of the taxonomy `misp`, of the attribute or
//! of the event.

use miyaburi_model::{Confidence, EndpointRole, Protocol};
use serde_json::Value as Json;

use super::{Taken, moment, table};
use crate::indicators::{Indicator, Validity, Value};

/// The taxonomy's steps of confidence.
const CONFIDENCE: &str = "misp:confidence-level=";

/// The galaxy that names botnets.
const BOTNET: &str = "misp-galaxy:botnet=";

/// What surrounds an attribute.
#[derive(Clone, Debug, Default)]
struct Around {
    ports: Vec<u16>,
    protocol: Option<Protocol>,
    role: Option<EndpointRole>,
    until: Option<crate::time::Moment>,
    confidence: Option<Confidence>,
    botnets: Vec<Box<str>>,
}

pub(super) fn read(event: &Json, taken: &mut Taken<'_>) {
    let of_event = Around {
        confidence: confidence(event),
        botnets: tags(event, BOTNET).map(Box::from).collect(),
        ..Around::default()
    };
    for attribute in list(event, "Attribute") {
        read_attribute(attribute, &of_event, taken);
    }
    for object in list(event, "Object").iter().filter(|object| !is_set(object, "deleted")) {
        let around = Around { confidence: of_event.confidence, ..around(object, &of_event) };
        for attribute in list(object, "Attribute") {
            read_attribute(attribute, &around, taken);
        }
    }
}

/// What the other attributes of an object say.
fn around(object: &Json, event: &Around) -> Around {
    let with = |relation: &'static str| {
        let all = list(object, "Attribute").iter();
        all.filter(move |it| text(it, "object_relation") == relation).map(|it| text(it, "value"))
    };
    let comment = text(object, "comment");
    Around {
        ports: with("dst-port").filter_map(|port| port.parse().ok()).collect(),
        protocol: with("protocol").find_map(|name| table::named(&name.to_ascii_lowercase())),
        role: with("text").find_map(table::named),
        until: comment.strip_prefix("valid until ").and_then(moment),
        ..event.clone()
    }
}

fn read_attribute(attribute: &Json, around: &Around, taken: &mut Taken<'_>) {
    let value = text(attribute, "value");
    let value = match text(attribute, "type") {
        "domain" | "hostname" | "ip-dst" | "ip-src" | "url" | "uri" => value.to_owned(),
        "ip-dst|port" | "ip-src|port" | "hostname|port" => socket(value),
        "domain|ip" => value.split('|').next().unwrap_or_default().to_owned(),
        // Not what is looked for, but what an object says of it.
        _ if !is_set(attribute, "to_ids") => return,
        _ => {
            taken.passed.others += 1;
            return;
        }
    };
    if is_set(attribute, "deleted") {
        return;
    }
    if attribute.get("to_ids").and_then(Json::as_bool) == Some(false) {
        taken.passed.not_for_detection += 1;
        return;
    }
    let until = around.until.or_else(|| moment(text(attribute, "last_seen")));
    let indicator = |value: Value| Indicator {
        protocol: around.protocol,
        role: around.role,
        confidence: confidence(attribute).or(around.confidence),
        validity: Validity { from: moment(text(attribute, "first_seen")), until },
        botnets: around.botnets.clone(),
        ..Indicator::from(value)
    };
    match (Value::parse(&value), around.ports.as_slice()) {
        (Ok(Value::Address(address, None)), [_, ..]) => {
            for port in &around.ports {
                taken.set.insert(indicator(Value::Address(address, Some(*port))));
            }
        }
        _ => taken.add(&value, indicator),
    }
}

fn text<'j>(holder: &'j Json, name: &str) -> &'j str {
    holder.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn list<'j>(holder: &'j Json, name: &str) -> &'j [Json] {
    holder.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn is_set(holder: &Json, name: &str) -> bool {
    holder.get(name).and_then(Json::as_bool) == Some(true)
}

/// What is behind this beginning in the names of tags, without quotes.
fn tags<'j>(holder: &'j Json, begins: &'static str) -> impl Iterator<Item = &'j str> {
    let names = list(holder, "Tag").iter().map(|tag| text(tag, "name"));
    names.filter_map(move |name| Some(name.strip_prefix(begins)?.trim_matches('"')))
}

/// The taxonomy's steps in those of reports: 100, 75, 50, 25 and 0 percent there.
fn confidence(holder: &Json) -> Option<Confidence> {
    tags(holder, CONFIDENCE).find_map(|step| match step {
        "completely-confident" | "usually-confident" => Some(Confidence::High),
        "fairly-confident" => Some(Confidence::Medium),
        "rarely-confident" | "unconfident" => Some(Confidence::Low),
        _ => None,
    })
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

    use super::super::{Passed, read};
    use super::*;
    use crate::indicators::Indicators;

    fn set(text: &str) -> (Indicators, Passed) {
        let mut set = Indicators::default();
        let refused = &mut |error| panic!("{error}");
        let passed = read(&mut text.as_bytes(), &mut set, refused).unwrap();
        (set, passed)
    }

    #[test]
    fn only_what_is_fit_for_detection() {
        let (set, passed) = set(r#"{"Event": {"Attribute": [
                {"type": "domain", "value": "c2.example", "to_ids": true},
                {"type": "domain", "value": "decoy.example", "to_ids": false},
                {"type": "domain", "value": "gone.example", "to_ids": true, "deleted": true},
                {"type": "sha256", "value": "00", "to_ids": true},
                {"type": "text", "value": "about", "to_ids": false}],
              "Object": [{"name": "ip-port", "Attribute": [
                {"type": "ip-dst|port", "value": "2001:db8::1|23", "to_ids": true}]}]}}"#);
        let values: Vec<String> = set.iter().map(|it| it.value.to_string()).collect();
        assert_eq!(values, ["c2.example", "[2001:db8::1]:23"]);
        assert_eq!(passed, Passed { revoked: 0, not_for_detection: 1, others: 1 });
    }

    #[test]
    fn times_and_confidence_are_kept() {
        let (set, _) = set(r#"{"Event": {"Tag": [
                {"name": "misp:confidence-level=\"fairly-confident\""},
                {"name": "misp-galaxy:botnet=\"Mirai\""}],
              "Attribute": [
                {"type": "domain", "value": "c2.example", "to_ids": true,
                 "first_seen": "2026-11-01T09:00:00.000000+09:00",
                 "last_seen": "2026-11-02T00:00:00Z"},
                {"type": "domain", "value": "other.example", "to_ids": true,
                 "Tag": [{"name": "misp:confidence-level=\"unconfident\""}]}]}}"#);
        let all: Vec<&Indicator> = set.iter().collect();
        let validity = all[0].validity;
        assert_eq!(validity.from.unwrap().to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(validity.until.unwrap().to_string(), "2026-11-02T00:00:00Z");
        assert_eq!(all[0].botnets, [Box::from("Mirai")]);
        assert_eq!(all[0].confidence, Some(Confidence::Medium));
        assert_eq!(all[1].confidence, Some(Confidence::Low));
        assert_eq!(all[1].validity, Validity::default());
    }

    #[test]
    fn the_port_of_an_object_is_that_of_its_address() {
        let (set, _) = set(r#"{"Event": {"Object": [{"name": "ip-port",
              "comment": "valid until 2026-12-01T00:00:00Z", "Attribute": [
                {"type": "ip-dst", "object_relation": "ip-dst", "value": "192.0.2.1", "to_ids": true},
                {"type": "port", "object_relation": "dst-port", "value": "23", "to_ids": false},
                {"type": "text", "object_relation": "protocol", "value": "TCP", "to_ids": false},
                {"type": "text", "object_relation": "text", "value": "c2", "to_ids": false}]}]}}"#);
        let indicator = set.iter().next().unwrap();
        assert_eq!((set.len(), indicator.value.to_string()), (1, "192.0.2.1:23".to_owned()));
        assert_eq!(indicator.protocol, Some(Protocol::Tcp));
        assert_eq!(indicator.role, Some(EndpointRole::C2));
        assert_eq!(indicator.validity.until.unwrap().to_string(), "2026-12-01T00:00:00Z");
    }
}
