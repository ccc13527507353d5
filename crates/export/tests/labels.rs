//! Labels are names at addresses, and never code.
#![allow(clippy::unwrap_used)]

use miyaburi_export::labels::{LabelKind, labels, scripts};
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
