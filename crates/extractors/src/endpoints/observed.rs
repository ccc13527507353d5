//! Whom a routine would connect to, seen by running it.
//!
//! How it works: a routine that fills in a socket address in the program's data, for another to
//! connect to, is run in a bare machine, and the address is read where it left it. Every routine
//! that is handed a host name on the way is then made to return an answer whose every word leads
//! to one address that no host has: where that address ends up, the name was meant. And every
//! routine that the first one calls is made to return other numbers, which shows the addresses
//! that are drawn at random.
//!
//! False positives: a routine that writes an address for another purpose into the place that is
//! connected to. False negatives: routines that need more than the bare machine gives them, such as
//! arguments of the program; hosts that nobody could mean, such as the local one, whatever the
//! program does with them.

use crate::endpoints::host;
use crate::endpoints::socket_address::{AF_INET, AF_INET6, MAX_SIZE, SocketAddress};
use crate::subject::Subject;
use core::net::{IpAddr, Ipv4Addr};
use miyaburi_emulator::{Abi, Call, CallAction, Exit, Hooks, Limits, MemoryError, Reason, State};
use miyaburi_image::{Address, Arch, Endian};
use std::collections::BTreeSet;

/// Instructions of one run.
const INSTRUCTIONS: u64 = 40_000;

/// The address that names seem to have: of the reserved class E, which no host has (RFC 1112).
const ANSWER: Ipv4Addr = Ipv4Addr::new(240, 83, 97, 1);

/// Bytes of a made-up answer: half of it pointers, half of it addresses.
const ANSWER_SIZE: u64 = 0x200;

/// Numbers that a routine returns instead of what it would.
const DRAWS: u64 = 8;

/// Numbers that far apart leave the same remainder by every divisor up to 16: what differs between
/// them did not come from a choice among few.
const SAME_REMAINDER: u64 = 720_720;

/// Routines that are made to return other numbers.
const MAX_ROUTINES: usize = 6;

/// How deep the calls lie in which names are looked for.
const MAX_DEPTH: usize = 4;

/// Longest host name, in bytes.
const MAX_NAME: usize = 256;

/// What a routine fills in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Names and addresses.
    pub hosts: BTreeSet<String>,
    /// Port; `None` when the routine leaves it alone.
    pub port: Option<u16>,
    /// Whether the routine ran to its end, so that all it fills in is known.
    pub is_complete: bool,
}

/// What a routine returns instead of being run.
#[derive(Clone, Copy)]
enum Answer {
    Number(u64),
    /// The address of the made-up answer to a question for a name.
    Resolved,
}

/// What one run shows.
#[derive(Default)]
struct Run {
    /// The address that was filled in.
    address: Option<SocketAddress>,
    is_complete: bool,
    /// Routines called by the function itself.
    routines: Vec<Address>,
    /// Routines that were handed a host name, and which.
    named: Vec<(Address, String)>,
}

impl Run {
    /// The host that was filled in, when it is one that a program could mean.
    fn host(&self) -> Option<String> {
        self.address?.host.filter(|host| can_be_meant(*host)).map(|host| host.to_string())
    }

    fn has_answer(&self) -> bool {
        self.address.and_then(|address| address.host) == Some(IpAddr::from(ANSWER))
    }

    fn port(&self) -> Option<u16> {
        self.address?.port
    }
}

/// Whether a program could mean to connect to `host`: not to the local host or network (RFC 1122),
/// to many at once, or to the reserved class E (RFC 1112), where [`ANSWER`] lies. Small numbers
/// that are no addresses at all lie there, too.
fn can_be_meant(host: IpAddr) -> bool {
    let is_reserved = match host {
        IpAddr::V4(host) => matches!(host.octets(), [0 | 240.., ..]),
        IpAddr::V6(host) => host.segments().starts_with(&[0; 5]),
    };
    !is_reserved && !host.is_loopback() && !host.is_multicast()
}

/// What `function` fills in at `place`, starting from `state`.
pub fn filled_in<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    function: Address,
    place: Address,
) -> Filled {
    let mut try_with = |instead| run(subject, state, function, place, instead);
    let plain = try_with(None);
    let mut filled = Filled {
        hosts: plain.host().into_iter().collect(),
        port: plain.port(),
        is_complete: plain.is_complete,
    };
    for (routine, name) in &plain.named {
        let resolved = try_with(Some((*routine, Answer::Resolved)));
        if resolved.has_answer() {
            filled.hosts.insert(name.clone());
            filled.port = filled.port.or(resolved.port());
            filled.is_complete |= resolved.is_complete;
        }
    }
    let is_unnamed = |routine: &&Address| !plain.named.iter().any(|(named, _)| named == *routine);
    for routine in plain.routines.iter().filter(is_unnamed).take(MAX_ROUTINES) {
        for draw in 0..DRAWS {
            let mut returns = |number| try_with(Some((*routine, Answer::Number(number)))).host();
            let Some(host) = returns(draw).filter(|host| !filled.hosts.contains(host)) else {
                continue;
            };
            if returns(draw + SAME_REMAINDER).as_ref() == Some(&host) {
                filled.hosts.insert(host);
            }
        }
    }
    filled
}

