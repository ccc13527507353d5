//! How each CPU's Linux C programs pass arguments, return and use the stack.
//!
//! Source: the System V ABI supplements of the CPUs and what GCC emits for Linux; for i386 both
//! the stack convention and GCC's register convention for local functions exist, the ABI here is
//! the former.

use crate::machine::State;
use miyaburi_image::{Address, Arch, Family};
use miyaburi_pcode::{Language, Varnode};

/// Where a function finds its return address when it is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnAddress {
    /// In a link register; the value plus the bytes given is where execution goes on (SPARC: 8).
    Register(Varnode, u64),
    /// On top of the stack, popped by the return.
    Stack,
}

/// The calling convention of one CPU type, in terms of its language's registers.
#[derive(Clone, Debug)]
pub struct Abi {
    /// The stack pointer.
    pub stack_pointer: Varnode,
    /// The program counter's name is not needed by P-code; the return address is.
    pub return_address: ReturnAddress,
    /// Registers of the first integer or pointer arguments, as the callee sees them.
    pub argument_registers: Vec<Varnode>,
    /// Register sets in which compilers pass the first arguments of functions that only their own
    /// file calls, instead of on the stack: i386 GCC, then clang.
    pub local_conventions: Vec<Vec<Varnode>>,
    /// Byte offset from the stack pointer at function entry to the first argument passed on the
    /// stack.
    pub stack_arguments: u64,
    /// The register of an integer result; its high half follows in `result_high`.
    pub result: Varnode,
    /// The second result register, for results wider than a register.
    pub result_high: Option<Varnode>,
    /// A further register that carries a pointer result (m68k: A0).
    pub pointer_result: Option<Varnode>,
    /// The register that position-independent code expects to hold the callee's own address.
    pub callee_address: Option<Varnode>,
    /// The register that points at the small data or global offset table, when code expects its
    /// caller to have set it.
    pub global_pointer: Option<Varnode>,
    /// Registers that a callee leaves as it found them.
    pub preserved: Vec<Varnode>,
    /// Required alignment of the stack pointer at a call, in bytes.
    pub stack_alignment: u64,
    /// Bytes of one stack slot.
    pub slot_size: u32,
    /// Where the kernel marks a failed system call, beside the result itself.
    pub system_call_error: Vec<ErrorFlag>,
    /// Registers whose low bit carries the instruction set mode on indirect jumps, with the
    /// context field they set.
    pub mode_switch: Option<ModeSwitch>,
}

/// How the low bit of an indirect jump's target selects the instruction set.
#[derive(Clone, Debug)]
pub struct ModeSwitch {
    /// The register in which the specification leaves the bit.
    pub register: Varnode,
    /// The context field that takes its value.
    pub field: &'static str,
}

/// Bits that the kernel sets when a system call fails.
#[derive(Clone, Copy, Debug)]
pub struct ErrorFlag {
    /// The register.
    pub register: Varnode,
    /// Its bits.
    pub mask: u64,
}

impl ErrorFlag {
    fn clear(&self, state: &mut State<'_>) {
        let value = state.register(&self.register);
        state.set_register(&self.register, value & !self.mask);
    }
}

/// The names behind an [`Abi`], in the specification's spelling.
struct Names {
    stack_pointer: &'static str,
    link: Option<(&'static str, u64)>,
    arguments: &'static [&'static str],
    stack_arguments: u64,
    result: &'static str,
    result_high: Option<&'static str>,
    pointer_result: Option<&'static str>,
    callee_address: Option<&'static str>,
    global_pointer: Option<&'static str>,
    preserved: &'static [&'static str],
    mode_switch: Option<(&'static str, &'static str)>,
    local_conventions: &'static [&'static [&'static str]],
    system_call_error: &'static [(&'static str, u64)],
}

const PLAIN: Names = Names {
    stack_pointer: "sp",
    link: None,
    arguments: &[],
    stack_arguments: 0,
    result: "r0",
    result_high: None,
    pointer_result: None,
    callee_address: None,
    global_pointer: None,
    preserved: &[],
    mode_switch: None,
    local_conventions: &[],
    system_call_error: &[],
};

