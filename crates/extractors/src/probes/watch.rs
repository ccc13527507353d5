//! One run of a scanner: its packets as it fills them in, with answers for what lies outside.

use super::exclusions::Draws;
use super::{Syn, has_seen_enough};
use crate::subject::Subject;
use miyaburi_emulator::{
    Abi, Access, Call, CallAction, Hooks, Limits, Region, State, SystemCallSite, WatchedAccess,
};
use miyaburi_image::Address;

/// Bytes of a SYN packet: headers of IP (RFC 791) and TCP (RFC 9293) without options.
const PACKET: usize = 40;

/// The version of IP and the length of its header without options, in the first byte.
const VERSION_AND_LENGTH: u8 = 0x45;

/// Where the destination address lies in it.
const DESTINATION: core::ops::Range<usize> = 16..20;

/// Where the TCP header begins.
const TCP: usize = 20;

/// Arguments in which the packet is looked for.
const ARGUMENTS: usize = 4;

/// What [the system call](Answers::seed) returns that seeds a generator.
pub(super) const SEED: u64 = 0x2545_f491;

/// How the outside answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// The first call returns 0 unexecuted: `fork` in the child.
    pub(super) skips_first_call: bool,
    /// The system call, counted from 0, that returns [`SEED`]; others return 0.
    pub(super) seed: Option<usize>,
    /// The routine that adds a pair of credentials, which packets do not depend on: its calls return
    /// unexecuted, as ciphers may take long.
    pub(super) adder: Option<Address>,
}

/// Runs the scanner from `state` for so long.
pub(super) fn run<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    scanner: Address,
    instructions: u64,
    watch: &mut Watch,
) {
    let program = subject.program;
    let Some(context) = program.function_at(scanner).and_then(|id| program.context_of(id)) else {
        return;
    };
    let mut state = state.clone();
    // C libraries keep the error number and more there, and a scanner goes on after errors.
    subject.emulator.map_thread_block(&mut state);
    let instructions = subject.budget.grant(instructions);
    let limits = Limits { instructions, ..Limits::default() };
    let outcome = subject.emulator.call(&mut state, (scanner, context), &[], watch, &limits);
    subject.budget.spend(outcome.instructions);
}

/// Looks for the packet, or watches it being filled in.
pub(super) struct Watch {
    answers: Answers,
    /// Tells system calls apart.
    site: Option<SystemCallSite>,
    calls: usize,
    system_calls: usize,
    /// The packet that is watched.
    packet: Option<Address>,
    /// The first packet handed over, and the call.
    pub(super) found: Option<(Address, Address)>,
    /// Whether more than the destination was written since the last packet.
    is_filled: bool,
    pub(super) packets: Vec<Syn>,
    /// What is drawn at random instead, when that is decided here.
    pub(super) draws: Option<Draws>,
    /// Calls since the last packet.
    sites: Vec<Address>,
    /// Calls from the packet before to the last one, in order.
    pub(super) last_round: Vec<Address>,
}

impl Watch {
    pub(super) const fn new(
        answers: Answers,
        site: Option<SystemCallSite>,
        packet: Option<Address>,
    ) -> Self {
        Self {
            answers,
            site,
            calls: 0,
            system_calls: 0,
            packet,
            found: None,
            is_filled: false,
            packets: Vec::new(),
            draws: None,
            sites: Vec::new(),
            last_round: Vec::new(),
        }
    }
    /// The destination that all packets have, the first ones aside: they were begun before.
    pub(super) fn one_destination(&self, begun_before: usize) -> Option<[u8; 4]> {
        let mut destinations =
            self.packets.iter().skip(begun_before).map(|packet| packet.destination);
        let first = destinations.next()?;
        destinations.all(|other| other == first).then_some(first)
    }
}

