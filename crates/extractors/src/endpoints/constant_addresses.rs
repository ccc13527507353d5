//! Socket addresses that the code itself spells out, and what is done with them.
//!
//! How it works: at every call, each argument that points to the stack or to the program's data is
//! looked at; where the bytes there begin with a socket address family, the routine called is run
//! to see which socket call it makes. What is bound may have any bytes, when their number is right.
//!
//! False positives: a structure that happens to begin with the number of an address family, passed
//! to a routine that makes a socket call. False negatives: addresses built in a loop or copied from
//! constant data, which the value analysis does not follow.

use crate::endpoints::socket_address::{AF_INET, AF_INET6, MAX_SIZE, SocketAddress};
use crate::endpoints::socket_calls::{Handover, Reached, SocketCalls};
use crate::endpoints::transport::{self, Transport};
use crate::subject::Subject;
use core::net::IpAddr;
use miyaburi_analysis::{GlobalStore, StackByte, Value};
use miyaburi_emulator::SocketCall;
use miyaburi_image::{Address, Endian};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// An address of which nothing is known.
const NOTHING: SocketAddress = SocketAddress { host: None, port: None };

/// Arguments looked at.
const ARGUMENTS: usize = 6;

/// A socket call and the address it is given, as far as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The call.
    pub site: Address,
    /// The function that makes it.
    pub function: Address,
    /// What comes of the call in the end.
    pub reached: Reached,
    /// What is known of the address at the call.
    pub address: SocketAddress,
    /// Where the address lies, when in the program's data.
    pub place: Option<Address>,
    /// How the socket talks, as far as known.
    pub transport: Option<Transport>,
}

impl Use {
    /// The socket call that is made.
    #[must_use]
    pub const fn call(&self) -> SocketCall {
        self.reached.call
    }

    /// The address on its way to the kernel.
    #[must_use]
    pub fn handover(&self) -> Handover {
        Handover { site: self.site, reached: self.reached.clone(), transport: self.transport }
    }
}

/// What one function writes into a socket address in the program's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Where the socket address lies.
    pub place: Address,
    /// The function that writes.
    pub function: Address,
    /// An instruction that writes the host or the port.
    pub instruction: Address,
    /// What it writes there: `None` for what it computes or leaves alone.
    pub address: SocketAddress,
    /// Whether it also says of which family the address is.
    pub sets_family: bool,
    /// Whether the host it writes is computed.
    pub computes_host: bool,
    /// Whether the port it writes is computed.
    pub computes_port: bool,
    /// The constants that it writes to each byte.
    constants: Vec<Vec<u8>>,
}

impl Assignment {
    /// Whether every byte of a host and a port is among the constants that it writes there.
    #[must_use]
    pub fn writes(&self, address: &SocketAddress) -> bool {
        const PORT: usize = 2;
        const HOST: usize = 4;
        const LONG_HOST: usize = 8;
        let (Some(host), Some(port)) = (address.host, address.port) else { return false };
        let has = |start: usize, bytes: &[u8]| {
            let constants = self.constants.get(start..).unwrap_or(&[]);
            constants.len() >= bytes.len()
                && bytes.iter().zip(constants).all(|(byte, constants)| constants.contains(byte))
        };
        has(PORT, &port.to_be_bytes())
            && match host {
                IpAddr::V4(host) => has(HOST, &host.octets()),
                IpAddr::V6(host) => has(LONG_HOST, &host.octets()),
            }
    }
}

#[cfg(test)]
impl Assignment {
    /// A constant address that a routine prepares.
    pub(super) const fn prepared(place: u64, address: SocketAddress) -> Self {
        Self {
            place: Address(place),
            function: Address(0x1000),
            instruction: Address(0x1004),
            address,
            sets_family: true,
            computes_host: false,
            computes_port: false,
            constants: Vec::new(),
        }
    }
}

