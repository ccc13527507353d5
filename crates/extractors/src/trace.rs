//! A routine of the sample run in a bare machine, with what it called and wrote.

use miyaburi_emulator::{
    Abi, Call, CallAction, Emulator, Exit, Hooks, JournalMark, Limits, MemoryError, Outcome,
    Reason, State, SystemCallSite,
};
use miyaburi_image::Address;
use miyaburi_pcode::Context;
use rustc_hash::FxHashSet;

/// Arguments kept of each call.
pub const ARGUMENTS: usize = 6;

/// Calls kept of one run.
const MAX_CALLS: usize = 20_000;

/// What a run does with system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemCalls {
    /// The routine that makes one is undone and seems to return fresh memory.
    Undo,
    /// Every one returns 0: `fork` takes the child's side, `socket` succeeds.
    ReturnZero,
    /// Those that make a process or are about sockets return 0; routines that make others are
    /// undone, so that memory can be had.
    Child,
}

/// How to run.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// What becomes of system calls.
    pub system_calls: SystemCalls,
    /// What the run may spend.
    pub limits: Limits,
}

impl Default for Policy {
    fn default() -> Self {
        Self { system_calls: SystemCalls::Undo, limits: Limits::default() }
    }
}

/// One call that the routine itself made.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// The call.
    pub call: Call,
    /// Its first integer arguments.
    pub arguments: [u64; ARGUMENTS],
    /// The same by each of the conventions for local functions.
    pub local_arguments: Vec<Vec<u64>>,
    /// What it returned, once it did.
    pub result: Option<u64>,
    /// Whether it was undone, so that it only seemed to return.
    pub is_undone: bool,
    /// The journal when it began.
    pub before: JournalMark,
    /// The journal when it returned.
    pub after: JournalMark,
}

/// A finished run.
pub struct Trace<'a> {
    /// The machine afterwards, its journal still there.
    pub state: State<'a>,
    /// The journal when the run began.
    pub start: JournalMark,
    /// Calls by the routine itself, in order.
    pub calls: Vec<CallRecord>,
    /// How it ended.
    pub outcome: Outcome,
    /// Calls, at any depth, that were undone because they took too long.
    pub spent_calls: usize,
    /// Calls that could not be done although others of the same routine were, or because of bytes
    /// that the file lacks: what they would have done is lost. In order, at any depth.
    pub lost: Vec<Lost>,
}

/// A call that was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The call.
    pub site: Address,
    /// Why it could not be done.
    pub reason: Reason,
}

impl CallRecord {
    /// The places where an argument may be, by all conventions: the values found there, in the same
    /// order for every call.
    pub fn possible_arguments(&self) -> impl Iterator<Item = u64> + '_ {
        self.arguments.iter().chain(self.local_arguments.iter().flatten()).copied()
    }
}

impl Trace<'_> {
    /// Whether the run, or a call within it, took more instructions than it had.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.spent_calls > 0 || matches!(self.outcome.exit, Exit::Budget { .. })
    }

    /// Whether the routine ran to its end.
    #[must_use]
    pub fn completed(&self) -> bool {
        self.outcome.exit == Exit::Returned
    }

    /// Calls that could not be done because of bytes that the file lacks.
    pub fn lost_to_missing_bytes(&self) -> impl Iterator<Item = Address> + '_ {
        self.lost.iter().filter(|lost| is_missing(&lost.reason)).map(|lost| lost.site)
    }

    /// The writes of the run in order: address and size of each.
    pub fn writes(&self) -> impl Iterator<Item = (Address, u32)> + '_ {
        self.state.memory.written_since(self.start)
    }
}

