//! Bundles of STIX hold what was found, each once, and nothing that breaks out of them.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use miyaburi_export::gate::Reason;
use miyaburi_export::indicators::InForce;
use miyaburi_export::{Tlp, Withdrawal, Written, stix};
use miyaburi_model::Report;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::findings::{configurations, example, host, hostile, hostile_report, report_with};
use support::{Memory, list_of, time};

fn bundle_of(reports: &[Report], tlp: Tlp) -> (Written, String) {
    let mut folder = Memory::default();
    let (list, configurations) = (list_of(reports), configurations(reports));
    let written = stix::write(&list, &configurations, tlp, &mut folder).unwrap();
    (written, folder.text(stix::FILE).to_owned())
}

/// Objects by identifier; there is none twice.
fn objects(text: &str) -> BTreeMap<String, Value> {
    let bundle: Value = serde_json::from_str(text).unwrap();
    assert_eq!(bundle["type"], "bundle");
    let objects = bundle["objects"].as_array().unwrap();
    let by_id: BTreeMap<String, Value> =
        objects.iter().map(|it| (it["id"].as_str().unwrap().to_owned(), it.clone())).collect();
    assert_eq!(by_id.len(), objects.len());
    by_id
}

/// The objects of a type.
fn of<'a>(objects: &'a BTreeMap<String, Value>, kind: &str) -> Vec<&'a Value> {
    objects.values().filter(|object| object["type"] == kind).collect()
}

/// Relationships by the names, values or types of what they connect.
fn relations(objects: &BTreeMap<String, Value>) -> BTreeSet<(String, String, String)> {
    let name = |id: &Value| {
        let object = &objects[id.as_str().unwrap()];
        let named = ["name", "value", "type"].iter().find_map(|member| object[member].as_str());
        named.unwrap().to_owned()
    };
    of(objects, "relationship")
        .into_iter()
        .map(|it| {
            let relation = it["relationship_type"].as_str().unwrap().to_owned();
            (name(&it["source_ref"]), relation, name(&it["target_ref"]))
        })
        .collect()
}

#[test]
fn what_was_found_is_told_with_its_relations() {
    let (written, text) = bundle_of(&[example()], Tlp::Amber);
    assert_eq!(written, Written { entries: 1, left_out: 0 });
    let objects = objects(&text);
    let malware = of(&objects, "malware");
    let name = malware.iter().find_map(|it| it["name"].as_str()?.strip_prefix("mirai, ")).unwrap();
    let malware = format!("mirai, {name}");
    let relation = |from: &str, relation: &str, to: &str| {
        (from.to_owned(), relation.to_owned(), to.to_owned())
    };
    let server = "c2 cnc.bot.example:23/tcp";
    let receiver = "scan_receiver 192.0.2.7:48101/tcp";
    let expected = [
        relation(server, "consists-of", "cnc.bot.example"),
        relation(server, "consists-of", "network-traffic"),
        relation(receiver, "consists-of", "192.0.2.7"),
        relation(receiver, "consists-of", "network-traffic"),
        relation(server, "indicates", server),
        relation(server, "indicates", &malware),
        relation(&malware, "beacons-to", server),
        relation(&malware, "exfiltrates-to", receiver),
        relation(&malware, "communicates-with", "192.0.2.9"),
        relation(&malware, "uses", "Direct Network Flood"),
        relation(&malware, "uses", "Password Guessing"),
        relation(&malware, "uses", "Deobfuscate/Decode Files or Information"),
        relation(&malware, "variant-of", "mirai"),
        relation("malware-analysis", "characterizes", &malware),
    ];
    assert_eq!(relations(&objects), BTreeSet::from(expected));
}

