//! `--stage disasm` and `--stage pcode`.

use std::io::{self, Write};

use miyaburi_analysis::{Block, Exit, Function, FunctionId};
use miyaburi_image::Family;
use miyaburi_model::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Stage;
use super::instruction::{Decoded, Decoder, Instruction};
use super::scope::Scope;
use super::stream::Stream;
use crate::text::escape;

/// The code of a file, by function and block. Code that several functions share is shown in each.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CodeDump<'a> {
    /// In address order.
    functions: Stream<'a, FunctionCode<'a>>,
    #[serde(skip)]
    with_operations: bool,
    #[serde(skip)]
    columns: Columns,
}

/// The code of one function.
#[derive(Serialize, JsonSchema)]
struct FunctionCode<'a> {
    /// Its first instruction.
    address: VirtualAddress,
    name: Option<&'a str>,
    /// `arm`, `thumb`, `mips` or `mips16`; `null` on CPUs with one instruction set.
    mode: Option<&'static str>,
    /// In address order.
    blocks: Stream<'a, BlockCode<'a>>,
}

/// One basic block.
#[derive(Serialize, JsonSchema)]
struct BlockCode<'a> {
    address: VirtualAddress,
    /// The address after its last instruction and its delay slot.
    end: VirtualAddress,
    /// How control leaves it: `inside` the function alone, or also by `return`, `tail_call`, to
    /// an `unknown` address, or not at all (`stop`).
    exit: &'static str,
    /// Blocks of the function that control can go to.
    successors: Vec<VirtualAddress>,
    /// In address order.
    instructions: Stream<'a, Instruction<'a>>,
}

/// Widths in text.
#[derive(Clone, Copy)]
struct Columns {
    address: usize,
    bytes: usize,
}

impl<'a> CodeDump<'a> {
    /// The assembly, and the P-code when asked for.
    pub(crate) fn new(scope: &'a Scope<'a>, with_operations: bool) -> Self {
        let code = move |(id, function)| FunctionCode::new(scope, id, function, with_operations);
        let bytes = match scope.image().arch().family {
            Family::X86 | Family::X86_64 | Family::M68k | Family::ColdFire => 16,
            _ => 8,
        };
        Self {
            functions: Stream::new(move || scope.functions().map(code)),
            with_operations,
            columns: Columns { address: scope.address_width(), bytes },
        }
    }
}

impl<'a> FunctionCode<'a> {
    fn new(
        scope: &'a Scope<'a>,
        id: FunctionId,
        function: &'a Function,
        with_operations: bool,
    ) -> Self {
        let block = move |block| BlockCode::new(scope, id, function, block, with_operations);
        Self {
            address: function.entry.0.into(),
            name: function.name.as_deref(),
            mode: scope.mode(id),
            blocks: Stream::new(move || function.blocks().iter().map(block)),
        }
    }
}

impl<'a> BlockCode<'a> {
    fn new(
        scope: &'a Scope<'a>,
        id: FunctionId,
        function: &'a Function,
        block: &'a Block,
        with_operations: bool,
    ) -> Self {
        let successors = block.successors.iter();
        let successors = successors.filter_map(|number| function.blocks().get(*number as usize));
        let instructions = move || {
            let mut decoder = Decoder::new(scope, id, with_operations);
            let instructions = function.instructions_of(block).iter();
            instructions.map(move |(address, id)| decoder.instruction(*address, *id))
        };
        Self {
            address: block.start.0.into(),
            end: block.end.0.into(),
            exit: exit_name(block.exit),
            successors: successors.map(|block| block.start.0.into()).collect(),
            instructions: Stream::new(instructions),
        }
    }
}

const fn exit_name(exit: Exit) -> &'static str {
    match exit {
        Exit::Inside => "inside",
        Exit::Return => "return",
        Exit::TailCall => "tail_call",
        Exit::Unknown => "unknown",
        Exit::Stop => "stop",
    }
}

impl Stage for CodeDump<'_> {
    fn name(&self) -> &'static str {
        if self.with_operations { "pcode" } else { "disasm" }
    }

    /// A line for every instruction, or for every operation.
    fn depth(&self) -> usize {
        if self.with_operations { 8 } else { 6 }
    }

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        for (number, function) in self.functions.iter().enumerate() {
            if number > 0 {
                writeln!(out)?;
            }
            let mode = function.mode.map(|mode| format!(" {mode}")).unwrap_or_default();
            let name = function.name.map(|name| format!(" {}", escape(name))).unwrap_or_default();
            writeln!(out, "function {}{name}{mode}", function.address)?;
            for block in function.blocks.iter() {
                self.write_block(&block, out)?;
            }
        }
        Ok(())
    }
}

impl CodeDump<'_> {
    fn write_block(&self, block: &BlockCode<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut goes = String::new();
        if block.exit != "inside" {
            goes = format!(" {}", block.exit.replace('_', " "));
        }
        if !block.successors.is_empty() {
            let successors: Vec<_> = block.successors.iter().map(ToString::to_string).collect();
            goes = format!("{goes} -> {}", successors.join(" "));
        }
        writeln!(out, "  block {}..{}{goes}", block.address, block.end)?;
        for instruction in block.instructions.iter() {
            self.write_decoded(&instruction.decoded, "", &instruction.comment(), out)?;
            if let Some(slot) = &instruction.delay_slot {
                self.write_decoded(slot, "_", "", out)?;
            }
            let operations = instruction.operations.as_deref().unwrap_or_default();
            for (number, operation) in operations.iter().enumerate() {
                let text = operation.text(number, operations.len());
                writeln!(out, "      {:>width$}  {text}", number, width = self.columns.address)?;
            }
        }
        Ok(())
    }

    /// `mark` stands before assembly in a delay slot.
    fn write_decoded(
        &self,
        decoded: &Decoded,
        mark: &str,
        comment: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Columns { address: address_width, bytes: bytes_width } = self.columns;
        let [address, bytes] = [decoded.address.to_string(), decoded.bytes.to_string()];
        let assembly = format!("{mark}{}", decoded.assembly.as_deref().unwrap_or("??"));
        write!(out, "    {address:address_width$}  {bytes:bytes_width$}  ")?;
        match comment {
            "" => writeln!(out, "{assembly}"),
            _ => writeln!(out, "{assembly:32}  ; {comment}"),
        }
    }
}
