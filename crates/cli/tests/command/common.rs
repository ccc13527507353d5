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

/// `elf` with a writable segment of `data`, at `base` plus its file offset.
pub(crate) fn with_data(elf: &[u8], base: u32, data: &[u8]) -> Vec<u8> {
    let mut file = elf.to_vec();
    let offset = u32::try_from(file.len()).unwrap();
    let size = u32::try_from(data.len()).unwrap();
    file.extend(data);
    let headers_at = u32::try_from(file.len()).unwrap();
    file.extend(&elf[52..84]);
    let address = base + offset;
    let segment = [1, offset, address, address, size, size, 6, 1];
    file.extend(segment.map(u32::to_le_bytes).concat());
    file[28..32].copy_from_slice(&headers_at.to_le_bytes());
    file[44] = 2;
    file
}

/// `elf` with a symbol table of these names, addresses, sizes and types.
pub(crate) fn with_symbols(elf: &[u8], symbols: &[(&str, u32, u32, u8)]) -> Vec<u8> {
    let mut names = vec![0];
    let mut table = vec![0; 16];
    for (name, address, size, kind) in symbols {
        let place = u32::try_from(names.len()).unwrap();
        names.extend(name.bytes().chain([0]));
        table.extend([place, *address, *size].map(u32::to_le_bytes).concat());
        table.extend([0x10 | kind, 0, 1, 0]);
    }
    let mut file = elf.to_vec();
    let names_at = file.len();
    file.extend(&names);
    let table_at = file.len();
    file.extend(&table);
    let headers_at = file.len();
    let mut header = |words: [usize; 10]| {
        file.extend(words.map(|word| u32::try_from(word).unwrap().to_le_bytes()).concat());
    };
    header([0; 10]);
    header([0, 2, 0, 0, table_at, table.len(), 2, 1, 4, 16]);
    header([0, 3, 0, 0, names_at, names.len(), 0, 0, 1, 0]);
    file[32..36].copy_from_slice(&u32::try_from(headers_at).unwrap().to_le_bytes());
    file[46..52].copy_from_slice(&[40, 0, 3, 0, 0, 0]);
    file
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
