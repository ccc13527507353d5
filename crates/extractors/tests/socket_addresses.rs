//! What becomes of a socket address in a program's data that one routine fills in and another hands
//! to a socket call: a C2 only where the program connects to a host that can be one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use core::net::Ipv4Addr;
use miyaburi_emulator::SocketCall;
use miyaburi_extractors::endpoints::socket_calls::{Handover, Reached};
use miyaburi_extractors::endpoints::{self, Endpoint, Role, Source, constant_addresses};
use support::{BIND, CONNECT, Code, DATA, GETPID, with_subject};

/// Where the socket address lies.
const PLACE: u32 = DATA as u32;

/// `entry` says of which family the socket address is and calls `fill`, which writes host and port,
/// and then `use`, which hands the address to the routine of a system call.
fn code(host: Ipv4Addr, port: u16, system_call: u32) -> Code {
    let mut code = Code::default();
    // mov word [place], AF_INET; ...; jmp .
    code.add(&[0x66, 0xc7, 0x04, 0x25]).word(PLACE).add(&[2, 0]);
    code.call("fill").call("use").add(&[0xeb, 0xfe]);
    // mov word [place + 2], port; mov dword [place + 4], host; ret
    code.routine("fill").add(&[0x66, 0xc7, 0x04, 0x25]).word(PLACE + 2).add(&port.to_be_bytes());
    code.add(&[0xc7, 0x04, 0x25]).word(PLACE + 4).add(&host.octets()).add(&[0xc3]);
    // mov edi, 3; mov esi, place; mov edx, 16; call routine; ret
    code.routine("use").add(&[0xbf, 3, 0, 0, 0, 0xbe]).word(PLACE).add(&[0xba, 16, 0, 0, 0]);
    code.routine("handed over").call("wrapper").add(&[0xc3]);
    code.routine("wrapper").add(&[0x90]).routine("handed on").call("routine").add(&[0xc3]);
    // The number of the call is set in 5 bytes.
    code.routine("routine").add(&[0x90; 11]).routine("number").system_call(system_call);
    code
}

/// The endpoints of a program without a string table.
fn endpoints(host: [u8; 4], port: u16, system_call: u32) -> Vec<Endpoint> {
    with_subject(&code(host.into(), port, system_call).image(), |subject| {
        let constants = constant_addresses::find(subject);
        endpoints::extract(subject, None, &[], None, &constants, false).finding.endpoints
    })
}

/// The one endpoint that is found.
fn only(endpoints: &[Endpoint]) -> (&str, u16, Role) {
    let [endpoint] = endpoints else { panic!("{endpoints:?}") };
    (&endpoint.host, endpoint.port, endpoint.role)
}

#[test]
fn a_host_that_is_filled_in_and_connected_to_is_a_c2() {
    let found = endpoints([203, 0, 113, 7], 23, CONNECT);
    assert_eq!(only(&found), ("203.0.113.7", 23, Role::C2));
    assert_eq!((found[0].source, found[0].is_observed), (Source::Constant, true));
}

#[test]
fn the_way_of_the_address_to_the_kernel_is_told() {
    let found = endpoints([203, 0, 113, 7], 23, CONNECT);
    let code = code([203, 0, 113, 7].into(), 23, CONNECT);
    let reached = Reached {
        call: SocketCall::Connect,
        through: vec![code.address("handed on")],
        at: code.address("number").offset(5),
    };
    // Nobody opens the socket here.
    let handover = Handover { site: code.address("handed over"), reached, transport: None };
    assert_eq!(found[0].handovers, [handover]);
}

#[test]
fn the_local_host_and_no_host_are_no_c2() {
    for host in [[127, 0, 0, 1], [127, 0, 0, 53], [0, 0, 0, 0], [255, 255, 255, 255]] {
        assert_eq!(endpoints(host, 8080, CONNECT), [], "{host:?}");
    }
}

#[test]
fn a_name_server_that_is_connected_to_is_a_resolver() {
    let found = endpoints([203, 0, 113, 53], 53, CONNECT);
    assert_eq!(only(&found), ("203.0.113.53", 53, Role::Resolver));
}

#[test]
fn an_address_that_is_listened_at_is_no_c2() {
    for host in [[0, 0, 0, 0], [127, 0, 0, 1], [203, 0, 113, 7]] {
        assert_eq!(endpoints(host, 8080, BIND), [], "{host:?}");
    }
}

#[test]
fn an_address_that_nothing_connects_to_is_no_c2() {
    assert_eq!(endpoints([203, 0, 113, 7], 23, GETPID), []);
}
