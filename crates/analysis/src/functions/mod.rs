//! Functions of stripped files.
//!
//! Where a function starts is learnt, from the surest to the weakest source, from the entry point,
//! from unwind tables, from calls (direct, and indirect where the value analysis knows the target),
//! from jumps out of a function with its frame gone (tail calls), from code addresses that appear as
//! constants in code, from code addresses in data, from symbols, initialisers and resolvers where
//! the code does not contradict them, and at last from the look of code that nothing refers to. Each
//! source states its errors where it is implemented.

mod by_look;
mod claims;
mod departures;
pub(crate) mod discovery;
pub(crate) mod draft;
mod exits;
mod finish;
mod global_pointer;
mod kept_registers;
pub(crate) mod learnt;
mod leftover;
mod plausibility;
pub(crate) mod pointers;
pub(crate) mod reading;
mod resolve;
mod returns;
mod run;
mod unwind_tables;

use crate::blocks::{Block, Body};
use crate::code::{ContextId, InstructionId};
use miyaburi_image::Address;
use std::sync::Arc;

/// A function, by number: functions are numbered in address order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub(crate) u32);

/// How a function's start became known; where several hold, the first of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The file's entry point or initialisers.
    Entry,
    /// A symbol that the code does not contradict.
    Symbol,
    /// A table by which exceptions unwind the stack.
    Unwinding,
    /// Code that works out the global pointer from its own address.
    GlobalPointer,
    /// The target of a call.
    Call,
    /// The target of a jump that leaves another function.
    TailCall,
    /// A constant in code, such as a handler passed to a function.
    Constant,
    /// A pointer in data.
    Pointer,
    /// Unreferenced code that looks like a function.
    Leftover,
}

/// A function and its blocks.
#[derive(Clone, Debug)]
pub struct Function {
    /// Address of its first instruction, mode bit cleared.
    pub entry: Address,
    /// How it was found.
    pub origin: Origin,
    /// Whether control can come back from it.
    pub returns: bool,
    /// Its name, when the file has kept it or it is an import's stub.
    pub name: Option<String>,
    pub(crate) context: ContextId,
    pub(crate) body: Arc<Body>,
}

impl Function {
    /// Its basic blocks, in address order.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.body.blocks
    }

    /// The number of the block that is entered first.
    #[must_use]
    pub fn entry_block(&self) -> u32 {
        self.body.entry_block
    }

    /// The instructions of one of its blocks, in address order.
    #[must_use]
    pub fn instructions_of(&self, block: &Block) -> &[(Address, InstructionId)] {
        let range = block.instructions.start as usize..block.instructions.end as usize;
        self.body.instructions.get(range).unwrap_or(&[])
    }

    /// How many instructions it has.
    #[must_use]
    pub fn instruction_count(&self) -> usize {
        self.body.instructions.len()
    }

    /// Bytes of all its blocks. Blocks need not be contiguous.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.body.blocks.iter().map(|block| block.end.0.saturating_sub(block.start.0)).sum()
    }

    /// The address after its last block.
    #[must_use]
    pub fn end(&self) -> Address {
        self.body.blocks.last().map_or(self.entry, |block| block.end)
    }

    /// Whether one of its blocks covers `address`.
    #[must_use]
    pub fn contains(&self, address: Address) -> bool {
        let after = self.body.blocks.partition_point(|block| block.start <= address);
        let block = after.checked_sub(1).and_then(|index| self.body.blocks.get(index));
        block.is_some_and(|block| address < block.end)
    }
}
