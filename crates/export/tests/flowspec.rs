//! Which routes are announced, what routers are to do, and that there are never too many.
#![allow(clippy::unwrap_used)]

mod support;

use miyaburi_export::flowspec::{self, Enforcement, Options, Routes};
use miyaburi_export::traffic::Traffic;
use miyaburi_export::{Stage, Written};
use miyaburi_model::{Confidence, EndpointRole, Protocol, Report};
use proptest::prelude::*;
use support::packets::{by_option, from, number, packet, sending};
use support::{Memory, endpoint, gate_with, list, merged, report, selection};

fn options() -> Options {
    Options {
        enforcement: Enforcement::Limit,
        victims: Vec::new(),
        victim_rate: 1_000_000,
        max_rules: 100,
    }
}

fn export(reports: &[Report], stage: Stage, options: &Options) -> (Memory, Written) {
    let mut traffic = Traffic::default();
    reports.iter().for_each(|report| traffic.add(report));
    let decisions = gate_with(&[]).decide(merged(reports), &selection());
    let mut folder = Memory::default();
    let list = list(decisions, stage);
    let routes = Routes::new(&list, &traffic, options);
    let written = flowspec::write(&list, &routes, None, &mut folder).unwrap();
    (folder, written)
}

/// Arguments of the commands for GoBGP.
fn commands(folder: &Memory) -> Vec<&str> {
    let lines = folder.lines(flowspec::GOBGP, "#");
    lines.iter().filter_map(|line| line.strip_prefix("gobgp global rib \"$verb\" ")).collect()
}

fn c2s() -> Vec<Report> {
    let c2 = |host, port| endpoint(host, port, EndpointRole::C2);
    let mut unknown = c2("198.51.100.9", Some(99));
    unknown.protocol = None;
    let hosts = vec![
        c2("192.0.2.1", Some(23)),
        c2("2001:db8::1", Some(80)),
        c2("cnc.bot.example", Some(23)),
        c2("198.51.100.1", None),
        unknown,
    ];
    vec![report(1, hosts)]
}

#[test]
fn a_c2_is_one_address_with_protocol_and_port() {
    let (folder, written) = export(&c2s(), Stage::Enforce, &options());
    let flow = |family: &str, destination: &str, protocol: u8, port: u16| {
        format!(
            "-a {family}-flowspec match destination {destination} protocol '=={protocol}' \
             destination-port '=={port}' then rate-limit 9600"
        )
    };
    let expected = [
        flow("ipv4", "192.0.2.1/32", 6, 23),
        flow("ipv4", "198.51.100.9/32", 6, 99),
        flow("ipv4", "198.51.100.9/32", 17, 99),
        flow("ipv6", "2001:db8::1/128", 6, 80),
    ];
    assert_eq!(commands(&folder), expected);
    assert_eq!(written, Written { entries: 4, left_out: 2 });

    let bird = folder.text(flowspec::BIRD);
    let rate = "{ bgp_ext_community.add((generic, 0x80060000, 0x46160000)); };";
    let route = format!("route flow4 {{ dst 192.0.2.1/32; proto = 6; dport = 23; }} {rate}\n");
    assert!(bird.contains(&route), "{bird}");
    let route =
        format!("route flow6 {{ dst 2001:db8::1/128; next header = 6; dport = 80; }} {rate}\n");
    assert!(bird.contains(&route), "{bird}");
    let exabgp = folder.text(flowspec::EXABGP);
    let route = "route to-192.0.2.1-32-6-23 { match { destination 192.0.2.1/32; protocol =6; \
                 destination-port =23; } then { rate-limit 9600; } }\n";
    assert!(exabgp.contains(route), "{exabgp}");
}

#[test]
fn nothing_is_discarded_unless_asked_for() {
    let actions = |stage, enforcement| {
        let options = Options { enforcement, ..options() };
        let (folder, _) = export(&c2s(), stage, &options);
        let action = |command: &&str| Some(command.split_once(" then ")?.1.to_owned());
        let mut actions: Vec<_> = commands(&folder).iter().filter_map(action).collect();
        actions.dedup();
        actions
    };
    for enforcement in [Enforcement::Limit, Enforcement::Discard, Enforcement::Blackhole] {
        assert_eq!(actions(Stage::Report, enforcement), ["accept"]);
        assert_eq!(actions(Stage::Log, enforcement), ["action sample"]);
    }
    assert_eq!(actions(Stage::Enforce, Enforcement::Limit), ["rate-limit 9600"]);
    assert_eq!(actions(Stage::Enforce, Enforcement::Discard), ["discard"]);
}

