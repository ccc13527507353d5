//! The build matrix covers what it promises to cover.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    specimens::{
        COMMITTED_SEED,
        configuration::Configuration,
        fork::Fork,
        plan::{self, OPTIMISATIONS, Specimen},
        reach::Gate,
        values::folded,
    },
    toolchain::{Target, Toolchain},
};

fn plan() -> Vec<Specimen> {
    plan::all(&Toolchain::all())
}

/// Pairs that `specimens` meet, out of all of `left` x `right`.
fn missing<L: Copy + Ord, R: Copy + Ord>(
    left: &[L],
    right: &[R],
    pair: impl Fn(&Specimen) -> (L, R),
) -> usize {
    let met: BTreeSet<(L, R)> = plan().iter().map(pair).collect();
    left.iter()
        .flat_map(|&l| right.iter().map(move |&r| (l, r)))
        .filter(|p| !met.contains(p))
        .count()
}

#[test]
fn every_target_meets_every_level_and_every_fork() {
    assert_eq!(missing(&Target::ALL, &OPTIMISATIONS, |s| (s.toolchain.target, s.optimisation)), 0);
    assert_eq!(missing(&Target::ALL, &Fork::FAMILY, |s| (s.toolchain.target, s.fork)), 0);
    assert_eq!(missing(&Target::ALL, &Fork::OTHER_SHAPES, |s| (s.toolchain.target, s.fork)), 0);
    assert_eq!(missing(&Target::ALL, &Fork::LOOKALIKES, |s| (s.toolchain.target, s.fork)), 0);
}

#[test]
fn every_fork_meets_every_level() {
    assert_eq!(missing(&Fork::FAMILY, &OPTIMISATIONS, |s| (s.fork, s.optimisation)), 0);
    assert_eq!(missing(&Fork::OTHER_SHAPES, &OPTIMISATIONS, |s| (s.fork, s.optimisation)), 0);
    assert_eq!(missing(&Fork::LOOKALIKES, &OPTIMISATIONS, |s| (s.fork, s.optimisation)), 0);
}

#[test]
fn every_toolchain_is_used() {
    let used: BTreeSet<Toolchain> = plan().iter().map(|specimen| specimen.toolchain).collect();
    let all: BTreeSet<Toolchain> = Toolchain::all().into_iter().collect();
    assert_eq!(used, all);
}

#[test]
fn the_set_is_large_varied_and_without_duplicates() {
    let plan = plan();
    let labels: BTreeSet<String> = plan.iter().map(Specimen::label).collect();
    assert_eq!(labels.len(), plan.len());
    assert!(plan.len() >= 700, "{} specimens", plan.len());
    let count = |wanted: fn(&Specimen) -> bool| plan.iter().filter(|s| wanted(s)).count();
    assert!(count(|s| s.ballast) >= 120);
    assert!(count(|s| s.single_unit) >= 150);
    assert!(count(|s| !s.section_headers) >= 150);
}

#[test]
fn keys_are_many() {
    let keys: BTreeSet<u8> = plan()
        .iter()
        .filter(|specimen| !specimen.fork.is_lookalike())
        .map(|s| folded(Configuration::generate(s.fork, 1, &s.label()).key))
        .collect();
    assert!(keys.len() >= 30, "{} keys", keys.len());
    assert!(!keys.contains(&0));
}

#[test]
fn another_seed_changes_the_values_and_the_same_seed_does_not() {
    let header = |seed| {
        let label = "mips-be-gcc-tiny.renumbered-O2.modules";
        super::super::header::config_header(&Configuration::generate(Fork::Renumbered, seed, label))
    };
    assert_eq!(header(1), header(1));
    assert_ne!(header(1), header(2));
}

