//! `miyaburi unpack` from the outside.

use std::fs;
use std::path::{Path, PathBuf};

use predicates::str::contains;

use crate::common::{elf, folder, miyaburi};

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

#[test]
fn writes_the_program_within() {
    let root = folder(&[]);
    let out = root.path().join("out");
    let packed = file("specimens/packed/armeb.nrv2b.upx-3.96");
    miyaburi().arg("unpack").arg(packed).arg("-o").arg(&out).assert().success().stdout("");
    let original = file("specimens/examples/armeb-gcc-tiny.mixed_keys-O1.single");
    assert!(fs::read(out).unwrap() == fs::read(original).unwrap());
}

#[test]
fn of_a_file_that_was_cut_off_what_is_there_is_written_and_no_success() {
    let mut packed = fs::read(file("specimens/packed/armeb.nrv2b.upx-3.96")).unwrap();
    packed.truncate(packed.len() / 2);
    let root = folder(&[("cut", &packed)]);
    let (cut, out) = (root.path().join("cut"), root.path().join("out"));
    let assert = miyaburi().arg("unpack").arg(cut).arg("-o").arg(&out).assert();
    assert.code(1).stderr(contains("cut: the packed file ends early (block at 0x"));
    let original = fs::read(file("specimens/examples/armeb-gcc-tiny.mixed_keys-O1.single"));
    let (original, written) = (original.unwrap(), fs::read(out).unwrap());
    assert!(original.starts_with(&written) && written.len() > original.len() / 5);
}

#[test]
fn what_is_not_packed_is_no_success() {
    let root = folder(&[("plain", &elf(3, b"\xc3"))]);
    let (plain, out) = (root.path().join("plain"), root.path().join("out"));
    let assert = miyaburi().arg("unpack").arg(plain).arg("-o").arg(&out).assert();
    assert.code(1).stderr(contains("plain: is not packed"));
    assert_eq!(fs::read(out).unwrap(), b"");
}

#[test]
fn stages_are_those_of_the_program_within() {
    let packed = file("specimens/packed/armv5.nrv2d.upx-4.2.2");
    let original = file("specimens/examples/armv5-gcc-tiny.classic-O0.single");
    let lines = |path: PathBuf| {
        let mut command = miyaburi();
        command.args(["dump", "--stage", "constants", "--function", "0x19194"]).arg(path);
        String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
    };
    let shown = lines(packed);
    assert!(shown.starts_with("function 0x19188\n"), "{shown}");
    assert_eq!(shown, lines(original));
}

/// Whoever names the packed file as its own output loses nothing.
#[test]
fn a_file_is_not_its_own_output() {
    let plain = elf(3, b"\xc3");
    let root = folder(&[("plain", &plain)]);
    let path = root.path().join("plain");
    let own = root.path().join("./plain");
    let run = miyaburi().arg("unpack").arg(&path).arg("-o").arg(own).assert();
    run.code(2).stderr(contains("is the file to unpack, and would be lost"));
    assert_eq!(fs::read(path).unwrap(), plain);
}
