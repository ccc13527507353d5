//! What the user-ops of the specifications mean to an emulator, by name.

/// What to do at a `CALLOTHER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserOp {
    /// The operation is no user-op.
    None,
    /// Enters the kernel.
    SystemCall,
    /// A breakpoint, a failed check or an instruction that there is not: ends the program, unless
    /// the hooks answer it.
    Trap,
    /// Saves the register window before `save` makes a new one, then branches.
    WindowSave,
    /// Brings the register window back after `restore`, then branches.
    WindowRestore,
    /// Has no effect on a machine with one thread: barriers, hints, cache control.
    Hint,
    /// An exclusive or conditional store, which always succeeds here: gives 1.
    Succeeds,
    /// The same where 0 says so.
    Zero,
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

/// Names of traps: failed checks, breakpoints, instructions that there are not.
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

/// Names of barriers, hints and cache control, and of what marks registers as free or places as
/// targets of jumps. An operation of such a name that has a result is none of these.
const HINTS: &[&str] = &[
    "CacheBlockInvalidate",
    "CacheBlockPurge",
    "CacheBlockWriteBack",
    "CachePrefetchPredictionRestrictionByContext",
    "ClearExclusiveLocal",
    "ControlFlowPredictionRestrictionByContext",
    "DC_CIVAC",
    "DC_CVAC",
    "DC_CVAP",
    "DC_CVAU",
    "DataMemoryBarrier",
    "DataSynchronizationBarrier",
    "DataValuePredictionRestrictionByContext",
    "ExclusiveAccess",
    "FastExitMediaState",
    "HintDebug",
    "HintPreloadData",
    "HintPreloadDataForWrite",
    "HintPreloadInstruction",
    "HintYield",
    "Hint_Prefetch",
    "IC_IVAU",
    "InstructionSynchronizationBarrier",
    "InvalidateCacheBlock",
    "LOAcquire",
    "LOCK",
    "LORelease",
    "SYNC",
    "SendEvent",
    "SendEventLocally",
    "SpeculationBarrier",
    "SynchronizeDataOperation",
    "TLBSynchronize",
    "UNLOCK",
    "ValidCallTarget",
    "ValidJumpTarget",
    "ValidJumpTargetIfPermittedBySCTLR",
    "ValidJumpTargetWhenDestIsX16OrX17",
    "WaitForEvent",
    "XACQUIRE",
    "XRELEASE",
    "Yield",
    "cacheOp",
    "clflush",
    "clwb",
    "coproc_moveto_Clean_Data_Cache_by_Index",
    "coproc_moveto_Clean_Data_Cache_by_MVA",
    "coproc_moveto_Clean_Entire_Data_Cache",
    "coproc_moveto_Data_Memory_Barrier",
    "coproc_moveto_Data_Synchronization",
    "coproc_moveto_Data_cache_operations",
    "coproc_moveto_Flush_Prefetch_Buffer",
    "coproc_moveto_Instruction_cache",
    "coproc_moveto_Invalidate_Data_Cache_by_MVA",
    "coproc_moveto_Invalidate_Entire_Data_Cache",
    "coproc_moveto_Invalidate_Entire_Data_cache",
    "coproc_moveto_Invalidate_Instruction_Cache_by_MVA",
    "dataCacheBlockAllocate",
    "dataCacheBlockFlush",
    "dataCacheBlockInvalidate",
    "dataCacheBlockStore",
    "dataCacheBlockTouch",
    "dataCacheBlockTouchForStore",
    "dataCacheCongruenceClassInvalidate",
    "dataStreamStop",
    "dataStreamStopAll",
    "dataStreamTouch",
    "dataStreamTouchForStore",
    "dataStreamTouchForStoreTransient",
    "dataStreamTouchSoon",
    "enforceInOrderExecutionIO",
    "fence",
    "fence.i",
    "ffree",
    "hazzard",
    "instructionCacheBlockInvalidate",
    "instructionCacheBlockTouch",
    "instructionCacheCongruenceClassInvalidate",
    "instructionSynchronize",
    "invalidateCacheLines",
    "lockload",
    "lockwrite",
    "memoryBarrier",
    "prefetch",
    "ptwrite",
    "pushInvalidateCaches",
    "setISAMode", // The mode is in a register as well.
    "sfence.vm",
    "sfence.vma",
    "sync",
    "synch",
];

/// The status of AArch64's exclusive stores, which is 0 for success.
const STATUS: &str = "ExclusiveMonitorsStatus";

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
        } else if name == STATUS {
            Self::Zero
        } else if HINTS.contains(&name) {
            Self::Hint
        } else {
            Self::Unmodelled
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{HINTS, UserOp};
    use miyaburi_image::Arch;
    use std::collections::BTreeSet;

    /// The names of all user-ops of the specifications for these CPUs.
    fn names() -> BTreeSet<String> {
        const CPUS: [&str; 12] = [
            "amd64",
            "i386",
            "armv5",
            "armeb",
            "aarch64",
            "mips-be-o32",
            "ppc32",
            "sparc32",
            "sh4-le",
            "m68k",
            "coldfire",
            "rv64",
        ];
        let languages =
            CPUS.map(|cpu| miyaburi_pcode::language_for(Arch::named(cpu).unwrap()).unwrap());
        let of = |language: &dyn miyaburi_pcode::Language| -> Vec<String> {
            (0..).map_while(|number| language.user_op(number).map(str::to_owned)).collect()
        };
        languages.iter().flat_map(|language| of(&**language)).collect()
    }

    #[test]
    fn every_hint_is_an_operation_of_some_specification() {
        let names = names();
        let unknown: Vec<_> = HINTS.iter().filter(|hint| !names.contains(**hint)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_changes_memory_or_reads_the_cache_is_no_hint() {
        for name in [
            "DC_ZVA",
            "_fxsave",
            "coprocessor_store",
            "dataCacheBlockClearToZero",
            "dataCacheRead",
            "instructionCacheRead",
            "coproc_movefrom_Cache_Type",
            "CacheMemory",
        ] {
            assert_eq!(UserOp::from_name(name), UserOp::Unmodelled, "{name}");
        }
        assert_eq!(UserOp::from_name("ExclusiveMonitorsStatus"), UserOp::Zero);
    }
}
