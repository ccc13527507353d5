//! How the programs of a CPU call the kernel: where number, arguments and result are.

pub(crate) mod calls;
pub(crate) mod errno;
mod numbers;
pub(crate) mod status;

use crate::kernel::Side;
use calls::{Numbering, SystemCall};
use errno::Errno;
use miyaburi_emulator::{Abi, State};
use miyaburi_image::{Address, Family};
use miyaburi_pcode::{Language, Varnode};
use rustc_hash::FxHashMap;

/// Arguments that a system call has at most.
pub(crate) const ARGUMENTS: usize = 6;

/// The number of ARM's first system call under its old ABI, in the instruction itself.
const ARM_OLD_BASE: u64 = 0x0090_0000;

/// SPARC's trap that writes register windows to the stack (`asm/traps.h`).
const FLUSH_WINDOWS: u64 = 3;

/// Registers by name, of one CPU.
struct Names {
    number: &'static str,
    arguments: &'static [&'static str],
    numbering: Numbering,
}

/// Source: `man 2 syscall`.
const fn names(family: Family) -> Names {
    let (number, arguments, numbering): (_, &[&str], _) = match family {
        Family::X86 => ("EAX", &["EBX", "ECX", "EDX", "ESI", "EDI", "EBP"], Numbering::X86),
        Family::X86_64 => ("RAX", &["RDI", "RSI", "RDX", "R10", "R8", "R9"], Numbering::X86_64),
        Family::Arm => ("r7", &["r0", "r1", "r2", "r3", "r4", "r5"], Numbering::Arm),
        Family::AArch64 => ("x8", &["x0", "x1", "x2", "x3", "x4", "x5"], Numbering::Generic),
        Family::RiscV64 => ("a7", &["a0", "a1", "a2", "a3", "a4", "a5"], Numbering::Generic),
        Family::Mips => ("v0", &["a0", "a1", "a2", "a3"], Numbering::Mips),
        Family::PowerPc => ("r0", &["r3", "r4", "r5", "r6", "r7", "r8"], Numbering::PowerPc),
        Family::Sparc | Family::SparcV8Plus => {
            ("g1", &["o0", "o1", "o2", "o3", "o4", "o5"], Numbering::Sparc)
        }
        Family::SuperH => ("r3", &["r4", "r5", "r6", "r7", "r0", "r1"], Numbering::SuperH),
        Family::M68k | Family::ColdFire => {
            ("D0", &["D1", "D2", "D3", "D4", "D5", "A0"], Numbering::M68k)
        }
    };
    Names { number, arguments, numbering }
}

/// The system call ABI of one CPU.
#[derive(Clone, Debug)]
pub(crate) struct KernelAbi {
    pub(crate) family: Family,
    pub(crate) numbering: Numbering,
    number: Varnode,
    arguments: Vec<Varnode>,
    /// Later arguments lie on the stack, from here on (MIPS).
    stack: Option<(Varnode, u64)>,
    calls: FxHashMap<u32, SystemCall>,
}

/// A register that the kernel's ABI needs is not in the specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the processor specification has no register {0}")]
pub struct MissingRegister(&'static str);

impl KernelAbi {
    pub(crate) fn new(
        family: Family,
        language: &dyn Language,
        abi: &Abi,
    ) -> Result<Self, MissingRegister> {
        let names = names(family);
        let register = |name| language.register(name).ok_or(MissingRegister(name));
        let arguments: Result<Vec<Varnode>, _> =
            names.arguments.iter().map(|name| register(name)).collect();
        Ok(Self {
            family,
            numbering: names.numbering,
            number: register(names.number)?,
            arguments: arguments?,
            stack: (family == Family::Mips).then_some((abi.stack_pointer, 16)),
            calls: names.numbering.calls().collect(),
        })
    }

    /// The number of the call that is made, and what it is when the ABI has it. `immediate` is the
    /// number in the instruction, which counts for old ARM programs alone.
    pub(crate) fn call(&self, state: &State<'_>, immediate: u64) -> (u32, Option<SystemCall>) {
        let is_old = self.family == Family::Arm && immediate >= ARM_OLD_BASE;
        let number = match is_old {
            true => immediate - ARM_OLD_BASE,
            false => state.register(&self.number),
        } as u32;
        (number, self.calls.get(&number).copied())
    }

    /// Whether the trap asks the kernel for nothing that shows here: SPARC's `ta 3` writes register
    /// windows to the stack, which are kept elsewhere.
    pub(crate) fn is_idle(&self, immediate: u64) -> bool {
        self.numbering == Numbering::Sparc && immediate & 0x7f == FLUSH_WINDOWS
    }

    /// The flag of `open` that lets it make a file (`O_CREAT`).
    pub(crate) const fn creates(&self) -> u64 {
        match self.numbering {
            Numbering::Mips => 0x100,
            Numbering::Sparc => 0x200,
            _ => 0x40,
        }
    }

    /// Whether the trap is a breakpoint: `int1` and `int3` of x86, `ta 1` of SPARC, `trapa #0xc3` of
    /// SuperH, `trap #15` of the 68000 (as the kernel's `ptrace.c` and `traps.c` have it).
    pub(crate) fn is_breakpoint(&self, immediate: u64) -> bool {
        match self.numbering {
            Numbering::X86 | Numbering::X86_64 => matches!(immediate, 1 | 3),
            Numbering::Sparc => immediate & 0x7f == 1,
            Numbering::SuperH => immediate == 0xc3,
            Numbering::M68k => immediate == 15,
            Numbering::Arm | Numbering::Generic | Numbering::Mips | Numbering::PowerPc => false,
        }
    }

    /// The arguments; those that cannot be read are 0.
    pub(crate) fn arguments(&self, state: &mut State<'_>) -> [u64; ARGUMENTS] {
        let mut values = [0; ARGUMENTS];
        for (value, register) in values.iter_mut().zip(&self.arguments) {
            *value = state.register(register);
        }
        if let Some((pointer, offset)) = &self.stack {
            let base = state.register(pointer).wrapping_add(*offset);
            for (index, value) in values.iter_mut().skip(self.arguments.len()).enumerate() {
                let at = Address(base.wrapping_add(4 * index as u64));
                *value = state.memory.load(at, 4).unwrap_or(0);
            }
        }
        values
    }

    /// Tells a program the side of a fork that it is on, where the result does not: on SPARC a second
    /// register is 1 for the child and 0 for the parent (`sparc_fork` in `kernel/process_32.c`).
    pub(crate) fn tell_side(&self, state: &mut State<'_>, side: Side) {
        if self.numbering == Numbering::Sparc
            && let Some(register) = self.arguments.get(1)
        {
            state.set_register(register, u64::from(side == Side::Child));
        }
    }

    /// Leaves a result where the program looks for it: a value, or an error in the ABI's way.
    pub(crate) fn answer(&self, state: &mut State<'_>, abi: &Abi, result: Result<u64, Errno>) {
        match result {
            Ok(value) => abi.set_system_call_result(state, value),
            Err(error) if abi.system_call_error.is_empty() => {
                abi.set_system_call_result(state, error.number(self.numbering).wrapping_neg());
            }
            Err(error) => {
                abi.set_system_call_result(state, error.number(self.numbering));
                for flag in &abi.system_call_error {
                    let value = state.register(&flag.register);
                    state.set_register(&flag.register, value | flag.mask);
                }
            }
        }
    }
}
