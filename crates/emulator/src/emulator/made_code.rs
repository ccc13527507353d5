//! Code that a program makes while it runs: executed as memory holds it, where a run follows that.

use super::Emulator;
use super::steps::MAX_KEPT;
use crate::block::{Block, MAX_INSTRUCTIONS};
use crate::exit::Exit;
use crate::hooks::Hooks;
use crate::machine::State;
use miyaburi_image::Address;
use miyaburi_pcode::Context;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Bytes that one block can be made of: no CPU's instruction has more than 16.
const WINDOW: usize = 16 * MAX_INSTRUCTIONS;

/// A block with the bytes that it was translated from.
type Made = (Rc<Block>, Box<[u8]>);

/// The blocks of memory.
#[derive(Default)]
pub(super) struct MadeCode {
    blocks: FxHashMap<(Address, Context), Made>,
    /// Operations of `blocks`.
    kept: u64,
}

impl<'a> Emulator<'a> {
    /// From now on code is what memory holds when a block of it is entered, not what the file holds;
    /// calls may lead wherever something is mapped. [`Hooks::new_code`] is told of every block that
    /// is translated. A block that changes itself is executed as it was when it was entered.
    pub fn follow_memory(&mut self) {
        self.made_code.get_or_insert_default();
    }

    /// The block where `state` stands: translated from the file, or from memory where that is
    /// followed.
    ///
    /// # Errors
    /// [`Exit::Stopped`] when the hooks do not want new code to be executed.
    pub(super) fn block_of(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
    ) -> Result<Rc<Block>, Exit> {
        let (at, context) = (state.pc, state.context);
        let Some(made) = &self.made_code else { return Ok(self.block(at, context)) };
        if let Some((block, bytes)) = made.blocks.get(&(at, context))
            && state.memory.holds(at, bytes)
        {
            return Ok(Rc::clone(block));
        }
        if !self.code.kernel.bytes_from(at).is_empty() {
            return Ok(self.block(at, context));
        }
        if !hooks.new_code(state, at) {
            return Err(Exit::Stopped { at });
        }
        Ok(self.translate_made(state))
    }

    fn translate_made(&mut self, state: &mut State<'a>) -> Rc<Block> {
        let (at, context) = (state.pc, state.context);
        if self.is_spent() {
            return Rc::new(Block::missing(at, context));
        }
        let mut window = state.memory.bytes_up_to(at, WINDOW);
        let block = Rc::new(self.translator.translate(&(at, window.as_slice()), at, context));
        self.translated += 1 + block.translated_ops;
        let size = block.places.last().and_then(|last| last.next.distance_from(at)).unwrap_or(0);
        window.truncate(usize::try_from(size).unwrap_or(WINDOW));
        if let Some(made) = &mut self.made_code {
            made.kept += 1 + block.ops.len() as u64;
            if made.kept > MAX_KEPT {
                *made = MadeCode::default();
            }
            made.blocks.insert((at, context), (Rc::clone(&block), window.into()));
        }
        block
    }

    /// Whether a call can lead to an address.
    pub(super) fn is_code(&self, state: &State<'a>, address: Address) -> bool {
        let is_made = self.made_code.is_some() && state.memory.is_mapped(address);
        is_made || self.code.is_executable(address)
    }
}
