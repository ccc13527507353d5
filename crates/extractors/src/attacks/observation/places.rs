//! Defaults of options by the places that hold them: registers, and what lies on the stack.
//!
//! How it works: the handler is run without the option, and with two numbers for it. A place that
//! holds the number each time holds the default without it.
//!
//! False positives: a place that keeps what it held before where the option is not given, when no
//! other place tells. False negatives: numbers that are kept in no form known here, those of which
//! several places tell different things, and handlers that make no socket.

use super::order::Given;
use super::run::{Run, Trial, run};
use crate::subject::Subject;
use miyaburi_image::{Address, Endian};
use miyaburi_linux::Process;

/// The numbers that the option is set to: none that a header has by itself.
const NUMBERS: [u64; 2] = [33, 41];

/// The options' numbers are ports, sizes, counts and flags.
const LARGEST: u64 = 0xffff;

/// What may be the default where the handler begins to send: of wide places first.
pub(super) fn where_sending<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    given: &[Given],
    key: u8,
) -> Vec<u64> {
    let Some(runs) = runs(subject, begun, handler, given, key, false) else { return Vec::new() };
    let [Some(without), Some(one), Some(other)] = runs.each_ref().map(|run| run.moment.as_deref())
    else {
        return Vec::new();
    };
    let endian = subject.emulator.arch().endian;
    let mut found = Vec::new();
    for size in [4, 2, 1] {
        for number in held(endian, size, [without, one, other], |number| number) {
            if !found.contains(&number) {
                found.push(number);
            }
        }
    }
    found
}

/// The default, where one number alone can be: at the last branch of the handler that is reached with
/// and without the option while it sends. What its loop needs is there.
pub(super) fn at_last_branch<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    given: &[Given],
    key: u8,
) -> Option<u64> {
    let runs = runs(subject, begun, handler, given, key, true)?;
    let [without, one, other] = runs.each_ref().map(|run| &run.branches);
    let last = |branches: &[(Address, Vec<u8>)], site| {
        branches.iter().rev().find(|(known, _)| *known == site).map(|(_, moment)| moment.clone())
    };
    let moments = without.iter().rev().find_map(|(site, without)| {
        Some([without.clone(), last(one, *site)?, last(other, *site)?])
    })?;
    let moments = moments.each_ref().map(Vec::as_slice);
    let endian = subject.emulator.arch().endian;
    // As it is, and in network order.
    let mut found = held(endian, 4, moments, |number| number);
    found.extend(held(endian, 4, moments, in_network_order));
    found.sort_unstable();
    found.dedup();
    match found[..] {
        [number] if number <= LARGEST => Some(number),
        _ => None,
    }
}

/// Swaps the bytes of a number of sixteen bits.
fn in_network_order(number: u64) -> u64 {
    u64::from((number as u16).swap_bytes())
}

/// Runs without the option and with two numbers for it.
fn runs<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    given: &[Given],
    key: u8,
    watches_branches: bool,
) -> Option<[Run; 3]> {
    let others: Vec<Given> = given.iter().filter(|(known, _)| *known != key).cloned().collect();
    let mut with = |number: Option<u64>| {
        let text = number.map(|number| (key, number.to_string().into_bytes()));
        let given: Vec<Given> = others.iter().cloned().chain(text).collect();
        run(subject, begun, handler, Trial { watches_branches, ..Trial::new(&given, 1) })
    };
    let [one, other] = NUMBERS;
    Some([with(None)?, with(Some(one))?, with(Some(other))?])
}

/// What places of `size` bytes hold without the option that hold its number with it, in a form.
fn held(endian: Endian, size: usize, moments: [&[u8]; 3], form: fn(u64) -> u64) -> Vec<u64> {
    let [without, one, other] =
        moments.map(|moment| moment.chunks_exact(size).map(|it| endian.read_uint(it)));
    let with = NUMBERS.map(form);
    let mut held: Vec<u64> = without
        .zip(one.zip(other))
        .filter(|(_, (one, other))| [*one, *other] == with)
        .map(|(without, _)| form(without))
        .collect();
    held.sort_unstable();
    held.dedup();
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: [u32; 3]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn what_a_place_holds_without_the_option_is_told_in_both_forms() {
        let without = words([7, 80, 0x5000]);
        let one = words([7, 33, 0x2100]);
        let other = words([9, 41, 0x2900]);
        let moments = [&without[..], &one, &other];
        assert_eq!(held(Endian::Little, 4, moments, |number| number), [80]);
        assert_eq!(held(Endian::Little, 4, moments, in_network_order), [80]);
        // The same number in both runs with the option follows something else.
        assert_eq!(held(Endian::Little, 4, [&without, &one, &one], |number| number), []);
    }
}
