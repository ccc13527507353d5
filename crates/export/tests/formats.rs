//! What formats hold, and that no text of a file breaks out of one.
#![allow(clippy::unwrap_used)]

mod support;

use miyaburi_export::{Stage, Written, csv, nftables, rpz};
use miyaburi_model::{Confidence, EndpointRole, Family, Report};
use proptest::prelude::*;
use support::{Memory, endpoint, gate_with, list, list_of, merged, report, selection};

fn examples() -> Vec<Report> {
    let c2 = |host, port| endpoint(host, port, EndpointRole::C2);
    vec![
        report(1, vec![c2("cnc.bot.example", Some(23)), c2("192.0.2.1", Some(2323))]),
        report(2, vec![c2("192.0.2.1", Some(2323)), c2("2001:db8::1", Some(80))]),
        report(3, vec![c2("198.51.100.1", None)]),
    ]
}

#[test]
fn csv_has_a_record_for_each_indicator() {
    let mut folder = Memory::default();
    let written = csv::write(&list_of(&examples()), &mut folder).unwrap();
    assert_eq!(written, Written { entries: 4, left_out: 0 });
    let text = folder.lines(csv::FILE, "#").join("\n");
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<(String, String, String)> = reader
        .records()
        .map(|record| record.unwrap())
        .map(|row| (row[1].to_owned(), row[2].to_owned(), row[7].to_owned()))
        .collect();
    let row = |value: &str, kind: &str, tags: &str| {
        let tags = format!("c2,{tags},expires:2026-12-23T00:00:00Z");
        (value.to_owned(), kind.to_owned(), tags)
    };
    let expected = [
        row("192.0.2.1:2323", "ip:port", "port:2323,tcp,reports:2"),
        row("198.51.100.1", "ip", "reports:1"),
        row("[2001:db8::1]:80", "ip:port", "port:80,tcp,reports:1"),
        row("cnc.bot.example", "domain", "port:23,tcp,reports:1"),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn csv_names_the_family_that_all_reports_agree_on() {
    let of = |digest, host: &str, family: Option<&str>| {
        let mut report = report(digest, vec![endpoint(host, Some(23), EndpointRole::C2)]);
        report.family = family.map(|name| Family {
            name: name.to_owned(),
            confidence: Confidence::High,
            evidence: Vec::new(),
        });
        report
    };
    let reports = [
        of(1, "192.0.2.1", Some("mirai")),
        of(2, "192.0.2.1", Some("mirai")),
        of(3, "192.0.2.2", Some("mirai")),
        of(4, "192.0.2.2", None),
        of(5, "192.0.2.2", Some("mirai")),
        of(6, "192.0.2.3", None),
        of(7, "192.0.2.4", Some("=other\n")),
    ];
    let mut folder = Memory::default();
    csv::write(&list_of(&reports), &mut folder).unwrap();
    let text = folder.lines(csv::FILE, "#").join("\n");
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let names: Vec<String> = reader.records().map(|row| row.unwrap()[4].to_owned()).collect();
    assert_eq!(names, ["elf.mirai", "unknown", "unknown", "unknown"]);
}

#[test]
fn nftables_has_addresses_with_ports_and_their_time() {
    let mut folder = Memory::default();
    let written = nftables::write(&list_of(&examples()), &mut folder).unwrap();
    assert_eq!(written, Written { entries: 3, left_out: 1 });
    let text = folder.text(nftables::FILE);
    for element in [
        "192.0.2.1 . tcp . 2323 timeout 2592000s",
        "198.51.100.1 timeout 2592000s",
        "2001:db8::1 . tcp . 80 timeout 2592000s",
    ] {
        assert!(text.contains(element), "{element}: {text}");
    }
    assert!(text.contains("@v4_port counter drop\n"));
    assert!(!text.contains("bot.example"));
}

#[test]
fn only_enforcing_drops_and_reporting_does_not_log() {
    let script = |stage| {
        let decisions = gate_with(&[]).decide(merged(&examples()), &selection());
        let mut folder = Memory::default();
        nftables::write(&list(decisions, stage), &mut folder).unwrap();
        folder.text(nftables::FILE).to_owned()
    };
    let has = |stage| (script(stage).contains(" log "), script(stage).contains(" drop\n"));
    assert_eq!(has(Stage::Report), (false, false));
    assert_eq!(has(Stage::Log), (true, false));
    assert_eq!(has(Stage::Enforce), (true, true));
}

#[test]
fn rpz_has_names_and_addresses_and_who_is_exempt() {
    let mut folder = Memory::default();
    let exempt = ["192.0.2.128/25".parse().unwrap()];
    let written = rpz::write(&list_of(&examples()), &exempt, &mut folder).unwrap();
    assert_eq!(written, Written { entries: 4, left_out: 0 });
    let records = [
        "32.1.2.0.192.rpz-ip CNAME .",
        "32.1.100.51.198.rpz-ip CNAME .",
        "128.1.zz.db8.2001.rpz-ip CNAME .",
        "cnc.bot.example CNAME .",
    ];
    assert_eq!(folder.lines(rpz::ZONE, ";")[3..], records);
    let records = ["25.128.2.0.192.rpz-client-ip CNAME rpz-passthru."];
    assert_eq!(folder.lines(rpz::OPT_OUT, ";")[3..], records);
    assert!(folder.text(rpz::BIND).contains("policy given log yes"));
}

#[test]
fn what_nothing_was_found_for_is_empty() {
    let mut folder = Memory::default();
    assert_eq!(csv::write(&list_of(&[]), &mut folder).unwrap().entries, 0);
    assert_eq!(nftables::write(&list_of(&[]), &mut folder).unwrap().entries, 0);
    assert_eq!(rpz::write(&list_of(&[]), &[], &mut folder).unwrap().entries, 0);
    assert!(!folder.text(nftables::FILE).contains("elements"));
    assert_eq!(folder.lines(rpz::ZONE, ";").len(), 3);
    assert_eq!(folder.lines(csv::FILE, "#").len(), 1);
}

/// Hosts that are hostile, or nearly right with something hostile in them.
fn hostile() -> impl Strategy<Value = String> {
    let insert = |(before, middle, after): (String, String, String)| before + &middle + &after;
    let parts = (
        "[a-z0-9.]{0,70}",
        "[\n\r\0\"'`;{}()$\\\\=+@#%&|<>, \t\u{e9}\u{202e}-]{0,3}",
        "[a-z.]{0,9}",
    );
    prop_oneof![any::<String>(), parts.prop_map(insert), Just("=cmd|' /C calc'!A0".to_owned())]
}

proptest! {
    #[test]
    fn hostile_hosts_add_nothing_but_plain_entries(hosts in prop::collection::vec(hostile(), 1..8)) {
        let c2 = |host: &String| endpoint(host, Some(23), EndpointRole::C2);
        let list = list_of(&[report(1, hosts.iter().map(c2).collect())]);
        let mut folder = Memory::default();
        let written = [
            csv::write(&list, &mut folder).unwrap(),
            nftables::write(&list, &mut folder).unwrap(),
            rpz::write(&list, &[], &mut folder).unwrap(),
        ];
        let is_plain = |text: &str, extra: &str| {
            text.bytes().all(|it| it.is_ascii_alphanumeric() || extra.as_bytes().contains(&it))
        };
        let records = folder.lines(csv::FILE, "#");
        prop_assert_eq!(records.len(), written[0].entries + 1);
        prop_assert!(records.iter().all(|it| is_plain(it, "-_.:[],\" ")), "{:?}", records);
        let elements: Vec<&str> = folder
            .lines(nftables::FILE, "#")
            .into_iter()
            .filter(|line| line.contains(" timeout "))
            .collect();
        prop_assert_eq!(elements.len(), written[1].entries);
        prop_assert!(elements.iter().all(|it| is_plain(it, ".:, ")), "{:?}", elements);
        let records = folder.lines(rpz::ZONE, ";");
        prop_assert_eq!(records.len(), written[2].entries + 3);
        for record in &records[3..] {
            let owner = record.strip_suffix(" CNAME .");
            prop_assert!(owner.is_some_and(|it| is_plain(it, "-_.")), "{}", record);
        }
    }
}
