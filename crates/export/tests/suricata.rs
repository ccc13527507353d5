//! Which packets become rules and which do not, and that no text of a report breaks out of one.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use data_encoding::BASE64;
use miyaburi_export::traffic::Traffic;
use miyaburi_export::{Stage, Written, suricata};
use miyaburi_model::{EndpointRole, FieldDescriptor, FieldValue, Packet, Report, Scan};
use proptest::prelude::*;
use support::packets::{attack, by_option, from, number, packet, payload, sending};
use support::{Memory, endpoint, gate_with, list, list_of, merged, report, selection};

/// The rules of an export at a stage.
fn rules(reports: &[Report], stage: Stage) -> Vec<String> {
    let mut traffic = Traffic::default();
    reports.iter().for_each(|report| traffic.add(report));
    let decisions = gate_with(&[]).decide(merged(reports), &selection());
    let mut folder = Memory::default();
    suricata::write(&list(decisions, stage), &traffic, &mut folder).unwrap();
    folder.lines(suricata::RULES, "#").into_iter().map(str::to_owned).collect()
}

/// What the one rule of a packet matches by; none when it makes no rule.
fn matched(packet: Packet) -> Option<String> {
    let rules = rules(&[sending(1, "x", packet)], Stage::Log);
    assert!(rules.len() < 2, "{rules:?}");
    let rule = rules.first()?;
    let conditions = rule.split_once("; ")?.1.split_once(" threshold:")?.0;
    let head = rule.strip_prefix("alert ")?.split_once(" (")?.0;
    Some(format!("{head} {conditions}"))
}

fn syn(window: FieldDescriptor) -> Packet {
    let fields = [
        ("tcp.flags.syn", by_option(number(1))),
        ("tcp.flags.ack", by_option(number(0))),
        ("tcp.window_size_value", window),
        ("tcp.options.wscale.shift", number(6)),
    ];
    packet(&["ip", "tcp"], &fields)
}

#[test]
fn what_nobody_else_sends_becomes_a_rule() {
    let query = b"\xff\xff\xff\xffTSource";
    let udp = [("udp.payload", payload(query)), ("udp.dstport", number(27015))];
    let expected = "udp any any -> any 27015 content:\"|ff ff ff ff 54 53 6f 75 72 63 65|\"; \
                    startswith; dsize:11;";
    assert_eq!(matched(packet(&["ip", "udp"], &udp)).unwrap(), expected);
    let expected = "tcp any any -> any any flow:stateless; flags:S; window:0; tcp.hdr; \
                    content:\"|03 03 06|\"; offset:20;";
    assert_eq!(matched(syn(number(0))).unwrap(), expected);
    let raw = packet(&["ip"], &[("ip.proto", number(253))]);
    assert_eq!(matched(raw).unwrap(), "ip any any -> any any ip_proto:253;");
    let data = || ("data", payload(b"abcdefgh"));
    let raw = packet(&["ip"], &[("ip.proto", number(253)), data()]);
    assert_eq!(matched(raw).unwrap(), "ip any any -> any any ip_proto:253;");
    let expected =
        "icmp any any -> any any content:\"|61 62 63 64 65 66 67 68|\"; startswith; dsize:8;";
    assert_eq!(matched(packet(&["ip", "icmp"], &[data()])).unwrap(), expected);
    let request = payload(b"GET / HTTP/1.1\r\nUser-Agent: Mozilla/5.0 (");
    let http = packet(&["ip", "tcp", "http"], &[("tcp.payload", request)]);
    let header = " HTTP/1.1\r\nUser-Agent: Mozilla/5.0 (";
    let header: Vec<String> = header.bytes().map(|byte| format!("{byte:02x}")).collect();
    let header = header.join(" ");
    let expected = format!("tcp any any -> any any flow:stateless; content:\"|{header}|\";");
    assert_eq!(matched(http).unwrap(), expected);
}

