//! Archives given to `miyaburi extract`.

use std::io::{Cursor, Write};
use std::path::Path;

use crate::common::{at, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{AesMode, ZipWriter};

fn example(name: &str) -> Vec<u8> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples");
    std::fs::read(examples.join(name)).unwrap()
}

/// Two programs, the second encrypted.
fn archive(password: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("dir/bot.riscv", SimpleFileOptions::default()).unwrap();
    writer.write_all(&example("riscv64-gcc-tiny.no_attacks-O1.modules")).unwrap();
    let encrypted = SimpleFileOptions::default().with_aes_encryption(AesMode::Aes256, password);
    writer.start_file("bot.arm", encrypted).unwrap();
    writer.write_all(&example("armv5-gcc-tiny.classic-O0.single")).unwrap();
    writer.finish().unwrap().into_inner()
}

fn paths(output: &[u8]) -> Vec<(String, String)> {
    let reports: Vec<Value> = serde_json::from_slice(output).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = |report: &Value| {
        let path = text(&report["sample"]["path"]);
        (path.rsplit('/').next().unwrap().to_owned(), text(&report["verdict"]))
    };
    reports.iter().map(told).collect()
}

fn told(path: &str, verdict: &str) -> (String, String) {
    (path.to_owned(), verdict.to_owned())
}

#[test]
fn members_are_analysed_and_named() {
    let root = folder(&[("in.zip", &archive("infected"))]);
    let assert = miyaburi()
        .args(["extract", "--no-observe", "--format", "json"])
        .arg(at(&root, "in.zip"))
        .assert()
        .code(0);
    let expected = [told("bot.riscv", "config"), told("in.zip!bot.arm", "config")];
    assert_eq!(paths(&assert.get_output().stdout), expected);
}

#[test]
fn a_copy_has_the_report_of_its_original_under_its_own_name() {
    let bot = example("riscv64-gcc-tiny.no_attacks-O1.modules");
    let root = folder(&[("in.zip", &archive("infected")), ("a", &bot), ("b", &bot)]);
    let assert = miyaburi()
        .args(["extract", "--no-observe", "--format", "json", "-j", "2"])
        .arg(root.path())
        .assert()
        .code(0);
    let output = &assert.get_output().stdout;
    let expected = ["a", "b", "bot.riscv", "in.zip!bot.arm"].map(|path| told(path, "config"));
    assert_eq!(paths(output), expected);
    let mut reports: Vec<Value> = serde_json::from_slice(output).unwrap();
    for report in &mut reports {
        report["sample"]["path"] = Value::Null;
    }
    assert_eq!(reports[1], reports[0]);
    assert_eq!(reports[2], reports[0]);
    assert_ne!(reports[3], reports[0]);
}

#[test]
fn a_password_opens_what_the_customary_ones_do_not() {
    let root = folder(&[("in.zip", &archive("geheim"))]);
    let assert = miyaburi()
        .args(["extract", "--no-observe", "--format", "json"])
        .arg(at(&root, "in.zip"))
        .assert()
        .code(1)
        .stderr(contains("in.zip!bot.arm").and(contains("is encrypted")));
    let expected = [told("bot.riscv", "config"), told("in.zip!bot.arm", "failed")];
    assert_eq!(paths(&assert.get_output().stdout), expected);
    miyaburi()
        .args(["extract", "--no-observe", "--format", "json", "--password", "geheim"])
        .arg(at(&root, "in.zip"))
        .assert()
        .code(0);
}

#[test]
fn members_are_explained() {
    let program = example("riscv64-gcc-tiny.no_attacks-O1.modules");
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(&program).unwrap();
    let root = folder(&[("bot.gz", &writer.finish().unwrap())]);
    miyaburi()
        .args(["extract", "--no-observe", "--explain"])
        .arg(at(&root, "bot.gz"))
        .assert()
        .code(0)
        .stdout(contains("Why"));
    // One report of one file is an object, compressed or not.
    let single = miyaburi()
        .args(["extract", "--no-observe", "--format", "json"])
        .arg(at(&root, "bot.gz"))
        .assert()
        .code(0);
    let report: Value = serde_json::from_slice(&single.get_output().stdout).unwrap();
    assert_eq!(report["verdict"], "config");
}

