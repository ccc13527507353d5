//! The bundled specimens, whose truth was written by their build.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use support::{
    assert_exact, examples, miyaburi, reports, specimens, truth_of, truth_of_examples, unpack,
};

/// Names of the specimens that are seen through only by running more of them than the routines
/// which fill and decode a table under one byte.
fn to_be_run() -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(specimens().join("manifest.ndjson")).unwrap();
    let lines = manifest.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let to_be_run = lines.filter(|line| line["labels"]["piece"] == "run");
    to_be_run.map(|line| line["name"].as_str().unwrap().to_owned()).collect()
}

const CONFIGURATION: &str = "verdict,endpoints,string_table.effective_key,string_table.key,\
    string_table.sha256,string_table.entries,credentials.effective_key,credentials.sha256,\
    credentials.entries";

#[test]
fn every_cpu_type_is_recognised_and_none_crashes() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(&examples(), folder.path());
    let fields = "sample.arch,sample.cpu,sample.bits,sample.endian";
    assert_exact(&reports, &truth_of_examples(), fields, &[]);
}

/// All levels, compilers and C libraries of two CPU types of different byte order.
#[test]
fn the_classic_layout_is_seen_through_on_two_cpu_types() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let count = unpack(&files, |name| {
        name.contains(".classic-") && (name.starts_with("x86-") || name.starts_with("powerpc-"))
    });
    assert_eq!(count, 8);
    let reports = reports(&files, folder.path());
    assert_exact(&reports, &truth_of(&reports, folder.path()), CONFIGURATION, &[]);
}

/// What is found at least of each field, in percent, over specimens of several shapes.
const RECALL: [(&str, u64); 5] = [
    ("verdict", 95),
    ("endpoints", 95),
    ("string_table.entries", 95),
    ("credentials.entries", 95),
    ("attacks.vectors", 95),
];

/// Every fork of three CPU types at one level: most of it is found, all of it is seen to be of the
/// family, and nothing is as sure as it says without two things that say so.
#[test]
fn forks_are_recognised_and_mostly_seen_through() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let targets = ["x86_64-gcc-tiny.", "mips-be-gcc-tiny.", "armv7-thumb-gcc-tiny."];
    let to_be_run = to_be_run();
    let count = unpack(&files, |name| {
        !to_be_run.contains(name)
            && targets.iter().any(|target| name.starts_with(target))
            && name.contains("-O2.")
            && !name.contains(".lookalike_")
    });
    assert!(count >= 20, "{count}");
    let reports = reports(&files, folder.path());
    let truth = truth_of(&reports, folder.path());
    for (report, _) in pairs(&reports, &truth) {
        let name = &report["sample"]["path"];
        assert_ne!(report["verdict"], "no_config", "{name}");
        for endpoint in report["endpoints"].as_array().unwrap() {
            let evidence = endpoint["evidence"].as_array().unwrap().len();
            let least = if endpoint["confidence"] == "high" { 2 } else { 1 };
            assert!(evidence >= least, "{name}: {endpoint}");
        }
    }
    let names: Vec<&str> = RECALL.iter().map(|(name, _)| *name).collect();
    let mut score = miyaburi();
    score.args(["score", "--format", "json"]).arg(&reports).arg("--truth").arg(&truth);
    let output = score.args(["--fields", &names.join(",")]).output().unwrap();
    let score: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (name, percent) in RECALL {
        let field = &score["total"]["fields"][name];
        let [correct, expected] = ["correct", "expected"].map(|part| field[part].as_u64().unwrap());
        assert!(correct * 100 >= expected * percent, "{name}: {correct} of {expected}");
    }
}

