//! Whole programs of every CPU type, from their entry point to their end, print what they printed
//! under QEMU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/programs.rs"]
mod programs;

use miyaburi_emulator::{Abi, Emulator, Limits};
use miyaburi_image::Image;
use miyaburi_linux::{Answer, Ended, Process, Setup, SystemCall};

const LIMITS: Limits = Limits { instructions: 100_000_000, depth: 10_000, ..Limits::DEFAULT };

/// Pages of 4 KiB.
const PAGES: usize = 4096;

#[test]
fn programs_print_what_they_print_elsewhere() {
    let kept = programs::kept().unwrap();
    assert_eq!(kept.len(), 14, "one for each target");
    for programs::Kept { target, file, record } in kept {
        let image = Image::parse(&file).unwrap();
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let abi = Abi::new(image.arch(), &*language).unwrap();
        let mut emulator = Emulator::new(&image, &*language, abi);
        let setup = Setup::default();
        let mut process =
            Process::start(&emulator, &*language, &image, &file, &setup, PAGES).unwrap();
        let outcome = process.run(&mut emulator, &LIMITS);
        assert_eq!(process.ended(), Some(Ended::Exited(0)), "{target}: {:?}", outcome.exit);
        let printed = String::from_utf8_lossy(process.kernel.written(1)).into_owned();
        for (line, expected) in printed.lines().zip(record.lines()) {
            assert_eq!(line, expected, "{target}");
        }
        assert_eq!(printed.lines().count(), record.lines().count(), "{target}");
        let unmodelled = process.calls().iter().find(|call| call.answer == Answer::Unmodelled);
        assert_eq!(unmodelled, None, "{target}");
        let last = process.calls().last().unwrap();
        assert!(matches!(last.call, Some(SystemCall::Exit | SystemCall::ExitGroup)), "{target}");
    }
}

#[test]
fn the_kernel_answers_as_linux_does() {
    let kept = programs::kept_system().unwrap();
    assert_eq!(kept.len(), 14, "one for each target");
    for programs::Kept { target, file, record } in kept {
        let image = Image::parse(&file).unwrap();
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let abi = Abi::new(image.arch(), &*language).unwrap();
        let mut emulator = Emulator::new(&image, &*language, abi);
        // What the program found elsewhere, too; it lies outside itself.
        let names: [(&[u8], &[u8]); 4] =
            [(b"five", b"abcde"), (b"fruit", b""), (b"numbers", b""), (b"text", b"")];
        let files = names.map(|(name, content)| (name.to_vec(), content.to_vec())).to_vec();
        let arguments = vec![b"/bin/system".to_vec()];
        let setup = Setup { arguments, files, ..Setup::default() };
        let mut process =
            Process::start(&emulator, &*language, &image, &file, &setup, PAGES).unwrap();
        let outcome = process.run(&mut emulator, &LIMITS);
        let printed = String::from_utf8_lossy(process.kernel.written(1)).into_owned();
        for (line, expected) in printed.lines().zip(record.lines()) {
            assert_eq!(line, expected, "{target}");
        }
        assert_eq!(printed.lines().count(), record.lines().count(), "{target}");
        // The handler of the breakpoint ends it.
        assert_eq!(process.ended(), Some(Ended::Exited(7)), "{target}: {:?}", outcome.exit);
        assert!(process.kernel.unmodelled().is_empty(), "{target}");
    }
}
