//! One run of a routine in a bare machine where names have made-up answers.
//!
//! How it works: routines of the program can be made to return a number or the address of a
//! made-up answer to a question for a name, and words of memory to hold other values. Noted are the
//! names and socket addresses that are handed on, and what is left at one place.
//!
//! False positives: other text that looks like a host name and is handed on. False negatives: what
//! lies deeper than [`MAX_DEPTH`] calls, or behind system calls whose result counts.

use crate::endpoints::host;
use crate::endpoints::midway::Start;
use crate::endpoints::socket_address::{AF_INET, AF_INET6, MAX_SIZE, SocketAddress};
use crate::subject::Subject;
use core::net::{IpAddr, Ipv4Addr};
use miyaburi_emulator::{
    Abi, Call, CallAction, Exit, Hooks, Limits, Memory, MemoryError, PAGE_SIZE, Reason, State,
};
use miyaburi_image::{Address, Arch, Endian};

/// Instructions of one run.
const INSTRUCTIONS: u64 = 40_000;

/// Bytes of the pointers of a made-up answer.
const POINTERS: u64 = 0x100;

/// Bytes of its addresses: enough for any count of one byte.
const ADDRESSES: u64 = 0x400;

/// Bytes of the stack that a routine may use.
const STACK_USED: u64 = 0x4000;

/// How deep the calls lie in which names and addresses are looked for.
const MAX_DEPTH: usize = 4;

/// Arguments looked at, and handed to a routine that needs some.
const ARGUMENTS: usize = 3;

/// Bytes of family, port and host of a socket address of version 4. What follows may already be
/// another variable.
const SHORT_SIZE: usize = 8;

/// Calls of the routine whose addresses are kept.
const MAX_PASSED: usize = 64;

/// Longest host name, in bytes.
const MAX_NAME: usize = 256;

/// The `number`th address that names seem to have: of the reserved class E, which no host has
/// (RFC 1112).
pub const fn answer(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(240, 83, 97, number))
}

/// Whether a program could mean to connect to `host`: not to the local host or network (RFC 1122),
/// to many at once, or to the reserved class E (RFC 1112), where every [`answer`] lies. Small numbers
/// that are no addresses at all lie there, too, or look like the address of a large network.
#[must_use]
pub fn can_be_meant(host: IpAddr) -> bool {
    let is_reserved = match host {
        IpAddr::V4(host) => matches!(host.octets(), [0 | 240.., ..] | [_, 0, 0, 0]),
        IpAddr::V6(host) => host.segments().starts_with(&[0; 5]),
    };
    !is_reserved && !host.is_loopback() && !host.is_multicast()
}

/// What a routine returns instead of being run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A number.
    Number(u64),
    /// The address of an answer in which every word leads to this [`answer`].
    Answer(u8),
}

/// What is run, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The routine.
    pub function: Address,
    /// Whether it is handed the address of empty memory.
    pub has_arguments: bool,
    /// Where it leaves an address.
    pub place: Option<Address>,
    /// Where it is started, when not at its beginning.
    pub start: Option<Start>,
    /// Routines that return something else.
    pub replies: Vec<(Address, Reply)>,
    /// Words of four bytes with the values they are given.
    pub words: Vec<(Address, u64)>,
}

/// What one run shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The address that was filled in at the place.
    pub address: Option<SocketAddress>,
    /// Whether it also said of which family that address is.
    pub sets_family: bool,
    /// Whether the routine ran to its end.
    pub is_complete: bool,
    /// Routines called by the function itself.
    pub routines: Vec<Address>,
    /// Routines that were handed a host name, and which.
    pub named: Vec<(Address, String)>,
    /// Addresses that were handed on as text.
    pub dotted: Vec<IpAddr>,
    /// Socket addresses that were handed on.
    pub passed: Vec<Passed>,
    /// Words of four bytes that were read.
    pub reads: Vec<Address>,
}

/// A socket address that a routine hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The call.
    pub site: Address,
    /// Whom it is handed to.
    pub callee: Address,
    /// The address at that time.
    pub address: SocketAddress,
}

impl Trial {
    /// Runs `function` as it is.
    #[must_use]
    pub const fn of(function: Address) -> Self {
        Self {
            function,
            has_arguments: false,
            place: None,
            start: None,
            replies: Vec::new(),
            words: Vec::new(),
        }
    }

    /// The same with one more routine that returns something else.
    #[must_use]
    pub fn with_reply(&self, routine: Address, reply: Reply) -> Self {
        let mut trial = self.clone();
        trial.replies.push((routine, reply));
        trial
    }

    /// The same with one more word changed.
    #[must_use]
    pub fn with_word(&self, at: Address, value: u64) -> Self {
        let mut trial = self.clone();
        trial.words.push((at, value));
        trial
    }

