//! What a confined process tries in vain, each in a process of its own: once without the walls,
//! where it works, and once within.
//!
//! A kernel or container without seccomp or landlock cannot show this; there the tests only see that
//! it was told, and say so.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use miyaburi_confinement::{Gap, Reach, confine};
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use tempfile::TempDir;

/// Names what the process is to try, and whether within the walls.
const ATTEMPT: &str = "MIYABURI_ATTEMPT";
const CONFINED: &str = "MIYABURI_CONFINED";
/// The directory with `inputs`, `outputs` and `elsewhere` in it.
const ROOT: &str = "MIYABURI_ROOT";

/// The signal of a system call that ends the process.
const SIGSYS: i32 = 31;

/// What the process says when files, or calls, are not confined here.
const NO_FILES: i32 = 90;
const NO_CALLS: i32 = 91;
/// What it says when all is fine; an error ends it with that of the system.
const DONE: i32 = 92;

/// Not a test of its own: the others run it in another process, to try one thing.
#[test]
fn attempt() {
    let Ok(name) = env::var(ATTEMPT) else { return };
    let root = PathBuf::from(env::var_os(ROOT).unwrap());
    let mut open = File::create(root.join("open before")).unwrap();
    if env::var_os(CONFINED).is_some() {
        let writes = name.contains("an output directory");
        let reach = Reach {
            readable: vec![root.join("inputs"), root.join("link to an input"), root.join("absent")],
            writable: if writes { vec![root.join("outputs")] } else { Vec::new() },
        };
        match confine(&reach).first() {
            Some(Gap::Files(reason)) => leave(NO_FILES, reason),
            Some(Gap::Calls(reason)) => leave(NO_CALLS, reason),
            None => {}
        }
    }
    match try_to(&name, &root, &mut open) {
        Ok(()) => leave(DONE, ""),
        Err(error) => leave(error.raw_os_error().unwrap(), &error.to_string()),
    }
}

fn leave(code: i32, reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::exit(code)
}

fn try_to(name: &str, root: &Path, open: &mut File) -> io::Result<()> {
    let read = |path: &str| fs::read(root.join(path)).map(drop);
    match name {
        "make a socket" => UdpSocket::bind("127.0.0.1:0").map(drop),
        "listen" => TcpListener::bind("127.0.0.1:0").map(drop),
        "make a pair of sockets" => UnixStream::pair().map(drop),
        "start a program" => Command::new("true").spawn().and_then(|mut it| it.wait()).map(drop),
        "become a program" => Err(Command::new("true").exec()),
        "make a file" => File::create(root.join("elsewhere/new")).map(drop),
        "make a file among the inputs" => File::create(root.join("inputs/new")).map(drop),
        "write to an input" => OpenOptions::new().write(true).open(root.join("inputs/a")).map(drop),
        "append to a file" => {
            OpenOptions::new().append(true).open(root.join("elsewhere/file")).map(drop)
        }
        "make a directory" => fs::create_dir(root.join("elsewhere/new")),
        "remove a file" => fs::remove_file(root.join("elsewhere/file")),
        "remove an input" => fs::remove_file(root.join("inputs/a")),
        "rename a file" => fs::rename(root.join("inputs/a"), root.join("elsewhere/b")),
        "make a link" => symlink(root.join("inputs/a"), root.join("elsewhere/link")),
        "read another file" => read("elsewhere/file"),
        "list a directory" => fs::read_dir(root.join("elsewhere")).map(drop),
        "read an input" => read("inputs/a"),
        "read an input through a link" => read("link to an input"),
        "read what does not exist" => read("inputs/none"),
        "write to what is open" => open.write_all(b"x").and_then(|()| io::stderr().write_all(b"x")),
        "use threads" => {
            let sum = || (0..1000_u64).map(|number| vec![number; 999].len()).sum::<usize>();
            let threads: Vec<_> = (0..4)
                .map(|_| thread::Builder::new().name("of many".to_owned()).spawn(sum).unwrap())
                .collect();
            assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 999_000));
            let inner = thread::spawn(|| std::panic::catch_unwind(|| panic!("contained")).is_err());
            assert!(inner.join().unwrap());
            let mut byte = [0];
            io::stdin().read_exact(&mut byte).or(Ok(()))
        }
        "write into an output directory" => {
            fs::create_dir_all(root.join("outputs/a/b"))?;
            fs::write(root.join("outputs/a/b/file"), b"1")?;
            fs::write(root.join("outputs/a/b/file"), b"2")
        }
        "write beside an output directory" => File::create(root.join("elsewhere/new")).map(drop),
        "write with a link out of an output directory" => {
            File::create(root.join("outputs/out/new")).map(drop)
        }
        "remove from an output directory" => fs::remove_file(root.join("outputs/old")),
        "make a socket beside an output directory" => UdpSocket::bind("127.0.0.1:0").map(drop),
        other => panic!("nobody knows how to {other}"),
    }
}

