//! The build matrix: which specimens there are.
//!
//! Every target meets every optimisation level and every fork, every fork meets every
//! optimisation level, and every C library that a target has is linked at least once.

use std::collections::BTreeSet;

use crate::toolchain::{Compiler, Libc, Target, Toolchain};

use super::fork::Fork;

/// Optimisation levels of the set.
pub(crate) const OPTIMISATIONS: [&str; 5] = ["-O0", "-O1", "-O2", "-O3", "-Os"];

/// One specimen to build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Specimen {
    pub(crate) fork: Fork,
    pub(crate) toolchain: Toolchain,
    pub(crate) optimisation: &'static str,
    /// The program as one translation unit.
    pub(crate) single_unit: bool,
    pub(crate) section_headers: bool,
    /// With some 60 KB or more of ordinary code beside it.
    pub(crate) ballast: bool,
    /// With its symbols, one of which lies.
    pub(crate) symbols: bool,
}

impl Specimen {
    /// Name of the file, of its values in the random stream, and of its line in the manifest.
    pub(crate) fn label(&self) -> String {
        let mut label = format!(
            "{}.{}{}.{}",
            self.toolchain.name(),
            self.fork.name(),
            self.optimisation,
            if self.single_unit { "single" } else { "modules" },
        );
        if !self.section_headers {
            label.push_str(".nosections");
        }
        if self.ballast {
            label.push_str(".ballast");
        }
        if self.symbols {
            label.push_str(".symbols");
        }
        label
    }
}

/// Optimisation levels per target and fork in the main part of the set.
const LEVELS_PER_PAIR: usize = 3;

/// Every specimen, in a fixed order.
pub(super) fn all(toolchains: &[Toolchain]) -> Vec<Specimen> {
    let mut specimens = BTreeSet::new();
    for (t, target) in Target::ALL.into_iter().enumerate() {
        let Some(toolchain) = main_toolchain(toolchains, target) else { continue };
        for (f, fork) in Fork::FAMILY.into_iter().enumerate() {
            for step in 0..LEVELS_PER_PAIR {
                let number = t + 3 * f + 7 * step;
                specimens.insert(Specimen {
                    fork,
                    toolchain,
                    optimisation: OPTIMISATIONS[(t + f + 2 * step) % OPTIMISATIONS.len()],
                    single_unit: number.is_multiple_of(3),
                    section_headers: number % 4 != 1,
                    ballast: number % 4 == 2,
                    symbols: false,
                });
            }
        }
        specimens.extend(other_shapes(toolchain, t));
        specimens.extend(lookalikes(toolchain, t));
    }
    for (n, &toolchain) in toolchains.iter().enumerate() {
        if main_toolchain(toolchains, toolchain.target) != Some(toolchain) {
            specimens.extend(of_other_library(toolchain, n));
        }
    }
    specimens.extend(some_targets_each(toolchains, &Fork::CIPHERS));
    specimens.extend(some_targets_each(toolchains, &Fork::DESTINATIONS));
    specimens.extend(observed_attacks(toolchains));
    specimens.into_iter().collect()
}

/// Targets of a fork in our own C library, and its files of other libraries or compilers.
const TARGETS_PER_FORK: usize = 4;
const OTHERS_PER_FORK: usize = 3;

/// Each of `forks` on some targets at three levels, and with some of the other toolchains; many forks
/// together use every toolchain.
fn some_targets_each(toolchains: &[Toolchain], forks: &[Fork]) -> Vec<Specimen> {
    let (main, others) = main_and_others(toolchains);
    let mut specimens = Vec::new();
    for (f, &fork) in forks.iter().enumerate() {
        for k in 0..TARGETS_PER_FORK {
            let Some(&toolchain) = main.get((TARGETS_PER_FORK * f + k) % main.len().max(1)) else {
                continue;
            };
            for step in 0..LEVELS_PER_PAIR {
                let level = OPTIMISATIONS[(f + k + 2 * step) % OPTIMISATIONS.len()];
                specimens.push(varied(fork, toolchain, level, f + k + step));
            }
        }
        for k in 0..OTHERS_PER_FORK {
            let number = OTHERS_PER_FORK * f + k;
            let Some(&toolchain) = others.get(number % others.len().max(1)) else { continue };
            let levels = levels_of(toolchain, &OPTIMISATIONS[1..]);
            specimens.push(varied(fork, toolchain, levels[number % levels.len()], number));
        }
    }
    specimens
}

