//! `miyaburi dump` from the outside. The programs are assembled by hand, so every address and
//! value is known from the bytes.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{at, elf, folder, for_another_cpu, miyaburi, with_data, with_symbols};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};

/// Entry point of every program here.
const ENTRY: &str = "0x8048054";

/// An i386 program of two functions that uses a text at 0x8050073 and a word at 0x8050079.
const I386: &[u8] = b"\
    \x6a\x05\
    \x68\x73\x00\x05\x08\
    \xe8\x0e\x00\x00\x00\
    \xff\xd0\
    \xc7\x05\x79\x00\x05\x08\x07\x00\x00\x00\
    \xeb\xfe\
    \x0f\x31\
    \x90\x90\
    \xc3";

/// What lies behind it, in a segment of its own.
const DATA: &[u8] = b"hello\0\0\0\0\0";

/// A little-endian MIPS program: `jal` with `li a0,7` in its delay slot, and `jr ra`.
const MIPS: &[u8] = b"\
    \x19\x20\x01\x0e\
    \x07\x00\x04\x24\
    \xff\xff\x00\x10\
    \x00\x00\x00\x00\
    \x08\x00\xe0\x03\
    \x00\x00\x00\x00";

/// An ARM program: `blx` to a Thumb function, which is `bx lr`.
const ARM: &[u8] = b"\x00\x00\x00\xfa\xfe\xff\xff\xea\x70\x47\xc0\x46";

fn i386() -> Vec<u8> {
    with_data(&elf(3, I386), 0x8050000, DATA)
}

fn dump(bytes: &[u8], arguments: &[&str]) -> String {
    let root = folder(&[("program", bytes)]);
    let run = miyaburi().arg("dump").arg(at(&root, "program")).args(arguments).assert();
    let output = run.code(0).stderr("").get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

fn text(bytes: &[u8], stage: &str) -> String {
    dump(bytes, &["--stage", stage])
}

fn json(bytes: &[u8], stage: &str) -> Value {
    let document: Value =
        serde_json::from_str(&dump(bytes, &["--stage", stage, "--format", "json"])).unwrap();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["stage"], stage);
    assert!(document["path"].as_str().unwrap().ends_with("program"));
    document
}

/// The words of every line.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn the_image_is_what_the_headers_say() {
    let bytes = with_symbols(&i386(), &[("start", 0x8048054, 26, 2)]);
    let image = json(&bytes, "image");
    for (member, value) in [
        ("cpu", json!("i386")),
        ("arch", json!("x86")),
        ("bits", json!(32)),
        ("endian", json!("little")),
        ("instruction_endian", json!("little")),
        ("kind", json!("executable")),
        ("entry", json!(ENTRY)),
        ("entry_mode", Value::Null),
        ("global_pointer", Value::Null),
        ("interpreter", Value::Null),
        ("imports", json!([])),
        ("indirect_functions", json!([])),
        ("diagnostics", json!([])),
    ] {
        assert_eq!(image[member], value, "{member}");
    }
    let code = json!({
        "address": "0x8048000", "end": "0x8048073", "size": 115, "stored_size": 115,
        "permissions": "r-x",
    });
    let data = json!({
        "address": "0x8050073", "end": "0x805007d", "size": 10, "stored_size": 10,
        "permissions": "rw-",
    });
    assert_eq!(image["segments"], json!([code, data]));
    let symbol = json!({
        "address": ENTRY, "name": "start", "size": 26, "kind": "function", "mode": null,
    });
    assert_eq!(image["symbols"], json!([symbol]));

    let text = text(&bytes, "image");
    let rows = rows(&text);
    for row in [
        vec!["cpu", "i386", "(x86)"],
        vec!["entry", ENTRY],
        vec!["0x8048000", "0x8048073", "115", "115", "r-x"],
        vec!["0x8050073", "0x805007d", "10", "10", "rw-"],
        vec![ENTRY, "26", "function", "start"],
    ] {
        assert!(rows.contains(&row), "{row:?} in {text}");
    }
    assert!(!text.contains("Imports") && !text.contains("Diagnostics"), "{text}");
}

