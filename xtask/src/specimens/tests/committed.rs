//! The committed set is what the committed seed builds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::PathBuf,
};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::{
    specimens::{
        COMMITTED_SEED,
        archive::ARCHIVE,
        build,
        parts::Parts,
        plan::{self, Specimen},
    },
    toolchain::{Toolchain, workspace_root},
};

fn folder() -> PathBuf {
    workspace_root().join("specimens")
}

/// Lines of an NDJSON file of the set.
fn lines(name: &str) -> Vec<Json> {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `field` of every line of the manifest, by specimen name.
fn manifest(field: &str) -> BTreeMap<String, Json> {
    lines("manifest.ndjson")
        .into_iter()
        .map(|line| (line["name"].as_str().unwrap().to_owned(), line[field].clone()))
        .collect()
}

pub(super) fn archived() -> BTreeMap<String, Vec<u8>> {
    let compressed = fs::read(folder().join(ARCHIVE)).unwrap();
    let mut plain = Vec::new();
    lzma_rust2::XzReader::new(compressed.as_slice(), false).read_to_end(&mut plain).unwrap();
    let mut archive = tar::Archive::new(plain.as_slice());
    archive
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (name, bytes)
        })
        .collect()
}

/// File size of the executable segments: the code, and constants where the linker joins them.
fn executable_bytes(elf: &[u8]) -> u64 {
    let wide = elf[4] == 2;
    let big = elf[5] == 2;
    let number = |at: usize, length: usize| {
        let bytes = &elf[at..at + length];
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
    };
    let (table, size, count) = if wide {
        (number(32, 8), number(54, 2), number(56, 2))
    } else {
        (number(28, 4), number(42, 2), number(44, 2))
    };
    (0..count)
        .map(|index| (table + index * size) as usize)
        .filter(|&at| {
            let flags = if wide { number(at + 4, 4) } else { number(at + 24, 4) };
            number(at, 4) == 1 && flags & 1 != 0
        })
        .map(|at| if wide { number(at + 32, 8) } else { number(at + 16, 4) })
        .sum()
}

#[test]
fn archive_manifest_and_truth_belong_together() {
    let archived = archived();
    let hashes: BTreeMap<String, Json> = archived
        .iter()
        .map(|(name, bytes)| (name.clone(), hex::encode(Sha256::digest(bytes)).into()))
        .collect();
    assert_eq!(hashes, manifest("sha256"));
    let truth: BTreeSet<String> = lines("truth.ndjson")
        .iter()
        .map(|line| line["sha256"].as_str().unwrap().to_owned())
        .collect();
    let files: BTreeSet<String> =
        hashes.values().map(|hash| hash.as_str().unwrap().to_owned()).collect();
    assert_eq!(truth, files);
}

#[test]
fn the_archive_holds_the_whole_plan() {
    let planned: BTreeSet<String> =
        plan::all(&Toolchain::all()).iter().map(Specimen::label).collect();
    let archived: BTreeSet<String> = manifest("sha256").into_keys().collect();
    assert_eq!(planned, archived);
}

#[test]
fn a_hundred_specimens_have_the_code_size_of_real_ones() {
    let real = archived()
        .values()
        .map(|bytes| executable_bytes(bytes))
        .filter(|size| (60 * 1024..=150 * 1024).contains(size))
        .count();
    assert!(real >= 100, "{real} specimens");
}

#[test]
fn examples_are_files_of_the_archive() {
    let archived = archived();
    let truth = lines("examples.truth.ndjson");
    let mut seen = 0;
    for entry in fs::read_dir(folder().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(Some(&bytes), archived.get(name), "{name}");
        let hash = hex::encode(Sha256::digest(&bytes));
        assert!(truth.iter().any(|line| line["sha256"] == hash), "{name}");
        seen += 1;
    }
    assert_eq!(seen, truth.len());
    assert!(seen >= 12);
}

/// One in `SAMPLE` of the specimens whose compiler is here is built again.
const SAMPLE: usize = 25;

#[test]
fn a_sample_built_again_is_the_same_byte_for_byte() {
    let hashes = manifest("sha256");
    let scratch = tempfile::tempdir().unwrap();
    let parts = Parts::new(scratch.path(), COMMITTED_SEED).unwrap();
    let sample: Vec<Specimen> = plan::all(&Toolchain::all())
        .into_iter()
        .filter(|specimen| specimen.toolchain.installed())
        .step_by(SAMPLE)
        .collect();
    assert!(!sample.is_empty(), "no compiler of the specimens is installed");
    for specimen in &sample {
        let built = build::build(specimen, COMMITTED_SEED, scratch.path(), &parts, None).unwrap();
        assert_eq!(built.manifest["sha256"], hashes[&specimen.label()], "{}", specimen.label());
    }
}
