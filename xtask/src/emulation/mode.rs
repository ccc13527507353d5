//! Instruction sets and byte orders beside those that programs of a target usually have.

use crate::toolchain::{Compiler, Libc, Target, Toolchain};

/// How code of a target is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// As the target's programs usually are.
    Usual,
    /// Thumb of ARMv4T, whose instructions are all of 16 bits but for calls.
    Thumb1,
    /// Thumb, code and data big endian (BE-32).
    ThumbBig,
    /// ARM, code little endian and data big endian (BE-8).
    Be8,
    /// Thumb-2, code little endian and data big endian (BE-8).
    ThumbBe8,
    /// MIPS16.
    Mips16,
}

impl Mode {
    /// Those in which a toolchain's programs are compared.
    pub(super) fn of(toolchain: Toolchain) -> &'static [Mode] {
        let is_gnu = toolchain.compiler == Compiler::Gcc;
        if !is_gnu || !matches!(toolchain.libc, Libc::Tiny | Libc::Glibc) {
            return &[Mode::Usual];
        }
        match toolchain.target {
            Target::Armv5 => &[Mode::Usual, Mode::Thumb1],
            Target::ArmBe => &[Mode::Usual, Mode::ThumbBig, Mode::Be8, Mode::ThumbBe8],
            // Start files without a C library are assembled as MIPS16 as well, which they are not.
            Target::MipsBe | Target::MipsLe if toolchain.libc == Libc::Glibc => {
                &[Mode::Usual, Mode::Mips16]
            }
            _ => &[Mode::Usual],
        }
    }

    /// What a target's row and programs are called by beside its name.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Mode::Usual => "",
            Mode::Thumb1 => "-thumb1",
            Mode::ThumbBig => "-thumb",
            Mode::Be8 => "-be8",
            Mode::ThumbBe8 => "-thumb-be8",
            Mode::Mips16 => "-mips16",
        }
    }

    /// The compiler's switches, behind those of the target.
    pub(super) const fn flags(self) -> &'static [&'static str] {
        match self {
            Mode::Usual => &[],
            Mode::Thumb1 => &["-mthumb", "-march=armv4t"],
            // Tables of cases need routines of the support library, which there is none of.
            Mode::ThumbBig => &["-mthumb", "-fno-jump-tables"],
            Mode::Be8 => &["-march=armv7-a", "-Wl,--be8"],
            Mode::ThumbBe8 => &["-mthumb", "-march=armv7-a", "-Wl,--be8"],
            Mode::Mips16 => &["-mips16", "-mno-abicalls", "-fno-pic"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_names_of_their_own() {
        let modes = Toolchain::all().into_iter().flat_map(|toolchain| {
            Mode::of(toolchain).iter().map(move |mode| (toolchain.name(), mode.suffix()))
        });
        let mut names: Vec<_> = modes.collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(
            names
                .iter()
                .any(|(name, mode)| (name.as_str(), *mode) == ("mips-be-gcc-glibc", "-mips16"))
        );
    }
}
