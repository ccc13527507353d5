//! Calls that wait for descriptors to become ready.

use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use crate::clock::SECOND;

/// Descriptors that a set holds (`FD_SETSIZE`).
const MAX_DESCRIPTORS: u64 = 1024;

/// What passes when a call waits for nothing in particular, for ever: an hour, in nanoseconds.
pub(super) const FOR_EVER: u64 = 3600 * SECOND;

/// `poll`'s events: something to read, room to write (`asm/poll.h`).
pub(super) const READABLE: u64 = 1;
pub(super) const WRITABLE: u64 = 4;

/// Nanoseconds of the smaller unit of a time-out.
const MICROSECOND: u64 = 1_000;
pub(super) const MILLISECOND: u64 = 1_000_000;

impl Kernel {
    pub(super) fn waiting_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let word = self.word;
        let reply = match call {
            SystemCall::NewSelect => self.select(request, word, MICROSECOND),
            // i386's and others' older call has its arguments in memory; nobody uses it any more.
            SystemCall::Select if word == 8 => self.select(request, word, MICROSECOND),
            SystemCall::Pselect6 => self.select(request, word, 1),
            SystemCall::Pselect6Time64 => self.select(request, 8, 1),
            SystemCall::Poll => {
                let timeout = request.argument(2) as u32 as i32;
                let timeout = u64::try_from(timeout).map_or(FOR_EVER, |it| it * MILLISECOND);
                self.poll(request, timeout)
            }
            SystemCall::Ppoll => self.poll_until(request, word),
            SystemCall::PpollTime64 => self.poll_until(request, 8),
            _ => return None,
        };
        Some(reply.into())
    }

    /// A time of two numbers of `size` bytes, in nanoseconds; [`FOR_EVER`] when there is none.
    fn timeout(request: &mut Request<'_, '_>, at: u64, size: u32, unit: u64) -> Result<u64, Errno> {
        if at == 0 {
            return Ok(FOR_EVER);
        }
        let seconds = request.load(at, size)?;
        let rest = request.load(at.wrapping_add(u64::from(size)), size)?;
        Ok(seconds.saturating_mul(SECOND).saturating_add(rest.saturating_mul(unit)))
    }

    fn select(
        &mut self,
        request: &mut Request<'_, '_>,
        time_size: u32,
        unit: u64,
    ) -> Result<u64, Errno> {
        let [count, readable, writable, failed, timeout, _] = request.arguments;
        let count = count.min(MAX_DESCRIPTORS);
        let mut ready = 0;
        for (set, which) in [(readable, 0), (writable, 1), (failed, 2)] {
            ready += self.keep_ready(request, set, count, which)?;
        }
        if ready == 0 {
            let timeout = Self::timeout(request, timeout, time_size, unit)?;
            self.clock.wait(timeout);
        }
        Ok(ready)
    }

    /// Leaves those descriptors in a set that are ready to be read (`which` is 0) or written (1).
    fn keep_ready(
        &mut self,
        request: &mut Request<'_, '_>,
        set: u64,
        count: u64,
        which: usize,
    ) -> Result<u64, Errno> {
        if set == 0 {
            return Ok(0);
        }
        let bits = u64::from(self.word) * 8;
        let mut ready = 0;
        for first in (0..count).step_by(bits as usize) {
            let at = set.wrapping_add(first / 8);
            let asked = request.load(at, self.word)?;
            let mut kept = 0;
            for bit in (0..bits).filter(|bit| asked >> bit & 1 == 1 && first + bit < count) {
                let (read, write) = self.open.readiness(first + bit)?;
                if [read, write, false].get(which) == Some(&true) {
                    kept |= 1 << bit;
                    ready += 1;
                }
            }
            request.store(at, self.word, kept)?;
        }
        Ok(ready)
    }

    fn poll_until(&mut self, request: &mut Request<'_, '_>, time_size: u32) -> Result<u64, Errno> {
        let timeout = Self::timeout(request, request.argument(2), time_size, 1)?;
        self.poll(request, timeout)
    }

    /// `struct pollfd`: a descriptor, what is waited for, what came.
    fn poll(&mut self, request: &mut Request<'_, '_>, timeout: u64) -> Result<u64, Errno> {
        const SIZE: u64 = 8;
        let [list, count, ..] = request.arguments;
        let mut ready = 0;
        for at in (0..count.min(MAX_DESCRIPTORS)).map(|index| list.wrapping_add(SIZE * index)) {
            let descriptor = request.load(at, 4)?;
            let events = request.load(at.wrapping_add(4), 2)?;
            let (read, write) = match descriptor >> 31 {
                0 => self.open.readiness(descriptor).unwrap_or((false, false)),
                _ => (false, false),
            };
            let came = [(read, READABLE), (write, WRITABLE)].into_iter();
            let came = came.filter(|(is, _)| *is).map(|(_, event)| event).sum::<u64>() & events;
            request.store(at.wrapping_add(6), 2, came)?;
            ready += u64::from(came != 0);
        }
        if ready == 0 {
            self.clock.wait(timeout);
        }
        Ok(ready)
    }
}
