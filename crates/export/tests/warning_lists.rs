//! Warning lists of every type in the format of MISP, and what selection makes of what they leave.
#![allow(clippy::unwrap_used)]

mod support;

use miyaburi_export::gate::{Gate, OwnSpace, Reason, Selection, WarningList, built_in};
use miyaburi_model::{Confidence, EndpointRole};
use support::{endpoint, gate, merged, report, selection, time};

/// A list as they are published: with members that say nothing of matching, too.
fn list(kind: &str, attributes: &str, entries: &[&str]) -> WarningList {
    let entries: Vec<String> = entries.iter().map(|entry| format!("{entry:?}")).collect();
    let json = format!(
        "{{\"name\": \"Own {kind}\", \"description\": \"Samples\", \"version\": 20261123, \
          \"type\": \"{kind}\", \"matching_attributes\": [{attributes}], \"list\": [{}]}}",
        entries.join(", ")
    );
    WarningList::parse(&json).unwrap()
}

const HOSTS: &str = "\"hostname\", \"domain\", \"domain|ip\", \"ip-dst\", \"ip-dst|port\"";

/// Those of the hosts that a gate with this list alone refuses, for its name.
fn refused(list: &WarningList, hosts: &[&str]) -> Vec<String> {
    let gate = Gate::new(std::slice::from_ref(list), OwnSpace::default()).unwrap();
    let endpoints = hosts.iter().map(|host| endpoint(host, Some(23), EndpointRole::C2));
    let decisions = gate.decide(merged(&[report(1, endpoints.collect())]), &selection());
    assert_eq!(decisions.blocks.len() + decisions.refusals.len(), hosts.len());
    let expected = Reason::Listed(list.name.as_str().into());
    assert!(decisions.refusals.iter().all(|refusal| refusal.reason == expected));
    let mut refused: Vec<String> = decisions.refusals.into_iter().map(|it| it.host).collect();
    refused.sort_by_key(|host| hosts.iter().position(|it| it == host));
    refused
}

#[test]
fn a_string_is_the_whole_host() {
    let list = list("string", HOSTS, &["WWW.Bot.example", "192.0.2.1", "2001:DB8:0::1"]);
    let hosts = [
        "www.bot.example",
        "a.www.bot.example",
        "bot.example",
        "192.0.2.1",
        "192.0.2.10",
        "2001:db8::1",
        "2001:db8::2",
    ];
    assert_eq!(refused(&list, &hosts), ["www.bot.example", "192.0.2.1", "2001:db8::1"]);
}

#[test]
fn a_hostname_covers_what_is_below_it() {
    let list = list("hostname", HOSTS, &["bot.example", ".Dotted.example"]);
    let hosts =
        ["bot.example", "a.b.bot.example", "robot.example", "dotted.example", "x.dotted.example"];
    let expected = ["bot.example", "a.b.bot.example", "dotted.example", "x.dotted.example"];
    assert_eq!(refused(&list, &hosts), expected);
}

#[test]
fn a_substring_is_any_part_of_names_and_addresses() {
    let list = list("substring", HOSTS, &["sandBOX", "192.0.2.13"]);
    let hosts = ["a.sandboxes.example", "sand.box.example", "192.0.2.134", "192.0.2.1"];
    assert_eq!(refused(&list, &hosts), ["a.sandboxes.example", "192.0.2.134"]);
}

#[test]
fn a_cidr_covers_addresses_and_a_bare_address_is_itself() {
    let list = list("cidr", HOSTS, &["192.0.2.128/25", "198.51.100.1", "2001:db8:1::/48"]);
    let hosts = [
        "192.0.2.127",
        "192.0.2.128",
        "198.51.100.1",
        "198.51.100.2",
        "2001:db8:1::9",
        "2001:db8:2::9",
        "a.example",
    ];
    assert_eq!(refused(&list, &hosts), ["192.0.2.128", "198.51.100.1", "2001:db8:1::9"]);
}

#[test]
fn a_regular_expression_is_that_of_pcre_in_slashes() {
    let entries = ["/^CDN[0-9]+\\.example\\.net$/i", "/(^|\\.)mirror\\./", "^192\\.0\\.2\\.[0-9]$"];
    let list = list("regex", HOSTS, &entries);
    assert_eq!(list.unsupported().count(), 0);
    let hosts = [
        "cdn12.example.net",
        "a.cdn12.example.net",
        "eu.mirror.example",
        "mirrors.example",
        "192.0.2.7",
        "192.0.2.77",
    ];
    assert_eq!(refused(&list, &hosts), ["cdn12.example.net", "eu.mirror.example", "192.0.2.7"]);
}

