//! One reference to data.

use std::fmt;

use miyaburi_analysis::{Reference, ReferenceKind};
use miyaburi_model::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use super::scope::{Place, Scope};

/// One reference.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReferenceItem<'a> {
    /// The instruction that refers.
    pub(super) address: VirtualAddress,
    /// `read`, `write`, or `address` when the instruction only has the address.
    pub(super) kind: &'static str,
    /// What it refers to.
    pub(super) to: VirtualAddress,
    #[serde(flatten)]
    pub(super) place: Place<'a>,
}

impl<'a> ReferenceItem<'a> {
    pub(super) fn new(scope: &Scope<'a>, reference: &Reference) -> Self {
        Self {
            address: reference.from.0.into(),
            kind: match reference.kind {
                ReferenceKind::Read => "read",
                ReferenceKind::Write => "write",
                ReferenceKind::Address => "address",
            },
            to: reference.to.0.into(),
            place: scope.place(reference.to),
        }
    }
}

impl ReferenceItem<'_> {
    /// Such as `reads 0x1c010` or `refers to 0x1b0a4 "/proc/"`.
    pub(super) fn sentence(&self) -> String {
        let verb = if self.kind == "address" { "refers to " } else { "" };
        format!("{verb}{self}")
    }
}

/// Such as `reads 0x1c010` or `0x1b0a4 "/proc/"`.
impl fmt::Display for ReferenceItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            "read" => "reads ",
            "write" => "writes ",
            _ => "",
        };
        write!(f, "{verb}{}{}", self.to, self.place)
    }
}
