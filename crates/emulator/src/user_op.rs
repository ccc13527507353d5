//! What the user-ops of the specifications mean to an emulator, by name.

/// What to do at a `CALLOTHER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserOp {
    /// The operation is no user-op.
    None,
    /// Enters the kernel.
    SystemCall,
    /// Ends the program: a breakpoint or a failed check.
    Trap,
    /// Saves the register window before `save` makes a new one, then branches.
    WindowSave,
    /// Brings the register window back after `restore`, then branches.
    WindowRestore,
    /// Has no effect on a machine with one thread: barriers, hints, cache control.
    Hint,
    /// An exclusive or conditional store, which always succeeds here: gives 1.
    Succeeds,
    /// ARM: the thread pointer.
    ThreadPointer,
    /// The value of its first argument: a hardware register of MIPS, what a conditional store of
    /// PowerPC stores.
    FirstArgument,
    /// x86: what the CPU can do, which is nothing beyond the least of its kind. Yields the address 0
    /// of the answer, where a process finds zeros.
    Identification,
    /// ARM: the nearest number that so many bits hold, signed.
    SignedSaturate,
    /// As [`UserOp::SignedSaturate`], unsigned.
    UnsignedSaturate,
    /// ARM: whether [`UserOp::SignedSaturate`] changes the number.
    SignedDoesSaturate,
    /// As [`UserOp::SignedDoesSaturate`], unsigned.
    UnsignedDoesSaturate,
    /// No user-op but an addition fused with the product before it: `a * b + c`.
    ProductPlus,
    /// As [`UserOp::ProductPlus`]: `a * b - c`.
    ProductMinus,
    /// As [`UserOp::ProductPlus`]: `c - a * b`.
    MinusProduct,
    /// As [`UserOp::ProductPlus`]: `-(a * b) - c`.
    MinusProductMinus,
    /// Anything else: asked of the hooks.
    Unmodelled,
}

/// Names by which the specifications enter the kernel.
const SYSTEM_CALLS: &[&str] = &[
    "syscall",            // x86-64, MIPS, PowerPC
    "sysenter",           // x86
    "swi",                // x86
    "software_interrupt", // ARM
    "CallSupervisor",     // AArch64
    "sw_trap",            // SPARC
    "TrapAlways",         // SuperH
    "__m68k_trap",
    "ecall", // RISC-V
];

/// Names of traps that end a program: failed checks and breakpoints.
const TRAPS: &[&str] = &[
    "trap",
    "break",
    "trapWord",
    "software_bkpt",
    "software_udf",
    "ftrap",
    "__m68k_trapv",
    "breakpoint",
    "SoftwareBreakpoint",
    "invalidInstructionException",
    "ebreak",
    "illegal",
    "IllegalInstructionTrap",
    "UndefinedInstructionException",
    "signalReservedInstruction",
];

const SUCCEEDS: &[&str] = &["hasExclusiveAccess", "ExclusiveMonitorPass"];

const FIRST_ARGUMENT: &[&str] =
    &["getHWRegister", "storeWordConditionalIndexed", "storeDoubleWordConditionalIndexed"];

const HINT_PARTS: &[&str] = &[
    "sync",
    "Sync",
    "SYNC",
    "LOAcquire",
    "LORelease",
    "Barrier",
    "fence",
    "Hint",
    "LOCK",
    "XACQUIRE",
    "XRELEASE",
    "enforceInOrder",
    "isync",
    "prefetch",
    "Prefetch",
    "Preload",
    "nop",
    "Yield",
    "cache",
    "Cache",
    "Exclusive",
    "lockload",
    "lockwrite",
];

impl UserOp {
    pub(crate) fn from_name(name: &str) -> Self {
        if SYSTEM_CALLS.contains(&name) {
            Self::SystemCall
        } else if TRAPS.contains(&name) {
            Self::Trap
        } else if SUCCEEDS.contains(&name) {
            Self::Succeeds
        } else if name == "coproc_movefrom_User_R_Thread_and_Process_ID" {
            Self::ThreadPointer
        } else if FIRST_ARGUMENT.contains(&name) {
            Self::FirstArgument
        } else if name.starts_with("cpuid") {
            Self::Identification
        } else if name == "SignedSaturate" {
            Self::SignedSaturate
        } else if name == "UnsignedSaturate" {
            Self::UnsignedSaturate
        } else if name == "SignedDoesSaturate" {
            Self::SignedDoesSaturate
        } else if name == "UnsignedDoesSaturate" {
            Self::UnsignedDoesSaturate
        } else if HINT_PARTS.iter().any(|part| name.contains(part)) {
            Self::Hint
        } else {
            Self::Unmodelled
        }
    }
}