/// Everything that code says about constant socket addresses.
#[derive(Clone, Debug, Default)]
pub struct ConstantAddresses {
    /// Socket calls with an address.
    pub uses: Vec<Use>,
    /// Writes to socket addresses in the program's data, by function.
    pub assignments: Vec<Assignment>,
}

/// Looks through all functions.
pub fn find(subject: &mut Subject<'_>) -> ConstantAddresses {
    let mut calls = SocketCalls::default();
    let assignments = assignments(subject);
    let uses = uses(subject, &mut calls, &assignments);
    ConstantAddresses { uses, assignments }
}

/// Socket calls that are handed an address on the stack or one that is assigned to.
fn uses(
    subject: &mut Subject<'_>,
    calls: &mut SocketCalls,
    assignments: &[Assignment],
) -> Vec<Use> {
    let program = subject.program;
    let endian = subject.emulator.arch().endian;
    let is_assigned = |place: u64| assignments.iter().any(|a| a.place == Address(place));
    let mut found = Vec::new();
    for id in program.function_ids() {
        let (Some(function), Some(values)) = (program.function(id), program.values(id)) else {
            continue;
        };
        for site in program.calls_of(id) {
            let Some(callee) = site.target else { continue };
            for index in 0..ARGUMENTS {
                let mut is_bound = || {
                    index == 1
                        && is_size(values.argument(site.address, 2))
                        && calls.of(subject, callee) == Some(SocketCall::Bind)
                };
                let (address, place) = match values.argument(site.address, index) {
                    Value::StackOffset(offset) => {
                        let bytes: Vec<Option<u8>> = values
                            .stack_bytes(site.address, offset, MAX_SIZE)
                            .into_iter()
                            .map(known)
                            .collect();
                        let address = SocketAddress::from_bytes(endian, &bytes);
                        (address.or_else(|| is_bound().then_some(NOTHING)), None)
                    }
                    Value::Unknown => (is_bound().then_some(NOTHING), None),
                    Value::Constant(at) if is_assigned(at) => (Some(NOTHING), Some(Address(at))),
                    _ => continue,
                };
                let Some(address) = address else { continue };
                let Some(reached) = calls.reached(subject, callee).cloned() else { continue };
                let (site, function) = (site.address, function.entry);
                let transport = transport::of(subject, calls, id);
                found.push(Use { site, function, reached, address, place, transport });
                break;
            }
        }
    }
    found
}

/// Whether this is the size of a socket address.
fn is_size(value: Value) -> bool {
    const SHORT: u64 = 16;
    value.constant().is_some_and(|size| size == SHORT || size == MAX_SIZE as u64)
}

fn known(byte: StackByte) -> Option<u8> {
    match byte {
        StackByte::Known(byte) | StackByte::Stale(byte) => Some(byte),
        StackByte::Unknown => None,
    }
}

/// Writes to places in the program's data that some function gives an address family.
fn assignments(subject: &Subject<'_>) -> Vec<Assignment> {
    let program = subject.program;
    let endian = subject.emulator.arch().endian;
    let functions: Vec<(Address, FunctionStores)> = program
        .function_ids()
        .filter_map(|id| {
            let stores = FunctionStores::new(endian, program.values(id)?.stores());
            Some((program.function(id)?.entry, stores))
        })
        .collect();
    let places: BTreeSet<u64> =
        functions.iter().flat_map(|(_, stores)| stores.families(endian)).collect();
    let mut assignments = Vec::new();
    for place in places {
        for (function, stores) in &functions {
            assignments.extend(stores.assignment(endian, Address(place), *function));
        }
    }
    assignments
}

/// What one function stores in one byte at a fixed place.
struct StoredByte {
    /// The constants, each once, in the order of their instructions.
    constants: Vec<u8>,
    /// Whether it also stores something computed.
    computed: bool,
    /// The instruction of the first store.
    instruction: Address,
}

