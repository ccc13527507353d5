//! Programs of one pattern that fills megabytes: what damage and chance do not make. They show what
//! takes memory for each byte, instruction, block or pointer of a file.

use crate::arguments::Arguments;
use crate::noise::elf::{self, CODE};
use crate::noise::modes::{MODES, Mode};

/// What fills the code of a program.
enum Pattern {
    /// These bytes over and over: for most CPUs a conditional jump to what follows and one to
    /// itself, so that every instruction starts a block; for one a call that nobody knows.
    Repeated(&'static [u8]),
    /// Addresses of code, all over it, behind a return.
    Pointers(u8),
}

use Pattern::{Pointers, Repeated};

/// The pattern of each of [`MODES`], bytes as they lie in the file.
const PATTERNS: [Pattern; MODES.len()] = [
    // x86-64: ret
    Pointers(0xc3),
    // x86: je +0; jne -2
    Repeated(&[0x74, 0x00, 0x75, 0xfe]),
    // ARM: beq next; bne self
    Repeated(&[0xff, 0xff, 0xff, 0x0a, 0xfe, 0xff, 0xff, 0x1a]),
    // Thumb
    Repeated(&[0xff, 0xd0, 0xfe, 0xd1]),
    // ARM and Thumb in big endian
    Repeated(&[0x0a, 0xff, 0xff, 0xff, 0x1a, 0xff, 0xff, 0xfe]),
    Repeated(&[0xd0, 0xff, 0xd1, 0xfe]),
    // with code in little endian
    Repeated(&[0xff, 0xff, 0xff, 0x0a, 0xfe, 0xff, 0xff, 0x1a]),
    Repeated(&[0xff, 0xd0, 0xfe, 0xd1]),
    // AArch64: b.eq next; b.ne self
    Repeated(&[0x20, 0x00, 0x00, 0x54, 0x01, 0x00, 0x00, 0x54]),
    // MIPS: beq a0, a1, behind the slot; nop; bne a0, a1, self; nop
    Repeated(&[0x10, 0x85, 0, 1, 0, 0, 0, 0, 0x14, 0x85, 0xff, 0xff, 0, 0, 0, 0]),
    Repeated(&[1, 0, 0x85, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0x85, 0x14, 0, 0, 0, 0]),
    // MIPS16: beqz v0, next; bnez v0, self
    Repeated(&[0x22, 0x00, 0x2a, 0xff]),
    Repeated(&[0x00, 0x22, 0xff, 0x2a]),
    // PowerPC: beq next; bne self
    Repeated(&[0x41, 0x82, 0, 4, 0x40, 0x82, 0, 0]),
    // SPARC: be behind the slot; nop; bne self; nop
    Repeated(&[0x02, 0x80, 0, 2, 1, 0, 0, 0, 0x12, 0x80, 0, 0, 1, 0, 0, 0]),
    // SuperH: jsr @r1; nop
    Repeated(&[0x0b, 0x41, 0x09, 0x00]),
    // 68000, ColdFire: beq over a nop; nop; bne self
    Repeated(&[0x67, 0x02, 0x4e, 0x71, 0x66, 0xfe]),
    Repeated(&[0x67, 0x02, 0x4e, 0x71, 0x66, 0xfe]),
    // RISC-V: beq a0, a1, next; bne a0, a1, self
    Repeated(&[0x63, 0x02, 0xb5, 0x00, 0x63, 0x10, 0xb5, 0x00]),
];

/// How many programs there are: one for every mode.
pub(crate) const fn count(arguments: &Arguments) -> u64 {
    if arguments.patterns == 0 { 0 } else { PATTERNS.len() as u64 }
}

/// Program `number`.
pub(crate) fn file(arguments: &Arguments, number: u64) -> Vec<u8> {
    let index = (number % PATTERNS.len() as u64) as usize;
    let mode = &MODES[index];
    let code = PATTERNS[index].fill(mode, arguments.patterns);
    elf::program(mode, &code, &[], &[])
}

impl Pattern {
    /// `size` bytes of code.
    fn fill(&self, mode: &Mode, size: u64) -> Vec<u8> {
        let word: u64 = if mode.wide { 8 } else { 4 };
        match self {
            Repeated(bytes) => bytes.iter().copied().cycle().take(size as usize).collect(),
            Pointers(first) => {
                let mut code = vec![*first; size as usize];
                // A step that divides no size leads everywhere.
                let targets = (0..).map(|number: u64| CODE + number * 13 % size.max(1));
                for (place, target) in code.chunks_exact_mut(word as usize).skip(1).zip(targets) {
                    mode.endian.write_uint(place, target);
                }
                code
            }
        }
    }
}
