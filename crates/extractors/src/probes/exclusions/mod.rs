//! Networks that the scanner spares: of addresses drawn there it draws others.
//!
//! How it works: the scanner is run with what it draws decided from here. Either one of its calls is
//! answered: where two numbers give two destinations, each made of the number's bytes, that call draws
//! the address. Or, where the generator is part of the loop, words of memory are set from which the
//! numbers follow, once it was learnt how ([`affine`]). Then it is given one address after the other:
//! when it draws again before it writes a destination, the address is spared. A first octet of which
//! two addresses are spared is spared whole; octets in which there are networks of a special purpose
//! (RFC 6890), or of which one address is spared and another not, are looked at by their second octet.
//!
//! False positives: an octet that is spared at both addresses asked and not elsewhere. False negatives:
//! parts of other octets, networks smaller than /16, generators that were inlined and multiply (their
//! steps are not affine over bits) or keep no words in static memory, generators that give one octet a
//! call, and scanners that spare nothing.

mod affine;
mod calls;
mod draws;
mod generator;
mod scanner;
mod words;

use super::Probes;
use crate::subject::Subject;
use core::net::Ipv4Addr;
pub(super) use draws::Draws;
use generator::Generator;
use ipnet::Ipv4Net;
use miyaburi_emulator::State;
use miyaburi_image::Address;
use scanner::Scanner;

/// Instructions of all runs.
const INSTRUCTIONS: u64 = 10_000_000;

/// Addresses of which every scanner spares some, as nobody has them or no other machine: of those, the
/// own host's, private networks', and those of groups (RFC 6890).
const SPARED: [[u8; 4]; 5] =
    [[0, 5, 6, 7], [10, 5, 6, 7], [127, 5, 6, 7], [192, 168, 6, 7], [224, 5, 6, 7]];

/// Calls before a destination that are tried.
const MAX_SITES: usize = 8;

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
    /// The code that draws addresses: a call, or the first use of what they follow from.
    pub site: Address,
}

/// Finds what the scanner of `probes` spares, run from `state` as it was for them. `None` when
/// nothing is found that draws addresses and draws again.
pub fn find<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    probes: &Probes,
) -> Option<Exclusions> {
    let whole = subject.budget;
    subject.budget = whole.part(INSTRUCTIONS);
    let granted = subject.budget.left();
    let mut scanner = Scanner { subject, state, probes };
    let found = find_generator(&mut scanner).and_then(|generator| {
        let networks = spared(&mut |addresses| generator.ask(&mut scanner, addresses))?;
        Some(Exclusions { networks, site: generator.site })
    });
    let spent = granted.saturating_sub(subject.budget.left());
    subject.budget = whole;
    subject.budget.spend(spent);
    found
}

/// What draws addresses: something that refuses some. What is behind the choice takes everything.
fn find_generator(scanner: &mut Scanner<'_, '_, '_>) -> Option<Generator> {
    let refuses = |scanner: &mut Scanner<'_, '_, '_>, generator: &Generator| {
        generator.ask(scanner, &SPARED).is_some_and(|probed| probed.contains(&false))
    };
    // The address is drawn shortly before it is written.
    let sites = scanner.calls().into_iter().rev().take(MAX_SITES);
    for site in sites {
        let generator = Generator::of_call(scanner, site);
        if let Some(generator) = generator.filter(|generator| refuses(scanner, generator)) {
            return Some(generator);
        }
    }
    let words = scanner.words();
    words.iter().find_map(|words| Generator::of_words(scanner, words, refuses))
}

/// The networks that are spared, by asking which addresses are probed.
fn spared(ask: &mut impl FnMut(&[[u8; 4]]) -> Option<Vec<bool>>) -> Option<Vec<Ipv4Net>> {
    let [tail, other] = TAILS;
    let with = |[b, c, d]: [u8; 3]| move |a: u8| [a, b, c, d];
    let firsts: Vec<[u8; 4]> = (0..=u8::MAX).map(with(tail)).collect();
    let probed = ask(&firsts)?;
    let is_spared = |(a, is_probed): (u8, &bool)| (!is_probed).then_some(a);
    let spared: Vec<u8> = (0..=u8::MAX).zip(&probed).filter_map(is_spared).collect();
    let again: Vec<[u8; 4]> = spared.iter().copied().map(with(other)).collect();
    let again = ask(&again)?;
    let special: Vec<[u8; 4]> = SPECIAL.map(|[a, b]| [a, b, tail[1], tail[2]]).to_vec();
    let special_probed = ask(&special)?;
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
        let probed = ask(&seconds)?;
        let spared = (0..=u8::MAX).zip(probed).filter(|(_, is_probed)| !is_probed);
        networks.extend(spared.filter_map(|(b, _)| network([a, b], 16)));
    }
    Some(Ipv4Net::aggregate(&networks))
}

fn network([a, b]: [u8; 2], prefix: u8) -> Option<Ipv4Net> {
    Ipv4Net::new(Ipv4Addr::new(a, b, 0, 0), prefix).ok()
}
