//! What the scanner sends in the terms of the report.

use super::at;
use super::attacks::field_value;
use miyaburi_extractors::exploits;
use miyaburi_extractors::probes::Probes;
use miyaburi_model::{Evidence, Exploit, FieldValue, Probe, Scan};

/// Ports, packet and requests.
pub(super) fn scan_of(exploits: &[exploits::Exploit], probes: Option<&Probes>) -> Option<Scan> {
    let exploits: Vec<Exploit> = exploits
        .iter()
        .map(|exploit| {
            let sent = Evidence::new(at(exploit.site), exploit.function.map(at), "sent from here");
            Exploit {
                port: exploit.port,
                method: Some(exploit.method.clone()),
                path: Some(exploit.path.clone()),
                body_hex: exploit.body.clone().into(),
                loader: Some(exploit.loader.url.clone()),
                evidence: vec![Evidence::new(at(exploit.at), None, "request"), sent],
            }
        })
        .collect();
    let ports = probes.map(|probes| probes.ports.as_slice()).unwrap_or_default();
    let probed = ports.iter().map(|port| Probe { port: port.port, weight: port.weight }).collect();
    let from_destination = probes.is_some_and(|probes| probes.sequence_is_destination);
    let sequence = from_destination.then(|| {
        let from = FieldValue::From { from: "ip.dst".to_owned() };
        ("tcp.seq".to_owned(), from.into())
    });
    let packet = probes.map(|probes| {
        Evidence::new(at(probes.site), Some(at(probes.scanner)), "hands over the packet when run")
    });
    let sent = probes.and_then(|probes| {
        let site = probes.sent_at?;
        Some(Evidence::new(at(site), Some(at(probes.scanner)), "sends such packets as a process"))
    });
    let requests = exploits.iter().flat_map(|exploit| exploit.evidence.first().cloned());
    let exclusions = probes.and_then(|probes| probes.exclusions.as_ref());
    let drawn = probes.zip(exclusions).map(|(probes, spared)| {
        Evidence::new(at(spared.site), Some(at(probes.scanner)), "draws addresses, again if spared")
    });
    let evidence: Vec<Evidence> =
        packet.into_iter().chain(sent).chain(drawn).chain(requests).collect();
    let excluded = exclusions
        .map(|spared| spared.networks.iter().map(|network| network.to_string()).collect());
    let fingerprint = probes.into_iter().flat_map(|probes| &probes.fingerprint);
    let others = fingerprint.map(|(name, source)| (name.clone(), field_value(source).into()));
    let syn = sequence.into_iter().chain(others).collect();
    let scan = Scan { probes: probed, excluded, syn, exploits, evidence };
    (probes.is_some() || !scan.exploits.is_empty()).then_some(scan)
}
