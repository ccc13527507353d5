//! What the scanner sends to find devices: the ports of its SYN packets, how often each is probed,
//! and where fields of the packet come from.
//!
//! How it works: the scanner is run in a bare machine until a call hands over a TCP packet with a
//! header of IP and nothing but SYN set. It is run again while that memory is watched: each time a
//! new destination is written over the last one, the packet before it was complete. The ports come
//! in a cycle when the code counts; the weights are those of one cycle.
//!
//! False positives: a program that adds credentials and sends SYN packets for another purpose.
//! False negatives: scanners that let the kernel build packets, and those that need more than the
//! bare machine gives them. Of ports without a cycle the weights are not known; where there are many
//! ports, none is constant.

pub mod exclusions;
mod watch;

use crate::attacks::observation::Source;
use crate::found::{Diagnostic, Found};
use crate::subject::Subject;
use miyaburi_emulator::{State, SystemCallSite};
use miyaburi_image::Address;
use std::collections::BTreeMap;
use watch::{Answers, Watch, run};

pub(crate) use watch::syn_of;

/// Instructions of one run.
const INSTRUCTIONS: u64 = 2_000_000;

/// Instructions within which a scanner sends its first packet.
const INSTRUCTIONS_TO_FIRST: u64 = 600_000;

/// Instructions of all runs of one scanner.
const INSTRUCTIONS_OF_ALL: u64 = 10_000_000;

/// Packets looked at.
const MAX_PACKETS: usize = 120;

/// Packets after which a cycle of different ports, of up to a third of them, is no chance.
const PACKETS_OF_CYCLES: usize = 36;

/// Fewest packets that tell anything.
const MIN_PACKETS: usize = 8;

/// Ports beyond this are not constant.
const MAX_PORTS: usize = 4;

/// System calls whose answer is tried to be [a number](watch::SEED), for generators that time and
/// process ids seed.
const MAX_SEEDS: usize = 12;

/// A probed port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The port.
    pub port: u16,
    /// Packets to it in a cycle; `None` without one.
    pub weight: Option<u32>,
}

/// What the scanner sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probes {
    /// The ports, the most probed first; empty when they are not constant.
    pub ports: Vec<Port>,
    /// Whether the sequence number is the destination address.
    pub sequence_is_destination: bool,
    /// The call that is handed the packet.
    pub site: Address,
    /// The scanner.
    pub scanner: Address,
    /// The system call that sent such a packet, where the scanner was run as a process and nothing
    /// that it sent says otherwise.
    pub sent_at: Option<Address>,
    /// The networks that it spares, as far as that was asked ([`exclusions`]).
    pub exclusions: Option<exclusions::Exclusions>,
    /// Other fields that all its packets have in common, where it was run as a process.
    pub fingerprint: BTreeMap<String, Source>,
    /// How it was brought to send.
    pub(crate) way: Way,
}

/// How a scanner is brought to send packets, and where it makes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    answers: Answers,
    packet: Address,
}

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syn {
    pub(crate) destination: [u8; 4],
    pub(crate) port: u16,
    pub(crate) sequence: [u8; 4],
}

/// What the scanner at `scanner` sends, run from `state`; `adder` adds its credentials one by one.
pub fn extract<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    scanner: Address,
    adder: Option<Address>,
) -> Found<Option<Probes>> {
    let whole = subject.budget;
    // Others may have spent theirs; this is little.
    subject.budget = whole.apart(INSTRUCTIONS_OF_ALL);
    let finding = observe(subject, state, scanner, adder);
    subject.budget = whole;
    subject.budget.is_late();
    let mut diagnostics = Vec::new();
    let mut tell = |message: &str, at| {
        diagnostics.push(Diagnostic::doubt("scan", message.to_owned(), Some(at)));
    };
    match &finding {
        None => tell("the scanner was not seen to send a packet: its ports are not known", scanner),
        Some(probes) if probes.ports.is_empty() => {
            tell("the packets that were seen go to no constant ports", probes.site);
        }
        Some(probes) if probes.ports.iter().any(|port| port.weight.is_none()) => {
            tell("the ports come in no cycle: their weights are not known", probes.site);
        }
        Some(_) => {}
    }
    Found { finding, diagnostics }
}

/// How the program's system calls are told apart.
fn system_calls(subject: &Subject<'_>) -> Option<SystemCallSite> {
    let emulator = &subject.emulator;
    SystemCallSite::new(emulator.arch(), subject.program.language(), emulator.abi())
}

