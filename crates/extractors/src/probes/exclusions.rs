//! Networks that the scanner spares: of addresses drawn there it draws others.
//!
//! How it works: the scanner is run with one of its calls answered from here. Where two numbers give
//! two destinations, each made of the number's bytes, that call draws the address. Then it is given
//! one address after the other: when it draws again before it writes a destination, the address is
//! spared. A first octet of which two addresses are spared is spared whole; octets in which there are
//! networks of a special purpose (RFC 6890), or of which one address is spared and another not, are
//! looked at by their second octet.
//!
//! False positives: an octet that is spared at both addresses asked and not elsewhere. False negatives:
//! parts of other octets, networks smaller than /16, generators that were inlined or give one octet a
//! call, and scanners that spare nothing.

use super::watch::{Watch, run};
use super::{Probes, Syn, system_calls};
use crate::subject::Subject;
use core::net::Ipv4Addr;
use ipnet::Ipv4Net;
use miyaburi_emulator::{CallAction, State};
use miyaburi_image::Address;

/// Instructions of all runs.
const INSTRUCTIONS: u64 = 10_000_000;

/// Instructions of one run.
const INSTRUCTIONS_OF_ONE: u64 = 1_000_000;

/// Instructions within which a call is seen to draw addresses or not.
const INSTRUCTIONS_TO_DRAW: u64 = 300_000;

/// Addresses that nobody spares, of eight different octets.
const PLAIN: [[u8; 4]; 2] = [[61, 71, 81, 91], [62, 72, 82, 92]];

/// Packets that each of them is to give.
const ROUNDS: usize = 4;

/// Addresses of which every scanner spares some, as nobody has them or no other machine: of those, the
/// own host's, private networks', and those of groups (RFC 6890).
const SPARED: [[u8; 4]; 5] =
    [[0, 5, 6, 7], [10, 5, 6, 7], [127, 5, 6, 7], [192, 168, 6, 7], [224, 5, 6, 7]];

/// Calls before a destination that are tried.
const MAX_SITES: usize = 8;

/// Addresses asked about in one run: after so many packets a scanner waits for the next second.
const BATCH: usize = 96;

/// Second octets with which first octets are asked about.
const TAILS: [[u8; 3]; 2] = [[5, 6, 7], [130, 140, 150]];

/// Networks of a special purpose within a first octet (RFC 6890), by their first /16, and what comes
/// behind those of one /16.
const SPECIAL: [[u8; 2]; 8] =
    [[100, 64], [169, 254], [169, 255], [172, 16], [192, 0], [192, 168], [198, 18], [198, 51]];

/// What a scanner spares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusions {
    /// The fewest networks that hold all addresses that are known to be spared, in order.
    pub networks: Vec<Ipv4Net>,
    /// The call that draws addresses.
    pub site: Address,
}

/// Finds what the scanner of `probes` spares, run from `state` as it was for them. `None` when no
/// call is found that draws addresses and draws again.
pub fn find<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    probes: &Probes,
) -> Option<Exclusions> {
    let whole = subject.budget;
    subject.budget = whole.part(INSTRUCTIONS);
    let granted = subject.budget.left();
    let found = Questions::find(subject, state, probes).and_then(|mut questions| {
        let networks = questions.spared()?;
        Some(Exclusions { networks, site: questions.generator.site })
    });
    let spent = granted.saturating_sub(subject.budget.left());
    subject.budget = whole;
    subject.budget.spend(spent);
    found
}

/// Answers for the call that draws, and how each was taken.
#[derive(Clone, Debug)]
pub(super) struct Draws {
    site: Address,
    /// What it calls; a loop may begin behind its first round, with a call of its own.
    callee: Option<Address>,
    numbers: Vec<u64>,
    /// Of the first numbers, whether a destination was made of it.
    verdicts: Vec<bool>,
    /// Whether the number behind was handed out.
    is_open: bool,
}

impl Draws {
    const fn new(site: Address, numbers: Vec<u64>) -> Self {
        Self { site, callee: None, numbers, verdicts: Vec::new(), is_open: false }
    }

    /// What is done at a call; `None` for other calls.
    pub(super) fn at_call(&mut self, site: Address, callee: Address) -> Option<CallAction> {
        if site == self.site {
            self.callee = Some(callee);
        } else if !self.is_open || self.callee != Some(callee) {
            return None;
        }
        if self.is_open {
            self.verdicts.push(false);
        }
        let number = self.numbers.get(self.verdicts.len()).copied();
        self.is_open = number.is_some();
        Some(number.map_or(CallAction::Stop, CallAction::Return))
    }