impl Hooks for Watch {
    fn call(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) -> CallAction {
        self.calls += 1;
        if self.calls == 1 && self.answers.skips_first_call {
            return CallAction::Return(0);
        }
        if self.answers.adder == Some(call.callee) {
            return CallAction::Return(0);
        }
        if self.packet.is_some() {
            self.sites.retain(|site| *site != call.site);
            self.sites.push(call.site);
        }
        if let Some(draws) = &mut self.draws
            && let Some(action) = draws.at_call(call.site, call.callee)
        {
            return action;
        }
        if self.packet.is_none() {
            self.found = handed_packet(state, abi).map(|packet| (packet, call.site));
        }
        let has_seen_enough = self.draws.is_none() && has_seen_enough(&self.packets);
        let is_done = self.found.is_some() || has_seen_enough;
        if is_done { CallAction::Stop } else { CallAction::Enter }
    }

    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        _site: Address,
        number: u64,
    ) -> bool {
        // Whoever asks for memory is undone and has some: what is written to none overlaps.
        if self.site.as_ref().is_some_and(|site| site.asks_for_memory(state, number)) {
            return false;
        }
        let is_seed = self.answers.seed == Some(self.system_calls);
        abi.set_system_call_result(state, if is_seed { SEED } else { 0 });
        self.system_calls += 1;
        true
    }

    fn watched(&self) -> Vec<Region> {
        let region = |start| Region { start, size: PACKET as u64 };
        let drawn = self.draws.iter().flat_map(Draws::regions);
        self.packet.map(region).into_iter().chain(drawn).collect()
    }

    fn access(&mut self, state: &mut State<'_>, _abi: &Abi, site: Address, access: &WatchedAccess) {
        if let Some(draws) = &mut self.draws
            && draws.regions().iter().any(|region| region.contains(access.address))
        {
            draws.accessed(state, site, access);
        }
        let Some(packet) = self.packet.filter(|_| access.access == Access::Write) else { return };
        let Some(offset) = access.address.distance_from(packet) else { return };
        let offset = offset as usize;
        if offset >= TCP {
            self.is_filled = true;
        } else if self.is_filled && DESTINATION.contains(&offset) {
            self.is_filled = false;
            if let Some(draws) = &mut self.draws {
                draws.is_accepted(state);
            }
            self.last_round = std::mem::take(&mut self.sites);
            self.packets.extend(syn_at(state, packet));
        }
    }
}

/// The first argument that leads to a SYN packet.
fn handed_packet(state: &mut State<'_>, abi: &Abi) -> Option<Address> {
    let mut arguments: Vec<u64> = (0..ARGUMENTS).map(|index| abi.argument(state, index)).collect();
    let local = abi.local_conventions.iter().flatten();
    arguments.extend(local.map(|register| state.register(register)));
    arguments.into_iter().map(Address).find(|place| syn_at(state, *place).is_some())
}

/// The SYN packet at `place`, when there is one with a destination.
fn syn_at(state: &mut State<'_>, place: Address) -> Option<Syn> {
    if state.memory.load(place, 1).ok()? as u8 != VERSION_AND_LENGTH {
        return None;
    }
    syn_of(&state.memory.bytes(place, PACKET)?)
}

/// The SYN packet that begins `bytes`, when it is one with a destination.
pub(crate) fn syn_of(bytes: &[u8]) -> Option<Syn> {
    const PROTOCOL_TCP: u8 = 6;
    const ONLY_SYN: u8 = 2;
    let bytes: [u8; PACKET] = bytes.get(..PACKET)?.try_into().ok()?;
    if bytes[0] != VERSION_AND_LENGTH {
        return None;
    }
    let is_syn = bytes[9] == PROTOCOL_TCP && bytes[TCP + 13] == ONLY_SYN;
    let destination = [bytes[16], bytes[17], bytes[18], bytes[19]];
    let port = u16::from_be_bytes([bytes[TCP + 2], bytes[TCP + 3]]);
    let sequence = [bytes[TCP + 4], bytes[TCP + 5], bytes[TCP + 6], bytes[TCP + 7]];
    let is_addressed = destination != [0; 4] && port != 0;
    (is_syn && is_addressed).then_some(Syn { destination, port, sequence })
}
