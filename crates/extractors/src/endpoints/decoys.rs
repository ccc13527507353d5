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
use crate::endpoints::{Endpoint, Role, Source, Writing};
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
        handovers: Vec::new(),
        overwritten_by: None,
        forced: Vec::new(),
        place: Some(assignment.place),
    })
}

/// Constant addresses that are overwritten with a computed one: by a function that fetches a C2, or
/// before a connection.
fn overwritten(constants: &ConstantAddresses, c2: &[Address]) -> Vec<Endpoint> {
    let is_connected = |place: Address| {
        constants
            .uses
            .iter()
            .any(|used| used.place == Some(place) && used.call() == SocketCall::Connect)
    };
    let overwriting = |assignment: &Assignment| {
        constants.assignments.iter().find(|other| {
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
        .filter(|assignment| is_only_constant(assignment))
        .filter_map(|assignment| {
            let other = overwriting(assignment)?;
            let by = Writing { site: other.instruction, function: other.function };
            Some(Endpoint { overwritten_by: Some(by), ..from_constant(assignment)? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::endpoints::constant_addresses::{Assignment, ConstantAddresses, Use};
    use crate::endpoints::socket_address::SocketAddress;
    use crate::endpoints::socket_calls::Reached;
    use crate::endpoints::{Endpoint, Role, Source};
    use core::net::IpAddr;
    use miyaburi_emulator::SocketCall;
    use miyaburi_image::Address;

    const FIRST: SocketAddress = SocketAddress {
        host: Some(IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 9))),
        port: Some(80),
    };

    fn c2(host: &str) -> Endpoint {
        Endpoint {
            host: host.to_owned(),
            port: 23,
            role: Role::C2,
            source: Source::Constant,
            is_observed: true,
            site: Address(0x2004),
            function: Address(0x2000),
            handovers: Vec::new(),
            overwritten_by: None,
            forced: Vec::new(),
            place: None,
        }
    }

    fn prepared(places: &[u64], uses: Vec<Use>) -> ConstantAddresses {
        let assignments = places.iter().map(|place| Assignment::prepared(*place, FIRST)).collect();
        ConstantAddresses { uses, assignments }
    }

    #[test]
    fn the_one_address_that_nothing_uses_beside_a_c2_of_version_6_is_a_decoy() {
        let found = find(&prepared(&[0x8000], Vec::new()), &[c2("2001:db8::1")]);
        let told: Vec<_> =
            found.iter().map(|one| (one.host.as_str(), one.port, one.role)).collect();
        assert_eq!(told, [("192.0.2.9", 80, Role::Decoy)]);
    }

    #[test]
    fn an_address_that_may_be_meant_is_no_decoy() {
        let site = Address(0x3000);
        let used = Use {
            site,
            function: site,
            reached: Reached { call: SocketCall::SendTo, through: Vec::new(), at: site },
            transport: None,
            address: FIRST,
            place: Some(Address(0x8000)),
        };
        let of_version_6 = [c2("2001:db8::1")];
        // Handed to a socket call; one of two; beside a C2 of version 4; without a C2.
        assert_eq!(find(&prepared(&[0x8000], vec![used]), &of_version_6), []);
        assert_eq!(find(&prepared(&[0x8000, 0x9000], Vec::new()), &of_version_6), []);
        assert_eq!(find(&prepared(&[0x8000], Vec::new()), &[c2("198.51.100.1")]), []);
        assert_eq!(find(&prepared(&[0x8000], Vec::new()), &[]), []);
    }
}
