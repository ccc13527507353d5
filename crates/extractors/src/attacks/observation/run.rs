//! One run of a handler: what it sent, which options it asked for, and what its calls returned.

use super::order::{Given, Order};
use crate::subject::Subject;
use miyaburi_emulator::{
    Abi, Access, Call, CallAction, Exit, Hooks, Limits, Reason, Region, State, WatchedAccess,
};
use miyaburi_image::Address;
use miyaburi_linux::{Kernel, NetworkAction, NetworkEvent, Process, Side, SystemCall, Transport};
use rustc_hash::FxHashMap;

/// Instructions of one run.
const INSTRUCTIONS: u64 = 1_000_000;

/// Instructions in code that has run before, after which nothing more is sent.
const REPETITION: u64 = 150_000;

/// Bytes of the stack that are kept of a handler that begins to send.
const STACK: usize = 4096;

/// How often registers and stack are kept at branches.
const MAX_LOOKS: usize = 512;

/// What a handler is given, and for how long it is watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial<'t> {
    /// Options with their texts.
    pub(super) options: &'t [Given],
    /// Packets after which it is enough.
    pub(super) packets: usize,
    /// Whether registers and stack are kept at the handler's branches.
    pub(super) watches_branches: bool,
}

impl<'t> Trial<'t> {
    /// A run with these options, over after so many packets.
    pub(super) const fn new(options: &'t [Given], packets: usize) -> Self {
        Self { options, packets, watches_branches: false }
    }
}

/// What a handler did in one run.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// What it did on the network, in order.
    pub(super) events: Vec<NetworkEvent>,
    /// Keys of options whose text it took, in order, each with the handler's call during which that
    /// was.
    pub(super) asked: Vec<(u8, Option<Address>)>,
    /// What the first run of each of the handler's calls returned, by the call.
    pub(super) results: FxHashMap<Address, u64>,
    /// Registers and stack when the first socket was made.
    pub(super) moment: Option<Vec<u8>>,
    /// Registers and stack behind each of the handler's conditional branches, when it was passed last,
    /// in that order. Of the first [`MAX_LOOKS`] passes since the first socket was made, when they are
    /// watched.
    pub(super) branches: Vec<(Address, Vec<u8>)>,
    /// Why it could not go on, when it could not.
    pub(super) failure: Option<Reason>,
    order: Order,
    /// Texts at addresses that calls returned.
    texts: FxHashMap<u64, Vec<u8>>,
}

impl Run {
    /// Whether anything went out.
    pub(super) fn sent_any(&self) -> bool {
        self.events.iter().any(|event| event.action != NetworkAction::Bound)
    }

    /// Whether `value` is the address of the text that option `key` had in this run.
    pub(super) fn is_text_of(&self, key: u8, value: u64) -> bool {
        self.order.is_text_of(key, value)
    }

    /// The text at an address that one of the calls returned.
    pub(super) fn text_at(&self, address: u64) -> Option<&[u8]> {
        self.texts.get(&address).map(Vec::as_slice)
    }
}

/// Runs `handler` from a snapshot with one target and options. `None` when that takes more memory
/// than there is, or what all runs may spend together is spent.
pub(super) fn run<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    trial: Trial<'_>,
) -> Option<Run> {
    let Process { mut state, mut kernel } = begun.clone();
    kernel.follow_forks(Side::Child);
    // What the program did before leaves less room for what the handler does.
    kernel.forget_network_events();
    let block = subject.emulator.layout().fresh_block(&mut state);
    let order = Order::write(&mut state, subject.emulator.arch(), block, trial.options).ok()?;
    let mut watch = Watch {
        kernel: &mut kernel,
        order: &order,
        packets: trial.packets,
        open: None,
        asked: Vec::new(),
        results: FxHashMap::default(),
        moment: None,
        sites: if trial.watches_branches { branches_of(subject, handler) } else { Vec::new() },
        branches: Vec::new(),
        looks: 0,
    };
    let instructions = subject.budget.grant(INSTRUCTIONS);
    let limits = Limits {
        instructions,
        call_instructions: instructions,
        repetition: REPETITION,
        // What an undone call would seem to return is no value of the program's.
        undo: false,
        ..Limits::default()
    };
    let routine = (handler, subject.context_of(handler));
    let arguments = order.arguments();
    let outcome = subject.emulator.call(&mut state, routine, &arguments, &mut watch, &limits);
    subject.budget.spend(outcome.instructions);
    subject.unmodelled.learn(watch.kernel);
    let Watch { asked, results, moment, branches, .. } = watch;
    let returned_texts =
        results.values().filter_map(|value| Some((*value, text(&mut state, *value)?)));
    let texts = returned_texts.collect();
    let events = kernel.network_events().to_vec();
    let failure = match outcome.exit {
        Exit::Failed { reason, .. } => Some(reason),
        Exit::Returned | Exit::Stopped { .. } | Exit::Budget { .. } => None,
    };
    let is_spent = subject.budget.cut().is_some();
    (!is_spent).then_some(Run { events, asked, results, moment, branches, failure, order, texts })
}