    /// Runs it from `state`.
    pub fn run<'a>(&self, subject: &mut Subject<'a>, state: &State<'a>) -> Seen {
        let program = subject.program;
        let context = program.function_at(self.function).and_then(|id| program.context_of(id));
        let Some(context) = context else { return Seen::default() };
        let mut state = state.clone();
        let Ok(mut watch) = self.prepare(subject, &mut state) else { return Seen::default() };
        let empty = subject.emulator.layout().fresh_block(&mut state).0;
        let arguments = [empty; ARGUMENTS];
        let arguments = if self.has_arguments { arguments.as_slice() } else { &[] };
        let instructions = INSTRUCTIONS * subject.patience;
        let limits = Limits {
            instructions: subject.budget.grant(instructions),
            call_instructions: instructions / 2,
            repetition: instructions / 4,
            ..Limits::default()
        };
        state.memory.start_read_log();
        let function = (self.start.map_or(self.function, |start| start.address), context);
        let outcome = subject.emulator.call(&mut state, function, arguments, &mut watch, &limits);
        subject.budget.spend(outcome.instructions);
        let mut seen = watch.seen;
        let reads = state.memory.take_read_log().into_iter();
        seen.reads = reads.filter(|(_, size)| *size == 4).map(|(at, _)| at).collect();
        seen.is_complete = outcome.exit == Exit::Returned;
        let Some(place) = self.place else { return seen };
        seen.sets_family = state.memory.load(place, 2).is_ok_and(|family| family != 0);
        seen.address = left_behind(&mut state.memory, place, subject.emulator.arch().endian);
        // Neither what a summarised call seemed to return nor a place in the machine is a host.
        let written = state.memory.load(place.offset(4), 4).unwrap_or_default();
        let is_invented = watch.invented.iter().any(|value| value & u64::from(u32::MAX) == written);
        let is_garbled = subject.patience > 1 && watch.has_spent;
        if is_garbled || is_invented || is_own_memory(subject, &mut state, written) {
            seen.address = seen.address.map(|address| SocketAddress { host: None, ..address });
        }
        seen
    }

    fn prepare(&self, subject: &Subject<'_>, state: &mut State<'_>) -> Result<Watch, MemoryError> {
        let arch = subject.emulator.arch();
        // What was there before is not what this routine fills in.
        if let Some(place) = self.place {
            // Of which family it is was said earlier.
            let skipped = if self.start.is_some() { 2 } else { 0 };
            state.memory.write(place.offset(skipped as u64), &[0; SHORT_SIZE][skipped..])?;
        }
        if let Some(start) = self.start {
            start.set_up(subject, state)?;
        }
        let mut replies = Vec::new();
        let mut invented = Vec::new();
        for (routine, reply) in &self.replies {
            let result = match *reply {
                Reply::Number(number) => number,
                Reply::Answer(number) => {
                    let block = answer_block(subject, state, number);
                    make_answer(&mut state.memory, block, arch, number)?;
                    invented.push(block.0);
                    block.0
                }
            };
            replies.push((*routine, result));
        }
        for (at, value) in &self.words {
            state.memory.store(*at, 4, *value)?;
        }
        Ok(Watch {
            replies,
            endian: arch.endian,
            seen: Seen::default(),
            invented,
            has_spent: false,
        })
    }
}

/// The socket address at `place`, of version 4 unless it says 6.
pub fn left_behind(
    memory: &mut Memory<'_>,
    place: Address,
    endian: Endian,
) -> Option<SocketAddress> {
    let mut bytes = memory.bytes(place, MAX_SIZE)?;
    let own = bytes.get_mut(..2)?;
    if endian.read_uint(own) as u16 != AF_INET6 {
        endian.write_uint(own, u64::from(AF_INET));
    }
    let bytes: Vec<Option<u8>> = bytes.into_iter().map(Some).collect();
    let address = SocketAddress::from_bytes(endian, &bytes)?;
    Some(SocketAddress { port: address.port.filter(|port| *port != 0), ..address })
}

/// Whether `value` lies in memory that the emulator has given to the routine, or is the address of
/// code.
fn is_own_memory(subject: &Subject<'_>, state: &mut State<'_>, value: u64) -> bool {
    let layout = subject.emulator.layout();
    if subject.image.is_executable(Address(value)) {
        return true;
    }
    let is_given = layout.fresh_block_at(Address(value)).is_some()
        && Address(value) < layout.fresh_block(state);
    is_given || value.abs_diff(layout.initial_stack_pointer().0) < STACK_USED
}

/// Where the `number`th answer lies: what is read from its pointers differs from answer to answer.
/// No byte of its number is 0, as some answers begin with a count.
fn answer_block(subject: &Subject<'_>, state: &mut State<'_>, number: u8) -> Address {
    const TRIES: usize = 64;
    let layout = subject.emulator.layout();
    let is_good = |block: &Address| {
        let half = halves_equal(*block).0 & 0xffff;
        half & 0xff != 0 && half >> 8 != 0 && half.is_multiple_of(4)
    };
    let mut blocks = (0..TRIES).map(|_| layout.fresh_block(state)).filter(is_good);
    blocks.nth(usize::from(number)).unwrap_or_else(|| layout.fresh_block(state))
}

/// The address in a block of fresh memory whose halves are equal: pointers to it, one after the
/// other, can be read at every second byte, as CPUs with less alignment do.
const fn halves_equal(block: Address) -> Address {
    block.offset((block.0 >> 16) & 0xffff)
}

