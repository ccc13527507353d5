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
    /// XOR with sixteen bytes in turn.
    XorCyclic,
    /// RC4.
    Rc4,
    /// RC4 whose `j` is not reset between key schedule and output.
    Rc4Carried,
    /// RC4 with five further passes over its state.
    Rc4Passes,
    /// ChaCha20 of RFC 8439.
    Chacha20,
    /// XTEA with another delta.
    Xtea,
    /// One configuration block under XXTEA; texts at fixed offsets.
    Xxtea,
    /// AES-128 in CBC mode.
    Aes128Cbc,
    /// A byte for every byte.
    Substitution,
    /// A letter for every letter of 64.
    Alphabet,
    /// ROT13, then XOR.
    RotXor,
    /// Hexadecimal digits in slots of one size.
    Hex,
    /// No table: texts built on the stack.
    StackString,
    /// Every text under a key byte that stands beside it.
    PerEntryKey,
    /// Every kind of attack, handlers that do not return.
    ObservedAttacks,
    /// The decoy is resolved until the handler of SIGTRAP puts another routine in its place.
    TrapGate,
    /// The decoy is resolved unless the program has the right name.
    NameGate,
    /// The C2 in a TXT record.
    DnsTxt,
    /// The C2 in an address record, changed after it came.
    DnsAddress,
    /// Several C2s, the next one when one fails.
    Fallback,
    /// Other bots in a list.
    PeerList,
    /// The C2 asked of a name server over HTTPS.
    DeadDrop,
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

    /// The variants whose texts are under another cipher than a single byte.
    pub(crate) const CIPHERS: [Fork; 14] = [
        Fork::XorCyclic,
        Fork::Rc4,
        Fork::Rc4Carried,
        Fork::Rc4Passes,
        Fork::Chacha20,
        Fork::Xtea,
        Fork::Xxtea,
        Fork::Aes128Cbc,
        Fork::Substitution,
        Fork::Alphabet,
        Fork::RotXor,
        Fork::Hex,
        Fork::StackString,
        Fork::PerEntryKey,
    ];

    /// The variants that differ in where they connect, and under which condition.
    pub(crate) const DESTINATIONS: [Fork; 7] = [
        Fork::TrapGate,
        Fork::NameGate,
        Fork::DnsTxt,
        Fork::DnsAddress,
        Fork::Fallback,
        Fork::PeerList,
        Fork::DeadDrop,
    ];

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
            Fork::XorCyclic => "xor_cyclic",
            Fork::Rc4 => "rc4",
            Fork::Rc4Carried => "rc4_carried",
            Fork::Rc4Passes => "rc4_passes",
            Fork::Chacha20 => "chacha20",
            Fork::Xtea => "xtea",
            Fork::Xxtea => "xxtea",
            Fork::Aes128Cbc => "aes_128_cbc",
            Fork::Substitution => "substitution",
            Fork::Alphabet => "alphabet",
            Fork::RotXor => "rot_xor",
            Fork::Hex => "hex",
            Fork::StackString => "stack_string",
            Fork::PerEntryKey => "per_entry_key",
            Fork::ObservedAttacks => "observed_attacks",
            Fork::TrapGate => "trap_gate",
            Fork::NameGate => "name_gate",
            Fork::DnsTxt => "dns_txt",
            Fork::DnsAddress => "dns_address",
            Fork::Fallback => "fallback",
            Fork::PeerList => "peer_list",
            Fork::DeadDrop => "dead_drop",
        }
    }

    /// Whether the program is seen through only by running more of it than the routines that fill
    /// and decode a table under one byte; the label `piece`, with the value `run`.
    pub(super) fn must_run(self) -> bool {
        Fork::CIPHERS.contains(&self)
            || Fork::DESTINATIONS.contains(&self)
            || self == Fork::ObservedAttacks
    }

    /// Whether the program has a routine for more than a byte of key.
    pub(super) fn has_cipher(self) -> bool {
        Fork::CIPHERS.contains(&self) && !matches!(self, Fork::StackString | Fork::PerEntryKey)
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
            .chain(Fork::CIPHERS)
            .chain([Fork::ObservedAttacks])
            .chain(Fork::DESTINATIONS)
            .find(|fork| fork.name() == name)
            .ok_or_else(|| format!("{name}: no such fork"))
    }
}
