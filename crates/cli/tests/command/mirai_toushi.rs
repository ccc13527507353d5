//! `miyaburi extract --format mirai-toushi` from the outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{at, exits, folder, for_another_cpu, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};

const FILES: [&str; 3] = ["parse_main.json", "xor_scanner.json", "xor_table.json"];

/// SHA-256 of [`exits`].
const EXITS_SHA256: &str = "81c4986ad7ad1b676369311ac40adc525c9160e106af4bda9d7f91f6f3e9332e";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples")
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Names of what lies in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn errors(validator: &jsonschema::Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).map(|error| error.to_string()).collect()
}

/// The documents of every bundled example by SHA-256 and file, each checked against the schema.
fn documents_of_examples() -> BTreeMap<String, [Value; 3]> {
    let schema: Value =
        serde_json::from_str(include_str!("../data/mirai-toushi.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let root = tempfile::tempdir().unwrap();
    miyaburi()
        .args(["extract", "--format", "mirai-toushi"])
        .arg(examples())
        .arg("-o")
        .arg(root.path())
        .assert()
        .code(0)
        .stdout("");
    let mut documents = BTreeMap::new();
    for sha256 in names(root.path()) {
        let folder = root.path().join(&sha256);
        assert_eq!(names(&folder), FILES.map(str::to_owned).into());
        let read = FILES.map(|file| json_of(&folder.join(file)));
        for document in &read {
            assert_eq!(errors(&validator, document), [""; 0], "{document:#}");
            assert_eq!(document["ghidra_current_program"]["sha256"], *sha256);
            let mut wrong = document.clone();
            wrong["ghidra_current_program"]["sha256"] = Value::Null;
            assert!(!validator.is_valid(&wrong));
        }
        documents.insert(sha256, read);
    }
    documents
}

/// A folder with the tool's own schemas, `parse_main_jsonschema.json` and so on.
const PUBLIC_SCHEMAS: &str = "MIRAI_TOUSHI_SCHEMAS";

/// The schemas that the tool publishes accept the documents. They name the draft of 2020, but list
/// what stands in arrays as Draft 7 does.
#[test]
fn the_public_schemas_accept_the_documents_where_they_are_at_hand() {
    let Some(folder) = std::env::var_os(PUBLIC_SCHEMAS) else { return };
    let validators = FILES.map(|file| {
        let name = file.replace(".json", "_jsonschema.json");
        jsonschema::draft7::new(&json_of(&Path::new(&folder).join(name))).unwrap()
    });
    for documents in documents_of_examples().values() {
        for (validator, document) in validators.iter().zip(documents) {
            assert_eq!(errors(validator, document), [""; 0], "{document:#}");
        }
    }
}

/// The value of an entry of a truth as that tool has it; none for one that the running code sees
/// in another way, or whose value the truth gives in bytes.
fn expected_value(entry: &Value) -> Option<(&str, Value)> {
    match entry["kind"].as_str() {
        _ if entry["stale"] == true => None,
        Some("port") => Some(("int_data", entry["port"].clone())),
        Some("text") => Some(("str_data", entry["text"].clone())),
        _ => None,
    }
}

#[test]
fn values_of_the_bundled_examples_are_those_they_were_built_with() {
    let documents = documents_of_examples();
    let truths = fs::read_to_string(examples().with_file_name("examples.truth.ndjson")).unwrap();
    let [mut files, mut tables, mut lists, mut servers, mut registries] = [0; 5];
    for line in truths.lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let [main, scanner, table] = &documents[truth["sha256"].as_str().unwrap()];
        files += 1;
        if let Some(found) = table.get("table_init_func") {
            tables += 1;
            let expected = truth["string_table"]["entries"].as_array().unwrap();
            assert_eq!(found["tables_count"], expected.len());
            assert_eq!(found["tables_sha256"], truth["string_table"]["sha256"]);
            let key = &table["table_lock_val_func"]["table_key"];
            assert_eq!(*key, truth["string_table"]["effective_key"]);
            for (entry, expected) in found["tables"].as_array().unwrap().iter().zip(expected) {
                assert_eq!(entry["id"], expected["id"]);
                assert!(entry["table_addr"].is_string());
                if let Some((member, value)) = expected_value(expected) {
                    assert_eq!(entry[member], value);
                }
            }
        }
        if let Some(found) = scanner.get("scanner_init_func") {
            lists += 1;
            let expected = truth["credentials"]["entries"].as_array().unwrap().iter();
            let expected: Vec<Value> = expected
                .map(|pair| json!({"user": pair["user"], "pass": pair["password"], "weight": pair["weight"]}))
                .collect();
            assert_eq!(found["auth_tables"], Value::Array(expected));
            assert_eq!(found["auth_tables_sha256"], truth["credentials"]["sha256"]);
        }
        if let Some(found) = main.get("resolve_cnc_addr_func") {
            servers += 1;
            let endpoints = truth["endpoints"].as_array().unwrap();
            let is_c2 = |endpoint: &&Value| endpoint["role"] == "c2";
            assert!(endpoints.iter().filter(is_c2).any(|c2| c2["host"] == found["cnc"]));
        }
        if let Some(found) = main.get("attack_init_func") {
            registries += 1;
            let vectors = |list: &Value| -> BTreeSet<u64> {
                let list = list.as_array().unwrap().iter();
                list.map(|attack| attack["vector"].as_u64().unwrap()).collect()
            };
            assert_eq!(vectors(&found["attacks"]), vectors(&truth["attacks"]));
        }
    }
    assert_eq!((files, documents.len()), (14, 14));
    assert!(tables >= 12, "{tables}");
    assert!(lists >= 13, "{lists}");
    assert!(servers >= 10, "{servers}");
    assert!(registries >= 12, "{registries}");
}

#[test]
fn files_with_the_same_content_share_a_folder_that_is_written_once() {
    let root = folder(&[("a/one", &exits()), ("b/two", &exits())]);
    let out = at(&root, "made/on the way");
    let run = |paths: [&str; 2]| {
        miyaburi()
            .args(["extract", "--format", "mirai-toushi", "-o"])
            .arg(&out)
            .args(paths.map(|path| at(&root, path)))
            .assert()
            .code(0)
            .stdout("")
            .stderr("");
        assert_eq!(names(&out), [EXITS_SHA256.to_owned()].into());
        json_of(&out.join(EXITS_SHA256).join("xor_table.json"))
    };
    let document = run(["a", "b"]);
    let one = at(&root, "a/one");
    let expected = json!({
        "script_name": "xor_table.py",
        "ghidra_current_program": {"name": "one", "path": one.to_str().unwrap(),
                                   "sha256": EXITS_SHA256, "language_id": "x86:LE:32:default"},
    });
    assert_eq!(document, expected, "nothing was found, and nothing is claimed");
    let document = run(["b/two", "a/one"]);
    assert_eq!(document["ghidra_current_program"]["name"], "two", "a later run writes anew");
}

#[test]
fn what_was_not_analysed_gets_no_folder_and_is_named() {
    let root = folder(&[("text", b"x"), ("rx", &for_another_cpu()), ("exits", &exits())]);
    let out = at(&root, "out");
    miyaburi()
        .args(["extract", "--format", "mirai-toushi", "-o"])
        .arg(&out)
        .args(["text", "rx", "absent", "exits"].map(|name| at(&root, name)))
        .assert()
        .code(1)
        .stderr(
            contains("text: unsupported")
                .and(contains("rx: unsupported"))
                .and(contains("absent: failed: No such file"))
                .and(contains("\n").count(3)),
        );
    assert_eq!(names(&out), [EXITS_SHA256.to_owned()].into());
}

#[test]
fn it_needs_a_directory_it_can_write_to() {
    let root = folder(&[("exits", &exits()), ("file", b"")]);
    miyaburi()
        .args(["extract", "--format", "mirai-toushi"])
        .arg(at(&root, "exits"))
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("--output <PATH>"));
    for (out, reason) in [("file", "file: File exists"), ("file/below", "below: Not a directory")] {
        miyaburi()
            .args(["extract", "--format", "mirai-toushi", "-o"])
            .args([at(&root, out), at(&root, "exits")])
            .assert()
            .code(1)
            .stdout("")
            .stderr(contains(reason).and(contains("\n").count(1)));
    }
    fs::create_dir(at(&root, "out")).unwrap();
    fs::write(at(&root, "out").join(EXITS_SHA256), "in the way").unwrap();
    miyaburi()
        .args(["extract", "--format", "mirai-toushi", "-o"])
        .args([at(&root, "out"), at(&root, "exits")])
        .assert()
        .code(1)
        .stderr(contains(format!("{EXITS_SHA256}: File exists")));
}
