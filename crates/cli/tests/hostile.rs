//! Files made to be slow, to take all memory or all stack: each ends with what was found, and the
//! batch around it goes on.
//!
//! They are an inert specimen with the beginning of some of its routines replaced by machine code
//! that wastes what it can. Like all analysed files they never run natively.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program for x86-64 with a string table and ten attacks.
const SPECIMEN: &str = "x86_64-gcc-tiny.no_scanner-O1.modules";

fn specimens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens")
}

/// Memory that the command may have, in KiB: a GiB.
const MEMORY: u32 = 1 << 20;

/// What wastes time, memory or stack, by what it does.
const WASTE: [(&str, &[u8]); 10] = [
    // jmp itself
    ("spins", b"\xeb\xfe"),
    // mov rcx, -1; lea rdi, [rsp]; rep stosb
    ("fills all addresses", b"\x48\xc7\xc1\xff\xff\xff\xff\x48\x8d\x3c\x24\xf3\xaa"),
    // call itself
    ("recurses", b"\xe8\xfb\xff\xff\xff"),
    // inc byte [the 0]; mov al, 0; jmp start
    ("changes itself", b"\xfe\x05\x01\0\0\0\xb0\0\xeb\xf6"),
    // lea rsi, [start]; lea rdi, [rsi + 32]; mov ecx, 32; rep movsb; and on into the copy
    (
        "copies itself ahead",
        b"\x48\x8d\x35\xf9\xff\xff\xff\x48\x8d\x7e\x20\xb9\x20\0\0\0\xf3\xa4\
          \x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90",
    ),
    // for ever: mmap(0, 1 MiB, read and write, private and anonymous); a byte to each of its pages
    (
        "maps and touches",
        b"\xb8\x09\0\0\0\x31\xff\xbe\0\0\x10\0\xba\x03\0\0\0\x41\xba\x22\0\0\0\
          \x49\xc7\xc0\xff\xff\xff\xff\x45\x31\xc9\x0f\x05\xb9\0\x01\0\0\
          \xc6\0\x01\x48\x05\0\x10\0\0\xff\xc9\x75\xf3\xeb\xca",
    ),
    // mmap(0, 64 TiB, ..); then a byte to every second MiB of it
    (
        "maps more than there is",
        b"\xb8\x09\0\0\0\x31\xff\x48\xbe\0\0\0\0\0\x40\0\0\xba\x03\0\0\0\x41\xba\x22\0\0\0\
          \x49\xc7\xc0\xff\xff\xff\xff\x45\x31\xc9\x0f\x05\
          \xc6\0\x01\x48\x05\0\0\x20\0\xeb\xf5",
    ),
    // for ever: brk(brk(0) + 1 MiB); a byte to its last page
    (
        "grows its heap",
        b"\x31\xff\xb8\x0c\0\0\0\x0f\x05\x48\x8d\xb8\0\0\x10\0\xb8\x0c\0\0\0\x0f\x05\
          \xc6\x80\xff\xff\xff\xff\x01\xeb\xe0",
    ),
    // for ever: nanosleep of 2^40 seconds
    (
        "sleeps",
        b"\x48\x83\xec\x10\x48\xb8\0\0\0\0\0\x01\0\0\x48\x89\x04\x24\x48\xc7\x44\x24\x08\0\0\0\0\
          \x48\x89\xe7\x31\xf6\xb8\x23\0\0\0\x0f\x05\xeb\xd7",
    ),
    // for ever: pause
    ("waits", b"\xb8\x22\0\0\0\x0f\x05\xeb\xf7"),
];

/// How functions begin: push rbp; mov rbp, rsp.
const PROLOGUE: &[u8] = b"\x55\x48\x89\xe5";

/// Puts a function with this code where `address` lies in the file, and makes all its segments
/// writable.
fn patch(file: &mut [u8], address: u64, code: &[u8]) {
    let word = |file: &[u8], at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    let headers = usize::try_from(word(file, 32)).unwrap();
    let count = usize::from(u16::from_le_bytes(file[56..58].try_into().unwrap()));
    let mut place = None;
    for header in (0..count).map(|number| headers + 56 * number) {
        file[header + 4] |= 2;
        let [offset, start, size] = [8, 16, 32].map(|field| word(file, header + field));
        if file[header..header + 4] == [1, 0, 0, 0] && (start..start + size).contains(&address) {
            place = usize::try_from(address - start + offset).ok();
        }
    }
    let place = place.expect("the address lies in a segment");
    let code = [PROLOGUE, code].concat();
    file[place..place + code.len()].copy_from_slice(&code);
}

