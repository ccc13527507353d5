//! Calls about who and where the process is, its limits and signals, and its end.

use super::processes::{MAX_SIGNAL, PARENT};
use super::{Ended, Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use miyaburi_image::{Address, Family};

/// What numbers drawn at random begin with: the same in every run.
pub(super) const FIRST_RANDOM: u64 = 0x4d69_7961_6275_7269;

/// Bytes drawn by one call.
const MAX_RANDOM: u64 = 4096;

/// Bytes of each field of `utsname`.
const NAME_SIZE: usize = 65;

/// System, node, release, version.
const NAMES: [&[u8]; 4] = [b"Linux", b"host", b"5.10.0", b"#1 SMP"];

/// Words of a `struct rusage`: two times, then fourteen counts.
const USAGE_WORDS: usize = 18;

/// The stack's limit in bytes; everything else is unlimited.
const STACK_LIMIT: u64 = 8 << 20;

/// `RLIMIT_STACK`.
const STACK: u64 = 3;

impl Kernel {
    pub(super) fn identity_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        use SystemCall as Call;
        let reply = match call {
            Call::Exit | Call::ExitGroup => {
                return Some(Reply::End(Ended::Exited(request.argument(0) as u8)));
            }
            Call::Getpid | Call::Gettid | Call::SetTidAddress | Call::Getpgrp | Call::Setsid => {
                Ok(self.process)
            }
            Call::Getpgid | Call::Getsid => Ok(self.process),
            Call::Getppid => Ok(PARENT),
            Call::Getpagesize => Ok(miyaburi_emulator::PAGE_SIZE),
            // The superuser.
            Call::Getuid | Call::Geteuid | Call::Getgid | Call::Getegid => Ok(0),
            Call::Getuid32 | Call::Geteuid32 | Call::Getgid32 | Call::Getegid32 => Ok(0),
            Call::Uname => self.uname(request),
            Call::Getrandom => {
                let [at, length, ..] = request.arguments;
                self.draw(request, at, length)
            }
            Call::Getrlimit | Call::Ugetrlimit => {
                let [which, at, ..] = request.arguments;
                limits(request, which, at, self.word)
            }
            Call::Prlimit64 => {
                let [_, which, _, at, ..] = request.arguments;
                limits(request, which, at, 8)
            }
            Call::Setrlimit => Ok(0),
            Call::Getgroups | Call::Getgroups32 => Ok(0),
            Call::Times => self.times(request),
            Call::Getrusage => {
                let at = request.argument(1);
                request.write(at, &vec![0; USAGE_WORDS * self.word as usize]).map(|()| 0)
            }
            Call::Sysinfo => self.sysinfo(request),
            Call::SchedGetaffinity => self.processors(request),
            Call::Setpriority | Call::Nice | Call::SchedSetaffinity => Ok(0),
            // As the kernel counts it: 20 less what programs call it.
            Call::Getpriority => Ok(20),
            Call::RtSigaction | Call::Sigaction | Call::Signal
                if request.argument(0) > MAX_SIGNAL =>
            {
                Err(Errno::Invalid)
            }
            Call::RtSigaction | Call::Sigaction => self.set_handler(request),
            Call::Signal => {
                let [signal, handler, ..] = request.arguments;
                Ok(self.handlers.insert(signal, Address(handler)).map_or(0, |before| before.0))
            }
            Call::RtSigprocmask | Call::Sigprocmask | Call::Sigaltstack => Ok(0),
            Call::Setuid | Call::Setgid | Call::Setuid32 | Call::Setgid32 => Ok(0),
            Call::Umask => Ok(0o022),
            Call::Alarm | Call::Setitimer => Ok(0),
            _ => return None,
        };
        Some(reply.into())
    }

    fn uname(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let at = request.argument(0);
        let machine = machine(self.abi.family);
        for (index, name) in (0..).zip(NAMES.iter().chain([&machine, &b"".as_slice()])) {
            let mut field = name.to_vec();
            field.resize(NAME_SIZE, 0);
            request.write(at.wrapping_add(index * NAME_SIZE as u64), &field)?;
        }
        Ok(0)
    }

    /// `getrandom` and the devices: bytes that are the same in every run (Marsaglia's xorshift).
    pub(super) fn draw(
        &mut self,
        request: &mut Request<'_, '_>,
        at: u64,
        length: u64,
    ) -> Result<u64, Errno> {
        let length = length.min(MAX_RANDOM);
        for place in 0..length {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            request.store(at.wrapping_add(place), 1, self.random >> 32 & 0xff)?;
        }
        Ok(length)
    }

    /// `times`: ticks of a hundredth of a second since the process began, all its own.
    fn times(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        const TICK: u64 = 10_000_000;
        let (seconds, nanoseconds) = self.clock.since_start();
        let ticks = seconds * 100 + nanoseconds / TICK;
        let at = request.argument(0);
        for (place, value) in (0..4).zip([ticks, 0, 0, 0]).filter(|_| at != 0) {
            request.store(at.wrapping_add(u64::from(self.word) * place), self.word, value)?;
        }
        Ok(ticks)
    }

    /// `sysinfo`: how long the machine runs, its load and its memory, all of it free
    /// (`linux/sysinfo.h`).
    fn sysinfo(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        const MEMORY: u64 = 64 << 20;
        let at = request.argument(0);
        let (seconds, _) = self.clock.since_start();
        let words = [seconds, 0, 0, 0, MEMORY, MEMORY, 0, 0, 0, 0];
        for (place, value) in (0..).zip(words) {
            request.store(at.wrapping_add(u64::from(self.word) * place), self.word, value)?;
        }
        let behind = at.wrapping_add(u64::from(self.word) * words.len() as u64);
        // Processes, then two numbers of the machine's larger memory and the unit of all.
        let rest = behind.wrapping_add(u64::from(self.word));
        request.store(behind, 2, 1)?;
        request.store(rest, self.word, 0)?;
        request.store(rest.wrapping_add(u64::from(self.word)), self.word, 0)?;
        request.store(rest.wrapping_add(2 * u64::from(self.word)), 4, 1)?;
        Ok(0)
    }

    /// `sched_getaffinity`: the first processor, the only one; how much was written.
    fn processors(&self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [_, room, at, ..] = request.arguments;
        if room < u64::from(self.word) {
            return Err(Errno::Invalid);
        }
        request.store(at, self.word, 1)?;
        Ok(u64::from(self.word))
    }

    /// Keeps the handler; what the program had before is given back where it asks for it.
    fn set_handler(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [signal, new, old, ..] = request.arguments;
        // The flags stand first on MIPS.
        let offset = if self.abi.family == Family::Mips { 4 } else { 0 };
        let before = self.handlers.get(&signal).copied();
        if new != 0 {
            let handler = request.load(new.wrapping_add(offset), self.word)?;
            self.handlers.insert(signal, Address(handler));
        }
        if old != 0 {
            request.store(old.wrapping_add(offset), self.word, before.map_or(0, |it| it.0))?;
        }
        Ok(0)
    }
}

/// A limit and its maximum, each of `size` bytes.
fn limits(request: &mut Request<'_, '_>, which: u64, at: u64, size: u32) -> Result<u64, Errno> {
    if at != 0 {
        let present = if which == STACK { STACK_LIMIT } else { u64::MAX };
        request.store(at, size, present)?;
        request.store(at.wrapping_add(u64::from(size)), size, u64::MAX)?;
    }
    Ok(0)
}

/// `uname`'s name of a CPU.
const fn machine(family: Family) -> &'static [u8] {
    match family {
        Family::X86 => b"i686",
        Family::X86_64 => b"x86_64",
        Family::Arm => b"armv7l",
        Family::AArch64 => b"aarch64",
        Family::RiscV64 => b"riscv64",
        Family::Mips => b"mips",
        Family::PowerPc => b"ppc",
        Family::Sparc | Family::SparcV8Plus => b"sparc",
        Family::SuperH => b"sh4",
        Family::M68k | Family::ColdFire => b"m68k",
    }
}
