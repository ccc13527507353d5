//! The JSON document around a stage.

use std::io::{self, Write};

use miyaburi_analysis::Cut;
use miyaburi_image::Arch;
use serde::Serialize;
use serde_json::Serializer;

use super::lines::Lines;

/// Version of the documents. It grows when a member changes its name or meaning; members may be
/// added without.
const SCHEMA_VERSION: u32 = 1;

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

#[derive(Serialize)]
struct Document<'a, S> {
    schema_version: u32,
    stage: &'static str,
    /// The file, as named by the user.
    path: &'a str,
    /// The CPU type in the report's spelling.
    cpu: &'static str,
    /// What ended the analysis before it was done.
    cut: Option<String>,
    #[serde(flatten)]
    content: &'a S,
}

/// Writes a stage for scripts.
pub(crate) fn write_json<S: Stage>(
    stage: &S,
    path: &str,
    arch: Arch,
    cut: Option<Cut>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        stage: stage.name(),
        path,
        cpu: arch.cpu,
        cut: cut.map(|cut| cut.to_string()),
        content: stage,
    };
    document.serialize(&mut Serializer::with_formatter(&mut *out, Lines::new(stage.depth())))?;
    out.write_all(b"\n")
}
