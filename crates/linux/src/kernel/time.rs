//! Calls about time.

use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use crate::clock::SECOND;

/// `CLOCK_REALTIME`; all others count from the start here.
const REAL: u64 = 0;

impl Kernel {
    pub(super) fn time_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let [first, second, third, ..] = request.arguments;
        let word = self.word;
        let reply = match call {
            SystemCall::Time => self.time(request),
            SystemCall::Gettimeofday => {
                let (seconds, nanoseconds) = self.clock.real();
                store_pair(request, first, word, seconds, nanoseconds / 1000)
            }
            SystemCall::ClockGettime | SystemCall::ClockGettime64 => {
                let (seconds, nanoseconds) =
                    if first == REAL { self.clock.real() } else { self.clock.since_start() };
                let size = if call == SystemCall::ClockGettime64 { 8 } else { word };
                store_pair(request, second, size, seconds, nanoseconds)
            }
            SystemCall::ClockGetres => store_pair(request, second, word, 0, 1),
            SystemCall::Nanosleep => self.sleep(request, first, word),
            SystemCall::ClockNanosleep => self.sleep(request, third, word),
            SystemCall::ClockNanosleepTime64 => self.sleep(request, third, 8),
            _ => return None,
        };
        Some(reply.into())
    }

    fn time(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let (seconds, _) = self.clock.real();
        let at = request.argument(0);
        if at != 0 {
            request.store(at, self.word, seconds)?;
        }
        Ok(seconds)
    }

    /// Lets the time pass that stands at `at`.
    fn sleep(&mut self, request: &mut Request<'_, '_>, at: u64, size: u32) -> Result<u64, Errno> {
        let seconds = request.load(at, size)?;
        let nanoseconds = request.load(at.wrapping_add(u64::from(size)), size)?;
        self.clock.wait(seconds.saturating_mul(SECOND).saturating_add(nanoseconds));
        Ok(0)
    }
}

/// Two numbers side by side, where there is a place for them.
fn store_pair(
    request: &mut Request<'_, '_>,
    at: u64,
    size: u32,
    first: u64,
    second: u64,
) -> Result<u64, Errno> {
    if at != 0 {
        request.store(at, size, first)?;
        request.store(at.wrapping_add(u64::from(size)), size, second)?;
    }
    Ok(0)
}
