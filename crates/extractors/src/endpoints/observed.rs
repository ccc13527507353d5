//! Whom a routine would connect to, seen by running it.
//!
//! How it works: a routine that fills in a socket address in the program's data, for another to
//! connect to, is run in a bare machine, and the address is read where it left it. Every routine
//! that is handed a host name on the way is then made to return a made-up answer: where its address
//! ends up, the name was meant. And every routine that the first one calls, then every word that it
//! reads, is made to be another number, which shows the hosts that are drawn at random, in the
//! order of the numbers that choose them.
//!
//! False positives: a routine that writes an address for another purpose into the place that is
//! connected to; a word that chooses between addresses otherwise than by a draw. False negatives:
//! routines that need more than the bare machine gives them, such as arguments of the program;
//! choices among more than [`DRAWS`]; hosts that nobody could mean, such as the local one, whatever
//! the program does with them.

use crate::endpoints::socket_address::SocketAddress;
use crate::endpoints::trial::{Reply, Seen, Trial, answer, can_be_meant};
use crate::subject::Subject;
use miyaburi_emulator::State;
use miyaburi_image::Address;
use std::ops::RangeInclusive;

/// Numbers that a routine returns instead of what it would.
const DRAWS: u64 = 8;

/// A choice shows when this many numbers lead to different hosts.
const ENOUGH: u64 = 3;

/// Numbers that far apart leave the same remainder by every divisor up to 16: what differs between
/// them did not come from a choice among few.
const SAME_REMAINDER: u64 = 720_720;

/// Routines that are made to return other numbers.
const MAX_ROUTINES: usize = 6;

/// Words that are made to hold other numbers.
const MAX_WORDS: usize = 12;

/// A word that leads to fewer hosts does not draw among them, one that leads to more holds one.
const DRAWN: RangeInclusive<usize> = 3..=8;

/// Numbers that a word holds, and as many large ones.
const WORD_DRAWS: u64 = 16;

/// What a routine fills in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Names and addresses, in the order of the numbers that choose them.
    pub hosts: Vec<String>,
    /// Port; `None` when the routine leaves it alone.
    pub port: Option<u16>,
    /// Whether the routine also says of which family the address is.
    pub sets_family: bool,
    /// Whether the routine ran to its end, so that all it fills in is known.
    pub is_complete: bool,
}

/// The host that a run filled in, when it is one that a program could mean.
fn literal(seen: &Seen) -> Option<String> {
    seen.address?.host.filter(|host| can_be_meant(*host)).map(|host| host.to_string())
}

/// What `function` fills in at `place`, starting from `state`.
pub fn filled_in<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    function: Address,
    place: Address,
) -> Filled {
    let trial = Trial { place: Some(place), ..Trial::of(function) };
    let plain = trial.run(subject, state);
    let mut filled = Filled {
        hosts: Vec::new(),
        port: plain.address.and_then(|address| address.port),
        sets_family: plain.sets_family,
        is_complete: plain.is_complete,
    };
    // Without a network a look-up leaves what it finds: a name that decides comes first.
    let only = named(subject, state, &trial, &plain, &mut filled)
        .or_else(|| named_as_no_number(subject, state, &trial, &plain, &mut filled))
        .or_else(|| literal(&plain));
    filled.hosts.extend(only);
    let is_unnamed = |routine: &&Address| !plain.named.iter().any(|(named, _)| named == *routine);
    for routine in plain.routines.iter().filter(is_unnamed).take(MAX_ROUTINES) {
        let reply = |number| trial.with_reply(*routine, Reply::Number(number));
        let drawn = drawn(subject, state, &reply, &mut filled);
        add(&mut filled, drawn);
    }
    if filled.hosts.len() == 1 {
        for word in words(subject, &plain, place) {
            if let Some(drawn) = drawn_by_word(subject, state, &trial, word, &mut filled) {
                add(&mut filled, drawn);
                break;
            }
        }
    }
    filled
}

/// Adds hosts that were drawn. When those that are known are among them, their order is the draw's.
fn add(filled: &mut Filled, mut drawn: Vec<String>) {
    if filled.hosts.iter().any(|known| !drawn.contains(known)) {
        drawn.retain(|host| !filled.hosts.contains(host));
        filled.hosts.append(&mut drawn);
    } else {
        filled.hosts = drawn;
    }
}