#[test]
fn damage_is_told() {
    let mut bytes = i386();
    bytes[44] = 9;
    let repaired = "e_phnum is 9";
    assert!(text(&bytes, "image").contains(repaired));
    let image = json(&bytes, "image");
    assert!(image["diagnostics"][0].as_str().unwrap().contains(repaired), "{image}");
}

/// The document of a stage of a damaged file, whose damage is told on standard error.
fn json_of_damaged(bytes: &[u8], stage: &str, told: &str) -> Value {
    let root = folder(&[("program", bytes)]);
    let path = root.path().join("program");
    let mut command = miyaburi();
    command.arg("dump").arg(&path).args(["--stage", stage, "--format", "json"]);
    let output = command.assert().code(0).stderr(contains(told)).get_output().stdout.clone();
    serde_json::from_slice(&output).unwrap()
}

#[test]
fn every_stage_tells_of_damage() {
    let mut bytes = i386();
    // The entry point lies in no segment.
    bytes[24..28].copy_from_slice(&0x0700_0000_u32.to_le_bytes());
    for stage in ["functions", "disasm", "pcode", "callgraph", "constants"] {
        let told = "the entry point 0x7000000 is not mapped";
        let document = json_of_damaged(&bytes, stage, told);
        assert!(document["diagnostics"][0].as_str().unwrap().contains(told), "{document}");
    }
}

#[test]
fn a_file_without_code_is_told() {
    let bytes = elf(3, b"");
    let told = "no code was found";
    let document = json_of_damaged(&bytes, "functions", told);
    assert_eq!(document["functions"], json!([]));
    assert!(document["diagnostics"].as_array().unwrap().contains(&json!(told)), "{document}");
}

#[test]
fn functions_have_their_sizes_and_calls() {
    let entry = json!({
        "address": ENTRY, "name": null, "mode": null, "size": 26, "instruction_count": 6,
        "block_count": 2, "caller_count": 0, "call_count": 2, "origin": "entry", "returns": false,
    });
    let callee = json!({
        "address": "0x804806e", "name": null, "mode": null, "size": 5, "instruction_count": 4,
        "block_count": 1, "caller_count": 1, "call_count": 0, "origin": "call", "returns": true,
    });
    let bytes = i386();
    assert_eq!(json(&bytes, "functions")["functions"], json!([entry, callee]));
    let text = text(&bytes, "functions");
    let rows = rows(&text);
    assert_eq!(rows[1], [ENTRY, "26", "6", "2", "0", "2", "entry", "no", "-", "-"]);
    assert_eq!(rows[2], ["0x804806e", "5", "4", "1", "1", "0", "call", "yes", "-", "-"]);
    assert_eq!(rows.len(), 3);
}

#[test]
fn the_instruction_set_of_a_function_is_told() {
    let functions = json(&elf(40, ARM), "functions");
    let modes: Vec<_> = functions["functions"].as_array().unwrap().iter().collect();
    assert_eq!((&modes[0]["address"], &modes[0]["mode"]), (&json!(ENTRY), &json!("arm")));
    assert_eq!((&modes[1]["address"], &modes[1]["mode"]), (&json!("0x804805c"), &json!("thumb")));
    let text = text(&elf(40, ARM), "disasm");
    assert!(text.contains("function 0x804805c thumb\n"), "{text}");
    assert!(text.contains("  7047      bx lr\n"), "{text}");
}

