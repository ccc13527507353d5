//! What is refused, why, and what passes.
#![allow(clippy::unwrap_used)]

mod support;

use miyaburi_export::gate::{Decisions, Gate, OwnSpace, Reason, Selection};
use miyaburi_export::indicators::{HostError, Indicators, Observed};
use miyaburi_model::{Confidence, EndpointRole, ExternalSource, SourceKind};
use support::{endpoint, gate, gate_with, merged, report, selection, time};

fn decide(gate: &Gate, host: &str, role: EndpointRole) -> Decisions {
    gate.decide(merged(&[report(1, vec![endpoint(host, Some(23), role)])]), &selection())
}

fn refusal(host: &str) -> Option<Reason> {
    decide(&gate(), host, EndpointRole::C2).refusals.pop().map(|refusal| refusal.reason)
}

fn listed(name: &str) -> Option<Reason> {
    Some(Reason::Listed(name.into()))
}

#[test]
fn built_in_lists_refuse_what_must_not_be_blocked() {
    for host in ["10.1.2.3", "127.0.0.1", "192.0.2.1", "203.0.113.9", "224.0.0.1", "0.0.0.0"] {
        assert_eq!(refusal(host), listed("Special-purpose addresses"), "{host}");
    }
    for host in ["::1", "2001:db8::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1"] {
        assert_eq!(refusal(host), listed("Special-purpose addresses"), "{host}");
    }
    for host in ["a.example.com", "cnc.test", "x.onion", "a.b.invalid"] {
        assert_eq!(refusal(host), listed("Reserved names"), "{host}");
    }
    assert_eq!(refusal("8.8.8.8"), listed("Public resolvers, addresses"));
    assert_eq!(refusal("223.5.5.5"), listed("Public resolvers, addresses"));
    for host in ["198.41.0.4", "192.5.5.241", "2001:500:2f::f"] {
        assert_eq!(refusal(host), listed("Root servers, addresses"), "{host}");
    }
    for host in ["149.154.167.220", "2001:67c:4e8:f004::9"] {
        assert_eq!(refusal(host), listed("Message services, addresses"), "{host}");
    }
    assert_eq!(refusal("dns.google"), listed("Public resolvers, names"));
    assert_eq!(refusal("104.16.1.1"), listed("Addresses shared by many sites"));
    assert_eq!(refusal("raw.githubusercontent.com"), listed("Well-known sites"));
}

#[test]
fn names_below_which_others_have_theirs_are_refused() {
    for host in ["co.uk", "blogspot.com", "blob.core.windows.net", "duckdns.org", "k12.ca.us"] {
        let reason = decide(&gate_with(&[]), host, EndpointRole::C2).refusals.pop();
        assert_eq!(reason.map(|it| it.reason), Some(Reason::PublicSuffix), "{host}");
    }
    for host in ["bot.co.uk", "bot.blogspot.com", "a.blob.core.windows.net", "bot.duckdns.org"] {
        assert_eq!(decide(&gate_with(&[]), host, EndpointRole::C2).blocks.len(), 1, "{host}");
    }
}

#[test]
fn what_no_list_has_passes_and_dynamic_dns_is_told() {
    let lists = ["{\"name\": \"Dynamic\", \"category\": \"known identifier\", \
                   \"type\": \"hostname\", \"list\": [\"dyn.example\"]}"];
    let gate = gate_with(&lists);
    let passed = |host: &str| decide(&gate, host, EndpointRole::C2).blocks.pop().unwrap();
    assert_eq!(passed("bot.dyn.example").note.as_deref(), Some("Dynamic"));
    assert_eq!(passed("bot.example").note, None);
    assert_eq!(passed("192.0.2.1").indicator.port, Some(23));
}

#[test]
fn roles_that_are_no_hosts_of_attackers_are_refused() {
    use EndpointRole::{Decoy, Peer, Resolver, SingleInstance, Unknown};
    for role in [Decoy, Peer, Resolver, SingleInstance, Unknown] {
        let decisions = decide(&gate_with(&[]), "192.0.2.1", role);
        assert_eq!(decisions.refusals[0].reason, Reason::Role(role));
        assert!(decisions.blocks.is_empty());
    }
    let other = decide(&gate_with(&[]), "192.0.2.1", EndpointRole::Loader);
    assert_eq!((other.blocks.len(), other.refusals.len(), other.not_selected), (0, 0, 1));
}

#[test]
fn a_host_that_another_file_has_as_decoy_or_resolver_is_not_blocked() {
    use EndpointRole::{C2, Decoy, Peer, Resolver, SingleInstance};
    let with = |other: &str, role: EndpointRole| {
        let c2 = report(1, vec![endpoint("192.0.2.1", Some(23), C2)]);
        let other = report(2, vec![endpoint(other, Some(80), role)]);
        gate_with(&[]).decide(merged(&[c2, other]), &selection())
    };
    for role in [Decoy, Resolver] {
        let decisions = with("192.0.2.1", role);
        assert!(decisions.blocks.is_empty());
        let reasons: Vec<_> = decisions.refusals.iter().map(|it| it.reason.clone()).collect();
        assert!(reasons.contains(&Reason::Contradicted(role)), "{reasons:?}");
        // Another host says nothing of it.
        assert_eq!(with("192.0.2.2", role).blocks.len(), 1);
    }
    for role in [Peer, SingleInstance] {
        assert_eq!(with("192.0.2.1", role).blocks.len(), 1);
    }
}