/// The name whose address `trial` fills in, and the port with it.
fn named<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    trial: &Trial,
    seen: &Seen,
    filled: &mut Filled,
) -> Option<String> {
    for (routine, name) in &seen.named {
        let mut resolved =
            |number| trial.with_reply(*routine, Reply::Answer(number)).run(subject, state);
        let first = resolved(1);
        let Some(address) = first.address.filter(|one| one.host == Some(answer(1))) else {
            continue;
        };
        let second = resolved(2).address;
        // A port that changes with the answer was read from it.
        if second == Some(SocketAddress { host: Some(answer(2)), ..address }) {
            filled.port = filled.port.or(address.port);
            filled.is_complete |= first.is_complete;
            return Some(name.clone());
        }
    }
    None
}

/// The name whose address `trial` fills in when routines that are handed it say that it is no dotted
/// number: in a bare machine, those of a C library may take it for one.
fn named_as_no_number<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    trial: &Trial,
    seen: &Seen,
    filled: &mut Filled,
) -> Option<String> {
    /// What `inet_addr` and `inet_aton` return.
    const NO_NUMBER: [u64; 2] = [u32::MAX as u64, 0];
    literal(seen)?;
    seen.named.iter().find_map(|(routine, _)| {
        NO_NUMBER.into_iter().find_map(|number| {
            let trial = trial.with_reply(*routine, Reply::Number(number));
            let seen = trial.run(subject, state);
            named(subject, state, &trial, &seen, filled)
        })
    })
}

/// What the last run showed, and the host that it filled in: a run that shows the same fills in the
/// same.
type Last = Option<(Seen, Option<String>)>;

/// The host that `trial` fills in, literally or by name.
///
/// A number that a routine cannot work with does not choose.
fn host_of<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    trial: &Trial,
    filled: &mut Filled,
    last: &mut Last,
) -> Option<String> {
    let seen = trial.run(subject, state);
    if let Some((_, host)) = last.as_ref().filter(|(known, _)| *known == seen) {
        return host.clone();
    }
    let literal = || literal(&seen).filter(|_| seen.is_complete);
    let host = named(subject, state, trial, &seen, filled).or_else(literal);
    *last = Some((seen, host.clone()));
    host
}

/// The hosts that numbers choose, in their order; those that a number and another with the same
/// remainder agree on.
fn drawn<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    with: &dyn Fn(u64) -> Trial,
    filled: &mut Filled,
) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    let mut last = None;
    for number in 0..DRAWS {
        if number >= ENOUGH && hosts.len() < 2 {
            break;
        }
        let mut host = |number| host_of(subject, state, &with(number), filled, &mut last);
        let Some(found) = host(number).filter(|found| !hosts.contains(found)) else { continue };
        if host(number + SAME_REMAINDER).as_ref() == Some(&found) {
            hosts.push(found);
        }
    }
    hosts
}

/// The hosts that a word draws, in the order of small numbers, from which generators of random
/// numbers make small ones; `None` when large ones do not lead to the same few hosts.
fn drawn_by_word<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    trial: &Trial,
    word: Address,
    filled: &mut Filled,
) -> Option<Vec<String>> {
    /// The golden ratio's share of 32 bits (Knuth), which spreads numbers evenly.
    const SPREAD: u64 = 0x9e37_79b1;
    let mut hosts: Vec<String> = Vec::new();
    let mut last = None;
    let mut host = |value| {
        let trial = trial.with_word(word, value);
        host_of(subject, state, &trial, filled, &mut last)
    };
    for number in 0..WORD_DRAWS {
        if number > ENOUGH && hosts.len() < 2 {
            return None;
        }
        let found = host(number)?;
        if !hosts.contains(&found) {
            hosts.push(found);
        }
    }
    let is_choice = DRAWN.contains(&hosts.len())
        && (1..=WORD_DRAWS).all(|number| {
            let large = number.wrapping_mul(SPREAD) & u64::from(u32::MAX);
            host(large).is_some_and(|host| hosts.contains(&host))
        });
    is_choice.then_some(hosts)
}

/// Words of the program's variables that a run read, but for those of the address itself.
fn words(subject: &Subject<'_>, seen: &Seen, place: Address) -> Vec<Address> {
    const SOCKET_ADDRESS: u64 = 32;
    let mut words = Vec::new();
    for word in &seen.reads {
        let is_variable = subject.image.is_writable(*word);
        let is_place = word.distance_from(place).is_some_and(|distance| distance < SOCKET_ADDRESS);
        if is_variable && !is_place && !words.contains(word) {
            words.push(*word);
        }
    }
    words.truncate(MAX_WORDS);
    words
}
