//! What is seen only by running more of a specimen than its decoding routine: ciphers of every kind,
//! and what attacks send.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use support::{
    assert_exact, examples, miyaburi, reports, specimens, truth_of, truth_of_examples, unpack,
};

/// One small program for each cipher, decoded in place, when it is added or when it is asked for.
const CIPHERS: [&str; 13] = [
    "armv7-thumb-gcc-tiny.xor_cyclic-O1.modules.nosections",
    "sparc32-gcc-tiny.rc4-Os.single",
    "powerpc-gcc-tiny.rc4-O2.modules.nosections",
    "coldfire-gcc-tiny.rc4_carried-O1.modules.nosections",
    "riscv64-gcc-tiny.rc4_passes-Os.single",
    "aarch64-gcc-tiny.chacha20-Os.modules",
    "sh4-gcc-tiny.xtea-O1.modules.nosections",
    "armeb-gcc-tiny.aes_128_cbc-Os.modules.nosections",
    "mips-le-gcc-tiny.substitution-O1.single",
    "m68k-gcc-tiny.alphabet-Os.single",
    "armv7-thumb-gcc-tiny.rot_xor-O2.modules",
    "mips-le-gcc-tiny.hex-O1.modules",
    "x86_64-gcc-tiny.per_entry_key-Os.modules.nosections",
];

#[test]
fn every_cipher_is_decoded_and_named_with_its_key() {
    const FIELDS: &str = "verdict,string_table.cipher,string_table.key,string_table.nonce,\
        string_table.effective_key,string_table.sha256,string_table.entries,credentials.cipher,\
        credentials.sha256,credentials.entries";
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    assert_eq!(unpack(&files, |name| CIPHERS.contains(&name)), CIPHERS.len());
    let reports = reports(&files, folder.path());
    assert_exact(&reports, &truth_of(&reports, folder.path()), FIELDS, &[]);
}

/// Programs in which the compiler put the decoding into the routine that adds entries, or into all
/// that use them.
const INLINED: [&str; 3] = [
    "riscv64-gcc-tiny.rot_xor-O3.single",
    "riscv64-gcc-tiny.rc4_passes-O3.single",
    "x86-gcc-tiny.per_entry_key-O3.single",
];

#[test]
fn what_is_decoded_without_a_routine_for_it_is_known() {
    const FIELDS: &str = "verdict,string_table.cipher,string_table.key,string_table.nonce,\
        string_table.effective_key,string_table.sha256,string_table.entries";
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    assert_eq!(unpack(&files, |name| INLINED.contains(&name)), INLINED.len());
    let reports = reports(&files, folder.path());
    assert_exact(&reports, &truth_of(&reports, folder.path()), FIELDS, &[]);
}

/// A table of which only constant records are left: a routine is handed the bytes of each entry.
const HANDED_OVER: [&str; 1] = ["armv7-thumb-gcc-tiny.aes_128_cbc-O2.single"];

#[test]
fn a_table_whose_entries_are_handed_over_by_address_is_known() {
    const FIELDS: &str = "string_table.cipher,string_table.key,string_table.nonce,\
        string_table.entries";
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    assert_eq!(unpack(&files, |name| HANDED_OVER.contains(&name)), HANDED_OVER.len());
    let reports = reports(&files, folder.path());
    assert_exact(&reports, &truth_of(&reports, folder.path()), FIELDS, &[]);
}

/// A program that puts all its texts together on the stack.
#[test]
fn texts_on_the_stack_are_known_and_nothing_else_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let name = "sh4-gcc-tiny.stack_string-O1.modules";
    assert_eq!(unpack(&files, |it| it == name), 1);
    let reports = reports(&files, folder.path());
    let truth = truth_of(&reports, folder.path());
    assert_exact(&reports, &truth, "credentials.cipher,credentials.entries", &[]);
    let texts = |path: &std::path::Path| -> std::collections::BTreeSet<String> {
        let line = std::fs::read_to_string(path).unwrap();
        let report: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
        let strings = report["strings"].as_array().unwrap().iter();
        strings.map(|string| string["text"].as_str().unwrap().to_owned()).collect()
    };
    let (found, expected) = (texts(&reports), texts(&truth));
    assert!(found.is_subset(&expected), "{:?}", found.difference(&expected));
    assert!(found.len() >= 30, "{found:?}");
}