#[test]
fn a_blackhole_is_a_route_to_the_whole_address() {
    let options = Options { enforcement: Enforcement::Blackhole, ..options() };
    let (folder, written) = export(&c2s(), Stage::Enforce, &options);
    let communities = "community 65535:666,65535:65281";
    let expected = [
        format!("-a ipv4 192.0.2.1/32 nexthop 192.0.2.1 {communities}"),
        format!("-a ipv4 198.51.100.1/32 nexthop 192.0.2.1 {communities}"),
        format!("-a ipv4 198.51.100.9/32 nexthop 192.0.2.1 {communities}"),
        format!("-a ipv6 2001:db8::1/128 nexthop 100::1 {communities}"),
    ];
    assert_eq!(commands(&folder), expected);
    assert_eq!(written, Written { entries: 4, left_out: 1 });
}

fn floods() -> Vec<Report> {
    let udp = [("ip.dst", from("target")), ("udp.dstport", by_option(number(27015)))];
    let mut connection = packet(&["ip", "tcp"], &[("ip.dst", from("target"))]);
    connection.spoofable = false;
    let tunnel = [("ip.dst", from("target")), ("udp.dstport", number(80))];
    vec![
        sending(1, "vse", packet(&["ip", "udp"], &udp)),
        sending(2, "udp", packet(&["ip", "udp"], &udp)),
        sending(3, "http", connection),
        sending(4, "dns_query", packet(&["ip", "udp", "dns"], &[("ip.dst", from("resolver"))])),
        sending(5, "gre_ip", packet(&["ip", "gre", "ip", "udp"], &tunnel)),
        sending(
            6,
            "syn",
            packet(&["ip", "tcp"], &[("ip.dst", from("target")), ("tcp.dstport", number(80))]),
        ),
    ]
}

#[test]
fn attacks_are_limited_for_victims_alone() {
    let (folder, written) = export(&floods(), Stage::Enforce, &options());
    assert_eq!(commands(&folder), Vec::<&str>::new());
    assert_eq!(written, Written { entries: 0, left_out: 3 });

    let victims = vec!["203.0.113.7/32".parse().unwrap(), "2001:db8::7/128".parse().unwrap()];
    let (folder, written) = export(&floods(), Stage::Enforce, &Options { victims, ..options() });
    let rule = |matches: &str| {
        format!(
            "-a ipv4-flowspec match destination 203.0.113.7/32 {matches} then rate-limit 1000000"
        )
    };
    let expected = [
        rule("protocol '==6' destination-port '==80'"),
        rule("protocol '==17'"),
        rule("protocol '==47'"),
    ];
    assert_eq!(commands(&folder), expected);
    assert_eq!(written, Written { entries: 3, left_out: 0 });
}

#[test]
fn the_surest_stay_when_there_are_too_many() {
    let mut hosts: Vec<_> = (0..=255u8)
        .map(|last| endpoint(&format!("192.0.2.{last}"), Some(23), EndpointRole::C2))
        .collect();
    for host in hosts.iter_mut().take(250) {
        host.confidence = Confidence::Medium;
    }
    let reports = [report(1, hosts)];
    let few = Options { max_rules: 6, ..options() };
    let (folder, written) = export(&reports, Stage::Enforce, &few);
    let commands = commands(&folder);
    assert_eq!(written, Written { entries: 6, left_out: 250 });
    let is_sure =
        |command: &&&str| (250..=255).any(|it| command.contains(&format!(" 192.0.2.{it}/")));
    assert_eq!(commands.iter().filter(is_sure).count(), 6);

    let mut many = report(1, Vec::new());
    for number in 0..1200u16 {
        let host = format!("198.51.{}.{}", number >> 8, number & 255);
        many.endpoints.push(endpoint(&host, Some(23), EndpointRole::C2));
    }
    let unlimited = Options { max_rules: usize::MAX, ..options() };
    let (_, written) = export(&[many], Stage::Enforce, &unlimited);
    assert_eq!(written, Written { entries: flowspec::MAX_RULES, left_out: 200 });
}

proptest! {
    #[test]
    fn hostile_hosts_add_no_text(
        hosts in prop::collection::vec(any::<String>(), 1..8),
        kind in any::<String>(),
        port in any::<u16>(),
    ) {
        let c2 = |host: &String| {
            let mut c2 = endpoint(host, Some(port), EndpointRole::C2);
            c2.protocol = Some(Protocol::Udp);
            c2
        };
        let mut reports = floods();
        reports.push(report(9, hosts.iter().map(c2).collect()));
        reports[0].attacks[0].kind = Some(kind);
        let victims = vec!["203.0.113.7/32".parse().unwrap()];
        let (folder, written) = export(&reports, Stage::Enforce, &Options { victims, ..options() });
        let commands = commands(&folder);
        prop_assert_eq!(commands.len(), written.entries);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -.:/='".contains(&byte);
        prop_assert!(commands.iter().all(|it| it.bytes().all(is_plain)), "{:?}", commands);
        for name in [flowspec::BIRD, flowspec::EXABGP] {
            let text = folder.text(name);
            prop_assert_eq!(text.matches("dst ").count() + text.matches("destination ").count(), written.entries);
            prop_assert_eq!(text.matches('{').count(), text.matches('}').count());
        }
    }
}
