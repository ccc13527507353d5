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
    specimens.extend(ciphers(toolchains));
    specimens.into_iter().collect()
}

/// Targets per cipher in our own C library, and files per cipher of other libraries or compilers.
const TARGETS_PER_CIPHER: usize = 4;
const OTHERS_PER_CIPHER: usize = 3;

/// Each cipher on some targets at three levels, and with some of the other toolchains; over all
/// ciphers every toolchain is used.
fn ciphers(toolchains: &[Toolchain]) -> Vec<Specimen> {
    let (main, others): (Vec<Toolchain>, Vec<Toolchain>) = toolchains
        .iter()
        .partition(|toolchain| main_toolchain(toolchains, toolchain.target) == Some(**toolchain));
    let specimen = |fork, toolchain, optimisation, number: usize| Specimen {
        fork,
        toolchain,
        optimisation,
        single_unit: number.is_multiple_of(2),
        section_headers: number % 4 != 1,
        ballast: number % 6 == 2,
    };
    let mut specimens = Vec::new();
    for (f, fork) in Fork::CIPHERS.into_iter().enumerate() {
        for k in 0..TARGETS_PER_CIPHER {
            let Some(&toolchain) = main.get((TARGETS_PER_CIPHER * f + k) % main.len().max(1))
            else {
                continue;
            };
            for step in 0..LEVELS_PER_PAIR {
                let level = OPTIMISATIONS[(f + k + 2 * step) % OPTIMISATIONS.len()];
                specimens.push(specimen(fork, toolchain, level, f + k + step));
            }
        }
        for k in 0..OTHERS_PER_CIPHER {
            let number = OTHERS_PER_CIPHER * f + k;
            let Some(&toolchain) = others.get(number % others.len().max(1)) else { continue };
            let levels = levels_of(toolchain, &OPTIMISATIONS[1..]);
            specimens.push(specimen(fork, toolchain, levels[number % levels.len()], number));
        }
    }
    specimens
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
        })
        .collect()
}