    /// A destination was written.
    pub(super) fn is_accepted(&mut self) {
        if self.is_open {
            self.verdicts.push(true);
            self.is_open = false;
        }
    }
}

/// The call that draws addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Generator {
    site: Address,
    /// Which byte of a number each octet is, from the lowest.
    order: [usize; 4],
}

impl Generator {
    fn number(self, octets: [u8; 4]) -> u64 {
        let byte = |(octet, place): (u8, usize)| u32::from(octet) << (8 * place);
        let number: u32 = octets.into_iter().zip(self.order).map(byte).sum();
        // Calling conventions extend numbers of 32 bits by their sign, where they do.
        number.cast_signed() as u64
    }
}

/// The order of the bytes by which two numbers, made of [`PLAIN`] from the lowest byte on, became these
/// destinations.
///
/// Octets that are the same in both are masked; the others decide for one of the two byte orders.
fn order_of(destinations: [[u8; 4]; 2]) -> Option<[usize; 4]> {
    let [one, other] = destinations;
    let fits = |order: &[usize; 4]| {
        order.iter().enumerate().all(|(octet, place)| {
            let pair = (one[octet], other[octet]);
            pair.0 == pair.1 || pair == (PLAIN[0][*place], PLAIN[1][*place])
        })
    };
    let differ = one != other;
    [[0, 1, 2, 3], [3, 2, 1, 0]].into_iter().find(|order| differ && fits(order))
}

/// A scanner that can be asked about addresses.
struct Questions<'q, 's, 'a> {
    subject: &'q mut Subject<'a>,
    state: &'s State<'a>,
    probes: &'q Probes,
    generator: Generator,
}

impl<'q, 's, 'a> Questions<'q, 's, 'a> {
    fn find(
        subject: &'q mut Subject<'a>,
        state: &'s State<'a>,
        probes: &'q Probes,
    ) -> Option<Self> {
        let watch = run_with(subject, state, probes, None, INSTRUCTIONS_TO_DRAW);
        // The address is drawn shortly before it is written.
        let sites = watch.last_round.into_iter().rev().take(MAX_SITES);
        let generator = Generator { site: Address::default(), order: [0; 4] };
        let mut questions = Self { subject, state, probes, generator };
        for site in sites {
            let Some(order) = questions.order_at(site) else { continue };
            questions.generator = Generator { site, order };
            // What is behind the choice takes everything.
            if questions.ask(&SPARED)?.contains(&false) {
                return Some(questions);
            }
        }
        None
    }

    /// How the numbers of a call become the octets of destinations, when they do.
    fn order_at(&mut self, site: Address) -> Option<[usize; 4]> {
        let mut destination_of = |octets: [u8; 4]| {
            let number = u64::from(u32::from_le_bytes(octets));
            let draws = Some(Draws::new(site, vec![number; ROUNDS]));
            let (subject, state) = (&mut *self.subject, self.state);
            let watch = run_with(subject, state, self.probes, draws, INSTRUCTIONS_TO_DRAW);
            let verdicts = watch.draws.map(|draws| draws.verdicts)?;
            let are_all = verdicts.len() == ROUNDS && verdicts.iter().all(|it| *it);
            one_destination(&watch.packets).filter(|_| are_all)
        };
        let [one, other] = PLAIN;
        order_of([destination_of(one)?, destination_of(other)?])
    }

    /// Whether each of these addresses is probed.
    fn ask(&mut self, addresses: &[[u8; 4]]) -> Option<Vec<bool>> {
        let mut verdicts = Vec::new();
        while let Some(left) = addresses.get(verdicts.len()..).filter(|left| !left.is_empty()) {
            let numbers =
                left.iter().take(BATCH).map(|octets| self.generator.number(*octets)).collect();
            let draws = Some(Draws::new(self.generator.site, numbers));
            let (subject, state) = (&mut *self.subject, self.state);
            let watch = run_with(subject, state, self.probes, draws, INSTRUCTIONS_OF_ONE);
            let new = watch.draws.map(|draws| draws.verdicts).filter(|new| !new.is_empty())?;
            verdicts.extend(new);
        }
        Some(verdicts)
    }

