//! The report itself, its verdict and what the verdict counts as.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Attack, Confidence, Credentials, DataItem, Diagnostic, Endpoint, Evidence, ExternalSource,
    Function, Level, LooseString, Sample, Scan, StringTable,
};

/// Version of the schema; it grows when a name or meaning changes, not when a field is added.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything one file gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// The file.
    pub sample: Sample,
    /// What came of it.
    pub verdict: Verdict,
    /// The family it belongs to, null when nothing of one was found.
    pub family: Option<Family>,
    /// Hosts the program talks to, or pretends to.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// Where the C2 comes from when it is not in the file.
    #[serde(default)]
    pub external: Vec<ExternalSource>,
    /// The encoded string table, null when none was found.
    pub string_table: Option<StringTable>,
    /// Encoded strings outside the table.
    #[serde(default)]
    pub strings: Vec<LooseString>,
    /// Credentials of the scanner, null when none were found.
    pub credentials: Option<Credentials>,
    /// Attack vectors.
    #[serde(default)]
    pub attacks: Vec<Attack>,
    /// What the scanner probes and exploits, null when no scanner was found.
    pub scan: Option<Scan>,
    /// Functions whose role is known.
    #[serde(default)]
    pub functions: Vec<Function>,
    /// Data whose role is known.
    #[serde(default)]
    pub data: Vec<DataItem>,
    /// What could not be done, and why.
    #[serde(default)]
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// A report with nothing in it but the file and the verdict.
    #[must_use]
    pub fn new(sample: Sample, verdict: Verdict) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            sample,
            verdict,
            family: None,
            endpoints: Vec::new(),
            external: Vec::new(),
            string_table: None,
            strings: Vec::new(),
            credentials: None,
            attacks: Vec::new(),
            scan: None,
            functions: Vec::new(),
            data: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// The report of a file that could not be analysed, with the reason as its diagnostic.
    #[must_use]
    pub fn failed(sample: Sample, stage: &str, reason: impl Into<String>) -> Self {
        let mut report = Self::new(sample, Verdict::Failed);
        report.diagnostics.push(Diagnostic::new(stage, Level::Error, reason));
        report
    }

    /// Notes that not all of the file was there to be analysed, and why: what was found is
    /// [`Verdict::Partial`], and what could not even be told is [`Verdict::Failed`].
    pub fn note_cut(&mut self, stage: &str, reason: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(stage, Level::Error, reason));
        self.verdict = match self.verdict {
            Verdict::Unsupported | Verdict::Failed => Verdict::Failed,
            _ => Verdict::Partial,
        };
    }
}

/// What came of an analysis.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A C2 was found and no stage failed.
    Config,
    /// No C2 is in the file, and `external` proves where it comes from.
    ExternalC2,
    /// Something of the family was found, but a stage failed, hit its budget, or the C2 is
    /// missing without proof.
    Partial,
    /// Read and analysed whole; nothing of the family.
    NoConfig,
    /// Not an ELF, or for a CPU outside the list.
    Unsupported,
    /// Could not be read, damaged beyond use, or a crash that was contained.
    Failed,
}

impl Verdict {
    /// Whether the verdict counts as a failure. An unsupported file does when the user
    /// `named` it, and does not when it was met inside a directory or archive.
    #[must_use]
    pub const fn is_failure(self, named: bool) -> bool {
        match self {
            Self::Failed => true,
            Self::Unsupported => named,
            Self::Config | Self::ExternalC2 | Self::Partial | Self::NoConfig => false,
        }
    }

    /// The spelling in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::ExternalC2 => "external_c2",
            Self::Partial => "partial",
            Self::NoConfig => "no_config",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
        }
    }
}

/// The family a file belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Family {
    /// Name, such as `mirai`.
    pub name: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// What it follows from.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}
