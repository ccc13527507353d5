//! Takes away the rights of a process that analysing files does not need, for the rest of its life.
//!
//! ```text
//! files.rs  which files can still be opened: landlock
//! calls.rs  which system calls can still be made: seccomp
//! ```
//!
//! What analysed files can reach is the emulator's matter: they reach nothing. This is the wall
//! behind it, for a mistake in the analyser itself. Behind it no socket can be made, no program
//! started, no memory made executable, no file opened for writing but those that the caller names.
//!
//! An attempt at a socket, at another program or at another process ends the process: nothing of the
//! analyser makes one, so it is no longer the analyser that runs, and its reports are worth nothing.
//! Whatever else is not needed is refused with `EPERM`, so that a call which a later C library finds
//! useful does not end a run.
//!
//! What stays possible: reading what the caller names, writing to what is open already, threads.
//! Files that are named by a path when rights are dropped and replaced by others afterwards cannot
//! be opened.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;

use std::path::PathBuf;

/// What stays within reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Files that can be read, and directories below which all can. Paths that lead nowhere are
    /// passed over.
    pub readable: Vec<PathBuf>,
    /// Directories below which files and directories can be made and written.
    pub writable: Vec<PathBuf>,
}

/// A part of the wall that the system would not build.
#[derive(Debug, thiserror::Error)]
pub enum Gap {
    /// Files can be opened as before; writing to them is prevented by the other part, unless a
    /// directory is writable.
    #[error("access to files is not confined: {0}")]
    Files(String),
    /// System calls can be made as before.
    #[error("system calls are not confined: {0}")]
    Calls(String),
}

/// Drops the rights of the calling thread, and of threads that it starts, to what `reach` names.
///
/// To be called before other threads are started: those that run keep theirs. There is no way back.
///
/// What the system does not provide is told and the rest is done: old kernels have no landlock,
/// some containers refuse both, and systems other than Linux have neither.
#[cfg(target_os = "linux")]
#[must_use]
pub fn confine(reach: &Reach) -> Vec<Gap> {
    // In this order: the second takes away the system calls that the first is made with.
    let files = files::confine(reach).err().map(|error| Gap::Files(error.to_string()));
    let calls =
        calls::confine(!reach.writable.is_empty()).err().map(|error| Gap::Calls(error.to_string()));
    files.into_iter().chain(calls).collect()
}

/// Tells that nothing can be dropped: this is only done on Linux.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn confine(_reach: &Reach) -> Vec<Gap> {
    let reason = || format!("{} has no way to", std::env::consts::OS);
    vec![Gap::Files(reason()), Gap::Calls(reason())]
}
