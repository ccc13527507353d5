//! The forks: which variants of the family, and which look-alikes, are built.

use std::{fmt, str::FromStr};

/// One variant of the program; the label `fork` of manifest and truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fork {
    /// The leaked layout: ids 1 to 51, leaked vectors and defaults.
    Classic,
    /// Shuffled ids with gaps, more than sixty entries, other order, vectors and parameters.
    Renumbered,
    /// Credentials under another key than the table, some entries left under a third.
    MixedKeys,
    /// The C2 in the open in the connect routine, former C2s still in the table.
    PlainC2,
    /// The decoy stored first, the true address a constant in code.
    Immediate,
    /// Four C2s, one drawn at random.
    ManyC2,
    /// No table: coded globals, decoded where they are used.
    NoTable,
    /// Every text of the file under one key, and a constant address that is no C2.
    WholeImage,
    /// The C2 comes from the command line.
    External,
    /// Table records with the additional `locked` byte.
    DebugLayout,
    /// A C2 reached over IPv6.
    Ipv6,
    /// Attacks chosen by a `switch` or by words; no registry.
    SwitchDispatch,
    /// No scanner, hence no credentials.
    NoScanner,
    /// No attacks.
    NoAttacks,
    /// Benign: messages coded as the family codes its table.
    LookalikeTable,
    /// Benign: a list of weak passwords.
    LookalikePasswords,
    /// Benign: a client of one constant address.
    LookalikeConnect,
    /// The table filled by a loop over constant records; keys are arguments.
    LoopTable,
    /// The table as constant arrays that nothing fills; credentials as one packed block.
    StaticPointers,
    /// The table an object on the heap, filled by several routines.
    SplitTable,
}

impl Fork {
    /// The variants of the family.
    pub(crate) const FAMILY: [Fork; 14] = [
        Fork::Classic,
        Fork::Renumbered,
        Fork::MixedKeys,
        Fork::PlainC2,
        Fork::Immediate,
        Fork::ManyC2,
        Fork::NoTable,
        Fork::WholeImage,
        Fork::External,
        Fork::DebugLayout,
        Fork::Ipv6,
        Fork::SwitchDispatch,
        Fork::NoScanner,
        Fork::NoAttacks,
    ];

    /// The variants whose table and credentials are kept in another shape than the leaked one.
    pub(crate) const OTHER_SHAPES: [Fork; 3] =
        [Fork::LoopTable, Fork::StaticPointers, Fork::SplitTable];

    /// The benign programs that look like a part of the family.
    pub(super) const LOOKALIKES: [Fork; 3] =
        [Fork::LookalikeTable, Fork::LookalikePasswords, Fork::LookalikeConnect];

    /// The label.
    pub(super) fn name(self) -> &'static str {
        match self {
            Fork::Classic => "classic",
            Fork::Renumbered => "renumbered",
            Fork::MixedKeys => "mixed_keys",
            Fork::PlainC2 => "plain_c2",
            Fork::Immediate => "immediate",
            Fork::ManyC2 => "many_c2",
            Fork::NoTable => "no_table",
            Fork::WholeImage => "whole_image",
            Fork::External => "external",
            Fork::DebugLayout => "debug_layout",
            Fork::Ipv6 => "ipv6",
            Fork::SwitchDispatch => "switch_dispatch",
            Fork::NoScanner => "no_scanner",
            Fork::NoAttacks => "no_attacks",
            Fork::LookalikeTable => "lookalike_table",
            Fork::LookalikePasswords => "lookalike_passwords",
            Fork::LookalikeConnect => "lookalike_connect",
            Fork::LoopTable => "loop_table",
            Fork::StaticPointers => "static_pointers",
            Fork::SplitTable => "split_table",
        }
    }

    /// Whether the program is benign.
    pub(super) fn is_lookalike(self) -> bool {
        Fork::LOOKALIKES.contains(&self)
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fork {
    type Err = String;

    fn from_str(name: &str) -> Result<Fork, String> {
        Fork::FAMILY
            .into_iter()
            .chain(Fork::OTHER_SHAPES)
            .chain(Fork::LOOKALIKES)
            .find(|fork| fork.name() == name)
            .ok_or_else(|| format!("{name}: no such fork"))
    }
}