/// The bytes that one function stores at fixed places.
struct FunctionStores(FxHashMap<u64, StoredByte>);

impl FunctionStores {
    fn new(endian: Endian, stores: &[GlobalStore]) -> Self {
        let mut bytes: FxHashMap<u64, StoredByte> = FxHashMap::default();
        for store in stores {
            let size = store.size.min(8) as usize;
            let mut value = [0; 8];
            let constant = store.value.constant();
            endian.write_uint(&mut value[..size], constant.unwrap_or(0));
            for (index, byte) in value[..size].iter().enumerate() {
                let stored =
                    bytes.entry(store.to.0.wrapping_add(index as u64)).or_insert(StoredByte {
                        constants: Vec::new(),
                        computed: false,
                        instruction: store.instruction,
                    });
                match constant {
                    Some(_) if stored.constants.contains(byte) => {}
                    Some(_) => stored.constants.push(*byte),
                    None => stored.computed = true,
                }
            }
        }
        Self(bytes)
    }

    fn byte(&self, at: u64) -> Option<u8> {
        self.0.get(&at).and_then(|stored| stored.constants.first().copied())
    }

    /// Places that are given the number of an address family.
    fn families(&self, endian: Endian) -> Vec<u64> {
        let mut native = [0; 2];
        [AF_INET, AF_INET6]
            .into_iter()
            .flat_map(|family| {
                endian.write_uint(&mut native, u64::from(family));
                let [first, second] = native;
                self.0
                    .keys()
                    .copied()
                    .filter(|at| at % 2 == 0)
                    .filter(|at| {
                        self.byte(*at) == Some(first)
                            && self.byte(at.wrapping_add(1)) == Some(second)
                    })
                    .collect::<Vec<u64>>()
            })
            .collect()
    }

    fn assignment(&self, endian: Endian, place: Address, function: Address) -> Option<Assignment> {
        const HOST: u64 = 4;
        const PORT: u64 = 2;
        // Code may store at any address, the last ones too.
        let written = |at: u64| self.0.get(&place.0.wrapping_add(at));
        let first = written(HOST).or_else(|| written(PORT))?;
        let mut bytes: Vec<Option<u8>> =
            (0..MAX_SIZE as u64).map(|at| self.byte(place.0.wrapping_add(at))).collect();
        let sets_family = bytes[..2].iter().all(Option::is_some);
        if !sets_family {
            // The function that sets the family may be another.
            let mut native = [0; 2];
            endian.write_uint(&mut native, u64::from(AF_INET));
            bytes[..2].copy_from_slice(&native.map(Some));
        }
        Some(Assignment {
            place,
            function,
            instruction: first.instruction,
            address: SocketAddress::from_bytes(endian, &bytes)?,
            sets_family,
            computes_host: written(HOST).is_some_and(|stored| stored.computed),
            computes_port: written(PORT).is_some_and(|stored| stored.computed),
            constants: (0..MAX_SIZE as u64)
                .map(|at| written(at).map_or_else(Vec::new, |stored| stored.constants.clone()))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by a program of one pattern: an address that ends beyond the last one there is.
    #[test]
    fn a_place_at_the_end_of_all_addresses() {
        let place = Address(u64::MAX - 5);
        let store = |by: u64, size: u32, value: u64| GlobalStore {
            instruction: Address(0x1000),
            to: place.offset(by),
            size,
            value: Value::Constant(value),
        };
        let stores = [store(0, 2, 2), store(2, 2, 0x1700), store(4, 4, 0x0902_00c0)];
        let stores = FunctionStores::new(Endian::Little, &stores);
        assert_eq!(stores.families(Endian::Little), [place.0]);
        let assignment = stores.assignment(Endian::Little, place, Address(0x1000));
        let address = assignment.map(|it| it.address);
        let host = "192.0.2.9".parse().ok();
        assert_eq!(address, Some(SocketAddress { host, port: Some(23) }));
    }
}