#[test]
fn what_others_send_or_options_change_becomes_none() {
    let udp = |field| packet(&["ip", "udp"], &[("udp.payload", field)]);
    let http = |text: &[u8]| packet(&["ip", "tcp", "http"], &[("tcp.payload", payload(text))]);
    let gre = [("gre.proto", number(0x800)), ("ip.proto", number(47)), ("ip.proto#2", number(17))];
    let ordinary = [
        ("an option changes it", udp(by_option(payload(b"\xff\xff\xff\xffTSource")))),
        ("short", udp(payload(b"\xff\xff\xff\xffTSo"))),
        ("cleared", udp(payload(&[0; 512]))),
        ("filled", udp(payload(&b"AB\0".repeat(64)))),
        ("with a window", syn(number(0xffff))),
        ("an option sets the window", syn(by_option(number(0)))),
        ("a tunnel", packet(&["ip", "gre", "ip", "udp"], &gre)),
        ("data of an unknown header", packet(&["ip"], &[("data", payload(b"abcdefgh"))])),
        ("an assigned protocol", packet(&["ip"], &[("ip.proto", number(50))])),
        ("Host first", http(b"GET / HTTP/1.1\r\nHost: www.bot.example\r\nUser-Agent: Mozilla")),
        ("an empty header", http(b"GET / HTTP/1.1\r\nUser-Agent: \r\nHost: www.bot.example\r\n")),
        ("the beginning of a header", http(b"GET / HTTP/1.1\r\nUser-Agent: ")),
        ("no header", http(b"GET /index.html HTTP/1.1")),
    ];
    for (why, packet) in ordinary {
        assert_eq!(matched(packet), None, "{why}");
    }
    // An answer acknowledges; SYN proxies send such with no window.
    let mut answer = syn(number(0));
    answer.fields.insert("tcp.flags.ack".to_owned(), number(1));
    assert_eq!(matched(answer), None);
}

fn scanning(sequence: FieldDescriptor) -> Report {
    let mut report = report(1, Vec::new());
    let syn = BTreeMap::from([("tcp.seq".to_owned(), sequence)]);
    report.scan = Some(Scan { syn, ..Scan::default() });
    report
}

#[test]
fn a_scanner_whose_sequence_number_is_the_destination_becomes_a_rule() {
    let rules_of = |sequence| rules(&[scanning(sequence)], Stage::Log);
    let [rule] = rules_of(from("ip.dst")).try_into().unwrap();
    let matches = "flags:S; ipv4.hdr; byte_extract:4,16,destination; tcp.hdr; \
                   byte_test:4,=,destination,4; threshold:type limit, track by_src, ";
    assert!(rule.contains(matches), "{rule}");
    assert!(rule.contains("classtype:network-scan;"), "{rule}");
    assert!(rules_of(FieldValue::Random { random: [0, 9] }.into()).is_empty());
    assert!(rules_of(by_option(from("ip.dst"))).is_empty());
}

#[test]
fn names_and_addresses_are_datasets_with_a_rule_each() {
    let c2 = |host, port| endpoint(host, Some(port), EndpointRole::C2);
    let hosts = vec![
        c2("CNC.bot.example", 23),
        c2("cnc.bot.example", 24),
        c2("192.0.2.1", 23),
        c2("192.0.2.2", 23),
        c2("2001:db8::1", 23),
    ];
    let mut folder = Memory::default();
    let list = list_of(&[report(1, hosts)]);
    let written = suricata::write(&list, &Traffic::default(), &mut folder).unwrap();
    assert_eq!(written, Written { entries: 4, left_out: 0 });
    let names = folder.lines(suricata::NAMES, "#");
    assert_eq!(names, [BASE64.encode(b"cnc.bot.example")]);
    assert_eq!(folder.text(suricata::ADDRESSES), "192.0.2.1\n192.0.2.2\n2001:db8::1\n");
    let [names, addresses] = folder.lines(suricata::RULES, "#").try_into().unwrap();
    assert!(names.contains("dns.query; to_lowercase; dataset:isset,miyaburi-names,type string,"));
    assert!(addresses.contains("ip.dst; dataset:isset,miyaburi-addresses,type ip,"));
}

#[test]
fn without_findings_there_are_no_rules() {
    let mut folder = Memory::default();
    let nothing = suricata::write(&list_of(&[]), &Traffic::default(), &mut folder).unwrap();
    assert_eq!(nothing, Written::default());
    assert_eq!(folder.lines(suricata::RULES, "#").len(), 0);
    assert_eq!(folder.text(suricata::NAMES), "");
}

#[test]
fn only_enforcing_drops() {
    let reports =
        [scanning(from("ip.dst")), report(2, vec![endpoint("192.0.2.1", None, EndpointRole::C2)])];
    let actions = |stage| {
        let rules = rules(&reports, stage);
        let first = |rule: &String| rule.split_once(' ').unwrap().0.to_owned();
        rules.iter().map(first).collect::<Vec<_>>()
    };
    assert_eq!(actions(Stage::Report), ["alert"; 2]);
    assert_eq!(actions(Stage::Log), ["alert"; 2]);
    assert_eq!(actions(Stage::Enforce), ["drop"; 2]);
}

