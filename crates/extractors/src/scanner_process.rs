//! What the scanner really sends, when it runs as a process: whether that is what a bare machine
//! showed, and by what its packets are known.
//!
//! How it works: the program is started under the virtual Linux, with two seeds, and the scanner is
//! called in its new process. Raw sockets record its SYN packets. Each must go to a port that was seen
//! before, and have the destination for its sequence number if all did before. Fields that are the same
//! in all packets of both starts, or come from elsewhere in them, are the fingerprint.
//!
//! False positives: fields of which two starts draw the same. False negatives: scanners that the kernel
//! builds packets for, and those that send nothing until somebody answers.

use crate::attacks::observation::packet::Packet;
use crate::attacks::observation::shape::{self, Source};
use crate::found::Diagnostic;
use crate::probes::{Probes, Syn, syn_of};
use crate::process;
use crate::subject::Subject;
use miyaburi_emulator::Limits;
use miyaburi_image::Address;
use miyaburi_linux::{NetworkAction, NetworkEvent, Process, Side, Transport};
use std::collections::BTreeMap;

/// Instructions of the scanner.
const INSTRUCTIONS: u64 = 1_000_000;

/// Instructions in code that has run before, after which nothing more is sent.
const REPETITION: u64 = 150_000;

/// Starts with other random numbers.
const SEEDS: u32 = 2;

/// Fewest packets that make a fingerprint.
const MIN_PACKETS: usize = 4;

/// What is told apart from the fingerprint.
const OWN_FINDINGS: [&str; 3] = ["ip.dst", "tcp.dstport", "tcp.seq"];

/// Compares `probes` with what the scanner sends as a process; `initialisers` are called first. What
/// agrees is noted in `probes`, with the fingerprint; what does not is told.
pub fn compare(
    subject: &mut Subject<'_>,
    probes: &mut Probes,
    initialisers: &[Address],
) -> Vec<Diagnostic> {
    let runs: Vec<Vec<NetworkEvent>> = (0..SEEDS)
        .filter_map(|seed| {
            let begun = process::begun(subject, seed, initialisers)?;
            Some(packets(subject, begun, probes.scanner))
        })
        .collect();
    let sent: Vec<(Address, Syn)> = runs.iter().flatten().filter_map(syn).collect();
    match sent.iter().find(|(_, packet)| !agrees(probes, packet)) {
        Some((site, packet)) => {
            let Syn { port, .. } = packet;
            let message = format!("a packet to port {port} is none of those that were seen before");
            vec![Diagnostic::doubt("scan", message, Some(*site))]
        }
        None => {
            probes.sent_at = sent.first().map(|(site, _)| *site);
            probes.fingerprint = fingerprint(&runs);
            Vec::new()
        }
    }
}

/// The fields by which packets of both starts are known.
fn fingerprint(runs: &[Vec<NetworkEvent>]) -> BTreeMap<String, Source> {
    let packets: Vec<Vec<Packet>> = runs.iter().map(|events| shape::packets(events)).collect();
    let is_enough = packets.iter().map(Vec::len).sum::<usize>() >= MIN_PACKETS
        && packets.len() > 1
        && packets.iter().all(|run| !run.is_empty());
    match &shape::shapes(&packets)[..] {
        [shape] if is_enough => shape
            .fields
            .iter()
            .filter(|(name, source)| {
                !OWN_FINDINGS.contains(&name.as_str()) && !matches!(source, Source::Random(..))
            })
            .map(|(name, source)| (name.clone(), source.clone()))
            .collect(),
        _ => BTreeMap::new(),
    }
}

/// The SYN packets that the scanner sends.
fn packets<'a>(
    subject: &mut Subject<'a>,
    begun: Process<'a>,
    scanner: Address,
) -> Vec<NetworkEvent> {
    let Process { mut state, mut kernel } = begun;
    kernel.follow_forks(Side::Child);
    kernel.forget_network_events();
    let instructions = subject.budget.grant(INSTRUCTIONS);
    let limits = Limits {
        instructions,
        call_instructions: instructions,
        repetition: REPETITION,
        undo: false,
        ..Limits::default()
    };
    let routine = (scanner, subject.context_of(scanner));
    let outcome = subject.emulator.call(&mut state, routine, &[], &mut kernel, &limits);
    subject.budget.spend(outcome.instructions);
    subject.unmodelled.learn(&kernel);
    kernel.network_events().iter().filter(|event| syn(event).is_some()).cloned().collect()
}

fn syn(event: &NetworkEvent) -> Option<(Address, Syn)> {
    match &event.action {
        NetworkAction::Sent(bytes)
            if matches!(event.transport, Transport::Raw { has_header: true, .. }) =>
        {
            Some((event.site, syn_of(bytes)?))
        }
        _ => None,
    }
}

/// Whether a packet is as those that were seen before.
fn agrees(probes: &Probes, packet: &Syn) -> bool {
    let is_known = probes.ports.iter().any(|port| port.port == packet.port);
    let is_copied = packet.sequence == packet.destination;
    (probes.ports.is_empty() || is_known) && (is_copied || !probes.sequence_is_destination)
}

#[cfg(test)]
mod tests {
    use super::agrees;
    use crate::probes::{Port, Probes, Syn};
    use miyaburi_image::Address;

    #[test]
    fn packets_to_other_ports_or_with_other_numbers_contradict() {
        let probes = Probes {
            ports: vec![Port { port: 23, weight: Some(1) }],
            sequence_is_destination: true,
            site: Address(0x100),
            scanner: Address(0x80),
            sent_at: None,
            exclusions: None,
            fingerprint: Default::default(),
            way: Default::default(),
        };
        let host = [192, 0, 2, 7];
        let packet = Syn { destination: host, port: 23, sequence: host };
        assert!(agrees(&probes, &packet));
        assert!(!agrees(&probes, &Syn { port: 2323, ..packet }));
        assert!(!agrees(&probes, &Syn { sequence: [1, 2, 3, 4], ..packet }));
        let drawn = Probes { ports: Vec::new(), sequence_is_destination: false, ..probes };
        assert!(agrees(&drawn, &Syn { port: 9, sequence: [0; 4], ..packet }));
    }
}
