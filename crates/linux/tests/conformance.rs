//! Compiled functions give what they give under QEMU, on every CPU type. `cargo xtask emulation`
//! compares many more programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/conformance.rs"]
mod conformance;
#[path = "support/programs.rs"]
mod programs;

use conformance::{Program, Record};

#[test]
fn every_function_gives_what_it_gives_under_qemu() {
    let kept = programs::kept().unwrap();
    let targets: Vec<&str> = kept.iter().map(|kept| kept.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "aarch64",
            "armeb",
            "armv5",
            "armv7-thumb",
            "coldfire",
            "m68k",
            "mips-be",
            "mips-le",
            "powerpc",
            "riscv64",
            "sh4",
            "sparc32",
            "x86",
            "x86_64",
        ]
    );
    for kept in kept {
        let records = Record::parse_all(&kept.record).unwrap();
        let comparison = Program::new(kept.file).unwrap().compare(&records).unwrap();
        assert!(comparison.functions >= 110, "{}: {}", kept.target, comparison.functions);
        assert!(
            comparison.differences.is_empty(),
            "{}: {:x?}",
            kept.target,
            comparison.differences
        );
    }
}

/// A record that is wrong in one bit is seen: the comparison does compare.
#[test]
fn a_wrong_result_is_a_difference() {
    let kept = programs::kept().unwrap().into_iter().find(|kept| kept.target == "powerpc").unwrap();
    let line = kept.record.lines().find(|line| line.starts_with("block sha256")).unwrap();
    let (rest, last) = line.split_at(line.len() - 1);
    let wrong = format!("{rest}{}", if last == "0" { "1" } else { "0" });
    let records = Record::parse_all(&format!("{line}\n{wrong}")).unwrap();
    let comparison = Program::new(kept.file).unwrap().compare(&records).unwrap();
    assert_eq!((comparison.cases, comparison.differences.len()), (2, 1));
}
