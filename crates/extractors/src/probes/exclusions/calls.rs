//! Addresses drawn by a call: each is answered with the next number, and where the same generator is
//! asked again before a destination is written, the number was refused.

use miyaburi_emulator::CallAction;
use miyaburi_image::Address;

/// Answers for the call that draws, and how each was taken.
#[derive(Clone, Debug)]
pub(in crate::probes) struct CallDraws {
    site: Address,
    /// What it calls; a loop may begin behind its first round, with a call of its own.
    callee: Option<Address>,
    numbers: Vec<u64>,
    /// Of the first numbers, whether a destination was made of it.
    pub(super) verdicts: Vec<bool>,
    /// Whether the number behind was handed out.
    is_open: bool,
}

impl CallDraws {
    pub(super) const fn new(site: Address, numbers: Vec<u64>) -> Self {
        Self { site, callee: None, numbers, verdicts: Vec::new(), is_open: false }
    }

    /// What is done at a call; `None` for other calls.
    pub(in crate::probes) fn at_call(
        &mut self,
        site: Address,
        callee: Address,
    ) -> Option<CallAction> {
        if site == self.site {
            self.callee = Some(callee);
        } else if !self.is_open || self.callee != Some(callee) {
            return None;
        }
        if self.is_open {
            self.verdicts.push(false);
        }
        let number = self.numbers.get(self.verdicts.len()).copied();
        self.is_open = number.is_some();
        Some(number.map_or(CallAction::Stop, CallAction::Return))
    }

    /// A destination was written.
    pub(in crate::probes) fn is_accepted(&mut self) {
        if self.is_open {
            self.verdicts.push(true);
            self.is_open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_draws_again_has_refused() {
        let (site, callee, other) = (Address(0x100), Address(0x800), Address(0x200));
        let mut draws = CallDraws::new(site, vec![1, 2, 3, 4]);
        assert_eq!(draws.at_call(other, callee), None);
        assert_eq!(draws.at_call(site, callee), Some(CallAction::Return(1)));
        draws.is_accepted();
        // More of the destination, and other uses of the generator.
        draws.is_accepted();
        assert_eq!(draws.at_call(other, callee), None);
        assert_eq!(draws.at_call(site, callee), Some(CallAction::Return(2)));
        assert_eq!(draws.at_call(other, Address(0x900)), None);
        assert_eq!(draws.at_call(site, callee), Some(CallAction::Return(3)));
        // The same loop's other call.
        assert_eq!(draws.at_call(other, callee), Some(CallAction::Return(4)));
        draws.is_accepted();
        assert_eq!(draws.at_call(site, callee), Some(CallAction::Stop));
        assert_eq!(draws.verdicts, [true, false, false, true]);
    }
}
