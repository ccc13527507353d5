//! What becomes of a socket address in a program's data that one routine fills in and another hands
//! to a socket call: a C2 only where the program connects to a host that can be one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../../analysis/tests/support/mod.rs"]
mod support;

use core::net::Ipv4Addr;
use miyaburi_analysis::Program;
use miyaburi_emulator::Emulator;
use miyaburi_extractors::budget::Budget;
use miyaburi_extractors::endpoints::{self, Endpoint, Role, Source, constant_addresses};
use miyaburi_extractors::subject::Subject;
use miyaburi_image::Image;
use support::{DATA, X86_64};

/// Where the socket address lies.
const PLACE: u32 = DATA as u32;

/// System calls of x86-64 Linux.
const CONNECT: u32 = 42;
const BIND: u32 = 49;
/// Takes no address.
const GETPID: u32 = 39;

/// x86-64 code with calls to other places of it.
fn call(code: &mut Vec<u8>, target: usize) {
    code.push(0xe8);
    let next = code.len() + 4;
    code.extend((target as i32 - next as i32).to_le_bytes());
}

/// `entry` says of which family the socket address is and calls `fill`, which writes host and port,
/// and then `use`, which hands the address to the routine of a system call.
fn file(host: Ipv4Addr, port: u16, system_call: u32) -> Image {
    const FILL: usize = 10 + 5 + 5 + 2;
    const USE: usize = FILL + 10 + 11 + 1;
    const ROUTINE: usize = USE + 15 + 5 + 1;
    let place = |offset: u32| (PLACE + offset).to_le_bytes();
    // entry: mov word [place], AF_INET; call fill; call use; jmp .
    let mut code = vec![0x66, 0xc7, 0x04, 0x25];
    code.extend(place(0));
    code.extend([2, 0]);
    call(&mut code, FILL);
    call(&mut code, USE);
    code.extend([0xeb, 0xfe]);
    // fill: mov word [place + 2], port; mov dword [place + 4], host; ret
    code.extend([0x66, 0xc7, 0x04, 0x25]);
    code.extend(place(2));
    code.extend(port.to_be_bytes());
    code.extend([0xc7, 0x04, 0x25]);
    code.extend(place(4));
    code.extend(host.octets());
    code.push(0xc3);
    // use: mov edi, 3; mov esi, place; mov edx, 16; call routine; ret
    code.extend([0xbf, 3, 0, 0, 0, 0xbe]);
    code.extend(place(0));
    code.extend([0xba, 16, 0, 0, 0]);
    call(&mut code, ROUTINE);
    code.push(0xc3);
    // routine: mov eax, number; syscall; ret
    code.push(0xb8);
    code.extend(system_call.to_le_bytes());
    code.extend([0x0f, 0x05, 0xc3]);
    support::image(X86_64, &code, &[0; 16])
}

/// The endpoints of a program without a string table.
fn endpoints(host: [u8; 4], port: u16, system_call: u32) -> Vec<Endpoint> {
    let image = file(host.into(), port, system_call);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let mut subject = Subject {
        image: &image,
        program: &program,
        emulator: Emulator::new(&image, language.as_ref(), program.abi().clone()),
        pages: 1024,
        budget: Budget::new(10_000_000, None),
    };
    let constants = constant_addresses::find(&mut subject);
    endpoints::extract(&mut subject, None, &[], None, &constants).finding.endpoints
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
