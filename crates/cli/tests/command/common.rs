//! What the tests of the command share.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// The command under test.
pub(crate) fn miyaburi() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("miyaburi"))
}

/// A folder with `files` in it.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    root
}

/// A 32-bit little-endian ELF program for `machine` whose only segment holds `code`.
pub(crate) fn elf(machine: u16, code: &[u8]) -> Vec<u8> {
    const HEADERS: u32 = 52 + 32;
    const BASE: u32 = 0x8048000;
    let size = HEADERS + u32::try_from(code.len()).unwrap();
    let half = |value: u16| value.to_le_bytes().to_vec();
    let word = |value: u32| value.to_le_bytes().to_vec();
    let header = [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
        half(2),
        half(machine),
        word(1),
        word(BASE + HEADERS),
        word(52),
        word(0),
        word(0),
        half(52),
        half(32),
        half(1),
        half(0),
        half(0),
        half(0),
    ];
    let segment = [1, 0, BASE, BASE, size, size, 5, 0x1000].map(word);
    [header.concat(), segment.concat(), code.to_vec()].concat()
}

/// An i386 program that exits.
pub(crate) fn exits() -> Vec<u8> {
    elf(3, b"\x31\xdb\x31\xc0\x40\xcd\x80")
}

/// A program for a CPU outside the list (Renesas RX).
pub(crate) fn for_another_cpu() -> Vec<u8> {
    elf(173, b"\0\0\0\0")
}

/// Standard output of `extract` on `paths` as one JSON value a line.
pub(crate) fn reports(stdout: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `name` inside `root`.
pub(crate) fn at(root: &TempDir, name: &str) -> PathBuf {
    Path::new(root.path()).join(name)
}
