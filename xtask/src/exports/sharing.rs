//! stix, misp and yara in the programs of those who receive them: OASIS' validator, a TAXII server,
//! PyMISP and misp-stix, two engines of YARA.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde_json::json;

use super::Exporter;
use crate::components;

/// Texts that would end a value, a line or a document if they were not written as what they are.
const HOSTILE: [&str; 8] = [
    "a\nb.example",
    "c\"d'.example",
    "e'] OR [url:value = 'f",
    "g\u{0}\u{1b}[31m.example",
    "{\"type\":\"x\"}",
    "<script>h</script>",
    "b\u{fc}cher\u{202e}.example",
    "\\u0000\\n",
];

/// Lets the programs take an export of the specimens, one of a report full of hostile texts, and one after
/// some hosts were revoked.
pub(super) fn judge(
    root: &Path,
    exporter: &Exporter,
    export: &Path,
    truth: &Path,
    withdrawn: &[PathBuf; 2],
) -> anyhow::Result<()> {
    let hostile = exporter.export_to("hostile", &[], &write_hostile(&exporter.folder)?)?;
    let scripts = root.join("xtask/src/exports");
    let programs =
        [("stix_bundle.py", components::stix(root)?), ("misp_events.py", components::misp(root)?)];
    for (script, python) in programs {
        let script = scripts.join(script);
        let mut program = Command::new(python);
        let status =
            program.arg(&script).args([export, truth, &hostile]).args(withdrawn).status()?;
        ensure!(status.success(), "{}: {status}", script.display());
    }
    let script = scripts.join("yara_rules.py");
    let mut rules = Command::new(components::yara_x(root)?);
    rules.arg(&script).args([export, &exporter.specimens.join("examples")]);
    let negatives = root.join("target/negatives/files");
    rules.args(["/usr/bin".as_ref(), negatives.as_path()].into_iter().filter(|it| it.exists()));
    let status = rules.status()?;
    ensure!(status.success(), "{}: {status}", script.display());
    Ok(())
}

/// A report that holds the texts wherever a report has any; the name of its file.
fn write_hostile(folder: &Path) -> anyhow::Result<String> {
    let name = "hostile.ndjson";
    let endpoints = HOSTILE.map(|text| {
        json!({ "host": text, "port": 23, "protocol": "tcp", "url": format!("http://{text}"),
                "role": "c2", "order": null, "method": "table", "confidence": "high" })
    });
    let logins = HOSTILE.map(|text| json!({ "user": text, "password": text, "weight": 1 }));
    let exploits =
        HOSTILE.map(|text| json!({ "port": 80, "method": text, "path": text, "loader": text }));
    let attacks = HOSTILE
        .map(|text| json!({ "vector": 1, "handler": "0x1", "kind": text, "kind_method": null }));
    let report = json!({
        "schema_version": 1, "verdict": "config",
        "sample": { "path": HOSTILE[0], "sha256": "ab".repeat(32), "arch": HOSTILE[1] },
        "family": { "name": HOSTILE[2], "confidence": "high" },
        "endpoints": endpoints, "attacks": attacks, "scan": { "exploits": exploits },
        "credentials": { "effective_key": null, "cipher": "plain", "entries": logins,
                         "sha256": null },
    });
    let path = folder.join(name);
    fs::write(&path, report.to_string()).with_context(|| format!("{}", path.display()))?;
    Ok(name.to_owned())
}
