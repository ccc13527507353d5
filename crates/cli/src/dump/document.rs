//! The JSON document around a stage.

use std::io::{self, Write};

use miyaburi_analysis::Cut;
use miyaburi_image::Arch;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Serializer;

use super::lines::Lines;

/// Version of the documents. It grows when a member changes its name or meaning; members may be
/// added without.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// What one stage makes of a file.
pub(crate) trait Stage: Serialize {
    /// The name on the command line and in the document.
    fn name(&self) -> &'static str;

    /// How many brackets deep the JSON is laid out over lines.
    fn depth(&self) -> usize {
        2
    }

    /// Writes the stage for people.
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()>;
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Document<'a, S> {
    schema_version: u32,
    /// Whose members follow those that all documents have.
    stage: &'static str,
    /// The file, as named by the user.
    path: &'a str,
    /// The CPU type in the report's spelling.
    cpu: &'static str,
    /// What ended the analysis before it was done.
    cut: Option<String>,
    /// What is wrong with the file.
    diagnostics: &'a [String],
    #[serde(flatten)]
    content: &'a S,
}

/// The file that a stage is of, and what is to be known with it.
pub(crate) struct Source<'a> {
    /// The file, as named by the user.
    pub(crate) path: &'a str,
    /// Its CPU type.
    pub(crate) arch: Arch,
    /// What ended the analysis before it was done.
    pub(crate) cut: Option<Cut>,
    /// What is wrong with the file.
    pub(crate) diagnostics: Vec<String>,
}

/// Writes a stage for scripts.
pub(crate) fn write_json<S: Stage>(
    stage: &S,
    source: &Source<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        stage: stage.name(),
        path: source.path,
        cpu: source.arch.cpu,
        cut: source.cut.map(|cut| cut.to_string()),
        diagnostics: &source.diagnostics,
        content: stage,
    };
    document.serialize(&mut Serializer::with_formatter(&mut *out, Lines::new(stage.depth())))?;
    out.write_all(b"\n")
}
