//! Where a value was read, how sure it is, and what went wrong on the way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::VirtualAddress;

/// The instruction or datum a value was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Address of the instruction or datum.
    pub address: VirtualAddress,
    /// Entry of the function that holds it, null for data and where no function is known.
    pub function: Option<VirtualAddress>,
    /// What was seen there, in a few words.
    #[serde(default)]
    pub note: String,
}

impl Evidence {
    /// Evidence at `address` inside `function`.
    pub fn new(
        address: impl Into<VirtualAddress>,
        function: Option<VirtualAddress>,
        note: impl Into<String>,
    ) -> Self {
        Self { address: address.into(), function, note: note.into() }
    }
}

/// How sure a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One weak method.
    Low,
    /// One sound method.
    Medium,
    /// Two independent methods, or observed at the connect itself.
    High,
}

/// Severity of a diagnostic.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing; nothing is missing because of it.
    Info,
    /// A value may be missing or less sure.
    Warning,
    /// A stage failed.
    Error,
}

/// What a stage could not do, or did in an unusual way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostic {
    /// The stage of the analysis, such as `unpack` or `credentials`.
    pub stage: String,
    /// Severity.
    pub level: Level,
    /// What happened, for a human.
    pub message: String,
    /// Where in the program, when it happened somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<VirtualAddress>,
}

impl Diagnostic {
    /// A diagnostic without an address.
    pub fn new(stage: impl Into<String>, level: Level, message: impl Into<String>) -> Self {
        Self { stage: stage.into(), level, message: message.into(), address: None }
    }

    /// The same diagnostic, located at `address`.
    #[must_use]
    pub fn at(mut self, address: impl Into<VirtualAddress>) -> Self {
        self.address = Some(address.into());
        self
    }
}