fn names(family: Family) -> Names {
    match family {
        Family::Arm => Names {
            link: Some(("lr", 0)),
            arguments: &["r0", "r1", "r2", "r3"],
            result_high: Some("r1"),
            preserved: &["r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11"],
            mode_switch: Some(("ISAModeSwitch", "TMode")),
            ..PLAIN
        },
        Family::AArch64 => Names {
            link: Some(("x30", 0)),
            arguments: &["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"],
            result: "x0",
            result_high: Some("x1"),
            preserved: &[
                "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29",
            ],
            ..PLAIN
        },
        Family::Mips => Names {
            link: Some(("ra", 0)),
            arguments: &["a0", "a1", "a2", "a3"],
            stack_arguments: 16,
            result: "v0",
            result_high: Some("v1"),
            callee_address: Some("t9"),
            global_pointer: Some("gp"),
            preserved: &["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "gp"],
            mode_switch: Some(("ISAModeSwitch", "ISA_MODE")),
            system_call_error: &[("a3", u64::MAX)],
            ..PLAIN
        },
        Family::PowerPc => Names {
            stack_pointer: "r1",
            system_call_error: &[("cr0", 1)],
            link: Some(("LR", 0)),
            arguments: &["r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10"],
            stack_arguments: 8,
            result: "r3",
            result_high: Some("r4"),
            preserved: &[
                "r2", "r13", "r14", "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23",
                "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31",
            ],
            ..PLAIN
        },
        Family::Sparc | Family::SparcV8Plus => Names {
            link: Some(("o7", 8)),
            system_call_error: &[("i_cf", 1)],
            arguments: &["o0", "o1", "o2", "o3", "o4", "o5"],
            stack_arguments: 92,
            result: "o0",
            result_high: Some("o1"),
            preserved: &[
                "l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "i0", "i1", "i2", "i3", "i4", "i5",
                "fp", "i7", "g2", "g3", "g4", "g6", "g7",
            ],
            ..PLAIN
        },
        Family::SuperH => Names {
            stack_pointer: "r15",
            link: Some(("PR", 0)),
            arguments: &["r4", "r5", "r6", "r7"],
            result_high: Some("r1"),
            preserved: &["r8", "r9", "r10", "r11", "r12", "r13", "r14"],
            ..PLAIN
        },
        Family::M68k | Family::ColdFire => Names {
            stack_pointer: "SP",
            stack_arguments: 4,
            result: "D0",
            result_high: Some("D1"),
            pointer_result: Some("A0"),
            preserved: &["D2", "D3", "D4", "D5", "D6", "D7", "A2", "A3", "A4", "A5", "A6"],
            ..PLAIN
        },
        Family::X86 => Names {
            stack_pointer: "ESP",
            local_conventions: &[&["EAX", "EDX", "ECX"], &["ECX", "EDX"]],
            stack_arguments: 4,
            result: "EAX",
            result_high: Some("EDX"),
            preserved: &["EBX", "ESI", "EDI", "EBP"],
            ..PLAIN
        },
        Family::X86_64 => Names {
            stack_pointer: "RSP",
            arguments: &["RDI", "RSI", "RDX", "RCX", "R8", "R9"],
            stack_arguments: 8,
            result: "RAX",
            result_high: Some("RDX"),
            preserved: &["RBX", "RBP", "R12", "R13", "R14", "R15"],
            ..PLAIN
        },
        Family::RiscV64 => Names {
            link: Some(("ra", 0)),
            arguments: &["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"],
            result: "a0",
            result_high: Some("a1"),
            global_pointer: Some("gp"),
            preserved: &[
                "gp", "tp", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10",
                "s11",
            ],
            ..PLAIN
        },
    }
}

/// A register that the specification of a CPU lacks, which means that specification and code do
/// not belong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the processor specification has no register {0}")]
pub struct MissingRegister(pub &'static str);

impl Abi {
    /// The convention of `arch` in terms of `language`.
    ///
    /// # Errors
    /// [`MissingRegister`] when the language is not that of `arch`.
    pub fn new(arch: Arch, language: &dyn Language) -> Result<Self, MissingRegister> {
        let names = names(arch.family);
        let register = |name: &'static str| language.register(name).ok_or(MissingRegister(name));
        let optional = |name: Option<&'static str>| name.map(register).transpose();
        let list = |all: &[&'static str]| -> Result<Vec<Varnode>, MissingRegister> {
            all.iter().map(|name| register(name)).collect()
        };
        let return_address = match names.link {
            Some((name, skip)) => ReturnAddress::Register(register(name)?, skip),
            None => ReturnAddress::Stack,
        };
        let mode_switch = match names.mode_switch {
            Some((name, field)) => Some(ModeSwitch { register: register(name)?, field }),
            None => None,
        };
        Ok(Self {
            stack_pointer: register(names.stack_pointer)?,
            return_address,
            argument_registers: list(names.arguments)?,
            local_conventions: names
                .local_conventions
                .iter()
                .map(|registers| list(registers))
                .collect::<Result<_, MissingRegister>>()?,
            stack_arguments: names.stack_arguments,
            result: register(names.result)?,
            result_high: optional(names.result_high)?,
            pointer_result: optional(names.pointer_result)?,
            callee_address: optional(names.callee_address)?,
            global_pointer: optional(names.global_pointer)?,
            preserved: list(names.preserved)?,
            stack_alignment: if arch.pointer_size() == 8 { 16 } else { 8 },
            slot_size: arch.pointer_size(),
            system_call_error: names
                .system_call_error
                .iter()
                .map(|(name, mask)| Ok(ErrorFlag { register: register(name)?, mask: *mask }))
                .collect::<Result<_, MissingRegister>>()?,
            mode_switch,
        })
    }

    /// Integer argument `index` of the function that is about to run its first instruction; 0
    /// when it cannot be read.
    pub fn argument(&self, state: &mut State<'_>, index: usize) -> u64 {
        if let Some(register) = self.argument_registers.get(index) {
            return state.register(register);
        }
        let slot = (index - self.argument_registers.len()) as u64 * u64::from(self.slot_size);
        let stack_pointer = state.register(&self.stack_pointer);
        let at = stack_pointer.wrapping_add(self.stack_arguments).wrapping_add(slot);
        state.memory.load(Address(at), self.slot_size).unwrap_or(0)
    }

    /// Leaves a system call's result where its caller looks for it, marked as success.
    pub fn set_system_call_result(&self, state: &mut State<'_>, value: u64) {
        state.set_register(&self.result, value);
        for flag in &self.system_call_error {
            flag.clear(state);
        }
    }
}
