//! Formats that write a folder for each file.

use std::fs;

use crate::common::{at, elf, folder, miyaburi};
use predicates::str::contains;

/// ELF machine number of x86.
const I386: u16 = 3;

#[test]
fn formats_of_folders_need_a_folder() {
    let root = folder(&[("a", &elf(I386, b"\xc3"))]);
    for format in ["maco", "labels"] {
        miyaburi()
            .args(["extract", "--format", format])
            .arg(at(&root, "a"))
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains("--output"));
    }
}

#[test]
fn a_file_in_which_nothing_is_found_gets_no_folder() {
    let root = folder(&[("a", &elf(I386, b"\xc3"))]);
    for format in ["maco", "labels"] {
        let output = at(&root, format);
        miyaburi()
            .args(["extract", "--format", format, "--output"])
            .args([&output, &at(&root, "a")])
            .assert()
            .code(0)
            .stdout("");
        assert_eq!(fs::read_dir(output).unwrap().count(), 0, "{format}");
    }
}
