//! The programs that are measured.
//!
//! Every target meets every optimisation level with each of its C libraries: one specimen each, the
//! forks taking turns, as one unit and as modules in turn. With a hosted C library there is an
//! ordinary program beside it, which draws more of the library in.

use crate::{
    specimens::{Fork, OPTIMISATIONS, Specimen},
    toolchain::{Compiler, Libc, Target, Toolchain},
};

/// One program.
#[derive(Clone, Debug)]
pub(super) enum Case {
    /// A specimen.
    Specimen(Specimen),
    /// A program of everyday library calls.
    Ordinary {
        /// What builds it.
        toolchain: Toolchain,
        /// The optimisation switch.
        level: &'static str,
    },
}

impl Case {
    pub(super) fn toolchain(&self) -> Toolchain {
        match self {
            Case::Specimen(specimen) => specimen.toolchain,
            Case::Ordinary { toolchain, .. } => *toolchain,
        }
    }

    /// The optimisation switch.
    pub(super) fn level(&self) -> &'static str {
        match self {
            Case::Specimen(specimen) => specimen.optimisation,
            Case::Ordinary { level, .. } => level,
        }
    }

    pub(super) fn label(&self) -> String {
        match self {
            Case::Specimen(specimen) => specimen.label(),
            Case::Ordinary { toolchain, level } => format!("{toolchain}.ordinary{level}"),
        }
    }
}

/// All of them, target by target.
pub(super) fn all() -> Vec<Case> {
    let toolchains = Toolchain::all();
    toolchains.iter().enumerate().flat_map(|(n, &toolchain)| of_toolchain(n, toolchain)).collect()
}

fn of_toolchain(n: usize, toolchain: Toolchain) -> Vec<Case> {
    // The package compiles musl anew for every other kind of level, which takes minutes.
    let levels =
        if toolchain.libc == Libc::Musl { &OPTIMISATIONS[2..4] } else { &OPTIMISATIONS[..] };
    let specimen = |(step, &optimisation): (usize, &&'static str)| {
        Case::Specimen(Specimen {
            fork: Fork::FAMILY[(n + 3 * step) % Fork::FAMILY.len()],
            toolchain,
            optimisation,
            single_unit: (n + step).is_multiple_of(2),
            section_headers: step.is_multiple_of(2),
            ballast: false,
            symbols: false,
        })
    };
    // Clang's support library for ARM asks for atomics that nothing has unless it optimises.
    let is_arm = matches!(toolchain.target, Target::Armv5 | Target::ArmBe);
    let skipped = usize::from(toolchain.compiler == Compiler::Clang && is_arm);
    let mut cases: Vec<Case> = levels.iter().enumerate().skip(skipped).map(specimen).collect();
    if toolchain.libc != Libc::Tiny {
        let level = levels[n % levels.len()];
        cases.push(Case::Ordinary { toolchain, level });
    }
    cases
}
