//! A routine of the sample run in a bare machine, with what it called and wrote.

use miyaburi_emulator::{
    Abi, Call, CallAction, Emulator, Exit, Hooks, JournalMark, Limits, Outcome, Reason, State,
    SystemCallSite,
};
use miyaburi_image::Address;
use miyaburi_pcode::Context;

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
    /// Whether it was undone and summarised.
    pub summarised: bool,
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
}

impl CallRecord {
    /// The places where an argument may be, by all conventions: the values found there, in the same
    /// order for every call.
    pub fn possible_arguments(&self) -> impl Iterator<Item = u64> + '_ {
        self.arguments.iter().chain(self.local_arguments.iter().flatten()).copied()
    }
}

impl Trace<'_> {
    /// Whether the routine ran to its end.
    #[must_use]
    pub fn completed(&self) -> bool {
        self.outcome.exit == Exit::Returned
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
    let mut recorder = Recorder { policy: *policy, site, calls: Vec::new(), open: Vec::new() };
    let outcome = emulator.call(&mut state, function, arguments, &mut recorder, &policy.limits);
    Trace { state, start, calls: recorder.calls, outcome }
}

struct Recorder {
    policy: Policy,
    site: Option<SystemCallSite>,
    calls: Vec<CallRecord>,
    /// The outermost call under way, as an index into `calls`.
    open: Vec<usize>,
}

impl Recorder {
    fn close(&mut self, state: &State<'_>, call: &Call, result: u64, summarised: bool) {
        if call.depth != 0 {
            return;
        }
        let Some(index) = self.open.pop() else { return };
        if let Some(record) = self.calls.get_mut(index) {
            record.result = Some(result);
            record.summarised = summarised;
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
                summarised: false,
                before: mark,
                after: mark,
            });
        }
        CallAction::Enter
    }

    fn returned(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) {
        let result = state.register(&abi.result);
        self.close(state, call, result, false);
    }

    fn summarised(
        &mut self,
        state: &mut State<'_>,
        _abi: &Abi,
        call: &Call,
        _reason: &Reason,
        value: u64,
    ) {
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
