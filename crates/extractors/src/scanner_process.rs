//! What the scanner really sends, when it runs as a process: whether that is what a bare machine showed.
//!
//! How it works: the program is started under the virtual Linux, and the scanner is called in its new
//! process. Raw sockets record its SYN packets. Each must go to a port that was seen before, and have
//! the destination for its sequence number if all did before.
//!
//! False positives: none by itself, as it only compares. False negatives: scanners that the kernel
//! builds packets for, and those that send nothing until somebody answers.

use crate::found::Diagnostic;
use crate::probes::{Probes, Syn, syn_of};
use crate::process;
use crate::subject::Subject;
use miyaburi_emulator::Limits;
use miyaburi_image::Address;
use miyaburi_linux::{NetworkAction, NetworkEvent, Process, Side, Transport};

/// Instructions of the scanner.
const INSTRUCTIONS: u64 = 1_000_000;

/// Instructions in code that has run before, after which nothing more is sent.
const REPETITION: u64 = 150_000;

/// Compares `probes` with what the scanner sends as a process; `initialisers` are called first. What
/// agrees is noted in `probes`, what does not is told.
pub fn compare(
    subject: &mut Subject<'_>,
    probes: &mut Probes,
    initialisers: &[Address],
) -> Vec<Diagnostic> {
    let Some(begun) = process::begun(subject, 0, initialisers) else { return Vec::new() };
    let sent = packets(subject, begun, probes.scanner);
    match sent.iter().find(|(_, packet)| !agrees(probes, packet)) {
        Some((site, packet)) => {
            let Syn { port, .. } = packet;
            let message = format!("a packet to port {port} is none of those that were seen before");
            vec![Diagnostic::doubt("scan", message, Some(*site))]
        }
        None => {
            probes.sent_at = sent.first().map(|(site, _)| *site);
            Vec::new()
        }
    }
}

/// The SYN packets that the scanner sends, each with its system call.
fn packets<'a>(
    subject: &mut Subject<'a>,
    begun: Process<'a>,
    scanner: Address,
) -> Vec<(Address, Syn)> {
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
    kernel.network_events().iter().filter_map(syn).collect()
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
