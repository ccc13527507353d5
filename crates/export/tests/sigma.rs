//! What the Sigma rules look for, and that no text of a report gets into one.
#![allow(clippy::unwrap_used)]

mod support;

use miyaburi_export::{Written, sigma};
use miyaburi_model::EndpointRole;
use proptest::prelude::*;
use support::{Memory, endpoint, list_of, report};

fn write(hosts: &[(&str, Option<u16>)]) -> (Memory, Written) {
    let c2 = |(host, port): &(&str, Option<u16>)| endpoint(host, *port, EndpointRole::C2);
    let mut folder = Memory::default();
    let list = list_of(&[report(1, hosts.iter().map(c2).collect())]);
    let written = sigma::write(&list, &mut folder).unwrap();
    (folder, written)
}

/// The part of the rule for a kind of log between `detection` and `condition`.
fn detection<'a>(folder: &'a Memory, category: &str) -> Vec<&'a str> {
    let text = folder.text(sigma::FILE);
    let Some((_, rest)) = text.split_once(&format!("category: {category}\ndetection:\n")) else {
        return Vec::new();
    };
    let (detection, _) = rest.split_once("    condition: 1 of selection_*\n").unwrap();
    detection.lines().map(str::trim).collect()
}

#[test]
fn every_log_is_searched_for_what_it_can_show() {
    let hosts = [
        ("cnc.bot.example", Some(23)),
        ("192.0.2.1", Some(23)),
        ("2001:db8::1", Some(23)),
        ("192.0.2.2", Some(80)),
        ("198.51.100.1", None),
    ];
    let (folder, written) = write(&hosts);
    assert_eq!(written, Written { entries: 5, left_out: 0 });
    let dns = ["selection_names:", "query:", "- 'cnc.bot.example'"];
    assert_eq!(detection(&folder, "dns"), dns);
    let names = ["selection_names:", "cs-host:", "- 'cnc.bot.example'"];
    let whole = ["selection_addresses:", "dst_ip:", "- '198.51.100.1'"];
    assert_eq!(detection(&folder, "proxy"), [names, whole].concat());
    let at_23 =
        ["selection_port_23:", "dst_port: 23", "dst_ip:", "- '192.0.2.1'", "- '2001:db8::1'"];
    let at_80 = ["selection_port_80:", "dst_port: 80", "dst_ip:", "- '192.0.2.2'"];
    assert_eq!(detection(&folder, "firewall"), [&whole[..], &at_23, &at_80].concat());
}

#[test]
fn a_log_that_can_show_nothing_has_no_rule() {
    let (folder, written) = write(&[("192.0.2.1", Some(23))]);
    assert_eq!(written.entries, 1);
    assert_eq!(folder.text(sigma::FILE).matches("\ntitle: ").count(), 1);
    let (folder, written) = write(&[]);
    assert_eq!(written, Written::default());
    assert_eq!(folder.lines(sigma::FILE, "#").len(), 0);
}

proptest! {
    #[test]
    fn hostile_hosts_add_nothing_but_plain_values(
        hosts in prop::collection::vec("[a-z0-9.:\n\r\0'\"{}\\[\\]*?\\\\#&!|>% \u{e9}-]{0,20}", 1..8),
    ) {
        let c2: Vec<(&str, Option<u16>)> = hosts.iter().map(|host| (host.as_str(), None)).collect();
        let (folder, written) = write(&c2);
        let values: Vec<&str> = ["dns", "firewall"]
            .iter()
            .flat_map(|category| detection(&folder, category))
            .filter_map(|line| line.strip_prefix("- '")?.strip_suffix('\''))
            .collect();
        prop_assert_eq!(values.len(), written.entries);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        prop_assert!(values.iter().all(|value| value.bytes().all(is_plain)), "{:?}", values);
    }
}