/// Writes an answer in which every pointer leads to addresses that are all the same.
fn make_answer(
    memory: &mut Memory<'_>,
    block: Address,
    arch: Arch,
    number: u8,
) -> Result<(), MemoryError> {
    let addresses = halves_equal(block);
    let mut pointer = [0; 8];
    let pointer = pointer.get_mut(..arch.pointer_size() as usize).unwrap_or(&mut []);
    arch.endian.write_uint(pointer, addresses.0);
    memory.write(block, &pointer.repeat(POINTERS as usize / pointer.len().max(1)))?;
    let IpAddr::V4(host) = answer(number) else { return Ok(()) };
    memory.write(addresses, &host.octets().repeat((ADDRESSES / 4) as usize))
}

/// Lets routines return something else, and notes what is handed on.
struct Watch {
    replies: Vec<(Address, u64)>,
    endian: Endian,
    seen: Seen,
    /// Addresses of memory that calls seemed to return.
    invented: Vec<u64>,
    /// Whether a call took too long, so that what it decodes is not decoded.
    has_spent: bool,
}

impl Watch {
    fn note(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) {
        let arguments = arguments(state, abi);
        for host in arguments.iter().filter_map(|argument| named_host(state, *argument)) {
            match host.parse::<IpAddr>() {
                Ok(address) => self.seen.dotted.push(address),
                Err(_) if self.seen.named.iter().any(|(known, _)| *known == call.callee) => {}
                Err(_) => self.seen.named.push((call.callee, host)),
            }
        }
        if self.seen.passed.len() < MAX_PASSED
            && let Some(address) =
                arguments.iter().find_map(|at| socket_address(state, self.endian, *at))
        {
            let (site, callee) = (call.site, call.callee);
            self.seen.passed.push(Passed { site, callee, address });
        }
    }
}

impl Hooks for Watch {
    fn call(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) -> CallAction {
        if call.depth <= MAX_DEPTH {
            self.note(state, abi, call);
        }
        if call.depth == 0 && !self.seen.routines.contains(&call.callee) {
            self.seen.routines.push(call.callee);
        }
        match self.replies.iter().find(|(routine, _)| *routine == call.callee) {
            Some((_, result)) => CallAction::Return(*result),
            None => CallAction::Enter,
        }
    }

    fn summarised(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        _call: &Call,
        reason: &Reason,
        value: u64,
    ) {
        self.has_spent |= *reason == Reason::CallBudget;
        self.invented.push(value);
    }
}

/// The places where the first arguments of a call may be, by all conventions.
fn arguments(state: &mut State<'_>, abi: &Abi) -> Vec<u64> {
    let platform = (0..ARGUMENTS).map(|index| abi.argument(state, index));
    let mut arguments: Vec<u64> = platform.collect();
    let local = abi.local_conventions.iter().flatten();
    arguments.extend(local.map(|register| state.register(register)));
    arguments
}

/// The host that the text at an address names.
fn named_host(state: &mut State<'_>, at: u64) -> Option<String> {
    host::parse(&string(state, Address(at))?)
}

/// The socket address at an address.
fn socket_address(state: &mut State<'_>, endian: Endian, at: u64) -> Option<SocketAddress> {
    if !state.memory.is_mapped(Address(at)) {
        return None;
    }
    let long = state.memory.bytes(Address(at), MAX_SIZE);
    let bytes = long.or_else(|| state.memory.bytes(Address(at), SHORT_SIZE))?;
    let bytes: Vec<Option<u8>> = bytes.into_iter().map(Some).collect();
    SocketAddress::from_bytes(endian, &bytes)
        .filter(|address| address.port.is_some_and(|port| port != 0))
}

/// The string at an address, without its end.
fn string(state: &mut State<'_>, at: Address) -> Option<Vec<u8>> {
    if !state.memory.is_mapped(at) {
        return None;
    }
    let mut text = state.memory.bytes(at, MAX_NAME).or_else(|| bytes_of_page(state, at))?;
    let end = text.iter().position(|byte| *byte == 0).filter(|end| *end > 0)?;
    text.truncate(end);
    Some(text)
}

/// The bytes up to the end of the page.
fn bytes_of_page(state: &mut State<'_>, at: Address) -> Option<Vec<u8>> {
    state.memory.bytes(at, (PAGE_SIZE - at.0 % PAGE_SIZE) as usize)
}

#[cfg(test)]
mod tests {
    use super::{answer, can_be_meant};
    use core::net::IpAddr;

    #[test]
    fn hosts_are_meant_and_numbers_are_not() {
        let address = |text: &str| text.parse::<IpAddr>();
        for host in ["192.0.2.7", "203.0.113.255", "2001:db8::1"] {
            assert_eq!(address(host).map(can_be_meant), Ok(true), "{host}");
        }
        for number in [
            "0.0.0.12",
            "27.0.0.0",
            "127.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::c",
        ] {
            assert_eq!(address(number).map(can_be_meant), Ok(false), "{number}");
        }
        assert!(!can_be_meant(answer(1)));
    }
}
