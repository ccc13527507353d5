//! Which system calls can be made, by seccomp: those that the analysis needs, by a list of what is
//! allowed.
//!
//! False positives (refused though harmless): what another C library calls instead; it gets `EPERM`,
//! and what it wanted fails or is done in another way. False negatives: what the listed calls can do
//! to descriptors that were open before, such as writing to them.

use seccompiler::{
    BackendError, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

/// Why system calls are not confined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallsError {
    #[error("no filter for this CPU: {0}")]
    Cpu(BackendError),
    #[error("{0}")]
    Filter(BackendError),
    #[error("{0}")]
    Refused(seccompiler::Error),
}

/// Rules by number of the system call; one without rules always matches, else any of them has to.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Needed on every CPU, with whatever arguments.
const NEEDED: &[i64] = &[
    // Inputs, outputs, and what a terminal shows.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_lseek,
    libc::SYS_fcntl,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_ppoll,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads and signals.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Time and randomness.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    // Further filters, which can only take away more.
    libc::SYS_seccomp,
];

/// Older forms of the above, which newer CPUs do not have.
#[cfg(target_arch = "x86_64")]
const NEEDED_HERE: &[i64] =
    &[libc::SYS_stat, libc::SYS_lstat, libc::SYS_readlink, libc::SYS_poll, libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const NEEDED_HERE: &[i64] = &[];

/// What opens a file by its path, with the argument that says how.
#[cfg(target_arch = "x86_64")]
const OPENING: &[(i64, u8)] = &[(libc::SYS_openat, 2), (libc::SYS_open, 1)];
#[cfg(not(target_arch = "x86_64"))]
const OPENING: &[(i64, u8)] = &[(libc::SYS_openat, 2)];

/// What can be asked of a terminal: whether it is one, and its size. Nothing can be typed into it.
#[allow(clippy::unnecessary_cast, reason = "C libraries disagree on the type")]
const TERMINAL: [u64; 2] = [libc::TCGETS as u64, libc::TIOCGWINSZ as u64];

/// What makes a directory.
#[cfg(target_arch = "x86_64")]
const MAKING_DIRECTORIES: &[i64] = &[libc::SYS_mkdirat, libc::SYS_mkdir];
#[cfg(not(target_arch = "x86_64"))]
const MAKING_DIRECTORIES: &[i64] = &[libc::SYS_mkdirat];

/// What ends the process: nothing of the analyser does it.
const FATAL: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    // Does all of it past a filter.
    libc::SYS_io_uring_setup,
];

/// As [`FATAL`], in older forms.
#[cfg(target_arch = "x86_64")]
const FATAL_HERE: &[i64] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const FATAL_HERE: &[i64] = &[];

/// Refuses all system calls but those that are needed. Files can be opened for writing and
/// directories made only when `writes`: a filter cannot see paths, so where is landlock's matter.
pub(crate) fn confine(writes: bool) -> Result<(), CallsError> {
    // The gravest answer of all filters counts, of equally grave ones that of the filter installed
    // last.
    install(fatal()?, SeccompAction::Allow, SeccompAction::KillProcess)?;
    install(allowed(writes)?, refusal(libc::EPERM), SeccompAction::Allow)?;
    // Its arguments lie in memory, where a filter cannot see whether it is a thread that is started.
    // Told that there is no such call, C libraries use the old one.
    let unseen = Rules::from([(libc::SYS_clone3, Vec::new())]);
    install(unseen, SeccompAction::Allow, refusal(libc::ENOSYS))
}

const fn refusal(error: i32) -> SeccompAction {
    SeccompAction::Errno(error.unsigned_abs())
}

fn install(rules: Rules, others: SeccompAction, these: SeccompAction) -> Result<(), CallsError> {
    let cpu = TargetArch::try_from(std::env::consts::ARCH).map_err(CallsError::Cpu)?;
    let filter = SeccompFilter::new(rules, others, these, cpu).map_err(CallsError::Filter)?;
    let program: Vec<_> = filter.try_into().map_err(CallsError::Filter)?;
    seccompiler::apply_filter(&program).map_err(CallsError::Refused)
}

fn fatal() -> Result<Rules, CallsError> {
    let mut rules = always(FATAL.iter().chain(FATAL_HERE));
    let starts_a_process = has_only(0, flag(libc::CLONE_THREAD), 0)?;
    rules.insert(libc::SYS_clone, vec![starts_a_process]);
    Ok(rules)
}

fn allowed(writes: bool) -> Result<Rules, CallsError> {
    let mut rules = always(NEEDED.iter().chain(NEEDED_HERE));
    if writes {
        rules.extend(always(OPENING.iter().map(|(call, _)| call).chain(MAKING_DIRECTORIES)));
    } else {
        let writing = flag(libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC);
        for (call, how) in OPENING {
            rules.insert(*call, vec![has_only(*how, writing, flag(libc::O_RDONLY))?]);
        }
    }
    let thread = flag(libc::CLONE_THREAD);
    rules.insert(libc::SYS_clone, vec![has_only(0, thread, thread)?]);
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![has_only(2, flag(libc::PROT_EXEC), 0)?]);
    }
    // A process that aborts signals itself.
    rules.insert(libc::SYS_tgkill, vec![is(0, u64::from(std::process::id()))?]);
    let terminal = TERMINAL.map(|request| is(1, request));
    rules.insert(libc::SYS_ioctl, terminal.into_iter().collect::<Result<_, _>>()?);
    let names = [libc::PR_SET_NAME, libc::PR_SET_VMA, libc::PR_SET_NO_NEW_PRIVS];
    let names = names.map(|what| is(0, flag(what)));
    rules.insert(libc::SYS_prctl, names.into_iter().collect::<Result<_, _>>()?);
    // Limits can be asked for, not set.
    rules.insert(libc::SYS_prlimit64, vec![null(2)?]);
    Ok(rules)
}

fn always<'c>(calls: impl Iterator<Item = &'c i64>) -> Rules {
    calls.map(|call| (*call, Vec::new())).collect()
}

/// Bits of an argument of 32 bits.
fn flag(bits: i32) -> u64 {
    bits.cast_unsigned().into()
}

/// Holds when of the bits `mask` of an argument exactly `bits` are set.
fn has_only(argument: u8, mask: u64, bits: u64) -> Result<SeccompRule, CallsError> {
    rule(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), bits)
}

/// Holds when the lower half of an argument is `value`, which is all that these calls look at.
fn is(argument: u8, value: u64) -> Result<SeccompRule, CallsError> {
    rule(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn null(argument: u8) -> Result<SeccompRule, CallsError> {
    rule(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

fn rule(
    argument: u8,
    length: SeccompCmpArgLen,
    comparison: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, CallsError> {
    SeccompCondition::new(argument, length, comparison, value)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(CallsError::Filter)
}