/// One entry is copied from where nothing is: it is lost, and the report says so.
#[test]
fn a_table_with_lost_entries_has_no_hash() {
    const NAME: &str = "armv5-gcc-tiny.classic-O0.single";
    const NOWHERE: u32 = 0x10;
    let mut bytes = std::fs::read(examples().join(NAME)).unwrap();
    let truth = truth_of_example(&bytes);
    let entries = truth["string_table"]["entries"].as_array().unwrap();
    let lost = entries.iter().find(|entry| entry["text"] == "/proc/").unwrap();
    let key = truth["string_table"]["effective_key"].as_str().unwrap();
    let key = u8::from_str_radix(key.trim_start_matches("0x"), 16).unwrap();
    let encoded: Vec<u8> = b"/proc/\0".iter().map(|byte| byte ^ key).collect();
    let place = place_of(&bytes, &encoded).to_le_bytes();
    let pointers = || bytes.windows(4).enumerate().filter(|(_, word)| *word == place);
    assert_eq!(pointers().count(), 1, "one call adds it");
    let at = pointers().next().unwrap().0;
    bytes[at..at + 4].copy_from_slice(&NOWHERE.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("changed");
    std::fs::write(&file, bytes).unwrap();
    let output = miyaburi().args(["extract", "--format", "ndjson"]).arg(&file).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = report["string_table"]["entries"].as_array().unwrap();
    assert_eq!(found.len(), entries.len() - 1);
    assert!(!found.iter().any(|entry| entry["id"] == lost["id"]));
    assert_eq!(report["string_table"]["sha256"], Value::Null);
    assert_eq!(report["verdict"], "partial");
    let is_told = |told: &Value| told["stage"] == "string_table" && told["level"] == "error";
    assert!(report["diagnostics"].as_array().unwrap().iter().any(is_told), "{report}");
}

/// What the build of an example says of it, found by the example's hash.
fn truth_of_example(bytes: &[u8]) -> Value {
    let hash = hex::encode(Sha256::digest(bytes));
    let truths = std::fs::read_to_string(truth_of_examples()).unwrap();
    let mut truths = truths.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    truths.find(|truth| truth["sha256"] == hash.as_str()).unwrap()
}

/// The address at which these bytes of a 32-bit program lie.
fn place_of(file: &[u8], bytes: &[u8]) -> u32 {
    let image = miyaburi_image::Image::parse(file).unwrap();
    let mut places = image.segments().iter().filter_map(|segment| {
        let at = segment.data.windows(bytes.len()).position(|window| window == bytes)?;
        u32::try_from(segment.address.offset(at as u64).0).ok()
    });
    places.next().unwrap()
}

/// C2s behind gates, in order of fallback, among peers, and asked for outside: on every CPU type they
/// were built for.
#[test]
fn destinations_are_reached_from_the_entry() {
    const FIELDS: &str = "verdict,endpoints,endpoints.details,external,external.details";
    const FORKS: [&str; 7] = [
        ".trap_gate-",
        ".name_gate-",
        ".dns_txt-",
        ".dns_address-",
        ".fallback-",
        ".peer_list-",
        ".dead_drop-",
    ];
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let count = unpack(&files, |name| {
        let is_wanted = name.contains("-tiny.") && (name.contains("-O1.") || name.contains("-O2."));
        is_wanted && FORKS.iter().any(|fork| name.contains(fork))
    });
    assert!(count >= 30, "{count}");
    let reports = reports(&files, folder.path());
    let truth = truth_of(&reports, folder.path());
    assert_exact(&reports, &truth, FIELDS, &[]);
    for (report, _) in pairs(&reports, &truth) {
        // All of them turn away from the network: what only a forced run shows is not sure.
        for endpoint in report["endpoints"].as_array().unwrap() {
            let notes = endpoint["evidence"].as_array().unwrap().iter();
            let is_forced =
                notes.filter_map(|one| one["note"].as_str()).any(|note| note.contains("forced"));
            let name = &report["sample"]["path"];
            assert!(!is_forced || endpoint["confidence"] == "medium", "{name}: {endpoint}");
        }
    }
}

/// Benign programs with an encoded string table, a password list or a constant connection.
#[test]
fn nothing_is_found_in_look_alikes() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let count = unpack(&files, |name| name.contains(".lookalike_"));
    assert!(count >= 30, "{count}");
    let reports = reports(&files, folder.path());
    let fields = "verdict,endpoints,external,string_table.entries,credentials.entries,attacks,\
                  scan.probes,scan.exploits";
    assert_exact(&reports, &truth_of(&reports, folder.path()), fields, &[]);
}

/// Tables and credentials filled by loops or by several routines, or decoded on demand.
#[test]
fn tables_and_credentials_are_seen_through_in_other_shapes() {
    const FIELDS: &str = "string_table.effective_key,string_table.sha256,string_table.entries,\
        credentials.effective_key,credentials.sha256,credentials.entries";
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let forks = [".loop_table-", ".static_pointers-", ".split_table-"];
    let targets = ["armeb-", "powerpc-", "sh4-", "x86_64-"];
    let count = unpack(&files, |name| {
        targets.iter().any(|target| name.starts_with(target))
            && forks.iter().any(|fork| name.contains(fork))
    });
    assert_eq!(count, 12);
    let reports = reports(&files, folder.path());
    assert_exact(&reports, &truth_of(&reports, folder.path()), FIELDS, &[]);
}

