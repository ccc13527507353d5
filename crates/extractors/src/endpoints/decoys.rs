//! Addresses that are written to be seen, and never connected to.
//!
//! How it works: a constant address is a decoy that is overwritten with a computed one, by a
//! function that fetches a C2 or before a connection; so is the one address of version 4 that a
//! program with C2s of version 6 writes and hands to no socket call.
//!
//! False positives: a server that is connected to before its address is overwritten; in a program
//! with C2s of version 6, an address that is kept for something else. False negatives: several
//! constant addresses for one place, and decoys that are copied from constant data.

use crate::endpoints::constant_addresses::{Assignment, ConstantAddresses};
use crate::endpoints::{Endpoint, Role, Source};
use core::net::Ipv6Addr;
use miyaburi_emulator::SocketCall;
use miyaburi_image::Address;

/// The decoys of a program that has found endpoints.
pub(super) fn find(constants: &ConstantAddresses, found: &[Endpoint]) -> Vec<Endpoint> {
    let c2: Vec<&Endpoint> = found.iter().filter(|endpoint| endpoint.role == Role::C2).collect();
    let functions: Vec<Address> = c2.iter().map(|endpoint| endpoint.function).collect();
    let mut decoys = overwritten(constants, &functions);
    if !c2.is_empty() && c2.iter().all(|c2| c2.host.parse::<Ipv6Addr>().is_ok()) {
        decoys.extend(unused(constants));
    }
    decoys
}

/// The only constant address of version 4 that is prepared and that no socket call is given.
fn unused(constants: &ConstantAddresses) -> Option<Endpoint> {
    let is_used = |place: Address| constants.uses.iter().any(|used| used.place == Some(place));
    let mut prepared = constants
        .assignments
        .iter()
        .filter(|assignment| assignment.sets_family && !is_used(assignment.place))
        .filter_map(from_constant)
        .filter(|decoy| decoy.host.parse::<Ipv6Addr>().is_err());
    let decoy = prepared.next();
    decoy.filter(|_| prepared.next().is_none())
}

/// The constant address that is assigned, as a decoy.
fn from_constant(assignment: &Assignment) -> Option<Endpoint> {
    Some(Endpoint {
        host: assignment.address.host?.to_string(),
        port: assignment.address.port?,
        role: Role::Decoy,
        source: Source::Constant,
        is_observed: false,
        site: assignment.instruction,
        function: assignment.function,
    })
}

/// Constant addresses that are overwritten with a computed one: by a function that fetches a C2, or
/// before a connection.
fn overwritten(constants: &ConstantAddresses, c2: &[Address]) -> Vec<Endpoint> {
    let is_connected = |place: Address| {
        constants
            .uses
            .iter()
            .any(|used| used.place == Some(place) && used.call == SocketCall::Connect)
    };
    let is_overwritten = |assignment: &Assignment| {
        constants.assignments.iter().any(|other| {
            let is_replaced = other.computes_host || other.function != assignment.function;
            other.place == assignment.place
                && is_replaced
                && (other.computes_host && is_connected(other.place)
                    || c2.contains(&other.function))
        })
    };
    let is_only_constant = |assignment: &Assignment| {
        constants
            .assignments
            .iter()
            .filter(|other| other.place == assignment.place && !c2.contains(&other.function))
            .filter(|other| other.address.host.is_some())
            .count()
            == 1
    };
    constants
        .assignments
        .iter()
        .filter(|assignment| !c2.contains(&assignment.function))
        .filter(|assignment| is_overwritten(assignment) && is_only_constant(assignment))
        .filter_map(from_constant)
        .collect()
}