#[test]
fn only_what_passed_the_gate_has_an_indicator() {
    let (_, text) = bundle_of(&[example()], Tlp::Amber);
    let objects = objects(&text);
    let indicators = of(&objects, "indicator");
    let patterns: Vec<&str> = indicators.iter().map(|it| it["pattern"].as_str().unwrap()).collect();
    assert_eq!(patterns, ["[domain-name:value = 'cnc.bot.example']"]);
    assert_eq!(indicators[0]["valid_from"], "2026-11-23T00:00:00.000Z");
    assert_eq!(indicators[0]["valid_until"], "2026-12-23T00:00:00.000Z");
    assert_eq!(indicators[0]["confidence"], 85);
}

#[test]
fn what_is_withdrawn_is_valid_until_now_and_what_expired_is_told_no_more() {
    let hosts =
        json!({"endpoints": [host("192.0.2.1", 23, "c2"), host("old.bot.example", 23, "c2")]});
    let mut list = list_of(&[report_with(1, &hosts)]);
    let ends = [time("2026-12-01"), time("2026-11-23")];
    let withdrawn = list.blocks.drain(..).zip(ends).map(|(block, until)| Withdrawal {
        indicator: block.indicator,
        in_force: InForce { since: time("2026-11-01"), until, run: 1 },
        reason: Reason::Gone,
    });
    list.withdrawn = Some(withdrawn.collect());
    let mut folder = Memory::default();
    let written = stix::write(&list, &configurations(&[]), Tlp::Amber, &mut folder).unwrap();
    assert_eq!(written.entries, 0);
    let objects = objects(folder.text(stix::FILE));
    let [indicator] = of(&objects, "indicator").try_into().unwrap();
    assert!(indicator["pattern"].as_str().unwrap().contains("'192.0.2.1'"));
    assert_eq!(indicator["valid_from"], "2026-11-01T00:00:00.000Z");
    assert_eq!(indicator["valid_until"], "2026-11-23T00:00:00.000Z");
    assert_eq!(indicator["description"], "withdrawn: its files no longer have it");
    // It is a version of the one that was in force.
    let (_, before) = bundle_of(&[report_with(1, &hosts)], Tlp::Amber);
    assert!(before.contains(indicator["id"].as_str().unwrap()));
}

#[test]
fn addresses_are_looked_for_with_their_port() {
    let c2 = |name| host(name, 23, "c2");
    let reports = [report_with(1, &json!({"endpoints": [c2("192.0.2.1"), c2("2001:db8::1")]}))];
    let (_, text) = bundle_of(&reports, Tlp::Amber);
    let objects = objects(&text);
    let patterns: BTreeSet<&str> =
        of(&objects, "indicator").iter().map(|it| it["pattern"].as_str().unwrap()).collect();
    let pattern = |kind: &str, host: &str| {
        format!(
            "[network-traffic:dst_ref.type = '{kind}' AND network-traffic:dst_ref.value = '{host}' \
             AND network-traffic:dst_port = 23 AND network-traffic:protocols[*] = 'tcp']"
        )
    };
    let (v4, v6) = (pattern("ipv4-addr", "192.0.2.1"), pattern("ipv6-addr", "2001:db8::1"));
    assert_eq!(patterns, BTreeSet::from([v4.as_str(), v6.as_str()]));
}

#[test]
fn identifiers_are_those_of_the_specification_and_of_content() {
    let (_, text) = bundle_of(&[example()], Tlp::Amber);
    let objects = objects(&text);
    // UUID version 5 of {"value":"cnc.bot.example"} in the specification's namespace, computed with
    // another program.
    assert!(objects.contains_key("domain-name--a202dd27-40ae-56d9-a753-9000b9198ba7"));
    let accounts = of(&objects, "user-account");
    let tried: BTreeSet<(&str, &str)> = accounts
        .iter()
        .map(|it| (it["account_login"].as_str().unwrap(), it["credential"].as_str().unwrap()))
        .collect();
    assert_eq!(tried, BTreeSet::from([("root", "root"), ("root", "admin")]));
    let (_, again) = bundle_of(&[example()], Tlp::Amber);
    assert_eq!(text, again);
}