#[test]
fn a_bomb_costs_its_limit_and_the_rest_goes_on() {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let block = vec![0; 1 << 20];
    for _ in 0..300 {
        writer.write_all(&block).unwrap();
    }
    let bot = example("riscv64-gcc-tiny.no_attacks-O1.modules");
    let root = folder(&[("a/bomb.gz", &writer.finish().unwrap()), ("a/bot", &bot)]);
    miyaburi()
        .args(["extract", "--no-observe", "--format", "ndjson"])
        .arg(at(&root, "a"))
        .assert()
        .code(1)
        .stdout(contains("\"verdict\":\"config\""))
        .stderr(contains("bomb.gz"));
}

#[test]
fn standard_input_is_a_file_like_others() {
    let assert = miyaburi()
        .args(["extract", "--no-observe", "--format", "json", "-"])
        .write_stdin(archive("infected"))
        .assert()
        .code(0);
    let expected = [told("-!dir/bot.riscv", "config"), told("-!bot.arm", "config")];
    let reports: Vec<Value> = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let found: Vec<_> = reports
        .iter()
        .map(|it| told(it["sample"]["path"].as_str().unwrap(), it["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn programs_are_carved_out_of_a_blob_where_that_is_asked() {
    let (first, second) = (
        example("armv5-gcc-tiny.classic-O0.single"),
        example("x86_64-gcc-tiny.no_scanner-O1.modules"),
    );
    let at_second = 100 + first.len() + 3000;
    let blob = [vec![0xff; 100], first, vec![0; 3000], second].concat();
    let root = folder(&[("flash.bin", &blob)]);
    let run = |options: &[&str], code: i32| {
        let mut command = miyaburi();
        command.args(["extract", "--no-observe", "--format", "json"]).args(options);
        let assert = command.arg(root.path()).assert().code(code);
        paths(&assert.get_output().stdout)
    };
    let expected = [
        told("flash.bin!elf@0x64", "config"),
        told(&format!("flash.bin!elf@{at_second:#x}"), "config"),
    ];
    assert_eq!(run(&["--carve"], 0), expected);
    assert_eq!(run(&[], 0), [told("flash.bin", "unsupported")]);
}

#[test]
fn raw_memory_is_analysed_as_what_the_user_says_it_is() {
    let program = example("mips-be-gcc-tiny.immediate-O0.modules");
    let root = folder(&[("memory.bin", &program)]);
    let raw = ["--raw", "--arch", "mips", "--base", "0x400000"];
    let assert = miyaburi()
        .args(["dump", "--stage", "image", "--format", "json"])
        .args(raw)
        .arg(at(&root, "memory.bin"))
        .assert()
        .code(0);
    let dump: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(dump["kind"], "raw_memory");
    let assert = miyaburi()
        .args(["extract", "--no-observe", "--format", "json"])
        .args(raw)
        .arg(at(&root, "memory.bin"))
        .assert()
        .code(0);
    let report: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(report["sample"]["format"], "raw");
    assert_eq!(report["sample"]["cpu"], "mips-be-o32");
    let usage = |options: &[&str], message: &str| {
        let mut command = miyaburi();
        command.arg("extract").args(options).arg(at(&root, "memory.bin"));
        command.assert().code(2).stderr(contains(message));
    };
    usage(&["--raw"], "--arch <CPU>");
    usage(&["--arch", "mips"], "--raw");
    usage(&["--raw", "--arch", "6502"], "not a CPU that is analysed");
    usage(&["--raw", "--arch", "arm", "--base", "x"], "not a hexadecimal address");
}