/// The conditional branches of a function.
fn branches_of(subject: &Subject<'_>, function: Address) -> Vec<Address> {
    let program = subject.program;
    let function = program.function_at(function).and_then(|id| program.function(id));
    let Some(function) = function else { return Vec::new() };
    let branching = function.blocks().iter().filter(|block| block.successors.len() > 1);
    let last = |block| function.instructions_of(block).last();
    branching.filter_map(last).map(|(address, _)| *address).collect()
}

/// The printable text at an address.
fn text(state: &mut State<'_>, address: u64) -> Option<Vec<u8>> {
    const MAX_TEXT: u64 = 256;
    let mut text = Vec::new();
    for at in (address..address.saturating_add(MAX_TEXT)).map(Address) {
        match state.memory.load(at, 1).ok()? as u8 {
            0 => return Some(text),
            byte if byte.is_ascii_graphic() || byte == b' ' => text.push(byte),
            _ => return None,
        }
    }
    None
}

/// Whether an event sends anything.
fn is_sent(event: &NetworkEvent) -> bool {
    match event.action {
        NetworkAction::Bound => false,
        NetworkAction::Connected => event.transport == Transport::Tcp,
        NetworkAction::Asked { .. } | NetworkAction::Sent(_) => true,
    }
}

/// Registers, and the top of the stack.
fn moment(state: &mut State<'_>, abi: &Abi) -> Vec<u8> {
    let mut moment = state.register_bytes().to_vec();
    let stack_pointer = Address(state.register(&abi.stack_pointer) & !7);
    moment.extend(state.memory.bytes(stack_pointer, STACK).unwrap_or_default());
    moment
}

/// The kernel's answers, with a look at the handler's calls and the options.
struct Watch<'k> {
    kernel: &'k mut Kernel,
    order: &'k Order,
    /// Packets after which it is enough.
    packets: usize,
    /// The handler's call under way.
    open: Option<Address>,
    asked: Vec<(u8, Option<Address>)>,
    results: FxHashMap<Address, u64>,
    moment: Option<Vec<u8>>,
    /// The branches that are watched.
    sites: Vec<Address>,
    branches: Vec<(Address, Vec<u8>)>,
    looks: usize,
}

impl Hooks for Watch<'_> {
    fn call(&mut self, _state: &mut State<'_>, _abi: &Abi, call: &Call) -> CallAction {
        if call.depth == 0 {
            self.open = Some(call.site);
        }
        CallAction::Enter
    }

    fn returned(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) {
        if call.depth == 0 {
            self.results.entry(call.site).or_insert_with(|| state.register(&abi.result));
            self.open = None;
        }
    }

    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        site: Address,
        immediate: u64,
    ) -> bool {
        let is_answered = self.kernel.system_call(state, abi, site, immediate);
        let call = self.kernel.last_call().and_then(|record| record.call);
        if self.moment.is_none()
            && matches!(call, Some(SystemCall::Socket | SystemCall::Socketcall))
        {
            self.moment = Some(moment(state, abi));
        }
        is_answered
    }

    fn stops(&self) -> bool {
        let events = self.kernel.network_events();
        self.kernel.stops() || events.iter().filter(|event| is_sent(event)).count() >= self.packets
    }

    fn branches(&self) -> Vec<Address> {
        self.sites.clone()
    }

    fn branch(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        site: Address,
        _to: Option<Address>,
    ) -> Option<Address> {
        // All options are read by then.
        if self.moment.is_some() && self.looks < MAX_LOOKS {
            self.looks += 1;
            self.branches.retain(|(known, _)| *known != site);
            self.branches.push((site, moment(state, abi)));
        }
        None
    }

    fn watched(&self) -> Vec<Region> {
        vec![self.order.options()]
    }

    fn access(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        _site: Address,
        access: &WatchedAccess,
    ) {
        if access.access == Access::Read
            && let Some(key) = self.order.key_read_at(access.address)
            && !self.asked.iter().any(|(known, _)| *known == key)
        {
            self.asked.push((key, self.open));
        }
    }
}
