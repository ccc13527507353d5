//! How the C is written: the choices that leave the meaning alone and change the machine code.

use super::{fork::Fork, random::Random};

/// Values of the `STYLE_` settings of the C sources (`include/settings.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) add_entry: &'static str,
    pub(super) key: &'static str,
    pub(super) record: &'static str,
    pub(super) linkage: &'static str,
    pub(super) copy: &'static str,
    pub(super) gate: &'static str,
}

impl Style {
    /// The style of one file: the leaked one for the forks that keep the leaked layout.
    pub(super) fn draw(random: &mut Random, fork: Fork) -> Style {
        let gate = *random.pick(&["GATE_TRAP", "GATE_TABLE"]);
        let linkage = *random.pick(&["LINKAGE_STATIC", "LINKAGE_GLOBAL"]);
        match fork {
            Fork::Classic | Fork::DebugLayout => Style {
                add_entry: "ADD_FUNCTION",
                key: "KEY_WORD",
                record: if fork == Fork::Classic { "RECORD_VALUE_FIRST" } else { "RECORD_DEBUG" },
                linkage: "LINKAGE_STATIC",
                copy: "COPY_OWN",
                gate,
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
            },
        }
    }

    /// Whether the 32-bit key stands in the file as one word.
    pub(super) fn keeps_key_word(self) -> bool {
        self.key == "KEY_WORD"
    }
}
