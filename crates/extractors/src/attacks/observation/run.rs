//! One run of a handler: what it sent, which options it asked for, and what its calls returned.

use super::order::{Given, Order};
use crate::subject::Subject;
use miyaburi_emulator::{
    Abi, Access, Call, CallAction, Exit, Hooks, Limits, Region, State, WatchedAccess,
};
use miyaburi_image::Address;
use miyaburi_linux::{Kernel, NetworkAction, NetworkEvent, Process, Side};
use rustc_hash::FxHashMap;

/// Instructions of one run.
const INSTRUCTIONS: u64 = 1_000_000;

/// Instructions in code that has run before, after which nothing more is sent.
const REPETITION: u64 = 150_000;

/// Packets after which a run ends.
const PACKETS: usize = 6;

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
    /// Whether it came to its end.
    pub(super) returned: bool,
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

/// Runs `handler` from a snapshot with one target and `options`. `None` when that takes more memory
/// than there is.
pub(super) fn run<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    options: &[Given],
) -> Option<Run> {
    let Process { mut state, mut kernel } = begun.clone();
    kernel.follow_forks(Side::Child);
    let block = subject.emulator.layout().fresh_block(&mut state);
    let order = Order::write(&mut state, subject.emulator.arch(), block, options).ok()?;
    let first_event = kernel.network_events().len();
    let mut watch = Watch {
        kernel: &mut kernel,
        order: &order,
        enough: first_event + PACKETS,
        open: None,
        asked: Vec::new(),
        results: FxHashMap::default(),
    };
    let instructions = subject.budget.grant(INSTRUCTIONS);
    let limits = Limits {
        instructions,
        call_instructions: instructions,
        repetition: REPETITION,
        ..Limits::default()
    };
    let routine = (handler, subject.context_of(handler));
    let arguments = order.arguments();
    let outcome = subject.emulator.call(&mut state, routine, &arguments, &mut watch, &limits);
    subject.budget.spend(outcome.instructions);
    let Watch { asked, results, .. } = watch;
    let returned_texts =
        results.values().filter_map(|value| Some((*value, text(&mut state, *value)?)));
    let texts = returned_texts.collect();
    let events = kernel.network_events().get(first_event..).unwrap_or(&[]).to_vec();
    let returned = outcome.exit == Exit::Returned || kernel.ended() != begun.kernel.ended();
    Some(Run { events, asked, results, returned, order, texts })
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

/// The kernel's answers, with a look at the handler's calls and the options.
struct Watch<'k> {
    kernel: &'k mut Kernel,
    order: &'k Order,
    /// Events after which it is enough.
    enough: usize,
    /// The handler's call under way.
    open: Option<Address>,
    asked: Vec<(u8, Option<Address>)>,
    results: FxHashMap<Address, u64>,
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
        self.kernel.system_call(state, abi, site, immediate)
    }

    fn stops(&self) -> bool {
        self.kernel.stops() || self.kernel.network_events().len() >= self.enough
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
