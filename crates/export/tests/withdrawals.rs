//! What earlier exports have in force: what stays, what is withdrawn and why, and how consumers are told.
#![allow(clippy::unwrap_used)]

mod support;

use miyaburi_export::flowspec::{self, Enforcement, Options, Routes};
use miyaburi_export::gate::{Decisions, OwnSpace, Reason, Selection};
use miyaburi_export::indicators::{InForce, Indicator, Indicators, Observed, Sightings};
use miyaburi_export::traffic::Traffic;
use miyaburi_export::{BlockList, Stage, Stamp, nftables, rpz, suricata};
use miyaburi_model::{Confidence, EndpointRole, Report, Verdict};
use support::packets::{from, number, packet, payload, sending};
use support::{Memory, endpoint, gate_with, list, list_of, merged, report, selection, time};

fn c2(digest: u8, host: &str) -> Report {
    report(digest, vec![endpoint(host, Some(23), EndpointRole::C2)])
}

/// A report of a flood, of which there are a route and a rule.
fn sent() -> Report {
    let fields = [
        ("ip.dst", from("target")),
        ("udp.dstport", number(27015)),
        ("udp.payload", payload(b"\xff\xff\xff\xffTSource")),
    ];
    sending(2, "vse", packet(&["ip", "udp"], &fields))
}

fn since() -> InForce {
    InForce { since: time("2026-11-01"), until: time("2026-12-01"), run: 3 }
}

/// What the first report put in force, and what the others say now.
fn after(first: &[Report], reports: &[Report]) -> Indicators {
    let mut indicators = Indicators::default();
    for (indicator, known) in merged(first).into_merged() {
        indicators.carry(indicator, known.sightings, since());
    }
    reports.iter().for_each(|report| indicators.add(report, &Observed::default()));
    indicators
}

fn decide(first: &[Report], reports: &[Report]) -> Decisions {
    gate_with(&[]).decide(after(first, reports), &selection())
}

fn reasons(decisions: &Decisions) -> Vec<(String, Reason)> {
    let each = decisions.withdrawn.iter();
    each.map(|it| (it.indicator.host.to_string(), it.reason.clone())).collect()
}

#[test]
fn what_no_report_names_stays_until_it_expires() {
    let decisions = decide(&[c2(1, "192.0.2.1")], &[c2(2, "192.0.2.2")]);
    let [old, new] = decisions.blocks.as_slice() else { unreachable!("{decisions:?}") };
    assert_eq!((old.in_force, old.expires), (Some(since()), since().until));
    assert_eq!((new.in_force, new.expires), (None, time("2026-12-23")));
    assert!(decisions.withdrawn.is_empty());

    let later = Selection { now: since().until, ..selection() };
    let decisions = gate_with(&[]).decide(after(&[c2(1, "192.0.2.1")], &[]), &later);
    assert!(decisions.blocks.is_empty());
    let expected = [("192.0.2.1".to_owned(), Reason::Expired(since().until))];
    assert_eq!(reasons(&decisions), expected);
    assert_eq!(decisions.withdrawn[0].in_force, since());
}

#[test]
fn what_a_report_names_again_is_renewed_and_counted_anew() {
    let first = [c2(1, "192.0.2.1"), c2(2, "192.0.2.1")];
    let mut weaker = c2(1, "192.0.2.1");
    weaker.endpoints[0].confidence = Confidence::Medium;
    let decisions = decide(&first, &[weaker]);
    let [block] = decisions.blocks.as_slice() else { unreachable!("{decisions:?}") };
    assert_eq!((block.in_force, block.expires), (Some(since()), time("2026-12-23")));
    let Sightings { confidence, reports, sources, .. } = &block.sightings;
    assert_eq!((*confidence, *reports, sources.len()), (Confidence::Medium, 1, 2));
}

