//! Which functions return, and the calls that wait to learn it.

use crate::functions::discovery::Discovery;
use crate::functions::draft::Waiting;
use miyaburi_image::Address;

/// Functions that never return: those of ISO C and POSIX, and those that compilers and the start-up
/// code of the C libraries call (Linux Standard Base, `__libc_start_main` and `__assert_fail`; GCC's
/// `-fstack-protector`; uClibc's start-up code).
const FINAL_IMPORTS: [&str; 16] = [
    "_Exit",
    "__assert_fail",
    "__chk_fail",
    "__fortify_fail",
    "__libc_start_main",
    "__longjmp_chk",
    "__stack_chk_fail",
    "__uClibc_main",
    "_exit",
    "_longjmp",
    "abort",
    "exit",
    "longjmp",
    "pthread_exit",
    "quick_exit",
    "siglongjmp",
];

/// Waiting calls that are looked through in the time of a step.
const WAITS_PER_STEP: u64 = 16;

impl Discovery<'_> {
    /// Notes a call behind which nothing is explored until its callee is known to return.
    pub(super) fn wait(&mut self, number: u32, waiting: Waiting) {
        self.waiting_on.entry(waiting.callee).or_default().push(number);
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.waiting.push(waiting);
        }
    }

    /// Notes a jump to another function; who makes it returns when that does.
    pub(crate) fn note_tail_call(&mut self, number: u32, site: Address, target: Address) {
        if let Some(draft) = self.drafts.get_mut(number as usize)
            && draft.tail_calls.insert((site, target))
        {
            draft.forget_body();
            self.tail_callers.entry(target).or_default().push(number);
        }
        if self.returns_from(target) {
            self.note_return(number);
        }
    }

    /// Whether a function comes back to its caller; what is not code of this file does, as far as
    /// anyone knows.
    pub(crate) fn returns_from(&self, entry: Address) -> bool {
        match self.draft_at(entry) {
            Some(callee) => callee.returns,
            None => !self.is_final_import(entry),
        }
    }

    /// Whether `slot` is that of an import that never returns.
    ///
    /// False positives: a library that gives one of these names to something else. False negatives:
    /// other names; calls by a register that was loaded from the slot, behind which code is followed.
    pub(crate) fn is_final_import(&self, slot: Address) -> bool {
        let import = self.image.import_at(slot);
        import.is_some_and(|import| FINAL_IMPORTS.contains(&import.name.as_str()))
    }

    /// Notes that a function returns, and goes on behind the calls that waited for that.
    pub(crate) fn note_return(&mut self, number: u32) {
        let mut open = vec![number];
        while let Some(number) = open.pop() {
            let Some(draft) = self.drafts.get_mut(number as usize) else { continue };
            if std::mem::replace(&mut draft.returns, true) {
                continue;
            }
            let entry = draft.entry;
            open.extend(self.tail_callers.remove(&entry).unwrap_or_default());
            let mut waiters = self.waiting_on.remove(&entry).unwrap_or_default();
            waiters.sort_unstable();
            waiters.dedup();
            for waiter in waiters {
                let Some(draft) = self.drafts.get_mut(waiter as usize) else { continue };
                self.code.work.spend(draft.waiting.len() as u64 / WAITS_PER_STEP);
                let (resumed, waiting) =
                    draft.waiting.iter().partition(|waiting| waiting.callee == entry);
                draft.waiting = waiting;
                let resumed: Vec<Waiting> = resumed;
                draft.open.extend(resumed.iter().map(|waiting| (waiting.next, waiting.context)));
                self.queue.push(waiter);
            }
        }
    }
}
