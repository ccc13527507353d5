//! The system calls of Linux as its ABIs number them.

use super::numbers::NUMBERS;
pub use super::numbers::SystemCall;

/// Which numbers a CPU's ABI gives to system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// i386.
    X86,
    /// x86-64.
    X86_64,
    /// ARM, both byte orders.
    Arm,
    /// AArch64 and RISC-V.
    Generic,
    /// MIPS, o32.
    Mips,
    /// PowerPC, 32 bits.
    PowerPc,
    /// SPARC, 32 bits.
    Sparc,
    /// SuperH.
    SuperH,
    /// 68000 and ColdFire.
    M68k,
}

impl Numbering {
    /// Every call that this ABI has, by number.
    pub fn calls(self) -> impl Iterator<Item = (u32, SystemCall)> {
        NUMBERS.iter().filter_map(move |(call, numbers)| {
            let number = numbers.get(self as usize).copied().flatten()?;
            Some((number, *call))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Numbering, SystemCall};

    #[test]
    fn numbers_are_those_of_the_headers() {
        let number = |abi: Numbering, wanted| {
            abi.calls().find(|(_, call)| *call == wanted).map(|(number, _)| number)
        };
        assert_eq!(number(Numbering::X86_64, SystemCall::Write), Some(1));
        assert_eq!(number(Numbering::Mips, SystemCall::Connect), Some(4170));
        assert_eq!(number(Numbering::Arm, SystemCall::SetTls), Some(0xf0005));
        assert_eq!(number(Numbering::Generic, SystemCall::Fork), None);
        assert_eq!(number(Numbering::M68k, SystemCall::GetThreadArea), Some(333));
        assert_eq!(SystemCall::Llseek.name(), "_llseek");
    }
}
