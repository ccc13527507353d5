//! Events of MISP hold what was found, mark what may be blocked, and nothing breaks out of them.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use miyaburi_export::configurations::Configurations;
use miyaburi_export::{BlockList, Stamp, Tlp, Written, misp};
use miyaburi_model::Report;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::findings::{configurations, example, host, hostile, hostile_report, report_with};
use support::{Memory, list_of, time};

/// What was written, the manifest, and the events in its order.
fn feed_of(reports: &[Report]) -> (Written, Value, Vec<Value>) {
    let mut folder = Memory::default();
    let (list, configurations) = (list_of(reports), configurations(reports));
    let written = misp::write(&list, &configurations, Tlp::AmberStrict, &mut folder).unwrap();
    let read = |name: &str| -> Value {
        serde_json::from_str(folder.text(&format!("{}/{name}", misp::FOLDER))).unwrap()
    };
    let manifest = read(misp::MANIFEST);
    let events = manifest.as_object().unwrap().keys();
    let events = events.map(|uuid| read(&format!("{uuid}.json"))["Event"].clone()).collect();
    (written, manifest, events)
}

fn objects<'a>(event: &'a Value, name: &str) -> Vec<&'a Value> {
    let objects = event["Object"].as_array().unwrap();
    objects.iter().filter(|object| object["name"] == name).collect()
}

/// Values of an object with their relation.
fn values(object: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let attributes = object["Attribute"].as_array().unwrap();
    attributes.iter().map(|it| (text(&it["object_relation"]), text(&it["value"]))).collect()
}

fn expected(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(relation, value)| ((*relation).to_owned(), (*value).to_owned())).collect()
}

