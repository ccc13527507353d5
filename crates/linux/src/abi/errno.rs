//! Why a system call fails, and the number that an ABI gives to that.

use super::calls::Numbering;

/// A system call's error.
///
/// Source: `asm/errno.h` of each architecture, Linux 6.1. MIPS and SPARC number the later ones
/// otherwise than all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as the kernel names it")]
pub enum Errno {
    Perm,
    NoEntry,
    NoProcess,
    BadDescriptor,
    NoChild,
    Again,
    NoMemory,
    Fault,
    Exists,
    NotDirectory,
    IsDirectory,
    Invalid,
    NotTerminal,
    IllegalSeek,
    ReadOnly,
    Range,
    NoSuchCall,
    NotSocket,
    NotConnected,
    TimedOut,
    Refused,
}

impl Errno {
    /// The number under an ABI.
    #[must_use]
    pub const fn number(self, numbering: Numbering) -> u64 {
        match self {
            Self::Perm => 1,
            Self::NoEntry => 2,
            Self::NoProcess => 3,
            Self::BadDescriptor => 9,
            Self::NoChild => 10,
            Self::Again => 11,
            Self::NoMemory => 12,
            Self::Fault => 14,
            Self::Exists => 17,
            Self::NotDirectory => 20,
            Self::IsDirectory => 21,
            Self::Invalid => 22,
            Self::NotTerminal => 25,
            Self::IllegalSeek => 29,
            Self::ReadOnly => 30,
            Self::Range => 34,
            Self::NoSuchCall => match numbering {
                Numbering::Mips => 89,
                Numbering::Sparc => 90,
                _ => 38,
            },
            Self::NotSocket => match numbering {
                Numbering::Mips => 95,
                Numbering::Sparc => 38,
                _ => 88,
            },
            Self::TimedOut => match numbering {
                Numbering::Mips => 145,
                Numbering::Sparc => 60,
                _ => 110,
            },
            Self::Refused => match numbering {
                Numbering::Mips => 146,
                Numbering::Sparc => 61,
                _ => 111,
            },
            Self::NotConnected => match numbering {
                Numbering::Mips => 134,
                Numbering::Sparc => 57,
                _ => 107,
            },
        }
    }
}
