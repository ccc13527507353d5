//! What holds for the documents of every stage of `miyaburi dump`.

use std::path::{Path, PathBuf};

use crate::common::miyaburi;
use predicates::str::contains;
use serde_json::{Value, json};

const STAGES: [&str; 6] = ["image", "functions", "disasm", "pcode", "callgraph", "constants"];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples").join(name)
}

fn document(path: &Path, stage: &str) -> Value {
    let arguments = ["--stage", stage, "--format", "json"];
    let run = miyaburi().arg("dump").arg(path).args(arguments).assert().code(0);
    serde_json::from_slice(&run.get_output().stdout).unwrap()
}

fn validator() -> jsonschema::Validator {
    let schema = miyaburi().args(["schema", "dump"]).assert().code(0);
    let schema: Value = serde_json::from_slice(&schema.get_output().stdout).unwrap();
    assert_eq!(schema["$id"], "urn:miyaburi:dump:1");
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn every_stage_fits_the_published_schema() {
    let validator = validator();
    for name in
        ["armv7-thumb-gcc-tiny.renumbered-O2.modules", "x86-gcc-tiny.switch_dispatch-O2.modules"]
    {
        for stage in STAGES {
            let document = document(&example(name), stage);
            let error = validator.validate(&document).err().map(|error| error.to_string());
            assert_eq!(error, None, "{name} {stage}");
        }
    }
}

#[test]
fn what_is_missing_or_of_another_kind_does_not_fit() {
    let validator = validator();
    let whole = document(&example("x86-gcc-tiny.switch_dispatch-O2.modules"), "functions");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut document = whole.clone();
        change(&mut document);
        validator.is_valid(&document)
    };
    assert!(changed(&|_| {}));
    assert!(!changed(&|document| document["stage"] = json!("callgraph")));
    assert!(!changed(&|document| document["functions"][0]["address"] = json!(7)));
    assert!(!changed(&|document| {
        document["functions"][0].as_object_mut().unwrap().remove("origin");
    }));
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_of_writing_names_the_file() {
    let path = example("x86-gcc-tiny.switch_dispatch-O2.modules");
    let mut command = miyaburi();
    command.arg("dump").arg(path).args(["--stage", "functions", "--output", "/dev/full"]);
    command.assert().code(1).stderr(contains("/dev/full: No space left"));
}
