//! One call, as all stages show it.

use std::fmt;

use miyaburi_analysis::{CallKind, CallSite, Value};
use miyaburi_image::Address;
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
    /// What is called; `null` when that is not known, or known when the file is linked alone.
    pub(super) target: Option<VirtualAddress>,
    /// The name of what is called, also where a slot holds the target that another file gives.
    pub(super) target_name: Option<&'a str>,
    /// Whether the target is a function in the file.
    pub(super) is_internal: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(scope: &Scope<'a>, site: &CallSite) -> Self {
        let value = scope.program.values(site.caller).map(|values| values.target(site.address));
        // Where it is no code of the file, the graph does not have it.
        let constant = || value.and_then(|value| value.constant()).map(Address);
        let target = site.target.or_else(constant);
        let import = || match value {
            Some(Value::Loaded { from, .. }) => scope.image().import_at(from),
            _ => None,
        };
        let name = match target {
            Some(target) => scope.name_at(target),
            None => import().map(|import| import.name.as_str()),
        };
        Self {
            address: site.address.0.into(),
            kind: match site.kind {
                CallKind::Direct => "direct",
                CallKind::Indirect => "indirect",
                CallKind::Tail => "tail",
            },
            target: target.map(|target| target.0.into()),
            target_name: name,
            is_internal: site.callee.is_some(),
        }
    }
}

/// What is called, such as `0x10074 main`, `[puts]` or `?`.
impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.target_name) {
            (None, None) => f.write_str("?"),
            (None, Some(name)) => write!(f, "[{}]", escape(name)),
            (Some(target), Some(name)) => write!(f, "{target} {}", escape(name)),
            (Some(target), None) if self.is_internal => write!(f, "{target}"),
            (Some(target), None) => write!(f, "{target} (no function)"),
        }
    }
}
