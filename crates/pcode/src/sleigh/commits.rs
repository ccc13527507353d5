//! Contexts that an instruction prescribes.
//!
//! The reference keeps contexts in a database by address. A change there either holds for one
//! address or from it on up to the next change, so that it reaches code which merely lies behind.
//! Here a context travels along control flow instead:
//!
//! - Fields that change for single instructions only go back to their initial value at every
//!   successor.
//! - A change at another address holds for the edge to that address, and flows on from there when
//!   the field flows.
//! - A change at the instruction's own address, of a field that flows, holds for all successors.
//!   It does not reach the instruction itself unless that is entered again.

use super::fault::Fault;
use super::handles::symbol_handle;
use super::model::{SpaceIndex, Specification, Symbol};
use super::parse::{Handle, Parse, PendingCommit};
use crate::lifter::{Context, Instruction};
use miyaburi_image::Address;

/// The context that reaches the successors of an instruction decoded in `context`, unless the
/// instruction prescribes another.
pub(super) fn successor_context(
    specification: &Specification,
    context: Context,
    initial: Context,
) -> Context {
    let mut successor = context;
    for ((word, initial), momentary) in
        successor.0.iter_mut().zip(initial.0).zip(specification.momentary_context)
    {
        *word = *word & !momentary | initial & momentary;
    }
    successor
}

/// Adds the changes of a decoded instruction, decoded in `context`, to `instruction`.
pub(super) fn apply_commits(
    specification: &Specification,
    parse: &Parse,
    context: Context,
    instruction: &mut Instruction,
) -> Result<(), Fault> {
    if parse.commits.is_empty() {
        return Ok(());
    }
    let own = Address(parse.address());
    // Successors first: what is prescribed for other addresses starts from their context.
    for commit in parse.commits.iter().filter(|commit| commit.flows) {
        if target(specification, parse, commit)? == own {
            set(&mut instruction.successor_context, commit);
        }
    }
    for commit in &parse.commits {
        let address = target(specification, parse, commit)?;
        let prescribed = instruction.prescribed.iter().any(|(at, _)| *at == address);
        let mut prescription =
            if address == own && !prescribed { context } else { instruction.context_at(address) };
        set(&mut prescription, commit);
        // Many changes set what is already set.
        if prescription != instruction.context_at(address) {
            instruction.prescribed.push((address, prescription));
        }
    }
    Ok(())
}

fn set(context: &mut Context, commit: &PendingCommit) {
    if let Some(word) = context.0.get_mut(usize::from(commit.word)) {
        *word = *word & !commit.mask | commit.value;
    }
}

fn target(
    specification: &Specification,
    parse: &Parse,
    commit: &PendingCommit,
) -> Result<Address, Fault> {
    let handle: Handle = match specification.symbols.get(commit.target) {
        Some(Symbol::Operand(operand)) => *parse.operand(commit.node, *operand)?,
        _ => symbol_handle(specification, parse, commit.target, 0)?,
    };
    let code = specification.space(specification.code_space).ok_or(Fault::Unimplemented)?;
    let offset = if handle.space == SpaceIndex::CONSTANT {
        handle.offset.wrapping_mul(u64::from(code.word_size))
    } else {
        handle.offset
    };
    Ok(Address(code.wrap(offset)))
}