/// Runs `function` with `arguments` on `state`. `site` tells system calls apart.
pub fn run<'a>(
    emulator: &mut Emulator<'a>,
    mut state: State<'a>,
    function: (Address, Context),
    arguments: &[u64],
    policy: &Policy,
    site: Option<SystemCallSite>,
) -> Trace<'a> {
    state.memory.start_journal();
    let start = state.memory.journal_mark();
    let mut recorder = Recorder {
        policy: *policy,
        site,
        calls: Vec::new(),
        open: Vec::new(),
        done: FxHashSet::default(),
        undone: Vec::new(),
        spent_calls: 0,
    };
    let outcome = emulator.call(&mut state, function, arguments, &mut recorder, &policy.limits);
    let Recorder { calls, done, undone, spent_calls, .. } = recorder;
    let is_lost =
        |(call, reason): &(Call, Reason)| is_missing(reason) || done.contains(&call.callee);
    let lost = undone.into_iter().filter(is_lost);
    let lost = lost.map(|(call, reason)| Lost { site: call.site, reason }).collect();
    Trace { state, start, calls, outcome, spent_calls, lost }
}

/// Whether code could not go on because of bytes that the file should hold.
#[must_use]
pub const fn is_missing(reason: &Reason) -> bool {
    matches!(reason, Reason::Memory(MemoryError::Missing { .. }))
}

/// Whether a call is undone for this in every program: memory is asked of the kernel, or of a part
/// of the C library that was never set up.
const fn is_usual(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::SystemCall
            | Reason::NotCode(_)
            | Reason::GivenUp(_)
            | Reason::Memory(MemoryError::Unmapped { .. })
    )
}

struct Recorder {
    policy: Policy,
    site: Option<SystemCallSite>,
    calls: Vec<CallRecord>,
    /// The outermost call under way, as an index into `calls`.
    open: Vec<usize>,
    /// Routines of which a call came to its end.
    done: FxHashSet<Address>,
    /// Calls that were undone for no usual reason.
    undone: Vec<(Call, Reason)>,
    spent_calls: usize,
}

impl Recorder {
    fn close(&mut self, state: &State<'_>, call: &Call, result: u64, is_undone: bool) {
        if call.depth != 0 {
            return;
        }
        let Some(index) = self.open.pop() else { return };
        if let Some(record) = self.calls.get_mut(index) {
            record.result = Some(result);
            record.is_undone = is_undone;
            record.after = state.memory.journal_mark();
        }
    }
}

impl Hooks for Recorder {
    fn call(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) -> CallAction {
        if call.depth != 0 {
            return CallAction::Enter;
        }
        if self.calls.len() < MAX_CALLS {
            let mut arguments = [0; ARGUMENTS];
            for (index, argument) in arguments.iter_mut().enumerate() {
                *argument = abi.argument(state, index);
            }
            let local_arguments = abi
                .local_conventions
                .iter()
                .map(|registers| {
                    registers.iter().map(|register| state.register(register)).collect()
                })
                .collect();
            let mark = state.memory.journal_mark();
            self.open.clear();
            self.open.push(self.calls.len());
            self.calls.push(CallRecord {
                call: *call,
                arguments,
                local_arguments,
                result: None,
                is_undone: false,
                before: mark,
                after: mark,
            });
        }
        CallAction::Enter
    }

    fn returned(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) {
        let result = state.register(&abi.result);
        self.done.insert(call.callee);
        self.close(state, call, result, false);
    }

    fn summarised(
        &mut self,
        state: &mut State<'_>,
        _abi: &Abi,
        call: &Call,
        reason: &Reason,
        value: u64,
    ) {
        self.spent_calls += usize::from(*reason == Reason::CallBudget);
        if !is_usual(reason) && self.undone.len() < MAX_CALLS {
            self.undone.push((*call, reason.clone()));
        }
        self.close(state, call, value, true);
    }

    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        _site: Address,
        number: u64,
    ) -> bool {
        let succeeds = match self.policy.system_calls {
            SystemCalls::Undo => false,
            SystemCalls::ReturnZero => true,
            SystemCalls::Child => self.site.as_ref().is_some_and(|site| {
                site.makes_process(state, number) || site.is_about_sockets(state, number)
            }),
        };
        if succeeds {
            abi.set_system_call_result(state, 0);
        }
        succeeds
    }
}