/// One of `OTHER_ATTACKS` other toolchains, and one of `NAMED_ATTACKS` targets with symbols.
const OTHER_ATTACKS: usize = 4;
const NAMED_ATTACKS: usize = 2;

/// Every kind of attack on every target at three levels, with some of the other toolchains, and with
/// symbols.
fn observed_attacks(toolchains: &[Toolchain]) -> Vec<Specimen> {
    let (main, others) = main_and_others(toolchains);
    let fork = Fork::ObservedAttacks;
    let mut specimens = Vec::new();
    for (t, &toolchain) in main.iter().enumerate() {
        for step in 0..LEVELS_PER_PAIR {
            let level = OPTIMISATIONS[(t + 2 * step) % OPTIMISATIONS.len()];
            specimens.push(varied(fork, toolchain, level, t + step));
        }
        if t.is_multiple_of(NAMED_ATTACKS) {
            let level = OPTIMISATIONS[(t + 1) % OPTIMISATIONS.len()];
            let plain = varied(fork, toolchain, level, 0);
            specimens.push(Specimen { symbols: true, ..plain });
        }
    }
    for (n, &toolchain) in others.iter().enumerate().step_by(OTHER_ATTACKS) {
        let levels = levels_of(toolchain, &OPTIMISATIONS[1..]);
        specimens.push(varied(fork, toolchain, levels[n % levels.len()], n));
    }
    specimens
}

fn main_and_others(toolchains: &[Toolchain]) -> (Vec<Toolchain>, Vec<Toolchain>) {
    toolchains
        .iter()
        .partition(|toolchain| main_toolchain(toolchains, toolchain.target) == Some(**toolchain))
}

/// A specimen whose further properties follow from a number.
fn varied(fork: Fork, toolchain: Toolchain, optimisation: &'static str, number: usize) -> Specimen {
    Specimen {
        fork,
        toolchain,
        optimisation,
        single_unit: number.is_multiple_of(2),
        section_headers: number % 4 != 1,
        ballast: number % 6 == 2,
        symbols: false,
    }
}

/// Those of `levels` that do not make the package compile musl anew, which takes minutes.
fn levels_of<'a>(toolchain: Toolchain, levels: &'a [&'static str]) -> &'a [&'static str] {
    if toolchain.libc == Libc::Musl { &OPTIMISATIONS[2..4] } else { levels }
}

/// The toolchain of the main part: our own C library, which every target has.
fn main_toolchain(toolchains: &[Toolchain], target: Target) -> Option<Toolchain> {
    let wanted = Toolchain { target, libc: Libc::Tiny, compiler: Compiler::Gcc };
    toolchains.contains(&wanted).then_some(wanted)
}

/// Each of the other shapes on one level, which differs per target and shape.
fn other_shapes(toolchain: Toolchain, t: usize) -> impl Iterator<Item = Specimen> {
    Fork::OTHER_SHAPES.into_iter().enumerate().map(move |(f, fork)| Specimen {
        fork,
        toolchain,
        optimisation: OPTIMISATIONS[(t + 2 * f) % OPTIMISATIONS.len()],
        single_unit: (t + f).is_multiple_of(3),
        section_headers: (t + f) % 4 != 1,
        ballast: false,
        symbols: false,
    })
}

/// Each look-alike on two levels, the pair differing per target.
fn lookalikes(toolchain: Toolchain, t: usize) -> impl Iterator<Item = Specimen> {
    Fork::LOOKALIKES.into_iter().enumerate().flat_map(move |(f, fork)| {
        (0..2).map(move |step| Specimen {
            fork,
            toolchain,
            optimisation: OPTIMISATIONS[(t + f + 3 * step) % OPTIMISATIONS.len()],
            single_unit: false,
            section_headers: (t + f + step).is_multiple_of(2),
            ballast: false,
            symbols: false,
        })
    })
}

/// A few forks with another C library or compiler. glibc is large: two files per target.
fn of_other_library(toolchain: Toolchain, n: usize) -> Vec<Specimen> {
    let count = match toolchain.libc {
        Libc::Glibc | Libc::Tiny => 2,
        Libc::Musl | Libc::Uclibc => 3,
    };
    let levels = levels_of(toolchain, &OPTIMISATIONS);
    (0..count)
        .map(|step| Specimen {
            fork: Fork::FAMILY[(n + 5 * step) % Fork::FAMILY.len()],
            toolchain,
            optimisation: levels[(n + step) % levels.len()],
            single_unit: (n + step).is_multiple_of(3),
            section_headers: (n + step).is_multiple_of(2),
            ballast: false,
            symbols: false,
        })
        .collect()
}
