//! Traps that compilers put where control must not come, and by which Linux ends the process.
//!
//! Source: the patterns `trap` of GCC's machine descriptions (`trap #7` of m68k, `ta 5` of SPARC);
//! Linux answers both with a signal that is fatal unless a handler leaves by a jump. Where a
//! specification itself says that control does not go on, nothing is needed here.

use miyaburi_image::{Arch, Family};
use miyaburi_pcode::Language;

/// The most user-ops that are looked through for a name.
const MAX_USER_OPS: u64 = 1 << 12;

/// The trap of one CPU's compilers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FinalTrap {
    /// The user-op and its argument.
    trap: Option<(u64, u64)>,
}

impl FinalTrap {
    /// That of a CPU.
    pub(crate) fn new(arch: Arch, language: &dyn Language) -> Self {
        let (name, argument) = match arch.family {
            Family::M68k | Family::ColdFire => ("__m68k_trap", 7),
            Family::Sparc | Family::SparcV8Plus => ("sw_trap", 5),
            _ => return Self::default(),
        };
        let numbers =
            (0..MAX_USER_OPS).map_while(|number| Some((number, language.user_op(number)?)));
        let number = numbers.into_iter().find(|(_, other)| *other == name);
        Self { trap: number.map(|(number, _)| (number, argument)) }
    }

    /// Whether a user-op with this argument ends the process.
    pub(crate) fn is(&self, number: Option<u64>, argument: Option<u64>) -> bool {
        self.trap.is_some() && self.trap == number.zip(argument)
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::FinalTrap;
    use miyaburi_image::Arch;
    use miyaburi_pcode::language_for;

    #[test]
    fn the_specifications_have_the_traps() {
        for (cpu, argument) in [("m68k", 7), ("coldfire", 7), ("sparc32", 5)] {
            let arch = Arch::named(cpu).expect("a known CPU");
            let language = language_for(arch).expect("a specification");
            let trap = FinalTrap::new(arch, &*language);
            let (number, _) = trap.trap.expect("a user-op of this name");
            assert!(trap.is(Some(number), Some(argument)), "{cpu}");
            assert!(!trap.is(Some(number), Some(0)), "{cpu}: a system call or another trap");
            assert!(!trap.is(Some(number), None) && !trap.is(None, None), "{cpu}");
        }
        assert!(!FinalTrap::default().is(None, None));
    }
}