/// What becomes of a process that tries this.
fn outcome(name: &str, confined: bool) -> (Output, TempDir) {
    let root = tempfile::tempdir().unwrap();
    for directory in ["inputs", "outputs", "elsewhere"] {
        fs::create_dir(root.path().join(directory)).unwrap();
    }
    for file in ["inputs/a", "elsewhere/file", "outputs/old"] {
        fs::write(root.path().join(file), b"content").unwrap();
    }
    symlink("inputs/a", root.path().join("link to an input")).unwrap();
    symlink("../elsewhere", root.path().join("outputs/out")).unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "attempt", "--nocapture"]).env(ATTEMPT, name).env(ROOT, root.path());
    if confined {
        command.env(CONFINED, "yes");
    }
    (command.output().unwrap(), root)
}

/// Whether this system builds the walls; told when it does not.
fn is_possible(name: &str, output: &Output) -> bool {
    let is_missing = matches!(output.status.code(), Some(NO_FILES | NO_CALLS));
    if is_missing {
        eprintln!("{name}: not shown here: {}", String::from_utf8_lossy(&output.stderr));
    }
    !is_missing
}

fn assert_works(name: &str, confined: bool) -> TempDir {
    let (output, root) = outcome(name, confined);
    let done = output.status.code() == Some(DONE);
    assert!(done || !is_possible(name, &output), "{name}: {output:?}");
    root
}

fn assert_ends_the_process(name: &str) {
    let (output, _root) = outcome(name, true);
    let signal = output.status.signal();
    assert!(signal == Some(SIGSYS) || !is_possible(name, &output), "{name}: {output:?}");
}

fn assert_refused(name: &str) -> TempDir {
    let (output, root) = outcome(name, true);
    if is_possible(name, &output) {
        let code = output.status.code().unwrap_or_else(|| panic!("{name}: {output:?}"));
        let error = io::Error::from_raw_os_error(code);
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{name}: {output:?}");
    }
    root
}

fn exists(root: &TempDir, path: &str) -> bool {
    root.path().join(path).symlink_metadata().is_ok()
}

#[test]
fn sockets_and_programs_end_the_process() {
    for name in ["make a socket", "listen", "make a pair of sockets", "start a program"] {
        assert_works(name, false);
        assert_ends_the_process(name);
    }
    assert_ends_the_process("become a program");
}

#[test]
fn files_cannot_be_opened_for_writing_made_removed_or_renamed() {
    for name in [
        "make a file",
        "make a file among the inputs",
        "write to an input",
        "append to a file",
        "make a directory",
        "remove a file",
        "remove an input",
        "rename a file",
        "make a link",
    ] {
        assert_works(name, false);
        let root = assert_refused(name);
        assert!(exists(&root, "inputs/a") && exists(&root, "elsewhere/file"), "{name}");
        assert!(!exists(&root, "inputs/new") && !exists(&root, "elsewhere/new"), "{name}");
    }
}

#[test]
fn only_what_is_named_can_be_read() {
    for name in ["read another file", "list a directory"] {
        assert_works(name, false);
        assert_refused(name);
    }
    assert_works("read an input", true);
    assert_works("read an input through a link", true);
    let (output, _root) = outcome("read what does not exist", true);
    if is_possible("read what does not exist", &output) {
        let error = io::Error::from_raw_os_error(output.status.code().unwrap());
        assert_eq!(error.kind(), ErrorKind::NotFound, "{output:?}");
    }
}

#[test]
fn what_the_analysis_needs_works() {
    for name in ["write to what is open", "use threads"] {
        assert_works(name, true);
    }
}

#[test]
fn an_output_directory_can_be_written_and_nothing_else() {
    let root = assert_works("write into an output directory", true);
    let file = root.path().join("outputs/a/b/file");
    assert!(fs::read(file).map_or(true, |text| text == b"2"));
    for name in [
        "write beside an output directory",
        "write with a link out of an output directory",
        "remove from an output directory",
    ] {
        assert_works(name, false);
        let root = assert_refused(name);
        assert!(exists(&root, "outputs/old") && !exists(&root, "elsewhere/new"), "{name}");
    }
    assert_ends_the_process("make a socket beside an output directory");
}