fn run<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    function: Address,
    place: Address,
    instead: Option<(Address, Answer)>,
) -> Run {
    let program = subject.program;
    let Some(context) = program.function_at(function).and_then(|id| program.context_of(id)) else {
        return Run::default();
    };
    let mut state = state.clone();
    let block = subject.emulator.layout().fresh_block(&mut state);
    let arch = subject.emulator.arch();
    // What was there before is not what this routine fills in.
    let is_prepared = make_answer(&mut state, block, arch)
        .and_then(|()| state.memory.write(place.offset(2), &[0; MAX_SIZE - 2]));
    if is_prepared.is_err() {
        return Run::default();
    }
    let instead = instead.map(|(routine, answer)| match answer {
        Answer::Number(number) => (routine, number),
        Answer::Resolved => (routine, block.0),
    });
    let mut watch = Watch { instead, run: Run::default(), invented: vec![block.0] };
    let instructions = subject.budget.grant(INSTRUCTIONS);
    let limits = Limits { instructions, call_instructions: INSTRUCTIONS / 2, ..Limits::default() };
    let outcome = subject.emulator.call(&mut state, (function, context), &[], &mut watch, &limits);
    subject.budget.spend(outcome.instructions);
    watch.run.is_complete = outcome.exit == Exit::Returned;
    watch.run.address = left_behind(&mut state, place, arch.endian);
    // What a summarised call seemed to return is no host.
    let written = state.memory.load(place.offset(4), 4).unwrap_or_default();
    if watch.invented.iter().any(|value| value & u64::from(u32::MAX) == written) {
        watch.run.address =
            watch.run.address.map(|address| SocketAddress { host: None, ..address });
    }
    watch.run
}

/// The socket address at `place`, of version 4 unless it says 6.
fn left_behind(state: &mut State<'_>, place: Address, endian: Endian) -> Option<SocketAddress> {
    let bytes = state.memory.bytes(place, MAX_SIZE)?;
    let mut bytes: Vec<Option<u8>> = bytes.into_iter().map(Some).collect();
    let family = |number: u16| {
        let mut native = [0; 2];
        endian.write_uint(&mut native, u64::from(number));
        native.map(Some)
    };
    let own = bytes.get_mut(..2)?;
    if own != family(AF_INET6) {
        own.copy_from_slice(&family(AF_INET));
    }
    let address = SocketAddress::from_bytes(endian, &bytes)?;
    Some(SocketAddress { port: address.port.filter(|port| *port != 0), ..address })
}

/// Writes an answer in which every pointer leads to [`ANSWER`].
fn make_answer(state: &mut State<'_>, block: Address, arch: Arch) -> Result<(), MemoryError> {
    let addresses = block.offset(ANSWER_SIZE / 2);
    let mut pointer = [0; 8];
    let pointer = pointer.get_mut(..arch.pointer_size() as usize).unwrap_or(&mut []);
    arch.endian.write_uint(pointer, addresses.0);
    let half = (ANSWER_SIZE / 2) as usize;
    state.memory.write(block, &pointer.repeat(half / pointer.len().max(1)))?;
    state.memory.write(addresses, &ANSWER.octets().repeat(half / 4))
}

/// Lets one routine return something else, and notes who is handed names.
struct Watch {
    instead: Option<(Address, u64)>,
    run: Run,
    /// Addresses of memory that summarised calls seemed to return.
    invented: Vec<u64>,
}

impl Hooks for Watch {
    fn call(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) -> CallAction {
        let is_new = |(routine, _): &(Address, String)| *routine != call.callee;
        if call.depth <= MAX_DEPTH
            && self.run.named.iter().all(is_new)
            && let Some(name) = name(state, abi)
        {
            self.run.named.push((call.callee, name));
        }
        if call.depth == 0 && !self.run.routines.contains(&call.callee) {
            self.run.routines.push(call.callee);
        }
        match self.instead {
            Some((routine, result)) if routine == call.callee => CallAction::Return(result),
            _ => CallAction::Enter,
        }
    }

    fn summarised(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        _call: &Call,
        _reason: &Reason,
        value: u64,
    ) {
        self.invented.push(value);
    }
}

/// A host name among the arguments of a call.
fn name(state: &mut State<'_>, abi: &Abi) -> Option<String> {
    const ARGUMENTS: usize = 2;
    let platform = (0..ARGUMENTS).map(|index| abi.argument(state, index));
    let mut arguments: Vec<u64> = platform.collect();
    let local = abi.local_conventions.iter().filter_map(|registers| registers.first());
    arguments.extend(local.map(|register| state.register(register)));
    arguments.into_iter().find_map(|argument| {
        let text = string(state, Address(argument))?;
        host::parse(&text).filter(|host| host.parse::<IpAddr>().is_err())
    })
}

/// The string at an address, without its end.
fn string(state: &mut State<'_>, at: Address) -> Option<Vec<u8>> {
    if !state.memory.is_mapped(at) {
        return None;
    }
    let mut text = Vec::new();
    for offset in 0..MAX_NAME as u64 {
        match state.memory.load(at.offset(offset), 1).ok()? as u8 {
            0 => return (!text.is_empty()).then_some(text),
            byte => text.push(byte),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{ANSWER, can_be_meant};
    use core::net::IpAddr;

    #[test]
    fn hosts_are_meant_and_numbers_are_not() {
        let address = |text: &str| text.parse::<IpAddr>();
        for host in ["192.0.2.7", "203.0.113.255", "2001:db8::1"] {
            assert_eq!(address(host).map(can_be_meant), Ok(true), "{host}");
        }
        for number in ["0.0.0.12", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "::c"]
        {
            assert_eq!(address(number).map(can_be_meant), Ok(false), "{number}");
        }
        assert!(!can_be_meant(IpAddr::from(ANSWER)));
    }
}
