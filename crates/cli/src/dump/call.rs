//! One call, as all stages show it.

use std::fmt;

use miyaburi_analysis::{CallKind, CallSite};
use miyaburi_model::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use super::scope::Scope;
use crate::text::escape;

/// One call.
#[derive(Serialize, JsonSchema)]
pub(super) struct Call<'a> {
    /// The calling instruction.
    pub(super) address: VirtualAddress,
    /// `direct`, `indirect` (through a register or memory) or `tail` (a jump to another function).
    pub(super) kind: &'static str,
    /// What is called; `null` when that is not known.
    pub(super) target: Option<VirtualAddress>,
    /// The name of what is called.
    pub(super) target_name: Option<&'a str>,
    /// Whether the target is a function in the file.
    pub(super) is_internal: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(scope: &Scope<'a>, site: &CallSite) -> Self {
        Self {
            address: site.address.0.into(),
            kind: match site.kind {
                CallKind::Direct => "direct",
                CallKind::Indirect => "indirect",
                CallKind::Tail => "tail",
            },
            target: site.target.map(|target| target.0.into()),
            target_name: site.target.and_then(|target| scope.name_at(target)),
            is_internal: site.callee.is_some(),
        }
    }
}

/// What is called, such as `0x10074 main` or `?`.
impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.target_name) {
            (None, _) => f.write_str("?"),
            (Some(target), Some(name)) => write!(f, "{target} {}", escape(name)),
            (Some(target), None) if self.is_internal => write!(f, "{target}"),
            (Some(target), None) => write!(f, "{target} (no function)"),
        }
    }
}
