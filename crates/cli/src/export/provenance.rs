//! What an export was made from and how, beside its files.

use std::collections::BTreeMap;
use std::io::Write;

use miyaburi_export::gate::{Decisions, Selection, WarningList};
use miyaburi_export::indicators::role_name;
use miyaburi_export::{ExportError, Folder, Stage, Stamp, VERSION};
use miyaburi_model::Confidence;
use serde::Serialize;
use serde_json::Value;

use crate::arguments::ExportArguments;

/// File of the provenance.
const FILE: &str = "provenance.json";

/// Where an export comes from.
#[derive(Serialize)]
pub(crate) struct Provenance<'a> {
    tool: String,
    time: String,
    reports: u64,
    reports_sha256: &'a str,
    formats: Vec<&'static str>,
    stage: &'static str,
    since: Option<String>,
    ttl_seconds: u64,
    min_confidence: Confidence,
    roles: Vec<&'static str>,
    warning_lists: Vec<List<'a>>,
    exported: usize,
    not_selected: usize,
    refused: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct List<'a> {
    name: &'a str,
    version: u64,
}

impl<'a> Provenance<'a> {
    pub(crate) fn new(
        arguments: &ExportArguments,
        selection: &Selection,
        lists: &'a [WarningList],
        stamp: &'a Stamp,
        decisions: &Decisions,
    ) -> Self {
        let lists = lists.iter().map(|list| List { name: &list.name, version: list.version });
        Self {
            tool: format!("miyaburi {VERSION}"),
            time: stamp.now.to_string(),
            reports: stamp.reports,
            reports_sha256: &stamp.input_sha256,
            formats: arguments.formats().iter().map(|format| format.name()).collect(),
            stage: Stage::from(arguments.stage).name(),
            since: selection.since.map(|since| since.to_string()),
            ttl_seconds: selection.ttl.as_secs(),
            min_confidence: selection.min_confidence,
            roles: selection.roles.iter().map(|role| role_name(*role)).collect(),
            warning_lists: lists.collect(),
            exported: decisions.blocks.len(),
            not_selected: decisions.not_selected,
            refused: decisions.refused_by_reason(),
        }
    }
}

/// Writes it beside the files of the formats.
pub(crate) fn write(provenance: &Value, folder: &mut dyn Folder) -> Result<(), ExportError> {
    let written = folder.create(FILE).and_then(|mut writer| {
        serde_json::to_writer_pretty(&mut writer, provenance)?;
        writer.write_all(b"\n")?;
        writer.flush()
    });
    written.map_err(|error| ExportError { file: FILE.to_owned(), error })
}
