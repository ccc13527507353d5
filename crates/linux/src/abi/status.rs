//! Where the fields of `struct stat` and its relatives lie, under each ABI.
//!
//! Source: `asm/stat.h` of each architecture and `linux/stat.h`, Linux 6.1, laid out as each ABI aligns
//! 64-bit numbers: to 8 bytes on ARM, MIPS, PowerPC, SPARC and the 64-bit ones, to 4 on i386 and
//! SuperH, to 2 on the 68000.

use super::calls::Numbering;

/// A number of a structure: its offset and size in bytes; not there when the size is 0.
type Field = (u64, u32);

/// A structure's fields. All others are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusLayout {
    /// Bytes of all.
    pub(crate) size: usize,
    pub(crate) inode: Field,
    /// The same number again: structures whose first one is too short have another at their end.
    pub(crate) inode_again: Field,
    pub(crate) mode: Field,
    pub(crate) links: Field,
    pub(crate) length: Field,
    pub(crate) block_size: Field,
    /// Blocks of 512 bytes.
    pub(crate) blocks: Field,
    /// Seconds since 1970 when the file was changed last.
    pub(crate) changed: Field,
}

const NONE: Field = (0, 0);

impl StatusLayout {
    /// `struct stat`.
    pub(crate) const fn of(numbering: Numbering) -> Self {
        match numbering {
            Numbering::X86 | Numbering::Arm | Numbering::SuperH | Numbering::M68k => Self {
                size: 64,
                inode: (4, 4),
                inode_again: NONE,
                mode: (8, 2),
                links: (10, 2),
                length: (20, 4),
                block_size: (24, 4),
                blocks: (28, 4),
                changed: (40, 4),
            },
            Numbering::X86_64 => Self {
                size: 144,
                inode: (8, 8),
                inode_again: NONE,
                mode: (24, 4),
                links: (16, 8),
                length: (48, 8),
                block_size: (56, 8),
                blocks: (64, 8),
                changed: (88, 8),
            },
            Numbering::Generic => Self {
                size: 128,
                inode: (8, 8),
                inode_again: NONE,
                mode: (16, 4),
                links: (20, 4),
                length: (48, 8),
                block_size: (56, 4),
                blocks: (64, 8),
                changed: (88, 8),
            },
            Numbering::Mips => Self {
                size: 144,
                inode: (16, 4),
                inode_again: NONE,
                mode: (20, 4),
                links: (24, 4),
                length: (48, 4),
                block_size: (80, 4),
                blocks: (84, 4),
                changed: (64, 4),
            },
            Numbering::PowerPc => Self {
                size: 72,
                inode: (4, 4),
                inode_again: NONE,
                mode: (8, 4),
                links: (12, 2),
                length: (28, 4),
                block_size: (32, 4),
                blocks: (36, 4),
                changed: (48, 4),
            },
            Numbering::Sparc => Self {
                size: 64,
                inode: (4, 4),
                inode_again: NONE,
                mode: (8, 2),
                links: (10, 2),
                length: (20, 4),
                block_size: (48, 4),
                blocks: (52, 4),
                changed: (32, 4),
            },
        }
    }

    /// `struct stat64`, which the 64-bit ABIs do not have apart.
    pub(crate) const fn wide(numbering: Numbering) -> Self {
        match numbering {
            Numbering::X86_64 | Numbering::Generic => Self::of(numbering),
            Numbering::X86 | Numbering::SuperH => Self {
                size: 96,
                inode: (88, 8),
                inode_again: (12, 4),
                mode: (16, 4),
                links: (20, 4),
                length: (44, 8),
                block_size: (52, 4),
                blocks: (56, 8),
                changed: (72, 4),
            },
            Numbering::Arm => Self {
                size: 104,
                inode: (96, 8),
                inode_again: (12, 4),
                mode: (16, 4),
                links: (20, 4),
                length: (48, 8),
                block_size: (56, 4),
                blocks: (64, 8),
                changed: (80, 4),
            },
            Numbering::Mips => Self {
                size: 104,
                inode: (16, 8),
                inode_again: NONE,
                mode: (24, 4),
                links: (28, 4),
                length: (56, 8),
                block_size: (88, 4),
                blocks: (96, 8),
                changed: (72, 4),
            },
            Numbering::PowerPc => Self {
                size: 104,
                inode: (8, 8),
                inode_again: NONE,
                mode: (16, 4),
                links: (20, 4),
                length: (48, 8),
                block_size: (56, 4),
                blocks: (64, 8),
                changed: (80, 4),
            },
            Numbering::Sparc => Self {
                size: 104,
                inode: (8, 8),
                inode_again: NONE,
                mode: (16, 4),
                links: (20, 4),
                length: (48, 8),
                block_size: (56, 4),
                blocks: (68, 4),
                changed: (80, 4),
            },
            Numbering::M68k => Self {
                size: 92,
                inode: (84, 8),
                inode_again: (10, 4),
                mode: (14, 4),
                links: (18, 4),
                length: (40, 8),
                block_size: (48, 4),
                blocks: (52, 8),
                changed: (68, 4),
            },
        }
    }

    /// `struct statx`, the same under every ABI. Its first word says which fields are there
    /// ([`EXTENDED_MASK`]).
    pub(crate) const EXTENDED: Self = Self {
        size: 256,
        inode: (32, 8),
        inode_again: NONE,
        mode: (28, 2),
        links: (16, 4),
        length: (40, 8),
        block_size: (4, 4),
        blocks: (48, 8),
        changed: (112, 8),
    };
}

/// `STATX_BASIC_STATS`: `struct statx` holds what `struct stat` does.
pub(crate) const EXTENDED_MASK: u64 = 0x7ff;

/// Where the data of a `struct epoll_event` lies, behind its 32 bits of events: x86-64's is packed
/// (`linux/eventpoll.h`), others align it as their ABI does.
pub(crate) const fn event_data(numbering: Numbering) -> u64 {
    match numbering {
        Numbering::X86 | Numbering::X86_64 | Numbering::SuperH | Numbering::M68k => 4,
        Numbering::Generic
        | Numbering::Arm
        | Numbering::Mips
        | Numbering::PowerPc
        | Numbering::Sparc => 8,
    }
}
