//! What is taken for the scanner, and what it is seen to send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_extractors::credentials::scanner;
use miyaburi_extractors::probes::{self, Port, Probes};
use support::{CONNECT, Code, with_subject};

/// Only SYN set, and SYN with ACK (RFC 9293).
const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;

/// A program of which `adding` is never called; what it calls is called by `routines`, too.
fn inlined(routines: &[&'static str]) -> Code {
    let mut code = Code::default();
    for routine in routines {
        code.call(routine);
    }
    code.point_to("adding").add(&[0xeb, 0xfe]);
    code.routine("adding").call("add").call("add more").add(&[0xc3]);
    for routine in routines {
        code.routine(routine).call("add").call("add more");
        // mov edi, 3; mov edx, 16; call connect; ret
        code.add(&[0xbf, 3, 0, 0, 0, 0xba, 16, 0, 0, 0]).call("connect").add(&[0xc3]);
    }
    // It calls one of the two alone.
    code.routine("other").call("add").add(&[0xc3]);
    code.routine("add").add(&[0x31, 0xc0, 0xc3]);
    code.routine("add more").add(&[0x31, 0xdb, 0xc3]);
    code.routine("connect").system_call(CONNECT);
    code
}

/// The name of what is taken for the scanner.
fn scanner_of(code: Code, names: &[&'static str]) -> &'static str {
    let addresses: Vec<_> = names.iter().map(|name| code.address(name)).collect();
    let adding = code.address("adding");
    let found = with_subject(&code.image(), |subject| scanner::of(subject, adding));
    names[addresses.iter().position(|address| *address == found).unwrap()]
}

#[test]
fn what_an_inlined_function_was_inlined_into_is_the_scanner() {
    assert_eq!(scanner_of(inlined(&["scan"]), &["scan", "adding", "other"]), "scan");
}

#[test]
fn of_two_functions_neither_is_the_scanner() {
    let names = ["scan", "second", "adding", "other"];
    assert_eq!(scanner_of(inlined(&["scan", "second"]), &names), "adding");
}

/// What a routine is seen to send that first does `before` and then sends packets without end, every
/// second of them to port 2323.
fn sent(before: &[u8], flags: u8) -> Option<Probes> {
    let mut code = Code::default();
    code.call("scan").add(&[0xeb, 0xfe]);
    code.routine("scan").add(before);
    // sub rsp, 0x48; mov byte [rsp], 0x45; mov byte [rsp + 9], 6; mov byte [rsp + 33], flags
    code.add(&[0x48, 0x83, 0xec, 0x48, 0xc6, 0x04, 0x24, 0x45, 0xc6, 0x44, 0x24, 9, 6]);
    code.add(&[0xc6, 0x44, 0x24, 33, flags]);
    // mov ebx, 192.0.2.1
    code.add(&[0xbb, 192, 0, 2, 1]).routine("again");
    for port in [23_u16, 2323] {
        // add ebx, 1 << 24; mov [rsp + 16], ebx; mov word [rsp + 22], port; mov [rsp + 24], ebx
        code.add(&[0x81, 0xc3, 0, 0, 0, 1, 0x89, 0x5c, 0x24, 16, 0x66, 0xc7, 0x44, 0x24, 22]);
        code.add(&port.to_be_bytes()).add(&[0x89, 0x5c, 0x24, 24]);
        // mov rdi, rsp; call send
        code.add(&[0x48, 0x89, 0xe7]).call("send");
    }
    // xor eax, eax; test eax, eax; je again; ret
    code.add(&[0x31, 0xc0, 0x85, 0xc0]).jump_if_equal("again").add(&[0xc3]);
    code.routine("send").add(&[0xc3]);
    let scan = code.address("scan");
    with_subject(&code.image(), |subject| {
        let state = subject.bare_state();
        probes::extract(subject, &state, scan, None).finding
    })
}

#[test]
fn a_scanner_that_keeps_an_error_number_is_seen_to_send() {
    // mov dword [0x28], 9: a variable of the thread, whose pointer is 0.
    let keeps = [0xc7, 0x04, 0x25, 0x28, 0, 0, 0, 9, 0, 0, 0];
    for before in [&keeps[..], &[]] {
        let sent = sent(before, SYN).unwrap();
        let ports = [23, 2323].map(|port| Port { port, weight: Some(1) });
        assert_eq!((sent.ports, sent.sequence_is_destination), (ports.to_vec(), true));
    }
}

#[test]
fn answers_are_no_probes() {
    assert_eq!(sent(&[], SYN_ACK), None);
}