#[test]
fn what_does_not_pass_the_gate_any_more_is_withdrawn_with_the_reason() {
    let first =
        [c2(1, "192.0.2.1"), c2(2, "cnc.bot.example"), c2(3, "192.0.2.3"), c2(4, "192.0.2.4")];
    let list = "{\"name\": \"L\", \"type\": \"hostname\", \"list\": [\"bot.example\"]}";
    let gate = gate_with(&[list]).with_revoked(OwnSpace::parse("192.0.2.0/31").unwrap());
    let decoy = report(9, vec![endpoint("192.0.2.3", Some(80), EndpointRole::Decoy)]);
    let decisions = gate.decide(after(&first, &[decoy]), &selection());
    let hosts: Vec<String> =
        decisions.blocks.iter().map(|it| it.indicator.host.to_string()).collect();
    assert_eq!(hosts, ["192.0.2.4"]);
    let expected = [
        ("192.0.2.1".to_owned(), Reason::Revoked("192.0.2.0/31".to_owned())),
        ("192.0.2.3".to_owned(), Reason::Contradicted(EndpointRole::Decoy)),
        ("cnc.bot.example".to_owned(), Reason::Listed("L".into())),
    ];
    assert_eq!(reasons(&decisions), expected);
    // What was revoked is refused as well when a report names it.
    let decisions = gate.decide(merged(&[c2(1, "192.0.2.1")]), &selection());
    assert!(decisions.blocks.is_empty() && decisions.withdrawn.is_empty());
    assert_eq!(decisions.refusals[0].reason.name(), "revoked");
}

#[test]
fn who_was_innocent_in_an_earlier_export_is_not_blocked() {
    let decoy = report(9, vec![endpoint("192.0.2.3", Some(80), EndpointRole::Decoy)]);
    let learned = |indicators| gate_with(&[]).decide(indicators, &selection()).innocent;
    let [(indicator, sightings)] = learned(merged(&[decoy])).try_into().unwrap();
    let knowing = |reports: &[Report]| {
        let mut indicators = Indicators::default();
        indicators.remember(indicator.clone(), sightings.clone());
        reports.iter().for_each(|report| indicators.add(report, &Observed::default()));
        indicators
    };
    let named = [c2(1, "192.0.2.3"), c2(1, "192.0.2.4")];
    let decisions = gate_with(&[]).decide(knowing(&named), &selection());
    let blocked: Vec<String> =
        decisions.blocks.iter().map(|it| it.indicator.host.to_string()).collect();
    assert_eq!(blocked, ["192.0.2.4"]);
    // No report of this export has the decoy: that is no refusal of its own.
    let [refusal] = decisions.refusals.as_slice() else { unreachable!("{decisions:?}") };
    assert_eq!(refusal.reason, Reason::ContradictedBefore(EndpointRole::Decoy));
    assert_eq!(refusal.reason.to_string(), "a decoy in an earlier export");
    assert_eq!(decisions.innocent, [(indicator.clone(), sightings.clone())]);
    // Its file, analysed again to the end, has it no more; one that was not says nothing.
    let again = c2(9, "192.0.2.3");
    let cut = Report { verdict: Verdict::Partial, ..again.clone() };
    assert_eq!(gate_with(&[]).decide(knowing(&[cut]), &selection()).blocks.len(), 0);
    let decisions = gate_with(&[]).decide(knowing(&[again]), &selection());
    assert_eq!((decisions.blocks.len(), decisions.innocent.len()), (1, 0));
}

#[test]
fn what_the_selection_asks_for_no_longer_is_withdrawn() {
    let loader = report(1, vec![endpoint("192.0.2.1", Some(80), EndpointRole::Loader)]);
    let decisions = decide(&[loader], &[]);
    assert!(decisions.blocks.is_empty() && decisions.refusals.is_empty());
    assert_eq!(reasons(&decisions), [("192.0.2.1".to_owned(), Reason::NotSelected)]);
}

#[test]
fn what_all_its_files_no_longer_have_is_withdrawn() {
    let first = [c2(1, "192.0.2.1"), c2(2, "192.0.2.1")];
    let gone = |reports: &[Report]| reasons(&decide(&first, reports));
    let other = |digest| c2(digest, "192.0.2.9");
    let expected = [("192.0.2.1".to_owned(), Reason::Gone)];
    assert_eq!(gone(&[other(1), other(2)]), expected);
    // One of its files was not analysed again, or not to the end.
    assert_eq!(gone(&[other(1)]), []);
    let cut = Report { verdict: Verdict::Partial, ..other(2) };
    assert_eq!(gone(&[other(1), cut]), []);
    // Not all of its files are known.
    let many: Vec<Report> = (1..=20).map(|digest| c2(digest, "192.0.2.1")).collect();
    let again: Vec<Report> = (1..=20).map(other).collect();
    assert!(decide(&many, &again).withdrawn.is_empty());
}

