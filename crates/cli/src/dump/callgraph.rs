//! `--stage callgraph`.

use std::io::{self, Write};

use miyaburi_analysis::CallSite;
use miyaburi_model::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use super::call::Call;
use super::document::Stage;
use super::scope::Scope;
use super::stream::Stream;
use crate::text::escape;

/// The calls of a file.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CallGraphDump<'a> {
    /// In address order of the calling instructions.
    calls: Stream<'a, Edge<'a>>,
    #[serde(skip)]
    address_width: usize,
}

/// One call with the function it is in.
#[derive(Serialize, JsonSchema)]
struct Edge<'a> {
    /// Entry of the calling function.
    caller: VirtualAddress,
    caller_name: Option<&'a str>,
    #[serde(flatten)]
    call: Call<'a>,
}

impl<'a> CallGraphDump<'a> {
    pub(crate) fn new(scope: &'a Scope<'a>) -> Self {
        let program = scope.program;
        let edge = move |site: &CallSite| {
            let caller = program.function(site.caller)?;
            let caller_name = caller.name.as_deref();
            Some(Edge { caller: caller.entry.0.into(), caller_name, call: Call::new(scope, site) })
        };
        let touches = |site: &&CallSite| scope.touches(site);
        let calls = move || program.call_sites().iter().filter(touches).filter_map(edge);
        Self { calls: Stream::new(calls), address_width: scope.address_width() }
    }

    /// Writes the graph for Graphviz: an edge for every call, unresolved ones to a node of their
    /// own.
    pub(crate) fn write_dot(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "digraph calls {{")?;
        for Edge { caller, caller_name, call } in self.calls.iter() {
            let [caller, callee] =
                [label(&caller.to_string(), caller_name), label(&call.to_string(), None)];
            let (address, kind) = (call.address, call.kind);
            writeln!(out, "  \"{caller}\" -> \"{callee}\" [label=\"{address}\" class={kind}];")?;
        }
        writeln!(out, "}}")
    }
}

/// A function as the name of a node.
fn label(address: &str, name: Option<&str>) -> String {
    let named = format!("{address} {}", escape(name.unwrap_or_default()));
    named.trim_end().replace('\\', "\\\\").replace('"', "\\\"")
}

impl Stage for CallGraphDump<'_> {
    fn name(&self) -> &'static str {
        "callgraph"
    }

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.address_width;
        for Edge { caller, caller_name, call } in self.calls.iter() {
            let name = caller_name.map(|name| format!(" {}", escape(name))).unwrap_or_default();
            let [address, kind] = [call.address.to_string(), call.kind.to_owned()];
            writeln!(out, "{address:width$}  {kind:8}  {caller}{name} -> {call}")?;
        }
        Ok(())
    }
}
