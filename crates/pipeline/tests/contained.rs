//! Every way to fail ends in a report that says so.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use miyaburi_model::{Report, Verdict};
use miyaburi_pipeline::{Analysis, Cuts, Options, analyze, analyze_in_full};
use std::path::Path;
use std::time::Duration;

fn specimen(name: &str) -> Vec<u8> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples");
    std::fs::read(examples.join(name)).unwrap()
}

fn classic() -> Vec<u8> {
    specimen("armv5-gcc-tiny.classic-O0.single")
}

fn stages(report: &Report) -> Vec<&str> {
    report.diagnostics.iter().map(|diagnostic| diagnostic.stage.as_str()).collect()
}

#[test]
fn what_is_no_elf_is_unsupported_and_has_its_digests() {
    let report = analyze(b"#!/bin/sh\n", "in.sh", &Options::default());
    assert_eq!(report.verdict, Verdict::Unsupported);
    assert_eq!(
        report.sample.sha256.map(|digest| digest.to_string()).as_deref(),
        // printf '#!/bin/sh\n' | sha256sum
        Some("a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf")
    );
    assert_eq!(report.sample.size, Some(10));
    assert_eq!(report.sample.arch, None);
}

#[test]
fn an_elf_file_cut_within_its_header_has_failed() {
    let report = analyze(&classic()[..40], "cut", &Options::default());
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(stages(&report), ["image"]);
}

#[test]
fn a_spent_budget_is_told_and_never_passes_for_no_config() {
    let options = Options { max_instructions: 2_000, ..Options::default() };
    let report = analyze(&classic(), "slow", &options);
    assert_eq!(report.verdict, Verdict::Partial);
    assert!(stages(&report).contains(&"budget"), "{:?}", report.diagnostics);
}

#[test]
fn spent_memory_is_told_and_never_passes_for_whole() {
    let options = Options { max_bytes: 32 << 10, time_limit: None, ..Options::default() };
    let Analysis { report, cuts, .. } = analyze_in_full(&classic(), "wide", &options);
    assert_eq!(cuts.runs, Some(miyaburi_extractors::budget::Cut::Bytes));
    assert_eq!(report.verdict, Verdict::Partial);
    assert!(stages(&report).contains(&"budget"), "{:?}", report.diagnostics);
}

#[test]
fn a_cut_analysis_is_told_and_never_passes_for_no_config() {
    for options in [
        Options { max_steps: 1_000, ..Options::default() },
        Options { max_analysis_bytes: 10_000, ..Options::default() },
    ] {
        let report = analyze(&classic(), "much", &options);
        assert_eq!(report.verdict, Verdict::Partial);
        assert!(stages(&report).contains(&"analysis"), "{:?}", report.diagnostics);
    }
}

#[test]
fn cuts_name_what_was_cut() {
    let cuts = |options: &Options| analyze_in_full(&classic(), "cut", options).cuts;
    let whole = cuts(&Options { time_limit: None, ..Options::default() });
    assert_eq!(whole, Cuts::default());
    assert!(!whole.is_any() && !whole.is_by_time());
    let steps = cuts(&Options { max_steps: 1_000, ..Options::default() });
    assert_eq!(steps.analysis, Some(miyaburi_analysis::Cut::Steps));
    assert!(steps.is_any() && !steps.is_by_time());
    let runs = cuts(&Options { max_instructions: 2_000, ..Options::default() });
    assert_eq!(runs.analysis, None);
    assert_eq!(runs.runs, Some(miyaburi_extractors::budget::Cut::Instructions));
    assert!(runs.is_any() && !runs.is_by_time());
    let late = cuts(&Options { time_limit: Some(Duration::ZERO), ..Options::default() });
    assert!(late.is_any() && late.is_by_time());
}

#[test]
fn a_spent_wall_clock_is_told() {
    let options = Options { time_limit: Some(Duration::ZERO), ..Options::default() };
    let report = analyze(&classic(), "slow", &options);
    assert_eq!(report.verdict, Verdict::Partial);
    assert!(report.diagnostics.iter().any(|told| told.message.contains("time is up")));
}

#[test]
fn the_same_file_gives_the_same_report() {
    let options = Options { time_limit: None, ..Options::default() };
    assert_eq!(analyze(&classic(), "a", &options), analyze(&classic(), "a", &options));
}

/// A file with no code left where the entry point leads.
#[test]
fn a_file_without_code_is_analysed_whole() {
    let mut bytes = classic();
    let end = bytes.len();
    bytes[0x1000.min(end)..].fill(0);
    let report = analyze(&bytes, "empty", &Options::default());
    assert!(report.endpoints.is_empty() && report.string_table.is_none());
}
