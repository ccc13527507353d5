//! Calls about processes: making them, waiting for them, signals to them.

use super::{Ended, Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use miyaburi_image::Address;

/// The number of the process in its first run; in others it lies above.
pub(super) const PROCESS: u64 = 1000;

/// How far apart the numbers of runs with different seeds are.
pub(super) const PROCESS_STEP: u64 = 1237;

/// Its parent.
pub(super) const PARENT: u64 = 1;

/// Which side of a `fork` is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The new process.
    Child,
    /// The one that made it.
    Parent,
}

/// A signal that the process sent itself, and that waits to be delivered.
pub(crate) type Signal = u64;

/// The last signal; MIPS has the most (`asm/signal.h`).
pub(super) const MAX_SIGNAL: Signal = 128;

/// Signals that do nothing when nobody handles them: their numbers under most ABIs, then under that
/// of MIPS and SPARC (`SIGCHLD`, `SIGURG`, `SIGWINCH`; `SIGCONT` changes nothing here).
const HARMLESS: [Signal; 8] = [17, 18, 19, 20, 21, 23, 28, 25];

impl Kernel {
    pub(super) fn process_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let [first, second, third, ..] = request.arguments;
        let reply = match call {
            SystemCall::Fork | SystemCall::Vfork | SystemCall::Clone => {
                let side = self.next_side();
                self.abi.tell_side(request.state, side);
                Ok(self.child_seen_from(side))
            }
            SystemCall::Waitpid | SystemCall::Wait4 | SystemCall::Waitid => Err(Errno::NoChild),
            SystemCall::Kill | SystemCall::Tkill => self.signal(first, second),
            SystemCall::Tgkill => self.signal(first, third),
            // ARM's breakpoint under its old ABI.
            SystemCall::Breakpoint => self.signal(self.process, super::traps::TRAP),
            SystemCall::Ptrace => self.trace(first),
            SystemCall::Prctl | SystemCall::Setpgid => Ok(0),
            _ => return None,
        };
        Some(reply.into())
    }

    /// `ptrace`: its parent may trace it, once; it traces nobody.
    fn trace(&mut self, request: u64) -> Result<u64, Errno> {
        /// `PTRACE_TRACEME`.
        const OWN: u64 = 0;
        match request {
            OWN if std::mem::replace(&mut self.is_traced, true) => Err(Errno::Perm),
            OWN => Ok(0),
            _ => Err(Errno::NoProcess),
        }
    }

    /// The side of the fork that is made now.
    fn next_side(&mut self) -> Side {
        let side = self.forks.get(self.forks_made).copied().unwrap_or(self.later_forks);
        self.forks_made += 1;
        side
    }

    /// What the fork that was made last returns.
    fn child_seen_from(&self, side: Side) -> u64 {
        match side {
            Side::Child => 0,
            Side::Parent => self.process + self.forks_made as u64,
        }
    }

    /// Signals reach this process alone.
    fn signal(&mut self, process: u64, signal: Signal) -> Result<u64, Errno> {
        let is_own = process == self.process || process == 0;
        if !is_own {
            return Err(Errno::NoProcess);
        }
        if signal > MAX_SIGNAL {
            return Err(Errno::Invalid);
        }
        // As in the kernel, a signal that waits already waits once.
        if signal != 0 && !self.pending.contains(&signal) {
            self.pending.push_back(signal);
        }
        Ok(0)
    }

    /// The handler of the next signal that is to be delivered, with the signal. Those that nobody
    /// handles end the process, unless they are harmless.
    pub(crate) fn next_handled(&mut self) -> Option<(Address, Signal)> {
        /// `SIG_DFL` and `SIG_IGN`.
        const DEFAULT: u64 = 0;
        const IGNORE: u64 = 1;
        while let Some(signal) = self.pending.pop_front() {
            match self.handlers.get(&signal).map_or(DEFAULT, |handler| handler.0) {
                IGNORE => {}
                DEFAULT if HARMLESS.contains(&signal) => {}
                DEFAULT => {
                    self.ended = Some(Ended::Killed(signal));
                    return None;
                }
                handler => return Some((Address(handler), signal)),
            }
        }
        None
    }
}