fn sid(rule: &str) -> u32 {
    let (_, after) = rule.split_once("sid:").unwrap();
    after.split_once(';').unwrap().0.parse().unwrap()
}

#[test]
fn numbers_stay_with_what_is_matched() {
    let raw = |protocol| packet(&["ip"], &[("ip.proto", number(protocol))]);
    let c2 = |host: &str| endpoint(host, Some(23), EndpointRole::C2);
    let one = [sending(1, "x", raw(253)), report(2, vec![c2("192.0.2.1")])];
    let more = [
        sending(3, "y", raw(200)),
        sending(4, "y", raw(253)),
        report(5, vec![c2("192.0.2.1"), c2("192.0.2.2"), c2("a.bot.example")]),
    ];
    let numbers = |reports, stage| rules(reports, stage).iter().map(|it| sid(it)).collect();
    let before: Vec<u32> = numbers(&one, Stage::Log);
    let after: Vec<u32> = numbers(&more, Stage::Enforce);
    assert_eq!((before.len(), after.len()), (2, 4));
    assert!(before.iter().all(|number| after.contains(number)), "{before:?} {after:?}");
    assert!(after.iter().all(|number| (1_000_000_000..2_000_000_000).contains(number)));
}

#[test]
fn senders_of_the_same_are_merged_and_named() {
    let raw = || packet(&["ip"], &[("ip.proto", number(253))]);
    let reports = [sending(2, "raw_other", raw()), sending(1, "raw", raw())];
    let [rule] = rules(&reports, Stage::Log).try_into().unwrap();
    let (one, two) = ("01".repeat(32), "02".repeat(32));
    let metadata =
        format!("reports 2, sample {one}, address 0x8048, sample {two}, address 0x8048;");
    assert!(rule.contains(&metadata), "{rule}");
    assert!(rule.contains("msg:\"miyaburi traffic as of raw raw_other\";"), "{rule}");
}

/// Whether a rule is of the characters and the shape of ours: one pair of parentheses, options that
/// each end once, quotes in pairs.
fn is_whole(rule: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" ()\"|;:,._->=-".contains(&byte);
    let count = |character| rule.matches(character).count();
    let numbers = rule.matches(" sid:").count();
    rule.bytes().all(is_plain)
        && (count('('), count(')'), numbers, count('"') % 2) == (1, 1, 1, 0)
        && rule.ends_with(" rev:1;)")
}

proptest! {
    #[test]
    fn hostile_texts_and_bytes_stay_in_their_rule(
        host in any::<String>(),
        kind in "[a-z\";|)(\\\\\n\r\0#]{0,40}",
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        port in any::<u16>(),
    ) {
        let port = number(port.into());
        let udp = packet(&["ip", "udp"], &[("udp.payload", payload(&bytes)), ("udp.dstport", port)]);
        let mut report = sending(1, &kind, udp);
        report.endpoints.push(endpoint(&host, Some(23), EndpointRole::C2));
        let request = [&b"GET / HTTP/1.1\r\nX: "[..], &bytes].concat();
        let http = packet(&["ip", "tcp", "http"], &[("tcp.payload", payload(&request))]);
        report.attacks.push(attack(&kind, http));
        let rules = rules(&[report], Stage::Enforce);
        prop_assert!(rules.len() <= 3);
        for rule in rules {
            prop_assert!(is_whole(&rule), "{}", rule);
        }
    }

    #[test]
    fn hostile_hosts_are_lines_of_datasets_or_nothing(hosts in prop::collection::vec(any::<String>(), 1..8)) {
        let c2 = |host: &String| endpoint(host, Some(23), EndpointRole::C2);
        let list = list_of(&[report(1, hosts.iter().map(c2).collect())]);
        let mut folder = Memory::default();
        let written = suricata::write(&list, &Traffic::default(), &mut folder).unwrap();
        let names = folder.lines(suricata::NAMES, "#");
        let addresses = folder.lines(suricata::ADDRESSES, "#");
        prop_assert_eq!(names.len() + addresses.len(), written.entries);
        for name in names {
            prop_assert!(BASE64.decode(name.as_bytes()).unwrap().is_ascii());
        }
    }
}
