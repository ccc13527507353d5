//! Signals, both sides of a fork, and what goes to the network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use miyaburi_emulator::{Abi, Emulator, Exit, Limits};
use miyaburi_image::{Address, Image};
use miyaburi_linux::{Ended, NetworkAction, Process, Setup, Side, Transport};

/// Where the file begins, header and all.
const BASE: u64 = 0x40_0000;

/// Where the code begins.
const CODE: u64 = BASE + 120;

/// Sets a handler for a signal, sends itself that signal, forks; the child connects and sends; the
/// status is what the handler was given. Assembled for x86-64.
#[rustfmt::skip]
const PROGRAM: &[u8] = &[
    // rt_sigaction(5, act, 0, 8)
    0xb8, 0x0d, 0x00, 0x00, 0x00, 0xbf, 0x05, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x35, 0x7f, 0x00, 0x00,
    0x00, 0x31, 0xd2, 0x41, 0xba, 0x08, 0x00, 0x00, 0x00, 0x0f, 0x05,
    // kill(getpid(), 5)
    0xb8, 0x27, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x89, 0xc7, 0xbe, 0x05, 0x00, 0x00, 0x00, 0xb8, 0x3e,
    0x00, 0x00, 0x00, 0x0f, 0x05,
    // if (fork() != 0) goto parent
    0xb8, 0x39, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x85, 0xc0, 0x75, 0x3f,
    // fd = socket(AF_INET, SOCK_STREAM, 0)
    0xb8, 0x29, 0x00, 0x00, 0x00, 0xbf, 0x02, 0x00, 0x00, 0x00, 0xbe, 0x01, 0x00, 0x00, 0x00, 0x31,
    0xd2, 0x0f, 0x05, 0x89, 0xc3,
    // connect(fd, address, 16)
    0x89, 0xc7, 0x48, 0x8d, 0x35, 0x57, 0x00, 0x00, 0x00, 0xba, 0x10, 0x00, 0x00, 0x00, 0xb8, 0x2a,
    0x00, 0x00, 0x00, 0x0f, 0x05,
    // write(fd, text, 2)
    0x89, 0xdf, 0x48, 0x8d, 0x35, 0x56, 0x00, 0x00, 0x00, 0xba, 0x02, 0x00, 0x00, 0x00, 0xb8, 0x01,
    0x00, 0x00, 0x00, 0x0f, 0x05,
    // parent: exit_group(flag)
    0x8b, 0x3d, 0x40, 0x00, 0x00, 0x00, 0xb8, 0xe7, 0x00, 0x00, 0x00, 0x0f, 0x05,
    // handler: flag = its argument
    0x89, 0x3d, 0x33, 0x00, 0x00, 0x00, 0xc3, 0x66, 0x90,
    // act: handler and three zeros
    0xff, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    // address: 192.0.2.7, port 48101
    0x02, 0x00, 0xbb, 0xe5, 0xc0, 0x00, 0x02, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    // flag, text
    0x00, 0x00, 0x00, 0x00, 0x68, 0x69,
];

/// An x86-64 program whose only segment is `code` behind its headers.
fn elf(code: &[u8]) -> Vec<u8> {
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    let size = 120 + code.len() as u64;
    for word in [CODE, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    file.extend([1, 0, 0, 0, 7, 0, 0, 0]);
    for word in [0, BASE, BASE, size, size, 0x1000] {
        file.extend(word.to_le_bytes());
    }
    file.extend(code);
    file
}

fn with_process(code: &[u8], setup: &Setup, check: impl FnOnce(&Process<'_>, &Exit)) {
    let file = elf(code);
    let image = Image::parse(&file).unwrap();
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let abi = Abi::new(image.arch(), &*language).unwrap();
    let mut emulator = Emulator::new(&image, &*language, abi);
    let mut process = Process::start(&emulator, &*language, &image, &file, setup, 256).unwrap();
    let limits = Limits { instructions: 10_000, ..Limits::default() };
    let outcome = process.run(&mut emulator, &limits);
    check(&process, &outcome.exit);
}

#[test]
fn a_signal_runs_its_handler_and_the_program_goes_on() {
    with_process(PROGRAM, &Setup::default(), |process, exit| {
        assert_eq!(process.ended(), Some(Ended::Exited(5)), "{exit:?}");
        assert_eq!(process.kernel.handlers().get(&5), Some(&Address(CODE + 0x87)));
        assert!(process.kernel.network_events().is_empty(), "the parent does nothing");
    });
}

#[test]
fn a_signal_that_nobody_handles_ends_the_program() {
    // Without its first call.
    with_process(&PROGRAM[0x1b..], &Setup::default(), |process, _| {
        assert_eq!(process.ended(), Some(Ended::Killed(5)));
    });
}

#[test]
fn the_child_connects_and_sends_and_nothing_leaves() {
    let setup = Setup { forks: vec![Side::Child], ..Setup::default() };
    with_process(PROGRAM, &setup, |process, exit| {
        assert_eq!(process.ended(), Some(Ended::Exited(5)), "{exit:?}");
        let events = process.kernel.network_events().iter();
        let events: Vec<_> = events
            .map(|event| (event.site.0 - CODE, event.transport, event.address, &event.action))
            .collect();
        let c2 = "192.0.2.7:48101".parse().unwrap();
        let sent = NetworkAction::Sent(b"hi".to_vec());
        assert_eq!(
            events,
            [
                (0x63, Transport::Tcp, c2, &NetworkAction::Connected),
                (0x78, Transport::Tcp, c2, &sent)
            ]
        );
    });
}

#[test]
fn a_call_that_nobody_knows_fails_and_is_named() {
    // mov eax, 334 (rseq); syscall; mov edi, eax; mov eax, 231; syscall
    let code = [0xb8, 0x4e, 0x01, 0, 0, 0x0f, 0x05, 0x89, 0xc7, 0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05];
    with_process(&code, &Setup::default(), |process, _| {
        let call = &process.calls()[0];
        assert_eq!(call.call.map(|call| call.name()), Some("rseq"));
        assert_eq!(call.answer, miyaburi_linux::Answer::Unmodelled);
        // ENOSYS, negated.
        assert_eq!(process.ended(), Some(Ended::Exited(38_u8.wrapping_neg())));
    });
}
