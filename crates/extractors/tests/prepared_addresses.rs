//! What becomes of a constant socket address that a program prepares, replaces and connects to: the
//! first is a decoy only where another takes its place, and only what comes from the arguments
//! proves an outside source.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_extractors::endpoints::external::Outside;
use miyaburi_extractors::endpoints::{self, Contacts, Role, constant_addresses};
use support::{CONNECT, Code, DATA, GETPID, with_subject};

/// Where the socket address lies.
const PLACE: u32 = DATA as u32;

/// Where the arguments are kept.
const ARGUMENTS: u32 = PLACE + 16;

const DECOY: [u8; 4] = [198, 51, 100, 9];
const OTHER: [u8; 4] = [203, 0, 113, 7];

/// Writes to the address, and its use.
trait AddressCode {
    fn set_port(&mut self, port: u16) -> &mut Self;
    fn set_host(&mut self, host: [u8; 4]) -> &mut Self;
    fn set_host_to_result(&mut self) -> &mut Self;
    fn connect(&mut self) -> &mut Self;
}

impl AddressCode for Code {
    /// mov word [place + 2], port
    fn set_port(&mut self, port: u16) -> &mut Self {
        self.add(&[0x66, 0xc7, 0x04, 0x25]).word(PLACE + 2).add(&port.to_be_bytes())
    }

    /// mov dword [place + 4], host
    fn set_host(&mut self, host: [u8; 4]) -> &mut Self {
        self.add(&[0xc7, 0x04, 0x25]).word(PLACE + 4).add(&host)
    }

    /// mov [place + 4], eax
    fn set_host_to_result(&mut self) -> &mut Self {
        self.add(&[0x89, 0x04, 0x25]).word(PLACE + 4)
    }

    /// mov edi, 3; mov esi, place; mov edx, 16; call routine
    fn connect(&mut self) -> &mut Self {
        self.add(&[0xbf, 3, 0, 0, 0, 0xbe]).word(PLACE).add(&[0xba, 16, 0, 0, 0]).call("routine")
    }
}

/// A program that prepares the decoy, calls `nothing`, does as `then` says and hands the address to
/// the routine of a system call.
fn contacts(then: impl Fn(&mut Code), system_call: u32) -> Contacts {
    contacts_with(then, system_call, PLACE + 4)
}

/// The same with a routine that writes the host among the arguments to `filled`.
fn contacts_with(then: impl Fn(&mut Code), system_call: u32, filled: u32) -> Contacts {
    let mut code = Code::default();
    // mov word [place], AF_INET; mov [arguments], rsi
    code.add(&[0x66, 0xc7, 0x04, 0x25]).word(PLACE).add(&[2, 0]);
    code.set_port(80).set_host(DECOY).add(&[0x48, 0x89, 0x34, 0x25]).word(ARGUMENTS);
    code.call("nothing");
    then(&mut code);
    code.call("nothing").call("nothing").call("nothing").call("use").add(&[0xeb, 0xfe]);
    code.routine("nothing").add(&[0xc3]);
    code.routine("text").add(b"203.0.113.7\0");
    code.routine("use").connect().add(&[0xc3]);
    code.routine("routine").system_call(system_call);
    // mov rax, [arguments]; mov rdi, [rax + 8]; call parse; mov [filled], eax
    code.routine("fill").add(&[0x48, 0x8b, 0x04, 0x25]).word(ARGUMENTS);
    code.add(&[0x48, 0x8b, 0x78, 0x08]).call("parse").add(&[0x89, 0x04, 0x25]).word(filled);
    code.set_port(2323).add(&[0xc3]);
    // A dotted quad at rdi into eax, in network order.
    code.routine("parse").add(&[0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2]);
    code.add(&[0x0f, 0xb6, 0x37, 0x48, 0xff, 0xc7, 0x83, 0xfe, 0x2e, 0x74, 0x0e, 0x85, 0xf6, 0x74]);
    code.add(&[0x0a, 0x83, 0xee, 0x30, 0x6b, 0xd2, 0x0a, 0x01, 0xf2, 0xeb, 0xe7, 0xd3, 0xe2, 0x09]);
    code.add(&[0xd0, 0x31, 0xd2, 0x83, 0xc1, 0x08, 0x85, 0xf6, 0x75, 0xda, 0xc3]);
    with_subject(&code.image(), |subject| {
        let constants = constant_addresses::find(subject);
        endpoints::extract(subject, None, &[], None, &constants, false).finding
    })
}

/// Host, port and role of every endpoint, sorted.
fn told(contacts: &Contacts) -> Vec<(&str, u16, Role)> {
    let endpoints = contacts.endpoints.iter();
    let mut told: Vec<_> = endpoints.map(|one| (one.host.as_str(), one.port, one.role)).collect();
    told.sort_by_key(|(host, ..)| *host);
    told
}

#[test]
fn a_constant_that_takes_the_place_of_another_is_the_c2() {
    let found = contacts(|code| _ = code.set_port(23).set_host(OTHER), CONNECT);
    let expected = [("198.51.100.9", 80, Role::Decoy), ("203.0.113.7", 23, Role::C2)];
    assert_eq!(told(&found), expected);
    assert_eq!(found.external, None);
    // The decoy is gone by the time of the connection.
    let connected = |role: Role| {
        let mut endpoints = found.endpoints.iter().filter(move |endpoint| endpoint.role == role);
        endpoints.next().map(|endpoint| endpoint.handovers.len())
    };
    assert_eq!((connected(Role::Decoy), connected(Role::C2)), (Some(0), Some(1)));
}

#[test]
fn an_address_that_stays_is_no_decoy() {
    let found = contacts(|_| (), CONNECT);
    assert_eq!(told(&found), [("198.51.100.9", 80, Role::C2)]);
    assert_eq!(found.external, None);
}

#[test]
fn addresses_that_nothing_connects_to_are_nothing() {
    let found = contacts(|code| _ = code.set_port(23).set_host(OTHER), GETPID);
    assert_eq!(told(&found), []);
}

#[test]
fn a_host_among_the_arguments_is_an_outside_source() {
    let found = contacts(|code| _ = code.call("fill"), CONNECT);
    assert_eq!(found.external.as_ref().map(|external| external.source), Some(Outside::Argument));
    assert_eq!(told(&found), [("198.51.100.9", 80, Role::Decoy)]);
}

#[test]
fn arguments_that_go_elsewhere_are_no_source() {
    let found = contacts_with(|code| _ = code.call("fill"), CONNECT, PLACE + 12);
    assert_eq!(found.external, None);
}

#[test]
fn what_is_worked_out_beside_the_connection_is_the_c2() {
    let then = |code: &mut Code| {
        _ = code.point_to("text").call("parse").set_host_to_result().set_port(2323).connect();
    };
    let found = contacts(then, CONNECT);
    let c2 = ("203.0.113.7", 2323, Role::C2);
    assert_eq!(told(&found), [("198.51.100.9", 80, Role::Decoy), c2]);
}

#[test]
fn a_host_that_rests_on_what_is_not_known_is_no_c2() {
    let then = |code: &mut Code| {
        // lea eax, [rbx + 203.0.113.7]: in a machine whose registers are zero, a host.
        code.add(&[0x8d, 0x83]).add(&OTHER).set_host_to_result();
        _ = code.set_port(2323).connect();
    };
    let found = contacts(then, CONNECT);
    assert_eq!(told(&found).iter().filter(|(.., role)| *role == Role::C2).count(), 0);
    assert!(!told(&found).iter().any(|(host, ..)| *host == "203.0.113.7"), "{found:?}");
}