/// Programs whose table's routines were inlined everywhere: the registry of attacks is sign enough
/// to look for credentials that a loop fills, and for what describes the table.
#[test]
fn tables_and_credentials_are_found_of_which_no_routine_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let count = unpack(&files, |name| {
        name.starts_with("x86-gcc-tiny.static_pointers-O3.")
            || name.starts_with("mips-le-gcc-tiny.static_pointers-O2.")
            || name.starts_with("aarch64-gcc-tiny.loop_table-O3.")
    });
    assert_eq!(count, 3);
    let reports = reports(&files, folder.path());
    let fields = "string_table.effective_key,string_table.sha256,string_table.entries,\
        credentials.effective_key,credentials.sha256,credentials.entries,scan.probes";
    assert_exact(&reports, &truth_of(&reports, folder.path()), fields, &[]);
}

/// A pointer in the middle of such a text: the lengths are those of other texts, and their places no ids.
#[test]
fn lengths_that_do_not_fit_make_no_table() {
    const NAME: &str = "mips-le-gcc-tiny.static_pointers-O2.single";
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(unpack(folder.path(), |name| name == NAME), 1);
    let file = folder.path().join(NAME);
    let mut bytes = std::fs::read(&file).unwrap();
    let encoded: Vec<u8> = b"./dvrFixture\0".iter().map(|byte| byte ^ 0xb4).collect();
    let place = place_of(&bytes, &encoded);
    let mut words = bytes.windows(4).enumerate();
    let (at, _) = words.find(|(_, word)| *word == place.to_le_bytes()).unwrap();
    bytes[at..at + 4].copy_from_slice(&(place + 1).to_le_bytes());
    std::fs::write(&file, bytes).unwrap();
    let output = miyaburi().args(["extract", "--format", "ndjson"]).arg(&file).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["string_table"], Value::Null);
    let is_told = |string: &Value| string["text"] == "./dvrFixture";
    assert!(report["strings"].as_array().unwrap().iter().any(is_told));
}

/// Texts that one routine decodes, given where they are and how long: their lengths are no ids.
#[test]
fn lengths_of_loose_texts_make_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let count = unpack(&files, |name| {
        let level = ["-O0.", "-O1.", "-Os."].iter().any(|level| name.contains(level));
        name.starts_with("x86-") && name.contains(".whole_image-") && level
    });
    assert!(count > 0);
    let reports = reports(&files, folder.path());
    let truth = truth_of(&reports, folder.path());
    assert_exact(&reports, &truth, "string_table.entries", &[]);
}

/// Forks whose C2 is not in the table, but whose scan receiver is: it must not pass for the C2.
#[test]
fn no_other_host_passes_for_the_c2() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let forks = [".immediate-", ".plain_c2-", ".external-", ".ipv6-", "gcc-tiny.switch_dispatch-"];
    let count = unpack(&files, |name| {
        let target = ["armv7-thumb-", "coldfire-", "sparc32-", "x86-"];
        target.iter().any(|target| name.starts_with(target))
            && forks.iter().any(|fork| name.contains(fork))
    });
    assert!(count >= 30, "{count}");
    let reports = reports(&files, folder.path());
    let truth = truth_of(&reports, folder.path());
    for (report, truth) in pairs(&reports, &truth) {
        let (found, known) = (c2s(&report), c2s(&truth));
        assert!(found.is_subset(&known), "{}: {found:?}", report["sample"]["path"]);
    }
}

/// How entries lie in the file is what the build made of their texts: each byte of a key stream, and
/// what stands for each byte, is the same for all.
#[test]
fn what_is_stored_is_what_the_build_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let forks = ["classic", "hex", "rc4", "rc4_passes", "xor_cyclic", "chacha20", "alphabet"];
    let count = unpack(&files, |name| {
        (name.starts_with("sh4-") || name.starts_with("sparc32-"))
            && forks.iter().any(|fork| name.contains(&format!(".{fork}-")))
    });
    assert_eq!(count, 13);
    let reports = reports(&files, folder.path());
    let mut held = 0;
    for (report, truth) in pairs(&reports, &truth_of(&reports, folder.path())) {
        let name = &report["sample"]["path"];
        let cipher = truth["string_table"]["cipher"].as_str().unwrap();
        // What stands in each place: of a key stream, or for a byte.
        let mut known: BTreeMap<usize, u8> = BTreeMap::new();
        for entry in report["string_table"]["entries"].as_array().unwrap() {
            let Some(stored) = entry["stored"].as_str() else { continue };
            let stored = hex::decode(stored).unwrap();
            let text = text_of(&truth, &entry["id"]);
            held += 1;
            if cipher == "hex" {
                let digits = hex::encode(&text).into_bytes();
                assert!(digits.starts_with(&stored), "{name}: {entry}");
                continue;
            }
            for (place, (byte, stored)) in text.iter().zip(&stored).enumerate() {
                let (place, stands) = match cipher {
                    "substitution" => (usize::from(*byte), *stored),
                    "xor" => (0, byte ^ stored),
                    _ => (place, byte ^ stored),
                };
                assert_eq!(*known.entry(place).or_insert(stands), stands, "{name}: {entry}");
            }
        }
        if let Some(key) = truth["string_table"]["effective_key"].as_str() {
            assert_eq!(key, format!("{:#04x}", known[&0]), "{name}");
        }
    }
    assert!(held >= 500, "{held}");
}

