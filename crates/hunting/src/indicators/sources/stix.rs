//! Objects of STIX 2.1: a bundle, an envelope of TAXII, or objects alone.
//!
//! Of several versions of an object the last counts. What was revoked is not looked for, nor what is
//! said to be benign. Confidence is on the scale of the specification's appendix A (none, low, medium,
//! high), the role a label that reports know.

use std::collections::BTreeMap;

use miyaburi_model::Confidence;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{SourceError, Taken, moment, pattern, table};
use crate::indicators::{Indicator, Validity};
use crate::time::Moment;

/// An `indicator`; what else it has says nothing of what to look for.
#[derive(Deserialize)]
struct Object {
    id: String,
    pattern: String,
    pattern_type: Option<String>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    confidence: Option<u8>,
    modified: Option<String>,
    #[serde(default)]
    indicator_types: Vec<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    revoked: bool,
}

/// Whether it is an object of STIX, or holds some.
pub(super) fn is_object(document: &Json) -> bool {
    let is_typed = document.get("type").is_some_and(Json::is_string);
    let has_identifier = document.get("id").and_then(Json::as_str).is_some_and(|id| {
        // `type--UUID`
        id.split_once("--").is_some_and(|(kind, _)| document.get("type") == Some(&Json::from(kind)))
    });
    is_typed && has_identifier || document.get("objects").is_some_and(Json::is_array)
}

pub(super) fn read(documents: Vec<Json>, taken: &mut Taken<'_>) {
    let mut last: BTreeMap<String, Object> = BTreeMap::new();
    for document in documents {
        let inner = match document {
            Json::Object(mut members) if members.contains_key("objects") => members
                .remove("objects")
                .and_then(|inner| match inner {
                    Json::Array(inner) => Some(inner),
                    _ => None,
                })
                .unwrap_or_default(),
            document => vec![document],
        };
        for object in inner.into_iter().filter(|it| it.get("type") == Some(&"indicator".into())) {
            match serde_json::from_value::<Object>(object) {
                Ok(object) => keep(&mut last, object),
                Err(error) => (taken.refused)(SourceError::Json { line: taken.line, error }),
            }
        }
    }
    last.into_values().for_each(|object| add(object, taken));
}

/// Keeps an object unless a later version is there; of two of the same time, the one that revokes.
fn keep(last: &mut BTreeMap<String, Object>, object: Object) {
    let version = |object: &Object| (object.modified.as_deref().and_then(moment), object.revoked);
    match last.get_mut(&object.id) {
        Some(known) if version(known) >= version(&object) => {}
        Some(known) => *known = object,
        None => {
            last.insert(object.id.clone(), object);
        }
    }
}

fn add(object: Object, taken: &mut Taken<'_>) {
    if object.revoked {
        taken.passed.revoked += 1;
        return;
    }
    if matches!(object.indicator_types.as_slice(), [only] if only == "benign") {
        taken.passed.not_for_detection += 1;
        return;
    }
    let read = match object.pattern_type.as_deref() {
        None | Some("stix") => pattern::read(&object.pattern),
        Some(other) => Err(format!("a pattern of {other}")),
    };
    let validity = span(&object);
    match read.and_then(|sought| Ok((sought, validity?))) {
        Ok((sought, validity)) => {
            taken.passed.others += sought.others;
            let about = Indicator {
                role: object.labels.iter().find_map(|label| table::named(label)),
                confidence: object.confidence.map(confidence),
                validity,
                ..Indicator::from(match sought.values.first() {
                    Some((value, _)) => value.clone(),
                    None => return refuse(&object.id, sought.refused, taken),
                })
            };
            for (value, protocol) in sought.values {
                taken.set.insert(Indicator { value, protocol, ..about.clone() });
            }
            refuse(&object.id, sought.refused, taken);
        }
        Err(reason) => refuse(&object.id, vec![reason], taken),
    }
}

fn refuse(id: &str, reasons: Vec<String>, taken: &mut Taken<'_>) {
    for reason in reasons {
        (taken.refused)(SourceError::Pattern { id: id.to_owned(), reason });
    }
}

fn span(object: &Object) -> Result<Validity, String> {
    let end = |text: &Option<String>| -> Result<Option<Moment>, String> {
        let Some(text) = text else { return Ok(None) };
        moment(text).map(Some).ok_or_else(|| format!("{text:?} is no time"))
    };
    Ok(Validity { from: end(&object.valid_from)?, until: end(&object.valid_until)? })
}