/// Where the compiler sorted the choice among C2s otherwise than the program lists them; in the second
/// the generator of random numbers has no seed yet. And where the address of a request to a device is
/// first met on the way to that of another text.
#[test]
fn c2s_that_are_drawn_stand_in_their_order_and_requests_go_to_their_port() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let names = [
        "sparc32-gcc-tiny.many_c2-O1.single",
        "m68k-gcc-tiny.many_c2-Os.single",
        "aarch64-gcc-tiny.renumbered-Os.single.ballast",
        "powerpc-gcc-tiny.plain_c2-Os.single",
    ];
    assert_eq!(unpack(&files, |name| names.contains(&name)), names.len());
    let reports = reports(&files, folder.path());
    let fields = "endpoints,endpoints.details,scan.exploits,scan.exploits.details";
    assert_exact(&reports, &truth_of(&reports, folder.path()), fields, &[]);
}

/// Kinds, options with types and defaults, and which attacks there are, on every CPU type.
#[test]
fn attacks_are_known_by_what_they_send() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(&examples(), folder.path());
    let select = [
        "classic",
        "debug_layout",
        "external",
        "immediate",
        "ipv6",
        "many_c2",
        "mixed_keys",
        "no_attacks",
        "no_scanner",
        "plain_c2",
        "renumbered",
        "switch_dispatch",
        "whole_image",
    ]
    .map(|fork| format!("fork={fork}"));
    let select: Vec<&str> =
        select.iter().flat_map(|select| ["--select", select.as_str()]).collect();
    assert_exact(&reports, &truth_of_examples(), "attacks,attacks.details", &select);
}

/// Ports, spared networks and the fingerprint of the packets, where the generator of random numbers was
/// inlined, too.
#[test]
fn scanners_are_known_by_what_they_probe_and_what_they_spare() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(&examples(), folder.path());
    let mut scanning = 0;
    for line in std::fs::read_to_string(&reports).unwrap().lines() {
        let report: Value = serde_json::from_str(line).unwrap();
        let path = report["sample"]["path"].as_str().unwrap();
        let syn = &report["scan"]["syn"];
        if syn.is_null() {
            continue;
        }
        scanning += 1;
        assert_eq!(syn["tcp.seq"]["from"], "ip.dst", "{path}");
        for (field, number) in [("ip.ttl", 64), ("tcp.flags.syn", 1), ("tcp.flags.ack", 0)] {
            assert_eq!(syn[field]["constant"], number, "{path}: {field}");
        }
        // They are drawn anew at every start.
        for field in ["ip.id", "tcp.srcport", "tcp.window"] {
            assert!(syn[field].is_null(), "{path}: {field}");
        }
    }
    assert_eq!(scanning, 13);
    assert_exact(&reports, &truth_of_examples(), "scan.probes,scan.excluded,scan.syn", &[]);
}

#[test]
fn attacks_are_not_watched_when_not_wanted() {
    let file = specimens().join("examples/armv5-gcc-tiny.classic-O0.single");
    let mut extract = miyaburi();
    extract.args(["extract", "--no-observe", "--format", "ndjson"]).arg(file);
    let report: Value = serde_json::from_slice(&extract.output().unwrap().stdout).unwrap();
    let attacks = report["attacks"].as_array().unwrap();
    assert_eq!(attacks.len(), 10);
    assert!(attacks.iter().all(|attack| attack["kind"].is_null()), "{report}");
}