#[test]
fn low_confidence_own_space_and_expired_are_refused() {
    let mut weak = endpoint("192.0.2.1", Some(23), EndpointRole::C2);
    weak.confidence = Confidence::Low;
    let reports = [report(1, vec![weak])];
    let decisions = gate_with(&[]).decide(merged(&reports), &selection());
    assert_eq!(decisions.refusals[0].reason, Reason::Confidence(Confidence::Low));
    let sure = Selection { min_confidence: Confidence::Low, ..selection() };
    assert_eq!(gate_with(&[]).decide(merged(&reports), &sure).blocks.len(), 1);

    let own = Gate::new(&[], OwnSpace::parse("192.0.2.0/28").unwrap()).unwrap();
    let decisions = decide(&own, "192.0.2.15", EndpointRole::C2);
    assert_eq!(decisions.refusals[0].reason, Reason::Own("192.0.2.0/28".to_owned()));
    assert_eq!(decide(&own, "192.0.2.16", EndpointRole::C2).blocks.len(), 1);
}

fn seen(last: &str) -> Indicators {
    let sha256 = "01".repeat(32);
    let text = format!("sha256,first_seen,last_seen\n{sha256},2020-01-01T00:00:00Z,{last}\n");
    let mut indicators = Indicators::default();
    let found = endpoint("192.0.2.1", Some(23), EndpointRole::C2);
    indicators.add(&report(1, vec![found]), &Observed::read(text.as_bytes()).unwrap());
    indicators
}

#[test]
fn entries_expire_after_their_files_were_last_seen() {
    let gate = gate_with(&[]);
    let block = gate.decide(seen("2026-11-20T00:00:00Z"), &selection()).blocks.pop().unwrap();
    assert_eq!(block.expires, time("2026-12-20T00:00:00Z"));
    let decisions = gate.decide(seen("2026-10-24T00:00:00Z"), &selection());
    assert_eq!(decisions.refusals[0].reason, Reason::Expired(time("2026-11-23T00:00:00Z")));
    // Without a time, it counts from the export.
    let decisions = decide(&gate, "192.0.2.1", EndpointRole::C2);
    assert_eq!(decisions.blocks[0].expires, time("2026-12-23T00:00:00Z"));
}

#[test]
fn since_selects_what_was_seen() {
    let since = |time| Selection { since: Some(time), ..selection() };
    let gate = gate_with(&[]);
    let last = "2026-11-20T00:00:00Z";
    assert_eq!(gate.decide(seen(last), &since(time(last))).blocks.len(), 1);
    let later = since(time("2026-11-20T00:00:01Z"));
    assert_eq!(gate.decide(seen(last), &later).not_selected, 1);
    let unknown = merged(&[report(1, vec![endpoint("192.0.2.1", None, EndpointRole::C2)])]);
    assert_eq!(gate.decide(unknown, &since(time(last))).not_selected, 1);
}

#[test]
fn what_is_no_host_is_refused_as_it_stands() {
    let decisions = decide(&gate_with(&[]), "a;drop\n", EndpointRole::C2);
    assert_eq!(decisions.refusals[0].host, "a;drop\n");
    assert_eq!(decisions.refusals[0].reason, Reason::NotAHost(HostError::Character));
}

#[test]
fn reports_of_one_indicator_are_merged() {
    let mut weak = endpoint("CNC.bot.example.", Some(23), EndpointRole::C2);
    weak.confidence = Confidence::Medium;
    let strong = endpoint("cnc.bot.example", Some(23), EndpointRole::C2);
    let other_port = endpoint("cnc.bot.example", Some(24), EndpointRole::C2);
    let reports: Vec<_> = (1..=20)
        .map(|digest| report(digest, vec![weak.clone()]))
        .chain([report(0, vec![strong.clone(), strong, other_port])])
        .collect();
    let blocks = gate_with(&[]).decide(merged(&reports), &selection()).blocks;
    assert_eq!(blocks.len(), 2);
    let sightings = &blocks[0].sightings;
    assert_eq!((sightings.confidence, sightings.reports), (Confidence::High, 21));
    let digests: Vec<u8> = sightings.sources.iter().map(|source| source.sha256[0]).collect();
    assert_eq!(digests, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(sightings.sources[0].address, Some(0x8048.into()));
    let reversed: Vec<_> = reports.into_iter().rev().collect();
    assert_eq!(gate_with(&[]).decide(merged(&reversed), &selection()).blocks, blocks);
}

#[test]
fn names_that_are_asked_for_in_dns_are_dead_drops_and_others_none() {
    let mut report = report(1, Vec::new());
    for (source, name) in [
        (SourceKind::DnsTxt, "x.bot.example"),
        (SourceKind::Ens, "bot.eth"),
        (SourceKind::Argv, ""),
    ] {
        let name = Some(name.to_owned());
        let (record, transform, evidence) = (None, None, Vec::new());
        report.external.push(ExternalSource { source, name, record, transform, evidence });
    }
    let decisions = gate_with(&[]).decide(merged(&[report]), &selection());
    assert!(decisions.refusals.is_empty());
    let [block] = decisions.blocks.as_slice() else { unreachable!("{decisions:?}") };
    assert_eq!(block.indicator.host.to_string(), "x.bot.example");
    assert_eq!(block.indicator.role, EndpointRole::DeadDropResolver);
}