#[test]
fn a_serial_grows_whatever_the_clock_does() {
    let serial = |time: &str, before| Stamp::serial(time.parse().unwrap(), before);
    assert_eq!(serial("1970-01-02", None), 86400);
    assert_eq!(serial("1970-01-02", Some(86399)), 86400);
    assert_eq!(serial("1970-01-02", Some(86400)), 86401);
    assert_eq!(serial("1970-01-02", Some(100_000)), 100_001);
    // Over the end of all numbers, in 2106 (RFC 1982).
    assert_eq!(serial("2106-02-07T06:28:16Z", Some(u32::MAX)), 0);
    assert_eq!(serial("2106-02-07T06:28:15Z", Some(u32::MAX)), 0);
}

/// A list after one that had `first` in force, all of it revoked but what `reports` name.
fn list_after(first: &[Report], reports: &[Report]) -> BlockList {
    let mut decisions = decide(first, reports);
    let is_named = |it: &Indicator| {
        reports.iter().any(|report| {
            report.endpoints.iter().any(|endpoint| endpoint.host == it.host.to_string())
        })
    };
    decisions.withdrawn = decisions
        .blocks
        .extract_if(.., |block| !is_named(&block.indicator))
        .map(|block| miyaburi_export::Withdrawal {
            indicator: block.indicator,
            in_force: since(),
            reason: Reason::Gone,
        })
        .collect();
    let withdrawn = std::mem::take(&mut decisions.withdrawn);
    BlockList { withdrawn: Some(withdrawn), ..list(decisions, Stage::Enforce) }
}

#[test]
fn nftables_takes_out_what_nothing_else_holds() {
    let both = report(
        2,
        vec![
            endpoint("192.0.2.2", Some(23), EndpointRole::C2),
            endpoint("192.0.2.2", Some(24), EndpointRole::C2),
            endpoint("2001:db8::2", None, EndpointRole::C2),
            endpoint("cnc.bot.example", Some(23), EndpointRole::C2),
        ],
    );
    let mut folder = Memory::default();
    let list = list_after(&[both], &[c2(3, "192.0.2.3")]);
    nftables::write(&list, &mut folder).unwrap();
    let expected = [
        "add element inet miyaburi v4_port { 192.0.2.2 . tcp . 23 }",
        "delete element inet miyaburi v4_port { 192.0.2.2 . tcp . 23 }",
        "add element inet miyaburi v4_port { 192.0.2.2 . tcp . 24 }",
        "delete element inet miyaburi v4_port { 192.0.2.2 . tcp . 24 }",
        "add element inet miyaburi v6_whole { 2001:db8::2 }",
        "delete element inet miyaburi v6_whole { 2001:db8::2 }",
    ];
    assert_eq!(folder.lines(nftables::WITHDRAW, "#"), expected);
    assert!(folder.text(nftables::FILE).contains("192.0.2.3 . tcp . 23 timeout"));
    assert!(!folder.text(nftables::FILE).contains("192.0.2.2"));
    // Another role of the same host and port holds its element.
    let mut loader = endpoint("192.0.2.2", Some(23), EndpointRole::DeadDropResolver);
    loader.protocol = None;
    let mut folder = Memory::default();
    let mut list = list_after(&[c2(1, "192.0.2.2")], &[]);
    list.blocks = list_of(&[report(2, vec![loader])]).blocks;
    nftables::write(&list, &mut folder).unwrap();
    assert_eq!(folder.text(nftables::WITHDRAW), "");
}

