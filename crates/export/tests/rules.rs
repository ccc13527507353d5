//! What rules would hit, and that they differ as their consumers do.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use miyaburi_export::flowspec::{Enforcement, Options, Routes};
use miyaburi_export::rules::{Contact, Rules};
use miyaburi_export::traffic::Traffic;
use miyaburi_export::{nftables, rpz, sigma, suricata};
use miyaburi_model::{EndpointRole, Protocol, Report};
use support::{endpoint, list_of, report};

fn reports() -> Vec<Report> {
    let c2 = |host, port| endpoint(host, port, EndpointRole::C2);
    let hosts =
        [c2("cnc.bot.example", Some(23)), c2("192.0.2.1", Some(2323)), c2("2001:db8::1", None)];
    vec![report(1, hosts.to_vec())]
}

/// Rules of every format that acts on logs, with one own address under attack.
fn rules(enforcement: Enforcement) -> (Rules, Vec<usize>) {
    let list = list_of(&reports());
    let victims = vec!["198.51.100.0/28".parse().unwrap()];
    let options = Options { enforcement, victims, victim_rate: 1, max_rules: 100 };
    let mut traffic = Traffic::default();
    let fields = [("ip.dst", support::packets::from("target"))];
    let flood = support::packets::packet(&["ip", "udp"], &fields);
    traffic.add(&support::packets::sending(2, "udp", flood));
    let all = [
        ("rpz", rpz::conditions(&list)),
        ("nftables", nftables::conditions(&list)),
        ("suricata", suricata::conditions(&list, &Traffic::default())),
        ("sigma", sigma::conditions(&list)),
        ("flowspec", Routes::new(&list, &traffic, &options).conditions()),
    ];
    let mut rules = Rules::default();
    let untold = all.iter().map(|(_, conditions)| conditions.untold).collect();
    all.into_iter().for_each(|(format, conditions)| rules.add(format, conditions.told));
    (rules, untold)
}

fn hit(contact: &Contact) -> BTreeSet<String> {
    let (rules, _) = rules(Enforcement::Limit);
    rules.hit(contact).map(|rule| format!("{}: {}", rule.format, rule.condition)).collect()
}

fn to(address: &str, port: u16) -> Contact {
    Contact {
        client: Some("198.51.100.99".parse().unwrap()),
        server: Some(address.parse().unwrap()),
        port: Some(port),
        protocol: Some(Protocol::Tcp),
        ..Contact::default()
    }
}

fn set(rules: &[&str]) -> BTreeSet<String> {
    rules.iter().map(|rule| (*rule).to_owned()).collect()
}

#[test]
fn a_name_is_hit_by_a_query_for_itself_alone() {
    let query = |name: &str| Contact { query: Some(name.parse().unwrap()), ..Contact::default() };
    let expected =
        ["rpz", "sigma", "suricata"].map(|it| format!("{it}: query for cnc.bot.example"));
    assert_eq!(hit(&query("CNC.bot.example.")), BTreeSet::from(expected));
    for name in ["a.cnc.bot.example", "bot.example", "notcnc.bot.example"] {
        assert_eq!(hit(&query(name)), set(&[]), "{name}");
    }
    let request = Some("cnc.bot.example".parse().unwrap());
    let expected = set(&["sigma: request to cnc.bot.example"]);
    assert_eq!(hit(&Contact { request, ..Contact::default() }), expected);
}

#[test]
fn an_address_is_hit_at_its_port_by_some_and_at_any_by_others() {
    let expected = [
        "flowspec: to 192.0.2.1 tcp port 2323",
        "nftables: to 192.0.2.1 tcp port 2323",
        "sigma: to 192.0.2.1 port 2323",
        "suricata: packet to 192.0.2.1",
    ];
    assert_eq!(hit(&to("192.0.2.1", 2323)), set(&expected));
    assert_eq!(hit(&to("192.0.2.1", 80)), set(&["suricata: packet to 192.0.2.1"]));
    assert_eq!(hit(&to("192.0.2.2", 2323)), set(&[]));
    let whole = hit(&to("2001:db8::1", 9));
    let expected =
        ["nftables: to 2001:db8::1", "sigma: to 2001:db8::1", "suricata: packet to 2001:db8::1"];
    assert_eq!(whole, set(&expected));
    // Another transport is another flow, an unknown port may be the one.
    let other = Contact { protocol: Some(Protocol::Udp), ..to("192.0.2.1", 2323) };
    let expected = ["sigma: to 192.0.2.1 port 2323", "suricata: packet to 192.0.2.1"];
    assert_eq!(hit(&other), set(&expected));
    let unknown = Contact { port: None, protocol: None, ..to("192.0.2.1", 0) };
    assert_eq!(hit(&unknown).len(), 4);
}

#[test]
fn answers_to_an_address_are_packets_to_it_but_no_flows() {
    let contact = Contact {
        client: Some("192.0.2.1".parse().unwrap()),
        server: Some("203.0.113.9".parse().unwrap()),
        ..Contact::default()
    };
    assert_eq!(hit(&contact), set(&["suricata: packet to 192.0.2.1"]));
    let (blackhole, _) = rules(Enforcement::Blackhole);
    let formats: Vec<&str> = blackhole.hit(&contact).map(|rule| rule.format).collect();
    assert_eq!(formats, ["suricata", "flowspec"]);
}

#[test]
fn what_protects_a_victim_hits_its_other_traffic() {
    let udp = Contact { protocol: Some(Protocol::Udp), ..to("198.51.100.7", 53) };
    assert_eq!(hit(&udp), set(&["flowspec: to 198.51.100.0/28 udp"]));
    assert_eq!(hit(&to("198.51.100.7", 53)), set(&[]));
    assert_eq!(hit(&Contact { server: Some("198.51.100.17".parse().unwrap()), ..udp }), set(&[]));
}

#[test]
fn what_no_log_says_is_counted() {
    let (rules, untold) = rules(Enforcement::Limit);
    // Two addresses that answers may hold; signatures there are none.
    assert_eq!(untold, [2, 0, 0, 0, 0]);
    assert_eq!(rules.len(), 1 + 2 + 3 + 4 + 2);
    assert!(!rules.is_empty() && Rules::default().is_empty());
}
