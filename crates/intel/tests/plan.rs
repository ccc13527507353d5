//! What to prepare follows from what packets hold, and from nothing that operators change.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use miyaburi_intel::{Measure, Observed, Origin, Plan, Planner, Section};
use miyaburi_model::{
    Attack, AttackOption, Constant, FieldDescriptor, FieldValue, HexBytes, OptionType, Packet,
    Report, Sample, Verdict, VirtualAddress,
};
use proptest::prelude::*;

/// Key of the option that sets a port.
const PORT_OPTION: u32 = 7;

fn number(value: i64) -> FieldDescriptor {
    FieldValue::Constant { constant: Constant::Number(value) }.into()
}

fn changed(value: FieldDescriptor) -> FieldDescriptor {
    FieldDescriptor { option: Some(PORT_OPTION), ..value }
}

fn payload(prefix: &[u8]) -> FieldDescriptor {
    let length = prefix.len() as u64;
    FieldValue::Payload { length, prefix_hex: prefix.into(), random: false }.into()
}

fn attack(
    kind: &str,
    layers: &[&str],
    spoofable: bool,
    fields: &[(&str, FieldDescriptor)],
) -> Attack {
    let option = AttackOption {
        key: PORT_OPTION,
        name: Some("destination_port".to_owned()),
        value_type: OptionType::Int,
        default: None,
    };
    let fields: BTreeMap<String, FieldDescriptor> =
        fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect();
    Attack {
        vector: Some(4),
        command: None,
        handler: VirtualAddress(0x8000),
        kind: Some(kind.to_owned()),
        kind_method: None,
        same_as: Vec::new(),
        options: vec![option],
        packets: vec![Packet {
            layers: layers.iter().map(|layer| (*layer).to_owned()).collect(),
            spoofable,
            per_loop: Some(1),
            fields,
        }],
        evidence: Vec::new(),
    }
}

fn plan(files: &[&[Attack]]) -> Plan {
    let observed = Observed::default();
    let mut planner = Planner::new(&observed, Some([198, 51, 100, 7].into()));
    for (index, attacks) in files.iter().enumerate() {
        let sha256 = Some(HexBytes(vec![u8::try_from(index).unwrap()]));
        let mut report = Report::new(Sample { sha256, ..Sample::default() }, Verdict::Config);
        report.attacks = attacks.to_vec();
        planner.add(&report);
    }
    planner.finish()
}

fn measures(section: &Section) -> Vec<&str> {
    section.measures.iter().map(|measure| measure.name).collect()
}

fn command<'a>(section: &'a Section, measure: &str, tool: &str) -> &'a str {
    let is_it = |candidate: &&Measure| candidate.name == measure;
    let measure = section.measures.iter().find(is_it).unwrap();
    &measure.commands.iter().find(|command| command.tool == tool).unwrap().text
}

#[test]
fn a_payload_that_never_changes_is_matched() {
    let fields = [("udp.dstport", number(27015)), ("udp.payload", payload(b"\xff\xffTS"))];
    let plan = plan(&[&[attack("vse", &["ip", "udp"], true, &fields)]]);
    let section = &plan.sections[0];
    assert_eq!(measures(section), ["Rule on the payload", "Rate limit upstream"]);
    let rule = command(section, "Rule on the payload", "Suricata");
    assert!(rule.starts_with("alert udp any any -> 198.51.100.7 27015 ("), "{rule}");
    assert!(rule.contains("content:\"|ff ff 54 53|\"; startswith;"), "{rule}");
    assert_eq!(
        command(section, "Rule on the payload", "nftables"),
        "nft add rule inet filter forward ip daddr 198.51.100.7 udp dport 27015 @th,64,32 0xffff5453 limit rate over 1000/second counter drop"
    );
    assert_eq!(
        command(section, "Rate limit upstream", "GoBGP"),
        "gobgp global rib add -a ipv4-flowspec match destination 198.51.100.7/32 protocol '==17' destination-port '==27015' then rate-limit 1000000"
    );
}

#[test]
fn what_an_option_changes_is_not_matched() {
    let fields = [("udp.dstport", changed(number(27015))), ("udp.payload", changed(payload(b"x")))];
    let plan = plan(&[&[attack("vse", &["ip", "udp"], true, &fields)]]);
    let section = &plan.sections[0];
    assert_eq!(measures(section), ["Rate limit upstream"]);
    assert!(!command(section, "Rate limit upstream", "GoBGP").contains("27015"));
    assert_eq!(section.measures[0].overridden_by, ["destination_port"]);
    assert_eq!(section.packets[0].fields[0].origin, Origin::Default);
}