/// Values that consumers are to detect.
fn to_detect(event: &Value) -> BTreeSet<String> {
    let objects = event["Object"].as_array().unwrap().iter();
    let attributes = objects.flat_map(|object| object["Attribute"].as_array().unwrap());
    let marked = attributes.filter(|attribute| attribute["to_ids"] == true);
    marked.map(|attribute| attribute["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_was_found_is_told_in_objects() {
    let (written, manifest, events) = feed_of(&[example()]);
    assert_eq!(written, Written { entries: 1, left_out: 0 });
    let event = &events[0];
    assert_eq!(manifest[event["uuid"].as_str().unwrap()]["info"], event["info"]);
    let tags: BTreeSet<&str> =
        event["Tag"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let technique = |name| format!("misp-galaxy:mitre-attack-pattern=\"{name}\"");
    let techniques = [
        technique("Direct Network Flood - T1498.001"),
        technique("Password Guessing - T1110.001"),
        technique("Deobfuscate/Decode Files or Information - T1140"),
    ];
    let mut all = BTreeSet::from([
        "tlp:amber+strict",
        "misp-galaxy:botnet=\"Mirai\"",
        "misp-galaxy:malpedia=\"Mirai (ELF)\"",
    ]);
    all.extend(techniques.iter().map(String::as_str));
    assert_eq!(tags, all);
    let name = objects(event, "domain-ip");
    let server = [("domain", "cnc.bot.example"), ("port", "23"), ("text", "c2")];
    assert_eq!(values(name[0]), expected(&server));
    assert_eq!(name[0]["comment"], "valid until 2026-12-23T00:00:00Z");
    let file = values(objects(event, "file")[0]);
    let (sha256, sha1, md5) = ("01".repeat(32), "01".repeat(20), "01".repeat(16));
    let known = [
        ("sha256", sha256.as_str()),
        ("sha1", sha1.as_str()),
        ("md5", md5.as_str()),
        ("size-in-bytes", "1000"),
    ];
    assert_eq!(file, expected(&known));
    assert_eq!(objects(event, "credential").len(), 2);
    let attack = [("ddos-tool", "mirai"), ("method", "syn")];
    assert_eq!(values(objects(event, "ddos-config")[0]), expected(&attack));
    assert!(!event.to_string().contains("secret"));
}

#[test]
fn only_what_passed_the_gate_is_to_be_detected() {
    let (_, _, events) = feed_of(&[example()]);
    assert_eq!(to_detect(&events[0]), BTreeSet::from(["cnc.bot.example".to_owned()]));
    let comments: Vec<&str> = objects(&events[0], "ip-port")
        .iter()
        .map(|object| object["comment"].as_str().unwrap())
        .collect();
    // The receiver is not among the roles that were asked for, the decoy never is.
    assert_eq!(comments, ["not to be blocked", "not the attackers'"]);
}

/// The feed of an export with a ledger, and of a later one without reports in which `stays` is in force.
fn feed_of_a_later_export(stays: bool) -> (Value, Value) {
    let reports = [example()];
    let mut folder = Memory::default();
    let first = BlockList { withdrawn: Some(Vec::new()), ..list_of(&reports) };
    misp::write(&first, &configurations(&reports), Tlp::Amber, &mut folder).unwrap();
    let blocks = if stays { first.blocks.clone() } else { Vec::new() };
    let stamp = Stamp { now: time("2026-12-24"), ..first.stamp.clone() };
    let later = BlockList { stamp, blocks, ..first };
    let none = Configurations::default();
    let written = misp::write(&later, &none, Tlp::Amber, &mut folder).unwrap();
    assert_eq!(written, Written { entries: 1, left_out: 0 });
    let read = |name: &str| -> Value {
        serde_json::from_str(folder.text(&format!("{}/{name}", misp::FOLDER))).unwrap()
    };
    let manifest = read(misp::MANIFEST);
    let uuid = manifest.as_object().unwrap().keys().next().unwrap().clone();
    (manifest[&uuid].clone(), read(&format!("{uuid}.json"))["Event"].clone())
}

#[test]
fn what_is_not_blocked_any_more_is_unmarked_in_events_of_earlier_exports() {
    let now = time("2026-12-24").unix().to_string();
    let (summary, event) = feed_of_a_later_export(false);
    assert_eq!(to_detect(&event), BTreeSet::new());
    let hosts = objects(&event, "domain-ip");
    assert_eq!(hosts[0]["comment"], "not to be blocked");
    for changed in [&summary, &event, hosts[0]] {
        assert_eq!(changed["timestamp"], json!(now));
    }
    let (summary, event) = feed_of_a_later_export(true);
    assert_eq!(to_detect(&event), BTreeSet::from(["cnc.bot.example".to_owned()]));
    assert_ne!(summary["timestamp"], json!(now));
    assert_eq!(summary["timestamp"], event["timestamp"]);
}

/// A manifest that leads out of the feed, and one that is none.
#[test]
fn of_a_feed_that_was_tampered_with_nothing_else_is_touched() {
    let list = BlockList { withdrawn: Some(Vec::new()), ..list_of(&[]) };
    let manifest = format!("{}/{}", misp::FOLDER, misp::MANIFEST);
    let outside = format!("{}/../outside.json", misp::FOLDER);
    let mut folder = Memory::default();
    folder.0.insert(manifest.clone(), b"{\"../outside\": {}}".to_vec());
    folder.0.insert(outside.clone(), b"{\"Event\": {}}".to_vec());
    let none = Configurations::default();
    let written = misp::write(&list, &none, Tlp::Amber, &mut folder).unwrap();
    assert_eq!((written.entries, folder.text(&manifest)), (0, "{}\n"));
    assert_eq!(folder.text(&outside), "{\"Event\": {}}");

    // What the manifest says of an event is no object.
    let uuid = "6f1a6f0e-6c6f-5d6e-8a55-3f6a6f0e6c6f";
    let event = format!("{}/{uuid}.json", misp::FOLDER);
    let detected =
        json!({"Attribute": [{"type": "domain", "value": "old.bot.example", "to_ids": true}]});
    folder.0.insert(manifest.clone(), json!({uuid: []}).to_string().into_bytes());
    folder.0.insert(event, json!({"Event": detected}).to_string().into_bytes());
    misp::write(&list, &none, Tlp::Amber, &mut folder).unwrap();
    assert_eq!(folder.text(&manifest), format!("{{\"{uuid}\":[]}}\n"));

    folder.0.insert(manifest.clone(), b"{".to_vec());
    let error = misp::write(&list, &none, Tlp::Amber, &mut folder).unwrap_err();
    assert_eq!(error.file, manifest);
}

#[test]
fn references_lead_to_objects_of_the_event() {
    let (_, _, events) = feed_of(&[example()]);
    let all: BTreeSet<&str> = events[0]["Object"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["uuid"].as_str().unwrap())
        .collect();
    let config = objects(&events[0], "malware-config")[0];
    let references = config["ObjectReference"].as_array().unwrap();
    // A file, three hosts, two logins, an attack.
    assert_eq!(references.len(), 7);
    assert!(references.iter().all(|it| all.contains(it["referenced_uuid"].as_str().unwrap())));
}

#[test]
fn an_event_keeps_its_identifiers_whatever_else_is_exported() {
    let other = report_with(2, &json!({"endpoints": [host("other.bot.example", 23, "c2")]}));
    let (_, _, alone) = feed_of(&[example()]);
    let (_, _, both) = feed_of(&[other, example()]);
    assert_eq!(both.len(), 2);
    assert!(both.contains(&alone[0]));
}

#[test]
fn nothing_found_is_nothing_told() {
    let (written, manifest, _) = feed_of(&[report_with(1, &json!({"verdict": "no_config"}))]);
    assert_eq!((written, manifest), (Written::default(), json!({})));
}

proptest! {
    #[test]
    fn hostile_texts_come_back_equal_or_are_left_out(
        hosts in prop::collection::vec(hostile(), 1..6),
        pairs in prop::collection::vec((hostile(), hostile()), 1..6),
        texts in prop::collection::vec(hostile(), 4),
    ) {
        let (_, _, events) = feed_of(&[hostile_report(&hosts, &pairs, &texts)]);
        let event = &events[0];
        for host in to_detect(event) {
            let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-_.:".contains(&it);
            prop_assert!(host.bytes().all(is_plain), "{}", host);
        }
        let of = |object: &&Value, relation: &str| {
            let values = values(object).into_iter();
            values.filter(|(name, _)| name == relation).map(|(_, value)| value).next()
        };
        let told: BTreeSet<(String, String)> = objects(event, "credential")
            .iter()
            .map(|it| (of(it, "username").unwrap_or_default(), of(it, "password").unwrap_or_default()))
            .collect();
        let empty = (String::new(), String::new());
        let tried: BTreeSet<_> = pairs.into_iter().filter(|pair| *pair != empty).collect();
        prop_assert_eq!(told, tried);
        let paths: Vec<&Value> =
            event["Attribute"].as_array().unwrap().iter().map(|it| &it["value"]).collect();
        let is_taken = !texts[3].is_empty() && !texts[3].contains(char::is_control);
        let path = json!(texts[3]);
        prop_assert_eq!(paths, if is_taken { vec![&path] } else { Vec::new() });
        let tags = event["Tag"].as_array().unwrap();
        prop_assert!(tags.iter().all(|tag| !tag["name"].as_str().unwrap().contains('\n')));
    }
}
