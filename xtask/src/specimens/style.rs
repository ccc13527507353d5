//! How the C is written: the choices that leave the meaning alone and change the machine code.

use super::{ciphers::Cipher, fork::Fork, random::Random};

/// Values of the `STYLE_` settings of the C sources (`include/settings.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) add_entry: &'static str,
    pub(super) key: &'static str,
    pub(super) record: &'static str,
    pub(super) linkage: &'static str,
    pub(super) copy: &'static str,
    pub(super) gate: &'static str,
    /// When a table under a cipher is decoded; empty for other shapes.
    pub(super) decode: &'static str,
    /// How texts are built on the stack; empty where none is.
    pub(super) stack: &'static str,
}

impl Style {
    /// The style of one file: the leaked one for the forks that keep the leaked layout.
    pub(super) fn draw(random: &mut Random, fork: Fork, cipher: &Cipher) -> Style {
        let gate = *random.pick(&["GATE_TRAP", "GATE_TABLE"]);
        let linkage = *random.pick(&["LINKAGE_STATIC", "LINKAGE_GLOBAL"]);
        let (decode, stack) = if Fork::CIPHERS.contains(&fork) {
            (decode(random, cipher), *random.pick(&["STACK_BYTES", "STACK_WORDS"]))
        } else {
            ("", "")
        };
        match fork {
            Fork::Classic | Fork::DebugLayout => Style {
                add_entry: "ADD_FUNCTION",
                key: "KEY_WORD",
                record: if fork == Fork::Classic { "RECORD_VALUE_FIRST" } else { "RECORD_DEBUG" },
                linkage: "LINKAGE_STATIC",
                copy: "COPY_OWN",
                gate,
                decode,
                stack,
            },
            _ => Style {
                add_entry: random.pick::<&str>(&["ADD_FUNCTION", "ADD_FUNCTION", "ADD_MACRO"]),
                key: random.pick::<&str>(&["KEY_WORD", "KEY_WORD", "KEY_BYTES", "KEY_FOLDED"]),
                record: random.pick::<&str>(&[
                    "RECORD_VALUE_FIRST",
                    "RECORD_VALUE_FIRST",
                    "RECORD_LENGTH_FIRST",
                ]),
                linkage,
                copy: random.pick::<&str>(&["COPY_OWN", "COPY_LIBRARY"]),
                gate,
                decode,
                stack,
            },
        }
    }

    /// Whether the 32-bit key stands in the file as one word.
    pub(super) fn keeps_key_word(self) -> bool {
        self.key == "KEY_WORD"
    }
}

/// In place only what can be coded again by decoding it.
fn decode(random: &mut Random, cipher: &Cipher) -> &'static str {
    match cipher {
        Cipher::OwnKeys | Cipher::Xxtea { .. } | Cipher::Hex { .. } | Cipher::Stack => "",
        _ if cipher.is_its_own_inverse() => random.pick::<&str>(&[
            "DECODE_IN_PLACE",
            "DECODE_IN_PLACE",
            "DECODE_ON_ADD",
            "DECODE_ON_GET",
        ]),
        _ => random.pick::<&str>(&["DECODE_ON_ADD", "DECODE_ON_GET"]),
    }
}