#[test]
fn every_cipher_has_four_targets_at_three_levels_and_all_meet_every_toolchain() {
    let of_ciphers: Vec<Specimen> =
        plan().into_iter().filter(|s| Fork::CIPHERS.contains(&s.fork)).collect();
    for fork in Fork::CIPHERS {
        let levels_of = |target: Target| {
            let of_target = |s: &&Specimen| s.fork == fork && s.toolchain.target == target;
            of_ciphers.iter().filter(of_target).map(|s| s.optimisation).collect::<BTreeSet<_>>()
        };
        let targets = Target::ALL.into_iter().filter(|target| levels_of(*target).len() >= 3);
        assert!(targets.count() >= 4, "{fork}");
        let units: BTreeSet<bool> =
            of_ciphers.iter().filter(|s| s.fork == fork).map(|s| s.single_unit).collect();
        assert_eq!(units.len(), 2, "{fork}");
    }
    let toolchains: BTreeSet<Toolchain> = of_ciphers.iter().map(|s| s.toolchain).collect();
    assert_eq!(toolchains, Toolchain::all().into_iter().collect());
}

#[test]
fn every_way_of_decoding_is_used() {
    let decode: BTreeSet<&str> = plan()
        .iter()
        .filter(|specimen| Fork::CIPHERS.contains(&specimen.fork))
        .map(|s| Configuration::generate(s.fork, COMMITTED_SEED, &s.label()).style.decode)
        .collect();
    assert_eq!(decode, BTreeSet::from(["", "DECODE_IN_PLACE", "DECODE_ON_ADD", "DECODE_ON_GET"]));
}

#[test]
fn every_attack_is_observed_on_every_target_at_three_levels_and_some_files_keep_their_symbols() {
    let observed: Vec<Specimen> =
        plan().into_iter().filter(|s| s.fork == Fork::ObservedAttacks).collect();
    for target in Target::ALL {
        let levels: BTreeSet<&str> = observed
            .iter()
            .filter(|s| s.toolchain.target == target && !s.symbols)
            .map(|s| s.optimisation)
            .collect();
        assert!(levels.len() >= 3, "{target}");
    }
    let named = plan().into_iter().filter(|specimen| specimen.symbols);
    assert!(named.clone().count() >= 6);
    assert!(named.into_iter().all(|s| s.fork == Fork::ObservedAttacks && s.section_headers));
}

#[test]
fn every_destination_has_four_targets_at_three_levels_and_every_way_there_is_taken() {
    let of_destinations: Vec<Specimen> =
        plan().into_iter().filter(|s| Fork::DESTINATIONS.contains(&s.fork)).collect();
    let mut targets_of: BTreeMap<(Fork, Target), BTreeSet<&str>> = BTreeMap::new();
    for specimen in &of_destinations {
        let key = (specimen.fork, specimen.toolchain.target);
        targets_of.entry(key).or_default().insert(specimen.optimisation);
    }
    for fork in Fork::DESTINATIONS {
        let targets = targets_of.iter().filter(|((f, _), levels)| *f == fork && levels.len() >= 3);
        assert!(targets.count() >= 4, "{fork}");
    }
    let targets: BTreeSet<Target> = targets_of.keys().map(|(_, target)| *target).collect();
    assert_eq!(targets.len(), Target::ALL.len());
    let drawn: Vec<Configuration> = of_destinations
        .iter()
        .map(|s| Configuration::generate(s.fork, COMMITTED_SEED, &s.label()))
        .collect();
    let from: BTreeSet<String> = drawn.iter().map(|c| format!("{:?}", c.c2.from)).collect();
    for wanted in ["Txt", "Record", "NextTable", "NextDotted", "NextImmediate", "DeadDrop"] {
        assert!(from.contains(wanted), "{wanted}");
    }
    let reaches = || drawn.iter().filter_map(|configuration| configuration.reach.as_ref());
    let transforms: BTreeSet<Option<String>> = reaches()
        .map(|reach| {
            let name = reach.transform.name();
            name.map(|name| format!("{} of {}", name.split("0x").next().unwrap(), name.len()))
        })
        .collect();
    // None, base64, a byte, an address, halves.
    assert_eq!(transforms.len(), 5, "{transforms:?}");
    for gate in [Gate::Direct, Gate::Trap, Gate::Name] {
        assert!(reaches().any(|reach| reach.gate == gate), "{gate:?}");
    }
}
