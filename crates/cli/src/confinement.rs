//! Gives up what analysing hostile files does not need, once inputs are known and outputs open.

use miyaburi_confinement::{Reach, confine};

use crate::arguments::Confinement;
use crate::error::complain;

impl Confinement {
    /// Drops all rights but to `reach`, unless the user wants to keep them. Where the system cannot,
    /// one line says so: what was asked for is done all the same, as the emulator has no outside.
    pub(crate) fn begin(self, reach: &Reach) {
        if self.unconfined {
            return;
        }
        let gaps: Vec<String> = confine(reach).iter().map(ToString::to_string).collect();
        if !gaps.is_empty() {
            complain(format_args!("{} (--unconfined does without)", gaps.join("; ")));
        }
    }
}