/// Captures of every vector that sends, with no address but those of documentation, and the same
/// again at every run.
#[test]
fn what_attacks_send_is_written_as_captures() {
    const HEADER: usize = 24;
    let file = examples().join("armv5-gcc-tiny.classic-O0.single");
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str| {
        let root = folder.path().join(name);
        miyaburi().args(["extract", "--pcap"]).arg(&root).arg(&file).assert().success();
        let samples: Vec<_> = std::fs::read_dir(&root).unwrap().map(Result::unwrap).collect();
        assert_eq!(samples.len(), 1);
        // sha256sum of the file
        let sha256 = "c2ec5b5d1287bc0f2c19c5ff87d341dfa774fad290e9d1de8f599000aa110f32";
        assert_eq!(samples[0].file_name(), sha256);
        let captures = std::fs::read_dir(samples[0].path()).unwrap().map(Result::unwrap);
        captures
            .map(|it| (it.file_name().into_string().unwrap(), std::fs::read(it.path()).unwrap()))
            .collect::<BTreeMap<String, Vec<u8>>>()
    };
    let captures = written("once");
    let truth = std::fs::read_to_string(truth_of_examples()).unwrap();
    let truth = truth.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let truth = truth.into_iter().find(|it| it["labels"]["fork"] == "classic").unwrap();
    let vectors = truth["attacks"].as_array().unwrap().iter().map(|attack| &attack["vector"]);
    let expected: BTreeSet<String> = vectors.map(|vector| format!("{vector}.pcap")).collect();
    assert_eq!(captures.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for (name, capture) in &captures {
        assert_eq!(capture[..4], 0xa1b2_c3d4_u32.to_le_bytes(), "{name}");
        assert_eq!(capture[20..HEADER], 101_u32.to_le_bytes(), "{name}");
        let (mut at, mut count) = (HEADER, 0);
        while at < capture.len() {
            let length = u32::from_le_bytes(capture[at + 8..at + 12].try_into().unwrap()) as usize;
            let packet = &capture[at + 16..at + 16 + length];
            assert_eq!(packet[0], 0x45, "{name}");
            for host in [&packet[12..16], &packet[16..20]] {
                assert!(
                    [[192, 0, 2], [198, 51, 100], [203, 0, 113]]
                        .contains(&[host[0], host[1], host[2]])
                );
            }
            (at, count) = (at + 16 + length, count + 1);
        }
        assert!(count >= 3, "{name}: {count}");
    }
    assert_eq!(captures, written("again"));
}

/// What one vector sent, again and again at a thousand packets a second, is that vector; with another
/// payload, or without the report, it is nothing.
#[test]
fn a_device_that_sends_what_a_vector_sends_is_told() {
    const HEADER: usize = 24;
    let file = examples().join("armv5-gcc-tiny.classic-O0.single");
    let folder = tempfile::tempdir().unwrap();
    let (root, report) = (folder.path().join("captures"), folder.path().join("report.ndjson"));
    let mut extract = miyaburi();
    extract.args(["extract", "--format", "ndjson", "--pcap"]).arg(&root);
    extract.arg("-o").args([&report, &file]).assert().success();
    let sample = std::fs::read_dir(&root).unwrap().next().unwrap().unwrap().path();
    let flood = |vector: u32, cut: usize| {
        let capture = std::fs::read(sample.join(format!("{vector}.pcap"))).unwrap();
        let length = u32::from_le_bytes(capture[HEADER + 8..HEADER + 12].try_into().unwrap());
        let mut packet = capture[HEADER + 16..HEADER + 16 + length as usize - cut].to_vec();
        let total = packet.len() as u16;
        packet[2..4].copy_from_slice(&total.to_be_bytes());
        let mut flood = capture[..HEADER].to_vec();
        for number in 0..4000_u32 {
            let second = 1_795_000_000 + number / 1000;
            let length = packet.len() as u32;
            for word in [second, number % 1000 * 1000, length, length] {
                flood.extend(word.to_le_bytes());
            }
            flood.extend(&packet);
        }
        flood
    };
    let told = |log: &[u8], reports: &[&Path]| {
        let path = folder.path().join("flood.pcap");
        std::fs::write(&path, log).unwrap();
        let mut behaviour = miyaburi();
        behaviour.arg("behaviour").arg(path);
        for report in reports {
            behaviour.arg("--reports").arg(report);
        }
        let run = behaviour.assert().success();
        let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let truth = std::fs::read_to_string(truth_of_examples()).unwrap();
    let truth = truth.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let truth = truth.into_iter().find(|it| it["labels"]["fork"] == "classic").unwrap();
    // Key 0 is the size of the payload, which a SYN has none of.
    let payload = |vector: u32| {
        let attacks = truth["attacks"].as_array().unwrap();
        let attack = attacks.iter().find(|attack| attack["vector"] == vector).unwrap();
        let option = attack["options"].as_array().unwrap().iter().find(|it| it["key"] == 0);
        option.map_or(0, |option| option["default"].as_u64().unwrap())
    };
    // By their numbers: UDP, SYN with 20 bytes of options, ACK, and UDP in GRE, with their headers.
    for (vector, kind, headers) in
        [(0, "udp", 28), (3, "syn", 60), (4, "ack", 40), (6, "gre_ip", 52)]
    {
        let alerts = told(&flood(vector, 0), &[&report]);
        assert_eq!(alerts.len(), 1, "{kind}: {alerts:?}");
        assert_eq!(alerts[0]["behaviour"], "flooding", "{kind}");
        let expected =
            format!("of {} bytes each, as vectors of kind {kind:?}", headers + payload(vector));
        assert!(alerts[0]["reason"].as_str().unwrap().contains(&expected), "{alerts:?}");
    }
    assert_eq!(told(&flood(0, 1), &[&report]), Vec::<Value>::new());
    assert_eq!(told(&flood(0, 0), &[]), Vec::<Value>::new());
}
