//! Time, which passes only when a program looks at it or waits.

/// When a process starts, in seconds since 1970: 2023-11-14.
const START: u64 = 1_700_000_000;

/// Nanoseconds: of every unit that programs take, another number.
const UPTIME: u64 = 7_654_321_987;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// What passes when a program looks at the clock, in nanoseconds.
const LOOK: u64 = 1_000;

/// Nanoseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Virtual time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// When the process started, in seconds since 1970.
    start: u64,
    /// Nanoseconds since then.
    passed: u64,
}

impl Clock {
    /// A clock that is at [`START`] and so many days, when the machine has run for as many times
    /// [`UPTIME`].
    pub(crate) const fn days_later(days: u32) -> Self {
        Self { start: START + DAY * days as u64, passed: UPTIME * days as u64 }
    }

    /// Seconds since 1970 and nanoseconds, a little later at every look.
    pub(crate) fn real(&mut self) -> (u64, u64) {
        let (seconds, nanoseconds) = self.since_start();
        (self.start + seconds, nanoseconds)
    }

    /// Seconds and nanoseconds since the process started.
    pub(crate) fn since_start(&mut self) -> (u64, u64) {
        self.wait(LOOK);
        (self.passed / SECOND, self.passed % SECOND)
    }

    /// Lets nanoseconds pass.
    pub(crate) fn wait(&mut self, nanoseconds: u64) {
        self.passed = self.passed.saturating_add(nanoseconds);
    }
}