#[test]
fn what_files_differ_in_is_not_matched() {
    let of = |port| attack("udp", &["ip", "udp"], true, &[("udp.dstport", number(port))]);
    let plan = plan(&[&[of(80)], &[of(80)], &[of(81)]]);
    assert_eq!((plan.reports, plan.configurations), (3, 3));
    let section = &plan.sections[0];
    assert!(!command(section, "Rate limit upstream", "GoBGP").contains("destination-port"));
    let values = &section.packets[0].fields[0].values;
    assert_eq!((values[0].number, values[0].handlers), (Some(80), 2));
    assert_eq!((values[1].number, values[1].handlers), (Some(81), 1));
}

/// Layers, whether the source can be forged, fields, first measure, what is said of the source.
type Case<'a> = (&'a [&'a str], bool, &'a [(&'a str, FieldDescriptor)], &'a str, &'a str);

#[test]
fn measures_follow_from_layers_and_flags_not_from_names() {
    let syn = [("tcp.flags.syn", number(1))];
    let ack = [("tcp.flags.ack", number(1)), ("tcp.flags.syn", number(0))];
    let cases: [Case; 7] = [
        (&["ip", "tcp"], true, &syn, "SYN cookies", "can be anything"),
        (&["ip", "tcp"], true, &ack, "Drop of segments without a connection", "can be anything"),
        (&["ip", "tcp"], false, &syn, "Limit of new connections by source", "is the bot"),
        (&["ip", "tcp", "http"], false, &[], "Challenge or limit of requests", "is the bot"),
        (&["ip", "udp", "dns"], true, &[], "Limits at the resolvers", "can be anything"),
        (&["ip", "gre", "ip", "udp"], true, &[], "No GRE but from tunnel peers", "can be anything"),
        (&["ip", "icmp"], true, &[], "Rate limit upstream", "can be anything"),
    ];
    for (layers, spoofable, fields, measure, source) in cases {
        let plan = plan(&[&[attack("a_name_that_lies", layers, spoofable, fields)]]);
        let section = &plan.sections[0];
        assert_eq!(measures(section)[0], measure, "{layers:?}");
        assert_eq!(section.source.text.contains("is the bot"), source == "is the bot");
    }
}

#[test]
fn ports_behind_a_tunnel_header_are_not_those_of_the_packet() {
    let fields = [("udp.dstport", number(80)), ("udp.payload", payload(b"abc"))];
    let plan = plan(&[&[attack("gre_ip", &["ip", "gre", "ip", "udp"], true, &fields)]]);
    let commands = plan.sections[0].measures.iter().flat_map(|measure| &measure.commands);
    for command in commands {
        assert!(!command.text.contains("80") && !command.text.contains("616263"), "{command:?}");
    }
}

#[test]
fn attacks_without_packets_get_no_plan() {
    let mut unseen = attack("udp", &[], false, &[]);
    unseen.packets.clear();
    let plan = plan(&[&[unseen]]);
    assert!(plan.sections.is_empty());
    assert_eq!(plan.unobserved[0].address, VirtualAddress(0x8000));
    assert!(plan.markdown().contains("vector 4, handler 0x8000 in 00"));
}

#[test]
fn every_measure_and_section_names_what_it_rests_on() {
    let fields = [("udp.payload", payload(b"\xff"))];
    let syn = [("tcp.flags.syn", number(1))];
    let attacks = [
        attack("vse", &["ip", "udp"], true, &fields),
        attack("syn", &["ip", "tcp"], true, &syn),
        attack("ack", &["ip", "tcp"], true, &[]),
        attack("http", &["ip", "tcp", "http"], false, &[]),
        attack("connections", &["ip", "tcp"], false, &[]),
        attack("dns", &["ip", "udp", "dns"], true, &[]),
        attack("gre", &["ip", "gre", "ip", "udp"], true, &[]),
        attack("icmp", &["ip", "icmp"], true, &[]),
        attack("other", &["ip"], true, &[]),
    ];
    let all = plan(&[&attacks]);
    assert_eq!(all.sections.len(), attacks.len());
    let names: std::collections::BTreeSet<&str> = all.sections.iter().flat_map(measures).collect();
    assert_eq!(names.len(), 8, "every measure is among them: {names:?}");
    for section in &all.sections {
        assert!(!section.handlers.is_empty(), "{}", section.kind);
        let said = section.measures.iter().flat_map(|it| [&it.catches, &it.mistakes]);
        for statement in said.chain([&section.source]) {
            assert!(!statement.text.is_empty() && !statement.cites.is_empty(), "{statement:?}");
            assert!(statement.cites.iter().all(|cite| cite.url.starts_with("https://")));
            // What it was read from is among what was found.
            let has = |name: &String| {
                section.packets.iter().any(|it| it.fields.iter().any(|it| it.name == *name))
            };
            assert!(statement.fields.iter().all(has), "{statement:?}");
        }
    }
    let plan = plan(&[&[attack("vse", &["ip", "udp"], true, &fields)]]);
    let html = plan.html();
    assert!(html.contains("<svg viewBox=\"0 0 640 208\""), "{html}");
    assert!(
        html.contains("<title>udp.payload: 1 bytes, always the same, begins with ff (1)</title>")
    );
}

/// Five rows of IP, five of TCP and, with the options, four more; six of DNS behind two of UDP.
#[test]
fn options_and_queries_are_drawn() {
    let ack = ("tcp.flags.ack", number(1));
    let options = [
        ack.clone(),
        ("tcp.options.mss_val", number(1412)),
        ("tcp.options.wscale.shift", number(6)),
        ("tcp.options.timestamp.tsval", FieldValue::From { from: "connection".to_owned() }.into()),
    ];
    let query = [("dns.id", FieldValue::From { from: "connection".to_owned() }.into())];
    let drawn = |layers: &[&str], fields: &[(&str, FieldDescriptor)]| {
        plan(&[&[attack("flood", layers, true, fields)]]).html()
    };
    let html = drawn(&["ip", "tcp"], &options);
    assert!(html.contains("<svg viewBox=\"0 0 640 390\""), "{html}");
    assert!(html.contains("<title>tcp.options.mss_val: 1412 (1)</title>"), "{html}");
    assert!(html.contains("option: timestamps"), "{html}");
    let html = drawn(&["ip", "tcp"], &[ack]);
    assert!(html.contains("<svg viewBox=\"0 0 640 260\"") && !html.contains("option: "), "{html}");
    let html = drawn(&["ip", "udp", "dns"], &query);
    assert!(html.contains("<svg viewBox=\"0 0 640 312\""), "{html}");
    assert!(html.contains("<title>dns.id: "), "{html}");
}

/// Tags and attributes of a document, with the texts left out.
fn skeleton(html: &str) -> Vec<String> {
    html.split('<').skip(1).map(|part| part.split('>').next().unwrap().to_owned()).collect()
}

#[test]
fn what_is_kept_does_not_grow_with_reports() {
    let of = |value: i64| attack("udp", &["ip", "udp"], true, &[("udp.dstport", number(value))]);
    let mut unseen = attack("udp", &[], false, &[]);
    unseen.packets.clear();
    let attacks: Vec<[Attack; 2]> = (0..200).map(|value| [of(value), unseen.clone()]).collect();
    let files: Vec<&[Attack]> = attacks.iter().map(|it| it.as_slice()).collect();
    let plan = plan(&files);
    let section = &plan.sections[0];
    assert_eq!((section.handlers.len(), section.more_handlers), (8, 192));
    assert_eq!((plan.unobserved.len(), plan.more_unobserved), (8, 192));
    assert_eq!(section.tally.configurations, 200);
    let field = &section.packets[0].fields[0];
    assert_eq!((field.values.len(), field.more, field.origin), (64, 136, Origin::Default));
    let text = plan.markdown();
    assert!(text.contains("others (136)") && text.contains("- and 192 more"), "{text}");
}

proptest! {
    #[test]
    fn no_text_of_a_report_becomes_markup_or_part_of_a_command(text in "\\PC{1,12}|[<>&\"'`|*_\\[\\]#\n\r\0\u{202e};$(){}]{1,12}") {
        let with = |text: &str| {
            let field = FieldValue::Constant { constant: Constant::Text(text.to_owned()) };
            let from = FieldValue::From { from: text.to_owned() };
            let mut attack = attack(text, &["ip", "udp", "x"], true, &[("udp.payload", changed(field.into()))]);
            attack.packets[0].layers[2] = text.to_owned();
            attack.packets[0].fields.insert(format!("z{text}"), from.into());
            attack.command = Some(text.to_owned());
            attack.options[0].name = Some(text.to_owned());
            plan(&[&[attack]])
        };
        // A layer called like a protocol would rightly be planned for in another way.
        prop_assume!(!["dns", "gre", "tcp", "http", "icmp", "eth", "ip", "udp"].contains(&text.as_str()));
        let (hostile, harmless) = (with(&text), with("plain"));
        prop_assert_eq!(skeleton(&hostile.html()), skeleton(&harmless.html()));
        let commands = |plan: &Plan| -> Vec<String> {
            let measures = plan.sections.iter().flat_map(|section| section.measures.clone());
            measures.flat_map(|measure| measure.commands).map(|command| command.text).collect()
        };
        prop_assert_eq!(commands(&hostile), commands(&harmless));
        let lines = |text: String| text.lines().map(|line| line.matches('|').count()).collect::<Vec<_>>();
        prop_assert_eq!(lines(hostile.markdown()), lines(harmless.markdown()));
        prop_assert!(hostile.markdown().chars().all(|c| c == '\n' || (' '..='~').contains(&c)));
        prop_assert!(!hostile.markdown().contains('<'));
    }
}
