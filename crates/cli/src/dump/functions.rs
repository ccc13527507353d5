//! `--stage functions`.

use std::io::{self, Write};

use miyaburi_analysis::{Function, FunctionId, Origin};
use miyaburi_model::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Stage;
use super::scope::Scope;
use super::stream::Stream;
use crate::text::escape;

/// The functions of a file.
#[derive(Serialize, JsonSchema)]
pub(crate) struct FunctionsDump<'a> {
    /// In address order.
    functions: Stream<'a, FunctionItem<'a>>,
    #[serde(skip)]
    address_width: usize,
}

/// One function.
#[derive(Serialize, JsonSchema)]
struct FunctionItem<'a> {
    /// Its first instruction.
    address: VirtualAddress,
    /// Its name, when the file has kept it or it is an import's stub.
    name: Option<&'a str>,
    /// `arm`, `thumb`, `mips` or `mips16`; `null` on CPUs with one instruction set.
    mode: Option<&'static str>,
    /// Bytes of all its blocks.
    size: u64,
    instruction_count: usize,
    block_count: usize,
    /// Calls of it.
    caller_count: usize,
    /// Calls in it.
    call_count: usize,
    /// How its start became known.
    origin: &'static str,
    /// Whether control can come back from it.
    returns: bool,
}

impl<'a> FunctionsDump<'a> {
    pub(crate) fn new(scope: &'a Scope<'a>) -> Self {
        let item = |(id, function)| FunctionItem::new(scope, id, function);
        Self {
            functions: Stream::new(move || scope.functions().map(item)),
            address_width: scope.address_width(),
        }
    }
}

impl<'a> FunctionItem<'a> {
    fn new(scope: &Scope<'a>, id: FunctionId, function: &'a Function) -> Self {
        Self {
            address: function.entry.0.into(),
            name: function.name.as_deref(),
            mode: scope.mode(id),
            size: function.size(),
            instruction_count: function.instruction_count(),
            block_count: function.blocks().len(),
            caller_count: scope.program.callers(id).count(),
            call_count: scope.program.calls_of(id).count(),
            origin: origin_name(function.origin),
            returns: function.returns,
        }
    }
}

const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Entry => "entry",
        Origin::Symbol => "symbol",
        Origin::Unwinding => "unwinding",
        Origin::GlobalPointer => "global_pointer",
        Origin::Call => "call",
        Origin::TailCall => "tail_call",
        Origin::Constant => "constant",
        Origin::Pointer => "pointer",
        Origin::Leftover => "leftover",
    }
}

impl Stage for FunctionsDump<'_> {
    fn name(&self) -> &'static str {
        "functions"
    }

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.address_width.max("address".len());
        writeln!(
            out,
            "{:width$}  {:>6}  {:>6}  {:>6}  {:>7}  {:>5}  {:14}  {:7}  {:6}  name",
            "address",
            "bytes",
            "instrs",
            "blocks",
            "callers",
            "calls",
            "found by",
            "returns",
            "mode"
        )?;
        for item in self.functions.iter() {
            let line = format!(
                "{:width$}  {:>6}  {:>6}  {:>6}  {:>7}  {:>5}  {:14}  {:7}  {:6}  {}",
                item.address.to_string(),
                item.size,
                item.instruction_count,
                item.block_count,
                item.caller_count,
                item.call_count,
                item.origin,
                if item.returns { "yes" } else { "no" },
                item.mode.unwrap_or("-"),
                escape(item.name.unwrap_or("-")),
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