    fn spared(&mut self) -> Option<Vec<Ipv4Net>> {
        let [tail, other] = TAILS;
        let with = |[b, c, d]: [u8; 3]| move |a: u8| [a, b, c, d];
        let firsts: Vec<[u8; 4]> = (0..=u8::MAX).map(with(tail)).collect();
        let probed = self.ask(&firsts)?;
        let is_spared = |(a, is_probed): (u8, &bool)| (!is_probed).then_some(a);
        let spared: Vec<u8> = (0..=u8::MAX).zip(&probed).filter_map(is_spared).collect();
        let again: Vec<[u8; 4]> = spared.iter().copied().map(with(other)).collect();
        let again = self.ask(&again)?;
        let special: Vec<[u8; 4]> = SPECIAL.map(|[a, b]| [a, b, tail[1], tail[2]]).to_vec();
        let special_probed = self.ask(&special)?;
        let mut networks = Vec::new();
        let mut in_part: Vec<u8> = Vec::new();
        for (a, is_probed) in spared.iter().copied().zip(again) {
            match is_probed {
                true => in_part.push(a),
                false => networks.extend(network([a, 0], 8)),
            }
        }
        let special = special.iter().zip(special_probed).filter(|(_, is_probed)| !is_probed);
        in_part.extend(special.map(|([a, ..], _)| *a).filter(|a| !spared.contains(a)));
        in_part.sort_unstable();
        in_part.dedup();
        for a in in_part {
            let seconds: Vec<[u8; 4]> = (0..=u8::MAX).map(|b| [a, b, tail[1], tail[2]]).collect();
            let probed = self.ask(&seconds)?;
            let spared = (0..=u8::MAX).zip(probed).filter(|(_, is_probed)| !is_probed);
            networks.extend(spared.filter_map(|(b, _)| network([a, b], 16)));
        }
        Some(Ipv4Net::aggregate(&networks))
    }
}

fn network([a, b]: [u8; 2], prefix: u8) -> Option<Ipv4Net> {
    Ipv4Net::new(Ipv4Addr::new(a, b, 0, 0), prefix).ok()
}

/// The destination that all packets have, the first one aside: it was begun before.
fn one_destination(packets: &[Syn]) -> Option<[u8; 4]> {
    let mut destinations = packets.iter().skip(1).map(|packet| packet.destination);
    let first = destinations.next()?;
    destinations.all(|other| other == first).then_some(first)
}

/// One run of the scanner, with what it draws.
fn run_with<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    probes: &Probes,
    draws: Option<Draws>,
    instructions: u64,
) -> Watch {
    let way = probes.way;
    let mut watch = Watch::new(way.answers, system_calls(subject), Some(way.packet));
    watch.draws = draws;
    run(subject, state, probes.scanner, instructions, &mut watch);
    watch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_come_from_either_end_of_a_number() {
        let [one, other] = PLAIN;
        assert_eq!(order_of([one, other]), Some([0, 1, 2, 3]));
        let reversed = |mut octets: [u8; 4]| {
            octets.reverse();
            octets
        };
        assert_eq!(order_of([reversed(one), reversed(other)]), Some([3, 2, 1, 0]));
        // Masked but for the last octet.
        assert_eq!(order_of([[192, 0, 2, 91], [192, 0, 2, 92]]), Some([0, 1, 2, 3]));
        assert_eq!(order_of([[192, 0, 2, 61], [192, 0, 2, 62]]), Some([3, 2, 1, 0]));
        // Nothing follows the number, or not as it is.
        assert_eq!(order_of([[192, 0, 2, 1], [192, 0, 2, 1]]), None);
        assert_eq!(order_of([[192, 0, 2, 62], [192, 0, 2, 63]]), None);
    }

    #[test]
    fn a_number_is_made_in_that_order() {
        let site = Address(0);
        let number = |order| Generator { site, order }.number([10, 0, 0, 0x81]);
        assert_eq!(number([0, 1, 2, 3]), 0xffff_ffff_8100_000a);
        assert_eq!(number([3, 2, 1, 0]), 0x0a00_0081);
    }

    #[test]
    fn who_draws_again_has_refused() {
        let (site, callee, other) = (Address(0x100), Address(0x800), Address(0x200));
        let mut draws = Draws::new(site, vec![1, 2, 3, 4]);
        assert_eq!(draws.at_call(other, callee), None);
        assert_eq!(draws.at_call(site, callee), Some(CallAction::Return(1)));
        draws.is_accepted();
        // More of the destination, and other uses of the generator.
        draws.is_accepted();
        assert_eq!(draws.at_call(other, callee), None);
        assert_eq!(draws.at_call(site, callee), Some(CallAction::Return(2)));
        assert_eq!(draws.at_call(other, Address(0x900)), None);
        assert_eq!(draws.at_call(site, callee), Some(CallAction::Return(3)));
        // The same loop's other call.
        assert_eq!(draws.at_call(other, callee), Some(CallAction::Return(4)));
        draws.is_accepted();
        assert_eq!(draws.at_call(site, callee), Some(CallAction::Stop));
        assert_eq!(draws.verdicts, [true, false, false, true]);
    }
}