/// Runs `extract` on a directory with at most `memory` KiB.
fn extract(files: &Path, memory: u32) -> Output {
    let script = format!("ulimit -v {memory}; exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(assert_cmd::cargo::cargo_bin!("miyaburi"));
    command.args([
        "extract",
        "--jobs",
        "2",
        "--format",
        "ndjson",
        "--max-instructions",
        "20000000",
    ]);
    command.args(["--time-limit", "200"]).arg(files).output().unwrap()
}

fn reports(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is known of the specimen from how it was built.
fn truth(clean: &Value) -> Value {
    let truths = fs::read_to_string(specimens().join("examples.truth.ndjson")).unwrap();
    let mut truths = truths.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    truths.find(|truth| truth["sha256"] == clean["sample"]["sha256"]).unwrap()
}

fn address(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn c2(report: &Value) -> Vec<(&Value, &Value)> {
    let endpoints = report["endpoints"].as_array().unwrap().iter();
    endpoints.filter(|it| it["role"] == "c2").map(|it| (&it["host"], &it["port"])).collect()
}

#[test]
fn what_is_made_to_be_slow_ends_with_what_was_found() {
    let specimen = fs::read(specimens().join("examples").join(SPECIMEN)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("0"), &specimen).unwrap();
    let clean = reports(&extract(folder.path(), MEMORY)).remove(0);
    let truth = truth(&clean);
    assert_eq!(clean["string_table"]["sha256"], truth["string_table"]["sha256"]);
    let attacks = clean["attacks"].as_array().unwrap();

    // Every attack wastes something else.
    let mut attacking = specimen.clone();
    for (attack, (_, code)) in attacks.iter().zip(WASTE) {
        patch(&mut attacking, address(&attack["handler"]), code);
    }
    fs::write(folder.path().join("1 attacks"), attacking).unwrap();
    // So does what main calls before it connects, and the routine that fills the table.
    for role in ["ensure_single_instance", "table_init"] {
        let mut functions = clean["functions"].as_array().unwrap().iter();
        let function = functions.find(|it| it["role"] == role).unwrap();
        for (name, code) in WASTE {
            let mut wasting = specimen.clone();
            patch(&mut wasting, address(&function["address"]), code);
            fs::write(folder.path().join(format!("2 {role} {name}")), wasting).unwrap();
        }
    }
    fs::write(folder.path().join("4"), &specimen).unwrap();

    let output = extract(folder.path(), MEMORY);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*errors), (Some(0), ""));
    let reports = reports(&output);
    assert_eq!(reports.len(), 3 + 2 * WASTE.len());
    for report in &reports {
        let path = report["sample"]["path"].as_str().unwrap();
        assert_ne!(report["verdict"], "failed", "{path}");
        assert!(!report["diagnostics"].to_string().contains("time is up"), "{path}");
    }
    let (first, last) = (&reports[0], &reports[reports.len() - 1]);
    assert_eq!(first["attacks"], last["attacks"]);
    for report in &reports {
        let path = report["sample"]["path"].as_str().unwrap();
        if !path.contains("table_init") {
            assert_eq!(report["verdict"], "config", "{path}");
            assert_eq!(report["string_table"]["sha256"], truth["string_table"]["sha256"]);
            assert_eq!(c2(report), c2(&truth), "{path}");
        }
    }
    let attacking = &reports[1];
    let vectors = |report: &Value| -> Vec<(Value, Value)> {
        let attacks = report["attacks"].as_array().unwrap().iter();
        attacks.map(|attack| (attack["vector"].clone(), attack["handler"].clone())).collect()
    };
    assert_eq!(vectors(attacking), vectors(first));
    let sent = |it: &Value| !it["packets"].as_array().unwrap().is_empty();
    assert!(!attacking["attacks"].as_array().unwrap().iter().any(sent));
}

/// When the system itself has no memory, the run ends by a signal and a line that says so, never
/// with what looks like a result.
#[test]
fn no_memory_at_all_is_told() {
    const LITTLE: u32 = 60 << 10;
    let output = extract(&specimens().join("examples"), LITTLE);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("memory"), "{}: {errors}", output.status);
}
