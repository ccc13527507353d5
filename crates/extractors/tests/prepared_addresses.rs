//! What becomes of a constant socket address that a program prepares, replaces and connects to: the
//! first is a decoy only where another takes its place, and only what comes from the arguments
//! proves an outside source.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../../analysis/tests/support/mod.rs"]
mod support;

use miyaburi_analysis::Program;
use miyaburi_emulator::Emulator;
use miyaburi_extractors::budget::Budget;
use miyaburi_extractors::endpoints::external::Outside;
use miyaburi_extractors::endpoints::{self, Contacts, Role, constant_addresses};
use miyaburi_extractors::subject::Subject;
use miyaburi_image::Image;
use support::{DATA, X86_64};

/// Where the socket address lies.
const PLACE: u32 = DATA as u32;

/// Where the arguments are kept.
const ARGUMENTS: u32 = PLACE + 16;

const DECOY: [u8; 4] = [198, 51, 100, 9];
const OTHER: [u8; 4] = [203, 0, 113, 7];

/// System calls of x86-64 Linux.
const CONNECT: u32 = 42;
/// Takes no address.
const GETPID: u32 = 39;

/// x86-64 code whose calls are put in place when it is known where everything lies.
#[derive(Default)]
struct Code {
    bytes: Vec<u8>,
    calls: Vec<(usize, &'static str)>,
    routines: Vec<(&'static str, usize)>,
}

impl Code {
    fn routine(&mut self, name: &'static str) -> &mut Self {
        self.routines.push((name, self.bytes.len()));
        self
    }

    fn add(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }

    fn word(&mut self, word: u32) -> &mut Self {
        self.add(&word.to_le_bytes())
    }

    fn call(&mut self, name: &'static str) -> &mut Self {
        self.add(&[0xe8]);
        self.calls.push((self.bytes.len(), name));
        self.word(0)
    }

    /// mov word [place + 2], port
    fn set_port(&mut self, port: u16) -> &mut Self {
        self.add(&[0x66, 0xc7, 0x04, 0x25]).word(PLACE + 2).add(&port.to_be_bytes())
    }

    /// mov dword [place + 4], host
    fn set_host(&mut self, host: [u8; 4]) -> &mut Self {
        self.add(&[0xc7, 0x04, 0x25]).word(PLACE + 4).add(&host)
    }

    fn image(mut self) -> Image {
        for (at, name) in &self.calls {
            let (_, target) = self.routines.iter().find(|(known, _)| known == name).unwrap();
            let distance = *target as i32 - (at + 4) as i32;
            self.bytes[*at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        support::image(X86_64, &self.bytes, &[0; 16])
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
    // mov edi, 3; mov esi, place; mov edx, 16
    code.routine("use").add(&[0xbf, 3, 0, 0, 0, 0xbe]).word(PLACE).add(&[0xba, 16, 0, 0, 0]);
    code.call("routine").add(&[0xc3]);
    // mov eax, number; syscall; ret
    code.routine("routine").add(&[0xb8]).word(system_call).add(&[0x0f, 0x05, 0xc3]);
    // mov rax, [arguments]; mov rdi, [rax + 8]; call parse; mov [filled], eax
    code.routine("fill").add(&[0x48, 0x8b, 0x04, 0x25]).word(ARGUMENTS);
    code.add(&[0x48, 0x8b, 0x78, 0x08]).call("parse").add(&[0x89, 0x04, 0x25]).word(filled);
    code.set_port(2323).add(&[0xc3]);
    // A dotted quad at rdi into eax, in network order.
    code.routine("parse").add(&[0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2]);
    code.add(&[0x0f, 0xb6, 0x37, 0x48, 0xff, 0xc7, 0x83, 0xfe, 0x2e, 0x74, 0x0e, 0x85, 0xf6, 0x74]);
    code.add(&[0x0a, 0x83, 0xee, 0x30, 0x6b, 0xd2, 0x0a, 0x01, 0xf2, 0xeb, 0xe7, 0xd3, 0xe2, 0x09]);
    code.add(&[0xd0, 0x31, 0xd2, 0x83, 0xc1, 0x08, 0x85, 0xf6, 0x75, 0xda, 0xc3]);
    let image = code.image();
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
    endpoints::extract(&mut subject, None, &[], None, &constants).finding
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
    assert_eq!(found.external.map(|external| external.source), Some(Outside::Argument));
    assert_eq!(told(&found), [("198.51.100.9", 80, Role::Decoy)]);
}

#[test]
fn arguments_that_go_elsewhere_are_no_source() {
    let found = contacts_with(|code| _ = code.call("fill"), CONNECT, PLACE + 12);
    assert_eq!(found.external, None);
}