fn observe<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    scanner: Address,
    adder: Option<Address>,
) -> Option<Probes> {
    let seeds = (1..=MAX_SEEDS).map(|seed| (false, Some(seed)));
    let system_calls = system_calls(subject);
    let tries = [(false, None), (true, None)].into_iter().chain(seeds);
    for (skips_first_call, seed) in tries {
        let answers = Answers { skips_first_call, seed, adder };
        let mut finder = Watch::new(answers, system_calls.clone(), None);
        run(subject, state, scanner, INSTRUCTIONS_TO_FIRST, &mut finder);
        let Some((packet, site)) = finder.found else { continue };
        let mut watch = Watch::new(answers, system_calls.clone(), Some(packet));
        run(subject, state, scanner, INSTRUCTIONS, &mut watch);
        if watch.packets.len() >= MIN_PACKETS {
            let ports = ports_of(&watch.packets);
            let sequence_is_destination = copies_destination(&watch.packets);
            let way = Way { answers, packet };
            let sent_at = None;
            return Some(Probes {
                ports,
                sequence_is_destination,
                site,
                scanner,
                sent_at,
                exclusions: None,
                fingerprint: BTreeMap::new(),
                way,
            });
        }
    }
    None
}

/// Whether further packets would tell nothing new.
fn has_seen_enough(packets: &[Syn]) -> bool {
    packets.len() >= MAX_PACKETS
        || packets.len() >= PACKETS_OF_CYCLES && cycle_of(packets).is_some_and(|cycle| cycle > 1)
}

/// After how many packets their ports come again; a cycle counts when it was seen three times.
fn cycle_of(packets: &[Syn]) -> Option<usize> {
    let port = |packet: &Syn| packet.port;
    let repeats = |cycle: &usize| {
        packets.iter().map(port).zip(packets.iter().skip(*cycle).map(port)).all(|(a, b)| a == b)
    };
    (1..=packets.len() / 3).find(repeats)
}

/// The ports with their weights in a cycle; none when there are many.
fn ports_of(packets: &[Syn]) -> Vec<Port> {
    let cycle = cycle_of(packets);
    let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
    for packet in packets.iter().take(cycle.unwrap_or(packets.len())) {
        *counts.entry(packet.port).or_default() += 1;
    }
    if counts.len() > MAX_PORTS {
        return Vec::new();
    }
    let common = counts.values().copied().fold(0, greatest_common_divisor).max(1);
    let mut counts: Vec<(u16, u32)> = counts.into_iter().collect();
    counts.sort_by_key(|(port, count)| (std::cmp::Reverse(*count), *port));
    let weight = |count: u32| cycle.map(|_| count / common);
    counts.into_iter().map(|(port, count)| Port { port, weight: weight(count) }).collect()
}

const fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

/// Whether every packet's sequence number is its destination, and destinations differ.
fn copies_destination(packets: &[Syn]) -> bool {
    let differ = packets.windows(2).any(|pair| match pair {
        [one, next] => one.destination != next.destination,
        _ => false,
    });
    differ && packets.iter().all(|packet| packet.sequence == packet.destination)
}

#[cfg(test)]
mod tests {
    use super::{Port, Syn, copies_destination, has_seen_enough, ports_of};

    fn packets(ports: impl Iterator<Item = u16>) -> Vec<Syn> {
        let packet = |(number, port): (u8, u16)| {
            let destination = [192, 0, 2, number];
            Syn { destination, port, sequence: destination }
        };
        (1..).zip(ports).map(packet).collect()
    }

    #[test]
    fn a_cycle_gives_the_weights() {
        let sent = packets((0..60).map(|round| if round % 10 == 0 { 2323 } else { 23 }));
        let weighted = |port, weight| Port { port, weight: Some(weight) };
        assert_eq!(ports_of(&sent), [weighted(23, 9), weighted(2323, 1)]);
        assert_eq!(ports_of(&packets([23; 30].into_iter())), [weighted(23, 1)]);
        assert!(copies_destination(&sent));
    }

    #[test]
    fn a_cycle_of_different_ports_is_enough() {
        let cycle =
            |count| packets((0..count).map(|round| if round % 10 == 0 { 2323 } else { 23 }));
        assert!(!has_seen_enough(&cycle(35)));
        assert!(has_seen_enough(&cycle(36)));
        // A second port can be rare.
        assert!(!has_seen_enough(&packets([23; 100].into_iter())));
        assert!(has_seen_enough(&packets([23; 120].into_iter())));
    }

    #[test]
    fn without_a_cycle_there_are_no_weights() {
        let drawn = [23, 23, 2323, 23, 23, 23, 2323, 23, 2323, 23, 23, 23];
        let ports = ports_of(&packets(drawn.into_iter()));
        assert_eq!(ports, [23, 2323].map(|port| Port { port, weight: None }));
    }

    #[test]
    fn drawn_ports_are_not_constant() {
        assert_eq!(ports_of(&packets((0..100).map(|round| 1000 + round * 7))), []);
    }

    #[test]
    fn other_sequence_numbers_are_no_copies() {
        let mut sent = packets([23; 20].into_iter());
        sent[3].sequence = [1, 2, 3, 4];
        assert!(!copies_destination(&sent));
        let same = [sent[0]; 9];
        assert!(!copies_destination(&same));
        assert!(!copies_destination(&[]));
    }
}