/// The scale's low begins at 1, medium at 30, high at 70.
const fn confidence(percent: u8) -> Confidence {
    match percent {
        70.. => Confidence::High,
        30..70 => Confidence::Medium,
        _ => Confidence::Low,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use miyaburi_model::{EndpointRole, Protocol};
    use serde_json::json;

    use super::super::{Passed, read};
    use super::*;
    use crate::indicators::Indicators;

    fn set(document: &Json) -> (Indicators, Passed, Vec<String>) {
        let (mut set, mut refused) = (Indicators::default(), Vec::new());
        let text = document.to_string();
        let told = &mut |error: SourceError| refused.push(error.to_string());
        let passed = read(&mut text.as_bytes(), &mut set, told).unwrap();
        (set, passed, refused)
    }

    fn indicator(number: u8, pattern: &str, more: Json) -> Json {
        let mut object = json!({
            "type": "indicator", "spec_version": "2.1", "pattern": pattern, "pattern_type": "stix",
            "id": format!("indicator--00000000-0000-4000-8000-0000000000{number:02}"),
            "valid_from": "2026-11-01T00:00:00Z",
        });
        let members = more.as_object().unwrap().clone();
        object.as_object_mut().unwrap().extend(members);
        object
    }

    fn bundle(objects: &[Json]) -> Json {
        json!({ "type": "bundle", "id": "bundle--1", "objects": objects })
    }

    #[test]
    fn indicators_with_what_is_said_of_them() {
        let traffic = "[network-traffic:dst_ref.value = '192.0.2.1' AND \
             network-traffic:dst_port = 23 AND network-traffic:protocols[*] = 'tcp']";
        let more = json!({ "valid_until": "2026-12-01T00:00:00.000Z", "confidence": 50,
                           "labels": ["c2"] });
        let malware = json!({ "type": "malware", "id": "malware--1", "name": "x" });
        let (set, passed, refused) = set(&bundle(&[indicator(1, traffic, more), malware]));
        assert_eq!((passed, refused.len()), (Passed::default(), 0), "{refused:?}");
        let all: Vec<&Indicator> = set.iter().collect();
        let expected = Indicator {
            protocol: Some(Protocol::Tcp),
            role: Some(EndpointRole::C2),
            confidence: Some(Confidence::Medium),
            validity: Validity {
                from: Some(Moment::from_unix(1_793_491_200)),
                until: Some(Moment::from_unix(1_796_083_200)),
            },
            ..Indicator::from(crate::indicators::Value::parse("192.0.2.1:23").unwrap())
        };
        assert_eq!(all, [&expected]);
    }

    #[test]
    fn the_last_version_counts_and_what_is_revoked_does_not() {
        let first = |number| {
            let more = json!({ "modified": "2026-11-01T00:00:00Z" });
            indicator(number, "[domain-name:value = 'old.example']", more)
        };
        let later = json!({ "modified": "2026-11-02T00:00:00Z" });
        let later = indicator(1, "[domain-name:value = 'new.example']", later);
        let revoked = json!({ "modified": "2026-11-03T00:00:00Z", "revoked": true });
        let revoked = indicator(2, "[domain-name:value = 'old.example']", revoked);
        let (set, passed, _) = set(&bundle(&[later, first(1), first(2), revoked]));
        let values: Vec<String> = set.iter().map(|it| it.value.to_string()).collect();
        assert_eq!(values, ["new.example"]);
        assert_eq!(passed.revoked, 1);
    }

    #[test]
    fn what_is_not_looked_for_is_counted() {
        let benign = json!({ "indicator_types": ["benign"] });
        let rule = json!({ "pattern_type": "snort" });
        let late = json!({ "valid_until": "soon" });
        let (set, passed, refused) = set(&json!([
            indicator(1, "[domain-name:value = 'a.example']", benign),
            indicator(2, "[file:hashes.'SHA-256' = 'ff']", json!({})),
            indicator(3, "alert tcp any any", rule),
            indicator(4, "[domain-name:value LIKE '%']", json!({})),
            indicator(5, "[domain-name:value = 'b.example']", late),
            json!({ "type": "indicator", "id": "indicator--6" }),
        ]));
        assert_eq!(set.len(), 0);
        assert_eq!(passed, Passed { revoked: 0, not_for_detection: 1, others: 1 });
        assert_eq!(refused.len(), 4, "{refused:?}");
        assert!(refused.iter().any(|it| it.contains("\"LIKE\" is not understood")), "{refused:?}");
    }
}
