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

/// The handler of one signal sends another before it is done.
#[rustfmt::skip]
const NESTED: &[u8] = &[
    // rt_sigaction(5, first)
    0xb8, 0x0d, 0x00, 0x00, 0x00, 0xbf, 0x05, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x35, 0x64, 0x00, 0x00,
    0x00, 0x31, 0xd2, 0x41, 0xba, 0x08, 0x00, 0x00, 0x00, 0x0f, 0x05,
    // rt_sigaction(10, second)
    0xb8, 0x0d, 0x00, 0x00, 0x00, 0xbf, 0x0a, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x35, 0x69, 0x00, 0x00,
    0x00, 0x0f, 0x05,
    // kill(1000, 5)
    0xb8, 0x3e, 0x00, 0x00, 0x00, 0xbf, 0xe8, 0x03, 0x00, 0x00, 0xbe, 0x05, 0x00, 0x00, 0x00, 0x0f,
    0x05,
    // exit_group(seen)
    0x8b, 0x3d, 0x74, 0x00, 0x00, 0x00, 0xb8, 0xe7, 0x00, 0x00, 0x00, 0x0f, 0x05,
    // first: kill(1000, 10); done = 7
    0xb8, 0x3e, 0x00, 0x00, 0x00, 0xbf, 0xe8, 0x03, 0x00, 0x00, 0xbe, 0x0a, 0x00, 0x00, 0x00, 0x0f,
    0x05, 0xc7, 0x05, 0x4e, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0xc3,
    // second: seen = done
    0x8b, 0x05, 0x47, 0x00, 0x00, 0x00, 0x89, 0x05, 0x45, 0x00, 0x00, 0x00, 0xc3,
    // the two actions, done, seen
    0xc4, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xe0, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
];

#[test]
fn a_signal_waits_until_the_handler_of_another_is_done() {
    with_process(NESTED, &Setup::default(), |process, exit| {
        assert_eq!(process.ended(), Some(Ended::Exited(7)), "{exit:?}");
    });
}

/// A handler that sends its own signal again.
#[rustfmt::skip]
const ENDLESS: &[u8] = &[
    // rt_sigaction(5, again)
    0xb8, 0x0d, 0x00, 0x00, 0x00, 0xbf, 0x05, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x35, 0x28, 0x00, 0x00,
    0x00, 0x31, 0xd2, 0x41, 0xba, 0x08, 0x00, 0x00, 0x00, 0x0f, 0x05,
    // again(); exit_group
    0xe8, 0x07, 0x00, 0x00, 0x00, 0xb8, 0xe7, 0x00, 0x00, 0x00, 0x0f, 0x05,
    // again: kill(1000, 5)
    0xb8, 0x3e, 0x00, 0x00, 0x00, 0xbf, 0xe8, 0x03, 0x00, 0x00, 0xbe, 0x05, 0x00, 0x00, 0x00, 0x0f,
    0x05, 0xc3,
    // the action
    0x9f, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
];

#[test]
fn a_handler_that_calls_for_itself_ends_with_the_budget() {
    with_process(ENDLESS, &Setup::default(), |process, _| {
        assert_eq!(process.ended(), None);
        let signals = process.calls().iter().filter(|call| call.number == 62).count();
        assert!((1000..5000).contains(&signals), "{signals}");
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
fn a_breakpoint_runs_the_handler_and_the_program_goes_on_behind_it() {
    // `int3` instead of `kill`.
    let mut code = PROGRAM.to_vec();
    code[0x1b..0x30].fill(0x90);
    code[0x1b] = 0xcc;
    with_process(&code, &Setup::default(), |process, exit| {
        assert_eq!(process.ended(), Some(Ended::Exited(5)), "{exit:?}");
    });
    // Without a handler, and an instruction that there is not (`ud2`).
    for (code, signal) in [(&[0xcc][..], 5), (&[0x0f, 0x0b], 4)] {
        with_process(code, &Setup::default(), |process, exit| {
            assert_eq!(process.ended(), Some(Ended::Killed(signal)), "{exit:?}");
        });
    }
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
    // mov eax, 163 (acct); syscall; mov edi, eax; mov eax, 231; syscall
    let code = [0xb8, 0xa3, 0, 0, 0, 0x0f, 0x05, 0x89, 0xc7, 0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05];
    with_process(&code, &Setup::default(), |process, _| {
        let call = &process.calls()[0];
        assert_eq!(call.call.map(|call| call.name()), Some("acct"));
        assert_eq!(call.answer, miyaburi_linux::Answer::Unmodelled);
        // ENOSYS, negated.
        assert_eq!(process.ended(), Some(Ended::Exited(38_u8.wrapping_neg())));
    });
}

/// Sets its second result register, forks, and ends with that register as its status. Assembled for
/// 32-bit SPARC: `mov 7,%o1; mov 2,%g1; ta 0x10; mov %o1,%o0; mov 1,%g1; ta 0x10`.
const FORK_ON_SPARC: [u32; 6] =
    [0x9210_2007, 0x8210_2002, 0x91d0_2010, 0x9010_0009, 0x8210_2001, 0x91d0_2010];

/// A SPARC program whose only segment is `code` behind its headers.
fn sparc_elf(code: &[u32]) -> Vec<u8> {
    const BASE: u32 = 0x1_0000;
    const HEADERS: u32 = 84;
    let size = HEADERS + 4 * code.len() as u32;
    let mut file = vec![0x7f, b'E', b'L', b'F', 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([0, 2, 0, 2]);
    for word in [1, BASE + HEADERS, 52, 0, 0] {
        file.extend(u32::to_be_bytes(word));
    }
    file.extend([0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0]);
    for word in [1, 0, BASE, BASE, size, size, 7, 0x1000] {
        file.extend(u32::to_be_bytes(word));
    }
    file.extend(code.iter().copied().flat_map(u32::to_be_bytes));
    file
}

#[test]
fn on_sparc_a_second_register_tells_the_side_of_a_fork() {
    for (side, status) in [(Side::Child, 1), (Side::Parent, 0)] {
        let file = sparc_elf(&FORK_ON_SPARC);
        let image = Image::parse(&file).unwrap();
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let abi = Abi::new(image.arch(), &*language).unwrap();
        let mut emulator = Emulator::new(&image, &*language, abi);
        let setup = Setup { forks: vec![side], ..Setup::default() };
        let mut process =
            Process::start(&emulator, &*language, &image, &file, &setup, 1024).unwrap();
        process.run(&mut emulator, &Limits::default());
        assert_eq!(process.ended(), Some(Ended::Exited(status)), "{side:?}");
    }
}
