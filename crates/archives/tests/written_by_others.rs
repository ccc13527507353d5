//! Archives that other programs wrote (`fixtures/make.sh`): 7z and zip in their methods, ar, cpio, Debian
//! packages.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::ops::ControlFlow;
use std::path::Path;

use miyaburi_archives::{Limit, Limits, Member, MemberError, Options, walk};

type Content = Result<Vec<u8>, MemberError>;

fn members(name: &str, options: &Options) -> Vec<(String, Content)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut found = Vec::new();
    walk("in", std::fs::read(path).unwrap(), options, &mut |Member { name, content, .. }| {
        found.push((name, content));
        ControlFlow::Continue(())
    });
    found
}

fn of(name: &str) -> Vec<(String, Content)> {
    members(name, &Options::default())
}

fn with_password(name: &str) -> Vec<(String, Content)> {
    members(
        name,
        &Options { passwords: vec!["wrong".to_owned(), "xyzzy".to_owned()], ..Options::default() },
    )
}

fn member(name: &str, content: &str) -> (String, Content) {
    (format!("in!{name}"), Ok(content.as_bytes().to_vec()))
}

fn numbers() -> String {
    (1..=2000).map(|number| format!("{number}\n")).collect()
}

fn encrypted(name: &str) -> (String, Content) {
    (format!("in!{name}"), Err(MemberError::Encrypted))
}

#[test]
fn members_of_7z_come_from_one_block_and_from_several() {
    let solid = [member("dir/one", "first"), member("two", "second"), member("empty", "")];
    assert_eq!(of("solid.7z"), solid);
    let apart =
        [member("dir/one", "first"), member("numbers", &numbers()), member("two", "second")];
    assert_eq!(of("apart.7z"), apart);
}

/// What is compressed with a member that may not be read is named, and other blocks are read.
#[test]
fn members_behind_one_that_is_too_large_are_told() {
    let limits = Limits { member_bytes: 4, ..Limits::default() };
    let small = Options { limits, ..Options::default() };
    let large = Err(MemberError::Limit(Limit::MemberBytes(4)));
    let found = members("solid.7z", &small);
    assert_eq!(found[0], ("in!dir/one".to_owned(), large.clone()));
    assert_eq!(found[1].0, "in!two");
    assert!(matches!(&found[1].1, Err(MemberError::Unsupported(why)) if why.contains("before it")));
    assert_eq!(found[2..], [member("empty", "")]);
    let apart = ["dir/one", "numbers", "two"].map(|name| (format!("in!{name}"), large.clone()));
    assert_eq!(members("apart.7z", &small), apart);
}

#[test]
fn the_methods_of_7z_give_back_what_they_were_given() {
    for name in ["bzip2.7z", "deflate.7z", "bcj.7z", "ppmd.7z"] {
        assert_eq!(of(name), [member("two", "second")], "{name}");
    }
}

#[test]
fn the_methods_of_zip_give_back_what_they_were_given() {
    for name in ["deflate64.zip", "ppmd.zip"] {
        assert_eq!(of(name), [member("numbers", &numbers())], "{name}");
    }
}

#[test]
fn a_method_that_is_not_supported_is_told() {
    for (name, method) in [("deflate64.7z", "DEFLATE64"), ("lzma.zip", "14")] {
        let found = of(name);
        assert_eq!(found.len(), 1);
        assert!(
            matches!(&found[0].1, Err(MemberError::Unsupported(what)) if what.contains(method)),
            "{found:?}"
        );
    }
}

#[test]
fn passwords_open_members_and_lists_of_7z() {
    let both = [member("dir/one", "first"), member("two", "second")];
    assert_eq!(of("infected.7z"), both);
    assert_eq!(with_password("closed.7z"), both);
    assert_eq!(with_password("hidden.7z"), [member("two", "second")]);
}

#[test]
fn without_its_password_7z_is_encrypted() {
    assert_eq!(of("closed.7z"), [encrypted("dir/one"), encrypted("two")]);
    assert_eq!(of("hidden.7z"), [("in".to_owned(), Err(MemberError::Encrypted))]);
}

#[test]
fn members_of_ar_have_their_long_names() {
    let name = "a_name_that_is_longer_than_sixteen_bytes";
    assert_eq!(of("long.a"), [member("two", "second"), member(name, "second")]);
}

#[test]
fn members_of_cpio_are_its_regular_files() {
    for name in ["newc.cpio", "crc.cpio"] {
        assert_eq!(of(name), [member("dir/one", "first"), member("two", "second")], "{name}");
    }
}

#[test]
fn a_cpio_that_is_cut_off_gives_what_is_there() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/newc.cpio");
    let bytes = std::fs::read(path).unwrap();
    let within = bytes.windows(6).position(|window| window == b"second").unwrap() + 3;
    let mut found = Vec::new();
    walk("in", bytes[..within].to_vec(), &Options::default(), &mut |member| {
        found.push(member);
        ControlFlow::Continue(())
    });
    let [one, two, rest @ ..] = found.as_slice() else { panic!("{found:?}") };
    assert!(one.content == Ok(b"first".to_vec()) && one.cut.is_none());
    assert!(two.name == "in!two" && two.content == Ok(b"sec".to_vec()) && two.cut.is_some());
    assert!(rest.iter().all(|it| matches!(it.content, Err(MemberError::Damaged(_)))));
}

#[test]
fn a_debian_package_is_looked_into() {
    let found = of("example.deb");
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let two = "in!data.tar.xz!./usr/bin/two";
    assert_eq!(names, ["in!debian-binary", "in!control.tar.xz!./control", two]);
    assert_eq!(found[2].1, Ok(b"second".to_vec()));
}
