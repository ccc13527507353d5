//! System calls that a program made and the virtual Linux does not model: each failed as on a kernel
//! that lacks it, and what the program would have done otherwise was not seen.

use crate::found::Diagnostic;
use miyaburi_image::Address;
use miyaburi_linux::{Kernel, SystemCall};
use std::collections::BTreeMap;

/// The name under which diagnostics are given.
const STAGE: &str = "linux";

/// The calls by number: what each is, where the ABI has it, and the first place that made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnmodelledCalls(BTreeMap<u32, (Option<SystemCall>, Address)>);

impl UnmodelledCalls {
    /// Adds those of one process.
    pub fn learn(&mut self, kernel: &Kernel) {
        for (number, call) in kernel.unmodelled() {
            self.0.entry(*number).or_insert(*call);
        }
    }

    /// One note for each of them.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let note = |(number, (call, site)): (&u32, &(Option<SystemCall>, Address))| {
            let name = call.map_or_else(|| "unknown".to_owned(), |call| call.name().to_owned());
            let message = format!(
                "system call {name} ({number}) is not modelled: it failed as where there is none"
            );
            Diagnostic::note(STAGE, message, Some(*site))
        };
        self.0.iter().map(note).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::UnmodelledCalls;
    use miyaburi_image::Address;
    use miyaburi_linux::SystemCall;

    #[test]
    fn each_call_is_named_with_the_place_that_made_it() {
        let mut calls = UnmodelledCalls::default();
        calls.0.insert(163, (Some(SystemCall::Acct), Address(0x40_0100)));
        calls.0.insert(9999, (None, Address(0x40_0200)));
        let notes = calls.diagnostics();
        let told: Vec<_> = notes.iter().map(|it| (it.message.as_str(), it.at)).collect();
        assert_eq!(
            told,
            [
                (
                    "system call acct (163) is not modelled: it failed as where there is none",
                    Some(Address(0x40_0100))
                ),
                (
                    "system call unknown (9999) is not modelled: it failed as where there is none",
                    Some(Address(0x40_0200))
                ),
            ]
        );
        assert!(UnmodelledCalls::default().diagnostics().is_empty());
    }
}