#[test]
fn an_expression_that_may_take_forever_is_told_and_the_others_hold() {
    let list = list("regex", HOSTS, &["/(?<=x)bot/", "/(a)\\1/", "/[/", "/bot/e", "/^bot\\./"]);
    let unsupported: Vec<&str> = list.unsupported().collect();
    assert_eq!(unsupported, ["/(?<=x)bot/", "/(a)\\1/", "/[/", "/bot/e"]);
    assert_eq!(refused(&list, &["bot.example", "xbot.aa.example"]), ["bot.example"]);
}

#[test]
fn a_list_about_something_else_matches_no_host() {
    for attributes in ["\"phone-number\"", "\"md5\", \"filename|md5\"", "\"email-src\""] {
        let list = list("regex", attributes, &["/./", "/(?=x)/"]);
        assert!(refused(&list, &["192.0.2.1", "bot.example"]).is_empty(), "{attributes}");
        assert_eq!(list.unsupported().count(), 0);
    }
    assert_eq!(refused(&list("regex", "", &["/./"]), &["192.0.2.1"]), ["192.0.2.1"]);
}

#[test]
fn shared_hosting_and_dynamic_dns_inform_and_do_not_deny() {
    let lists = built_in().unwrap();
    for name in ["Dynamic DNS providers", "Shared hosting and tunnels"] {
        let list = lists.iter().find(|list| list.name == name).unwrap();
        // Every entry of such a list passes and carries its name.
        for entry in list.entries() {
            let host = format!("bot.{}", entry.trim_start_matches('.'));
            let found = endpoint(&host, Some(23), EndpointRole::C2);
            let decisions = gate().decide(merged(&[report(1, vec![found])]), &selection());
            assert!(decisions.refusals.is_empty(), "{host}: {decisions:?}");
            assert_eq!(decisions.blocks[0].note.as_deref(), Some(name), "{host}");
        }
    }
}

/// Hosts that a selection leaves of some that differ in what it looks at.
fn selected(selection: &Selection) -> Vec<String> {
    let with = |host: &str, role, confidence| {
        let mut endpoint = endpoint(host, Some(23), role);
        endpoint.confidence = confidence;
        endpoint
    };
    use Confidence::{High, Low, Medium};
    let endpoints = vec![
        with("192.0.2.1", EndpointRole::C2, High),
        with("192.0.2.2", EndpointRole::C2, Medium),
        with("192.0.2.3", EndpointRole::C2, Low),
        with("192.0.2.4", EndpointRole::Loader, High),
        with("192.0.2.5", EndpointRole::ScanReceiver, High),
        with("192.0.2.6", EndpointRole::DeadDropResolver, High),
    ];
    let decisions = support::gate_with(&[]).decide(merged(&[report(1, endpoints)]), selection);
    decisions.blocks.iter().map(|block| block.indicator.host.to_string()).collect()
}

#[test]
fn confidence_and_roles_select() {
    use EndpointRole::{C2, DeadDropResolver, Loader, ScanReceiver};
    let all = vec![C2, DeadDropResolver, Loader, ScanReceiver];
    let of = |min_confidence, roles: &[EndpointRole]| {
        selected(&Selection { min_confidence, roles: roles.to_vec(), ..selection() })
            .iter()
            .map(|host| host.rsplit('.').next().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(of(Confidence::Low, &all), "1 2 3 4 5 6");
    assert_eq!(of(Confidence::Medium, &all), "1 2 4 5 6");
    assert_eq!(of(Confidence::High, &all), "1 4 5 6");
    assert_eq!(of(Confidence::Low, &[C2]), "1 2 3");
    assert_eq!(of(Confidence::High, &[Loader, ScanReceiver]), "4 5");
    assert_eq!(of(Confidence::High, &[]), "");
}

#[test]
fn the_time_to_live_decides_when_an_entry_ends() {
    let ttl = |days: u64| {
        let selection =
            Selection { ttl: std::time::Duration::from_secs(days * support::DAY), ..selection() };
        let found = endpoint("192.0.2.1", Some(23), EndpointRole::C2);
        let decisions =
            support::gate_with(&[]).decide(merged(&[report(1, vec![found])]), &selection);
        decisions.blocks[0].expires
    };
    assert_eq!((ttl(1), ttl(7)), (time("2026-11-24"), time("2026-11-30")));
}
