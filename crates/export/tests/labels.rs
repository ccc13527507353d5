//! Labels are names at addresses, and never code.
#![allow(clippy::unwrap_used)]

use miyaburi_export::labels::{LabelKind, labels, scripts};
use proptest::prelude::*;

use miyaburi_model::{DataItem, Function, Report, Sample, Verdict, VirtualAddress};

fn report(functions: &[(u64, &str)], data: &[(u64, &str)]) -> Report {
    let mut report = Report::new(Sample::default(), Verdict::Config);
    report.functions = functions
        .iter()
        .map(|(address, role)| Function {
            address: VirtualAddress(*address),
            size: Some(4),
            role: (*role).to_owned(),
        })
        .collect();
    report.data = data
        .iter()
        .map(|(address, role)| DataItem {
            address: VirtualAddress(*address),
            size: None,
            role: (*role).to_owned(),
        })
        .collect();
    report
}

#[test]
fn every_address_has_one_name_and_every_name_one_address() {
    let functions =
        [(0x30, "toggle_obf"), (0x10, "table_init"), (0x20, "toggle_obf"), (0x10, "second role")];
    let found = labels(&report(&functions, &[(0x40, "string_table"), (0x10, "no function")]));
    let names: Vec<_> =
        found.iter().map(|label| (label.address, label.kind, label.name.as_str())).collect();
    assert_eq!(
        names,
        [
            (0x10, LabelKind::Function, "table_init"),
            (0x20, LabelKind::Function, "toggle_obf_20"),
            (0x30, LabelKind::Function, "toggle_obf_30"),
            (0x40, LabelKind::Data, "string_table"),
        ]
    );
}

#[test]
fn scripts_hold_the_same_names() {
    let report = report(&[(0x8048000, "table_init")], &[(0x8050000, "string_table")]);
    let [(_, ghidra), (_, ida), (name, rizin)] = scripts(&report).unwrap();
    for script in [&ghidra, &ida] {
        assert!(script.contains(
            "    (0x8048000, \"table_init\", True),\n    (0x8050000, \"string_table\", False),\n"
        ));
    }
    assert_eq!(name, "labels.rz");
    assert!(
        rizin.ends_with("\nf fcn.table_init 4 @ 0x8048000\nf obj.string_table 1 @ 0x8050000\n")
    );
    assert_eq!(scripts(&Report::new(Sample::default(), Verdict::NoConfig)), None);
}

#[test]
fn no_role_becomes_code() {
    let hostile = ["\"\"\"); import os #", "a\n!reboot", "x;y`z$(w)", "", "9lives", "\u{202e}é\0"];
    let functions: Vec<_> = hostile.iter().zip(1_u64..).map(|(role, at)| (at, *role)).collect();
    let report = report(&functions, &[]);
    for label in labels(&report) {
        let harmless = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(label.name.chars().all(harmless), "{label:?}");
        assert!(label.name.starts_with(|c: char| c.is_ascii_alphabetic()), "{label:?}");
    }
    let harmless = labels(&report).len();
    for (name, script) in scripts(&report).unwrap() {
        assert!(script.is_ascii() && !script.contains("reboot\n"), "{name}");
        if name.ends_with(".rz") {
            assert_eq!(script.lines().count(), 1 + harmless);
        }
    }
}

/// Texts that would end a string, a line or a command of the programs.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z_]{0,4}[\"'\\\\\n\r\0;`$(){}#@|&%!\u{202e}\u{e9}]{1,4}[a-z0-9]{0,4}",
        "[a-z]{1,300}",
    ]
}

proptest! {
    #[test]
    fn scripts_of_any_roles_have_the_lines_of_harmless_ones(
        roles in prop::collection::vec(hostile(), 1..6),
        data in prop::collection::vec(hostile(), 0..4),
    ) {
        let at = |first: u64, roles: &[String]| -> Vec<(u64, String)> {
            roles.iter().zip((first..).step_by(16)).map(|(role, at)| (at, role.clone())).collect()
        };
        let borrowed = |all: &[(u64, String)]| -> Vec<(u64, String)> { all.to_vec() };
        let make = |functions: &[(u64, String)], data: &[(u64, String)]| {
            let functions: Vec<(u64, &str)> = functions.iter().map(|(at, it)| (*at, it.as_str())).collect();
            let data: Vec<(u64, &str)> = data.iter().map(|(at, it)| (*at, it.as_str())).collect();
            scripts(&report(&functions, &data)).unwrap()
        };
        let (functions, data) = (at(0x1000, &roles), at(0x8000, &data));
        let plain = |all: &[(u64, String)]| -> Vec<(u64, String)> {
            borrowed(all).into_iter().map(|(at, _)| (at, "plain".to_owned())).collect()
        };
        let found = make(&functions, &data);
        let harmless = make(&plain(&functions), &plain(&data));
        for ((name, script), (_, harmless)) in found.iter().zip(&harmless) {
            prop_assert_eq!(script.lines().count(), harmless.lines().count(), "{}", name);
            prop_assert!(script.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
            // All but the names is the same.
            let marks = |text: &str| -> String {
                text.chars().filter(|it| !it.is_ascii_alphanumeric() && *it != '_').collect()
            };
            prop_assert_eq!(marks(script), marks(harmless), "{}", name);
        }
    }
}
