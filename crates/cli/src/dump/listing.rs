//! One instruction among its neighbours.

use miyaburi_image::Address;

use super::instruction::Decoder;
use super::scope::Scope;

/// Instructions shown before the one that is meant.
const BEFORE: usize = 2;

/// Instructions shown from it on.
const FROM: usize = 2;

/// The instruction at `address`, marked, with neighbours of its basic block; nothing when no
/// function has code there.
pub(crate) fn listing(scope: &Scope<'_>, address: Address) -> Vec<String> {
    let program = scope.program;
    let Some(id) = program.function_containing(address) else { return Vec::new() };
    let Some(function) = program.function(id) else { return Vec::new() };
    let covers = |start: Address, end: Address| (start..end).contains(&address);
    let Some(block) = function.blocks().iter().find(|block| covers(block.start, block.end)) else {
        return Vec::new();
    };
    let instructions = function.instructions_of(block);
    // An address in a delay slot belongs to its jump.
    let after = instructions.partition_point(|(start, _)| *start <= address);
    let Some(meant) = after.checked_sub(1) else { return Vec::new() };
    let mut decoder = Decoder::new(scope, id, false);
    let shown = instructions.iter().enumerate().skip(meant.saturating_sub(BEFORE));
    shown
        .take_while(|(number, _)| *number < meant + FROM)
        .map(|(number, (start, instruction))| {
            let instruction = decoder.instruction(*start, *instruction);
            let mark = if number == meant { '>' } else { ' ' };
            let assembly = instruction.decoded.assembly.as_deref().unwrap_or("??");
            let line = format!("{mark} {}  {assembly}", instruction.decoded.address);
            match instruction.comment() {
                comment if comment.is_empty() => line,
                comment => format!("{line:44}  ; {comment}"),
            }
        })
        .collect()
}
