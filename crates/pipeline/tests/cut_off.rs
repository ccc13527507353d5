//! A file that was cut off gives less, never anything else, and says that it was cut off.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use miyaburi_image::Image;
use miyaburi_model::{EndpointRole, Report, Verdict};
use miyaburi_pipeline::{Options, analyze};
use std::collections::BTreeSet;
use std::path::Path;

/// What is left of a file, in percent.
const LEFT: [usize; 5] = [98, 92, 85, 70, 50];

fn specimen(name: &str) -> Vec<u8> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples");
    std::fs::read(examples.join(name)).unwrap()
}

fn report(bytes: &[u8]) -> Report {
    analyze(bytes, "cut", &Options { time_limit: None, ..Options::default() })
}

/// Every value of a report, spelled out with what tells it from others.
fn values(report: &Report) -> BTreeSet<String> {
    let credentials = report.credentials.iter().flat_map(|list| &list.entries);
    let credentials = credentials.map(|it| format!("{} {} {}", it.user, it.password, it.weight));
    let entries = report.string_table.iter().flat_map(|table| &table.entries);
    let entries = entries.map(|it| format!("{} {:?}", it.id, it.hex));
    let strings = report.strings.iter().map(|it| format!("{} {}", it.address, it.text));
    let endpoints = report.endpoints.iter().flat_map(|it| {
        // What one is for may no longer be known.
        let role = (it.role != EndpointRole::Unknown).then_some(it.role);
        let of_role = role.map(|role| format!("{} {:?} {role:?}", it.host, it.port));
        of_role.into_iter().chain([format!("{} {:?}", it.host, it.port)])
    });
    let attacks = report.attacks.iter().map(|it| format!("{:?} {}", it.vector, it.handler));
    let exploits = report.scan.iter().flat_map(|scan| &scan.exploits);
    let exploits = exploits.map(|it| format!("{:?} {:?}", it.path, it.loader));
    let all = credentials.chain(entries).chain(strings);
    all.chain(endpoints).chain(attacks).chain(exploits).collect()
}

fn hashes(report: &Report) -> Vec<String> {
    let table = report.string_table.iter().filter_map(|table| table.sha256.clone());
    let credentials = report.credentials.iter().filter_map(|list| list.sha256.clone());
    table.chain(credentials).map(|hash| hash.to_string()).collect()
}

fn check(name: &str) {
    let whole = specimen(name);
    let full = report(&whole);
    let known = values(&full);
    for percent in LEFT {
        let cut = &whole[..whole.len() * percent / 100];
        let got = report(cut);
        let invented: Vec<String> = values(&got).difference(&known).cloned().collect();
        assert!(invented.is_empty(), "{name} at {percent} %: {invented:?}");
        let hashes_of_whole = hashes(&full);
        assert!(
            hashes(&got).iter().all(|hash| hashes_of_whole.contains(hash)),
            "{name} at {percent} %: a hash of what is not whole"
        );
        let is_missing = Image::parse(cut).map_or(true, |it| it.missing_ranges().next().is_some());
        if is_missing {
            assert!(
                [Verdict::Partial, Verdict::Failed].contains(&got.verdict),
                "{name} at {percent} %: {:?}",
                got.verdict
            );
            assert!(got.diagnostics.iter().any(|told| told.stage == "image"));
        }
    }
}

#[test]
fn credentials_that_are_cut_off_are_not_made_up() {
    check("riscv64-gcc-tiny.no_attacks-O1.modules");
    let whole = specimen("riscv64-gcc-tiny.no_attacks-O1.modules");
    let cut = report(&whole[..whole.len() * 92 / 100]);
    assert_eq!(cut.verdict, Verdict::Partial);
    assert!(cut.credentials.is_none_or(|list| list.sha256.is_none()));
}

#[test]
fn tables_that_are_cut_off_are_not_made_up() {
    check("armv5-gcc-tiny.classic-O0.single");
    check("x86_64-gcc-tiny.no_scanner-O1.modules");
    check("mips-be-gcc-tiny.immediate-O0.modules");
}

#[test]
fn loose_strings_that_are_cut_off_are_not_made_up() {
    check("powerpc-gcc-tiny.no_table-O2.single");
    check("sparc32-gcc-tiny.whole_image-O1.modules");
    check("aarch64-gcc-tiny.plain_c2-O1.single");
}

#[test]
fn constants_that_are_cut_off_are_not_made_up() {
    check("sh4-gcc-tiny.external-O1.modules");
    check("coldfire-gcc-tiny.ipv6-O0.modules");
    check("mips-le-gcc-tiny.many_c2-O0.modules");
}