#[test]
fn routes_that_are_no_longer_announced_are_withdrawn_by_name() {
    let options = |enforcement| Options {
        enforcement,
        victims: vec!["198.51.100.7/32".parse().unwrap()],
        victim_rate: 1_000_000,
        max_rules: 100,
    };
    let routes = |reports: &[Report], stage, enforcement| {
        let mut traffic = Traffic::default();
        reports.iter().for_each(|report| traffic.add(report));
        let list = BlockList { stage, ..list_of(reports) };
        Routes::new(&list, &traffic, &options(enforcement))
    };
    let mut flood = c2(2, "2001:db8::2");
    flood.attacks = sent().attacks;
    let reports = [c2(1, "192.0.2.1"), flood];
    let before = routes(&reports, Stage::Log, Enforcement::Limit);
    let withdrawn = |after: &Routes| {
        let mut folder = Memory::default();
        flowspec::write(&list_of(&[]), after, Some(&before), &mut folder).unwrap();
        let lines = |name| folder.lines(name, "#").into_iter().map(str::to_owned).collect();
        let (gobgp, exabgp): (Vec<String>, Vec<String>) =
            (lines(flowspec::GOBGP_WITHDRAW), lines(flowspec::EXABGP_WITHDRAW));
        assert_eq!(gobgp[0], "set -eu");
        assert_eq!(gobgp.len(), exabgp.len() + 1);
        (gobgp, exabgp)
    };
    // The same routes under other actions replace the old ones.
    let (gobgp, _) = withdrawn(&routes(&reports, Stage::Enforce, Enforcement::Discard));
    assert_eq!(gobgp.len(), 1);
    let (gobgp, exabgp) = withdrawn(&routes(&reports[1..], Stage::Log, Enforcement::Limit));
    assert_eq!(
        gobgp[1..],
        ["gobgp global rib del -a ipv4-flowspec match destination 192.0.2.1/32 protocol '==6' \
          destination-port '==23' then action sample"]
    );
    assert_eq!(
        exabgp,
        ["withdraw flow route { match { destination 192.0.2.1/32; protocol =6; \
          destination-port =23; } then { action sample; } }"]
    );
    let (gobgp, _) = withdrawn(&Routes::default());
    assert_eq!(gobgp.len(), 4);
    // What is read back is what was written.
    let text = serde_json::to_string(&before).unwrap();
    assert_eq!(serde_json::from_str::<Routes>(&text).unwrap(), before);
}

#[test]
fn zones_and_datasets_are_without_it_and_the_serial_is_the_stamps() {
    let list = list_after(&[c2(1, "cnc.bot.example")], &[c2(2, "192.0.2.2")]);
    let mut folder = Memory::default();
    rpz::write(&list, &[], &mut folder).unwrap();
    suricata::write(&list, &Traffic::default(), &mut folder).unwrap();
    assert_eq!(folder.lines(rpz::ZONE, ";")[3..], ["32.2.2.0.192.rpz-ip CNAME ."]);
    assert!(folder.text(rpz::ZONE).contains(" hostmaster.invalid. 7 300 60 "));
    assert_eq!(folder.text(suricata::NAMES), "");
    assert_eq!(folder.text(suricata::ADDRESSES), "192.0.2.2\n");
}

#[test]
fn without_a_ledger_nothing_that_withdraws_is_written() {
    let mut folder = Memory::default();
    nftables::write(&list_of(&[c2(1, "192.0.2.1")]), &mut folder).unwrap();
    flowspec::write(&list_of(&[]), &Routes::default(), None, &mut folder).unwrap();
    assert!(folder.0.keys().all(|name| !name.contains("withdraw")), "{folder:?}");
}

#[test]
fn packets_are_read_back_and_kinds_that_are_no_words_are_not() {
    let mut traffic = Traffic::default();
    traffic.add(&sent());
    let text = serde_json::to_string(&traffic).unwrap();
    assert_eq!(serde_json::from_str::<Traffic>(&text).unwrap(), traffic);
    assert_eq!((traffic.floods().len(), traffic.signatures().len()), (1, 1));
    let hostile = text.replace("\"vse\"", "\"x;) drop\"");
    assert_ne!(hostile, text);
    assert!(serde_json::from_str::<Traffic>(&hostile).is_err());
}