#[test]
fn builds_for_two_processors_are_one_configuration() {
    let of_arch = |digest, arch: &str, name: &str| {
        let mut report = report_with(digest, &json!({"endpoints": [host(name, 23, "c2")]}));
        report.sample.arch = Some(arch.to_owned());
        report
    };
    let reports = [
        of_arch(1, "mips", "cnc.bot.example"),
        of_arch(2, "x86_64", "cnc.bot.example"),
        of_arch(3, "arm", "other.bot.example"),
    ];
    let (_, text) = bundle_of(&reports, Tlp::Amber);
    let objects = objects(&text);
    let processors: BTreeSet<String> = of(&objects, "malware")
        .into_iter()
        .map(|it| it["architecture_execution_envs"].to_string())
        .collect();
    let expected = ["[\"mips\",\"x86-64\"]", "[\"arm\"]", "null"].map(str::to_owned);
    assert_eq!(processors, BTreeSet::from(expected));
}

#[test]
fn everything_carries_the_label_and_nothing_the_analysts_path() {
    for (tlp, id) in [
        (Tlp::Clear, "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"),
        (Tlp::AmberStrict, "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"),
    ] {
        let (_, text) = bundle_of(&[example()], tlp);
        assert!(!text.contains("secret"));
        for object in objects(&text).values().filter(|it| it["type"] != "marking-definition") {
            assert_eq!(object["object_marking_refs"], json!([id]), "{object}");
        }
    }
}

#[test]
fn nothing_found_is_nothing_told() {
    let nothing = report_with(1, &json!({"verdict": "no_config", "family": null}));
    let (written, text) = bundle_of(&[nothing], Tlp::Amber);
    assert_eq!(written, Written::default());
    let objects = objects(&text);
    let kinds: BTreeSet<&str> = objects.values().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["identity", "marking-definition"]));
}

proptest! {
    #[test]
    fn hostile_texts_come_back_equal_or_are_left_out(
        hosts in prop::collection::vec(hostile(), 1..6),
        pairs in prop::collection::vec((hostile(), hostile()), 1..6),
        texts in prop::collection::vec(hostile(), 4),
    ) {
        let report = hostile_report(&hosts, &pairs, &texts);
        let (written, text) = bundle_of(&[report], Tlp::Amber);
        let objects = objects(&text);
        // A line for the bundle, one for each object, one for its end: no text makes another.
        prop_assert_eq!(text.lines().count(), objects.len() + 2);
        let is_plain = |text: &str, extra: &str| {
            text.bytes().all(|it| it.is_ascii_alphanumeric() || extra.as_bytes().contains(&it))
        };
        let indicators = of(&objects, "indicator");
        prop_assert_eq!(indicators.len(), written.entries);
        for indicator in indicators {
            let pattern = indicator["pattern"].as_str().unwrap();
            prop_assert!(is_plain(pattern, "[]-_.:'= *"), "{}", pattern);
            prop_assert!(pattern.matches('\'').count() % 2 == 0);
        }
        for kind in ["domain-name", "ipv4-addr", "ipv6-addr"] {
            for found in of(&objects, kind) {
                prop_assert!(is_plain(found["value"].as_str().unwrap(), "-_.:"));
            }
        }
        prop_assert_eq!(of(&objects, "url").len() + written.left_out, 1);
        for url in of(&objects, "url") {
            prop_assert_eq!(url["value"].as_str(), Some(texts[0].as_str()));
            prop_assert!(!texts[0].contains(|it: char| it.is_control() || "\"<> ".contains(it)));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told: BTreeSet<(String, String)> = of(&objects, "user-account")
            .iter()
            .map(|it| (text(&it["account_login"]), text(&it["credential"])))
            .collect();
        prop_assert_eq!(told, pairs.into_iter().collect());
        for relation in of(&objects, "relationship") {
            for end in ["source_ref", "target_ref"] {
                prop_assert!(objects.contains_key(relation[end].as_str().unwrap()));
            }
        }
    }
}