#[test]
fn assembly_comes_with_bytes_targets_and_texts() {
    let bytes = i386();
    let code = json(&bytes, "disasm");
    let block = &code["functions"][0]["blocks"][0];
    assert_eq!(block["address"], ENTRY);
    assert_eq!(block["end"], "0x804806c");
    assert_eq!(block["exit"], "inside");
    assert_eq!(block["successors"], json!(["0x804806c"]));
    let instructions = block["instructions"].as_array().unwrap();
    let bytes_of = |index: usize| instructions[index]["bytes"].as_str().unwrap();
    assert_eq!([bytes_of(0), bytes_of(1), bytes_of(3)], ["6a05", "6873000508", "ffd0"]);
    assert_eq!(instructions[0]["assembly"], "PUSH 0x5");
    let text_reference = json!({
        "address": "0x8048056", "kind": "address", "to": "0x8050073", "name": null,
        "text": "hello",
    });
    assert!(instructions[1]["references"].as_array().unwrap().contains(&text_reference));
    let call = json!({
        "address": "0x804805b", "kind": "direct", "target": "0x804806e", "target_name": null,
        "is_internal": true,
    });
    assert_eq!(instructions[2]["calls"], json!([call]));
    assert_eq!(instructions[3]["calls"][0]["target"], Value::Null);
    assert_eq!(code["functions"][1]["blocks"][0]["exit"], "return");
    assert!(instructions[0].get("operations").is_none());

    let text = text(&bytes, "disasm");
    for line in [
        "function 0x8048054\n  block 0x8048054..0x804806c -> 0x804806c\n",
        "; 0x8050073 \"hello\"\n",
        "    0x8048060  ffd0              CALL EAX                          ; calls ?\n",
        "  block 0x804806e..0x8048073 return\n",
        "    0x8048072  c3                RET\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
}

#[test]
fn delay_slots_stand_with_their_jumps() {
    let bytes = elf(8, MIPS);
    let code = json(&bytes, "pcode");
    let jump = &code["functions"][0]["blocks"][0]["instructions"][0];
    assert_eq!(jump["address"], ENTRY);
    assert_eq!(jump["bytes"], "1920010e");
    assert_eq!(jump["delay_slot"]["address"], "0x8048058");
    assert_eq!(jump["delay_slot"]["bytes"], "07000424");
    let operations = jump["operations"].as_array().unwrap();
    let set = operations.iter().find(|operation| operation["output"]["register"] == "a0").unwrap();
    assert_eq!(set["opcode"], "COPY");
    let seven = json!({"space": "constant", "offset": "0x7", "size": 4, "register": null});
    assert_eq!(set["inputs"], json!([seven]));
    let call = operations.last().unwrap();
    assert_eq!(call["opcode"], "CALL");
    assert_eq!(call["inputs"][0]["space"], "ram");
    assert_eq!(call["inputs"][0]["offset"], "0x8048064");

    let text = text(&bytes, "pcode");
    for line in ["  _li a0, 0x7\n", "  a0 = COPY 0x7:4\n", "  CALL 0x8048064\n"] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
}

#[test]
fn operations_name_registers_spaces_and_user_operations() {
    let text = text(&i386(), "pcode");
    for line in [
        "  ESP = INT_SUB ESP, 0x4:4\n",
        "  STORE ram[ESP], 0x8048060:4\n",
        "  CALL 0x804806e\n",
        "  ram[0x8050079]:4 = COPY 0x7:4\n",
        "  BRANCH 0x804806c\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    // Which temporary it is changes with every regeneration of the specification.
    assert!(
        text.lines().any(|line| line.contains("  CALLIND $") && line.ends_with(":4")),
        "{text}"
    );
    let code = json(&i386(), "pcode");
    let call = &code["functions"][0]["blocks"][0]["instructions"][2]["operations"];
    let store = call.as_array().unwrap().iter().find(|op| op["opcode"] == "STORE").unwrap();
    assert_eq!(store["space"], "ram");
    assert_eq!(store["inputs"][0]["register"], "ESP");
    assert_eq!(store["inputs"][1]["offset"], "0x8048060");
    assert_eq!(store["output"], Value::Null);
    let time = &code["functions"][1]["blocks"][0]["instructions"][0]["operations"];
    let other = time.as_array().unwrap().iter().find(|op| op["opcode"] == "CALLOTHER").unwrap();
    assert_eq!(other["user_op"], "rdtsc");
    assert!(text.contains("CALLOTHER rdtsc\n"), "{text}");
}

#[test]
fn calls_are_edges_and_unknown_targets_are_marked() {
    let bytes = with_symbols(&i386(), &[("callee", 0x804806e, 5, 2)]);
    let direct = json!({
        "caller": ENTRY, "caller_name": null, "address": "0x804805b", "kind": "direct",
        "target": "0x804806e", "target_name": "callee", "is_internal": true,
    });
    let indirect = json!({
        "caller": ENTRY, "caller_name": null, "address": "0x8048060", "kind": "indirect",
        "target": null, "target_name": null, "is_internal": false,
    });
    assert_eq!(json(&bytes, "callgraph")["calls"], json!([direct, indirect]));
    let text = text(&bytes, "callgraph");
    let rows = rows(&text);
    assert_eq!(rows[0], ["0x804805b", "direct", ENTRY, "->", "0x804806e", "callee"]);
    assert_eq!(rows[1], ["0x8048060", "indirect", ENTRY, "->", "?"]);
    assert_eq!(
        dump(&bytes, &["--stage", "callgraph", "--format", "dot"]),
        "digraph calls {\n  \
         \"0x8048054\" -> \"0x804806e callee\" [label=\"0x804805b\" class=direct];\n  \
         \"0x8048054\" -> \"?\" [label=\"0x8048060\" class=indirect];\n}\n"
    );
}

#[test]
fn a_target_outside_of_the_file_is_known_where_its_address_is() {
    // mov eax,0x9000000; call eax; jmp .
    let bytes = elf(3, b"\xb8\0\0\0\x09\xff\xd0\xeb\xfe");
    let call = &json(&bytes, "callgraph")["calls"][0];
    assert_eq!((&call["kind"], &call["target"]), (&json!("indirect"), &json!("0x9000000")));
    assert!(text(&bytes, "callgraph").ends_with("-> 0x9000000 (no function)\n"));
}

#[test]
fn constants_reach_the_arguments_of_calls() {
    let bytes = i386();
    let constants = json(&bytes, "constants");
    let entry = &constants["functions"][0];
    let calls = &entry["calls"];
    let hello = json!({
        "kind": "constant", "value": "0x8050073", "name": null, "text": "hello",
    });
    let five = json!({"kind": "constant", "value": "0x5", "name": null, "text": null});
    assert_eq!(calls[0]["arguments"].as_array().unwrap()[..2], [hello, five]);
    assert_eq!(calls[0]["target"], "0x804806e");
    let result = json!({"kind": "call_result", "site": "0x804805b", "offset": 0});
    assert_eq!(calls[1]["target_value"], result);
    let store = json!({
        "address": "0x8048062", "to": "0x8050079", "to_name": null, "size": 4,
        "value": {"kind": "constant", "value": "0x7", "name": null, "text": null},
    });
    assert_eq!(entry["stores"], json!([store]));
    let write = json!({
        "address": "0x8048062", "kind": "write", "to": "0x8050079", "name": null, "text": null,
    });
    assert!(entry["references"].as_array().unwrap().contains(&write));
    assert_eq!(constants["functions"][1]["calls"], json!([]));

    let text = text(&bytes, "constants");
    for line in [
        "  0x804805b  calls 0x804806e(0x8050073 \"hello\", 0x5",
        "  0x8048060  calls result(0x804805b)(",
        "  0x8048062  stores 0x7:4 to 0x8050079\n",
        "  0x8048056  refers to 0x8050073 \"hello\"\n",
        "  0x8048062  writes 0x8050079\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    let mips = json(&elf(8, MIPS), "constants");
    assert_eq!(mips["functions"][0]["calls"][0]["arguments"][0]["value"], "0x7");
}

#[test]
fn stages_can_be_restricted_to_functions() {
    let bytes = i386();
    let entries = |functions: &[&str]| -> Vec<String> {
        let mut arguments = vec!["--stage", "functions", "--format", "json"];
        functions.iter().for_each(|function| arguments.extend(["--function", function]));
        let document: Value = serde_json::from_str(&dump(&bytes, &arguments)).unwrap();
        let functions = document["functions"].as_array().unwrap();
        functions.iter().map(|item| item["address"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(entries(&["0x804806e"]), ["0x804806e"]);
    assert_eq!(entries(&["8048072"]), ["0x804806e"], "covered, and without 0x");
    assert_eq!(entries(&["0x804806e", "0x8048054", "0x8048056"]), [ENTRY, "0x804806e"]);
    for stage in ["disasm", "pcode", "constants"] {
        let text = dump(&bytes, &["--stage", stage, "--function", "0x804806e"]);
        assert!(text.starts_with("function 0x804806e\n"), "{text}");
        assert!(!text.contains("function 0x8048054"), "{text}");
    }
    let text = dump(&bytes, &["--stage", "callgraph", "--function", "0x804806e"]);
    assert_eq!(text.lines().count(), 1, "who calls it, and it calls nothing: {text}");
}

#[test]
fn no_function_there_is_an_error() {
    let root = folder(&[("program", &i386())]);
    for stage in ["functions", "disasm", "pcode", "callgraph", "constants"] {
        let mut run = miyaburi();
        run.arg("dump").arg(at(&root, "program")).args(["--stage", stage]);
        let message = "program: there is no function at 0x8048073\n";
        let run = run.args(["--function", "0x8048054", "--function", "0x8048073"]).assert();
        run.code(1).stdout("").stderr(contains(message).and(contains("\n").count(1)));
    }
}

#[test]
fn files_that_cannot_be_looked_into_are_named_with_the_reason() {
    let truncated = &i386()[..20];
    let root = folder(&[
        ("notes", b"hello"),
        ("empty", b""),
        ("rx", &for_another_cpu()),
        ("truncated", truncated),
        ("folder/x", b""),
    ]);
    for (name, reason) in [
        ("notes", "not an ELF file"),
        ("empty", "not an ELF file"),
        ("rx", "unsupported CPU"),
        ("truncated", "damaged ELF file"),
        ("absent", "No such file"),
        ("folder", "Is a directory"),
    ] {
        for stage in ["image", "functions"] {
            let run = miyaburi().arg("dump").arg(at(&root, name)).args(["--stage", stage]).assert();
            let line = contains(format!("{name}: {reason}")).and(contains("\n").count(1));
            run.code(1).stdout("").stderr(line);
        }
    }
}

#[test]
fn wrong_usage_is_two() {
    for arguments in [
        &["dump"][..],
        &["dump", "x"],
        &["dump", "--stage", "image"],
        &["dump", "x", "--stage", "decompiled"],
        &["dump", "x", "--stage", "functions", "--format", "xml"],
        &["dump", "x", "--stage", "functions", "--format", "dot"],
        &["dump", "x", "--stage", "functions", "--function", "main"],
        &["dump", "x", "--stage", "functions", "--function", "+5"],
        &["dump", "x", "--stage", "image", "--function", "0x1000"],
    ] {
        miyaburi().args(arguments).assert().code(2).stdout("");
    }
}

#[test]
fn output_goes_to_a_file_when_asked_and_a_failure_leaves_it_empty() {
    let root = folder(&[("program", &i386()), ("notes", b"hello")]);
    let target = at(&root, "out.json");
    let run = |name| {
        let mut run = miyaburi();
        run.arg("dump").arg(at(&root, name)).args(["--stage", "functions", "--format", "json"]);
        run.arg("--output").arg(&target).assert().stdout("")
    };
    run("notes").code(1);
    assert_eq!(fs::read(&target).unwrap(), b"");
    run("program").code(0);
    let document: Value = serde_json::from_slice(&fs::read(&target).unwrap()).unwrap();
    assert_eq!(document["functions"][0]["address"], ENTRY);
}

#[test]
fn names_in_the_file_cannot_drive_the_terminal_or_break_the_graph() {
    let bytes = with_symbols(
        &i386(),
        &[("a\u{1b}[2J\"b\nc\\", 0x804806e, 5, 2), ("d\u{202e}", 0x8050079, 4, 1)],
    );
    for stage in ["image", "functions", "disasm", "pcode", "callgraph", "constants"] {
        let text = text(&bytes, stage);
        assert!(text.contains("a\\u{1b}[2J\"b\\u{a}c\\"), "{stage}: {text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{stage}: {text}");
        assert!(json(&bytes, stage).to_string().contains(r#"a\u001b[2J\"b\nc\\"#), "{stage}");
    }
    let dot = dump(&bytes, &["--stage", "callgraph", "--format", "dot"]);
    assert!(dot.contains(r#"-> "0x804806e a\\u{1b}[2J\"b\\u{a}c\\" ["#), "{dot}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let root = folder(&[("program", &elf(3, &vec![0x90; 200_000]))]);
    for format in ["text", "json"] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("miyaburi"))
            .arg("dump")
            .arg(at(&root, "program"))
            .args(["--stage", "disasm", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut start = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut start).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{format}");
        assert_eq!(output.status.code(), Some(0), "{format}");
    }
}

/// Every bundled example, one of each CPU type, against its ELF header and its truth.
#[test]
fn every_cpu_type_shows_every_stage() {
    let specimens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens");
    let examples = specimens.join("examples");
    let truths = fs::read_to_string(specimens.join("examples.truth.ndjson")).unwrap();
    let truths: Vec<Value> =
        truths.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for truth in &truths {
        let cpu = truth["sample"]["cpu"].as_str().unwrap();
        let label = |name: &str| truth["labels"][name].as_str().unwrap();
        let [target, compiler, libc] = ["target", "compiler", "libc"].map(label);
        let [fork, opt, unit] = ["fork", "opt", "unit"].map(label);
        let path = examples.join(format!("{target}-{compiler}-{libc}.{fork}-{opt}.{unit}"));
        let bytes = fs::read(&path).unwrap();
        let dump = |arguments: &[&str]| {
            let run = miyaburi().arg("dump").arg(&path).args(arguments).assert().code(0);
            String::from_utf8(run.stderr("").get_output().stdout.clone()).unwrap()
        };
        let json = |stage, more: &[&str]| -> Value {
            let arguments = [&["--stage", stage, "--format", "json"], more].concat();
            serde_json::from_str(&dump(&arguments)).unwrap()
        };
        let image = json("image", &[]);
        assert_eq!(image["cpu"], cpu);
        assert_eq!(image["bits"], truth["sample"]["bits"]);
        assert_eq!(image["endian"], truth["sample"]["endian"]);
        let entry = image["entry"].as_str().unwrap();
        assert_eq!(u64::from_str_radix(&entry[2..], 16).unwrap(), entry_of(&bytes, cpu), "{cpu}");

        let all = json("functions", &[]);
        let all = all["functions"].as_array().unwrap();
        let start = all.iter().find(|function| function["address"] == entry).unwrap();
        assert_eq!(start["origin"], "entry", "{cpu}");

        for stage in ["disasm", "pcode", "constants"] {
            let one = json(stage, &["--function", entry]);
            assert_eq!(one["functions"].as_array().unwrap().len(), 1, "{cpu} {stage}");
            assert_eq!(one["functions"][0]["address"], entry, "{cpu} {stage}");
            let text = dump(&["--stage", stage, "--function", entry]);
            assert!(text.starts_with(&format!("function {entry}")), "{cpu} {stage}: {text}");
            assert!(!text.contains("??"), "{cpu} {stage}: {text}");
        }
        let calls = json("callgraph", &[]);
        let calls = calls["calls"].as_array().unwrap();
        assert!(calls.iter().any(|call| call["caller"] == entry), "{cpu}");
        let text = dump(&["--stage", "callgraph"]);
        assert_eq!(text.lines().count(), calls.len(), "{cpu}");
    }
    assert_eq!(truths.len(), 14);
}

/// `e_entry` without mode bit.
fn entry_of(elf: &[u8], cpu: &str) -> u64 {
    let size = if elf[4] == 2 { 8 } else { 4 };
    let field = &elf[24..24 + size];
    let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    let entry = match elf[5] {
        1 => field.iter().rev().fold(0, join),
        _ => field.iter().fold(0, join),
    };
    let has_mode_bit = cpu.starts_with("arm") || cpu.starts_with("mips");
    entry & !u64::from(has_mode_bit)
}