/// The bytes of the entry with this id, as the build had them.
fn text_of(truth: &Value, id: &Value) -> Vec<u8> {
    let mut entries = truth["string_table"]["entries"].as_array().unwrap().iter();
    let entry = entries.find(|entry| entry["id"] == *id).unwrap();
    match entry["port"].as_u64() {
        Some(port) => u16::try_from(port).unwrap().to_be_bytes().to_vec(),
        None => format!("{}\0", entry["text"].as_str().unwrap()).into_bytes(),
    }
}

/// Reports with their truth.
fn pairs(reports: &Path, truth: &Path) -> Vec<(Value, Value)> {
    let read = |path: &Path| -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let truths = read(truth);
    read(reports)
        .into_iter()
        .map(|report| {
            let same = |truth: &&Value| truth["sha256"] == report["sample"]["sha256"];
            let truth = truths.iter().find(same).unwrap().clone();
            (report, truth)
        })
        .collect()
}

fn c2s(part: &Value) -> BTreeSet<(String, u64)> {
    part["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|endpoint| endpoint["role"] == "c2")
        .map(|endpoint| {
            (endpoint["host"].as_str().unwrap().to_owned(), endpoint["port"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn tables_and_credentials_of_other_forks_are_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(&examples(), folder.path());
    let fields = "string_table.effective_key,string_table.sha256,credentials.effective_key,\
                  credentials.sha256";
    let select = ["renumbered", "mixed_keys", "plain_c2", "immediate", "many_c2", "debug_layout"]
        .map(|fork| format!("fork={fork}"));
    let select: Vec<&str> =
        select.iter().flat_map(|select| ["--select", select.as_str()]).collect();
    assert_exact(&reports, &truth_of_examples(), fields, &select);
}

/// Forks that keep no table: every string is decoded where it is used.
#[test]
fn strings_without_a_table_are_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let forks = [".no_table-", ".whole_image-"];
    let count = unpack(&files, |name| {
        forks.iter().any(|fork| name.contains(fork))
            && name.contains("-gcc-tiny.")
            && name.contains("-O0.")
    });
    assert!(count >= 10, "{count}");
    let reports = reports(&files, folder.path());
    for (report, truth) in pairs(&reports, &truth_of(&reports, folder.path())) {
        let (found, known) = (texts(&report), texts(&truth));
        let name = &report["sample"]["path"];
        let extra: Vec<&String> = found.difference(&known).collect();
        assert!(extra.is_empty(), "{name}: {extra:?}");
        // A text that no code reads is found by its neighbours, if at all.
        let is_read = |text: &&String| {
            let strings = truth["strings"].as_array().unwrap();
            strings.iter().any(|string| string["text"] == **text && !string["role"].is_null())
        };
        let missing: Vec<&String> = known.difference(&found).filter(is_read).collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

/// Forks whose attacks are chosen by a switch or by a text.
#[test]
fn attacks_without_a_registry_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let count = unpack(&files, |name| {
        let target = ["armv7-thumb-", "mips-le-", "sparc32-", "x86_64-"];
        target.iter().any(|target| name.starts_with(target))
            && name.contains("gcc-tiny.switch_dispatch-")
    });
    assert!(count >= 8, "{count}");
    let reports = reports(&files, folder.path());
    let truth = truth_of(&reports, folder.path());
    assert_exact(&reports, &truth, "attacks.vectors,scan.probes,scan.syn", &[]);
}

/// Registries in lists that are copied as they grow, in static programs with many routines that are
/// more repetitive, and with handlers behind a trap.
#[test]
fn registries_are_found_whole() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let wanted = [
        "x86_64-clang-musl.no_scanner-O2.",
        "x86_64-clang-musl.plain_c2-O3.",
        "m68k-gcc-glibc.renumbered-Os.",
        "m68k-gcc-tiny.debug_layout-O3.",
        "coldfire-gcc-tiny.debug_layout-O3.",
        "sparc32-gcc-glibc.debug_layout-O3.",
    ];
    let count = unpack(&files, |name| wanted.iter().any(|wanted| name.starts_with(wanted)));
    assert_eq!(count, wanted.len());
    let reports = reports(&files, folder.path());
    let truth = truth_of(&reports, folder.path());
    assert_exact(&reports, &truth, "attacks.vectors", &[]);
    // `move.l A0,(0x8000e424).l` behind each call of `realloc` keeps the list's address.
    let list = serde_json::json!({"address": "0x8000e424", "size": 4, "role": "attack_registry"});
    let (report, _) = pairs(&reports, &truth)
        .into_iter()
        .find(|(report, _)| report["sample"]["path"].as_str().unwrap().contains("/m68k-gcc-tiny."))
        .unwrap();
    assert!(report["data"].as_array().unwrap().contains(&list), "{}", report["data"]);
}

fn texts(part: &Value) -> BTreeSet<String> {
    let strings = part["strings"].as_array().unwrap().iter();
    strings.map(|string| string["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_wrong_truth_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(&examples(), folder.path());
    let truth = std::fs::read_to_string(truth_of_examples()).unwrap();
    let wrong = folder.path().join("wrong.ndjson");
    std::fs::write(&wrong, truth.replace("\"effective_key\":\"0x", "\"effective_key\":\"0xff"))
        .unwrap();
    miyaburi()
        .arg("score")
        .arg(&reports)
        .arg("--truth")
        .arg(&wrong)
        .args(["--fields", "string_table.effective_key", "--select", "fork=classic"])
        .args(["--require", "100"])
        .assert()
        .code(1);
}

#[test]
fn an_explanation_leads_from_the_table_to_the_c2() {
    // The C2 is entry 3 of the table: its host, key and id are those of the build's record.
    let path = examples().join("armv5-gcc-tiny.classic-O0.single");
    let output = miyaburi().args(["extract", "--explain"]).arg(path).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, why) = text.split_once("\nWhy\n").unwrap();
    let story = why.split("\n\n").find(|story| story.contains("c2 net.amber.example.com:37324"));
    let lines: Vec<&str> = story.unwrap().lines().map(str::trim).collect();
    let said = |line: &&&str| line.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok());
    let steps: Vec<&&str> = lines.iter().filter(said).collect();
    for (step, words) in [
        (0, ["entry 3 of the string table", "\"net.amber.example.com\"", "table_init"]),
        (1, ["toggle_obf", "xor", "0x66"]),
        (2, ["it is asked for by its id", "resolve_cnc_addr", ""]),
        (3, ["entry 4 of the string table", "port 37324", "table_init"]),
        (6, ["address handed to connect by this call", "establish_connection", ""]),
    ] {
        assert!(words.iter().all(|word| steps[step].contains(word)), "{}", steps[step]);
    }
    // The story ends at the kernel, with the code: `connect` is a system call.
    assert!(steps.last().unwrap().contains("system call connect made here"), "{steps:?}");
    let last = lines.iter().rposition(|line| line.starts_with("> ")).unwrap();
    assert!(lines[last].contains("swi 0x0") && lines.len() > last + 1, "{}", lines[last]);
    // What is added is added by a call, and its id is in the instruction before.
    let marked = lines.iter().position(|line| line.starts_with("> ")).unwrap();
    assert!(lines[marked].contains("bl 0x") && lines[marked - 1].contains("mov r0,#0x3"));
}

#[test]
fn output_is_the_same_in_every_run_and_with_any_number_of_threads() {
    let extract = |jobs: &str| {
        let mut command = miyaburi();
        command.args(["extract", "--format", "ndjson", "-j", jobs]).arg(examples());
        command.output().unwrap()
    };
    let first = extract("1");
    assert!(first.status.success());
    assert_eq!(first.stdout.iter().filter(|byte| **byte == b'\n').count(), 14);
    for jobs in ["1", "2", "5"] {
        assert!(extract(jobs).stdout == first.stdout, "-j {jobs}");
    }
}

#[test]
fn only_text_explains() {
    let path = examples().join("armv5-gcc-tiny.classic-O0.single");
    let mut command = miyaburi();
    command.args(["extract", "--explain", "--format", "ndjson"]).arg(path);
    command.assert().code(2).stdout("");
}
