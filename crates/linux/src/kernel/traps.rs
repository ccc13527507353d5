//! Signals that the code causes itself, by breakpoints and instructions that there are not.

use super::Kernel;
use super::processes::Signal;
use crate::abi::calls::Numbering;

/// Numbers that are the same under every ABI (`asm/signal.h`).
const ILLEGAL: Signal = 4;
pub(super) const TRAP: Signal = 5;
const ARITHMETIC: Signal = 8;

/// PowerPC's condition under which every comparison traps.
const ALWAYS: u64 = 31;

/// ARM's undefined instructions that are breakpoints, as lifted: that of ARM and that of Thumb code
/// (`arch/arm/kernel/ptrace.c`).
const ARM_BREAKPOINTS: [u64; 2] = [0x10, 1];

/// MIPS's numbers of failed checks, overflow and division by zero (`asm/break.h`), as the first or
/// the second part of the instruction's number.
const MIPS_CHECKS: [u64; 4] = [6, 7, 6 << 10, 7 << 10];

impl Kernel {
    /// At a trap of the program's code, with the specification's name for it and its number: whether
    /// the program goes on behind it, once its handler is through.
    ///
    /// Where a CPU would repeat the instruction after the handler, a handler that returns has moved
    /// the program on in the context that it is given. That context is not modelled; what handlers
    /// do is go on behind the instruction, which is done for them.
    pub(crate) fn trap(&mut self, name: &str, number: u64) -> bool {
        match signal_of(self.abi.numbering, name, number) {
            Some(signal) => self.cause(signal),
            None => false,
        }
    }

    /// Sends a signal that does not wait: without a handler it ends the program, whether it is
    /// ignored or not. While the handler of another runs, it comes behind that.
    pub(super) fn cause(&mut self, signal: Signal) -> bool {
        /// `SIG_IGN`, the last number that is no handler.
        const IGNORE: u64 = 1;
        if self.handlers.get(&signal).is_none_or(|handler| handler.0 <= IGNORE) {
            self.ended = Some(super::Ended::Killed(signal));
            return false;
        }
        if !self.pending.contains(&signal) {
            self.pending.push_front(signal);
        }
        true
    }
}

/// The signal of a trap; `None` where nothing says that it is one: PowerPC's compare first.
fn signal_of(numbering: Numbering, name: &str, number: u64) -> Option<Signal> {
    Some(match name {
        "trapWord" if number != ALWAYS => return None,
        "trap" | "break" if numbering == Numbering::Mips && MIPS_CHECKS.contains(&number) => {
            ARITHMETIC
        }
        "trap" | "break" | "trapWord" | "software_bkpt" | "breakpoint" | "SoftwareBreakpoint"
        | "ebreak" => TRAP,
        "software_udf" if ARM_BREAKPOINTS.contains(&number) => TRAP,
        "ftrap" | "__m68k_trapv" => ARITHMETIC,
        _ => ILLEGAL,
    })
}

#[cfg(test)]
mod tests {
    use super::{ARITHMETIC, ILLEGAL, Numbering, TRAP, signal_of};

    #[test]
    fn breakpoints_and_failed_checks_are_told_apart() {
        let cases = [
            (Numbering::Mips, "trap", 0, Some(TRAP)),
            (Numbering::Mips, "trap", 7, Some(ARITHMETIC)),
            (Numbering::Mips, "trap", 7 << 10, Some(ARITHMETIC)),
            (Numbering::Arm, "software_bkpt", 0, Some(TRAP)),
            (Numbering::Arm, "software_udf", 0x10, Some(TRAP)),
            (Numbering::Arm, "software_udf", 0, Some(ILLEGAL)),
            (Numbering::PowerPc, "trapWord", 31, Some(TRAP)),
            (Numbering::PowerPc, "trapWord", 4, None),
            (Numbering::X86, "invalidInstructionException", 0, Some(ILLEGAL)),
        ];
        for (numbering, name, number, signal) in cases {
            assert_eq!(signal_of(numbering, name, number), signal, "{name} {number}");
        }
    }
}
