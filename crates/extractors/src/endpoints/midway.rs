//! Starting a routine in the middle, with what is known there.
//!
//! How it works: where a call of the routine returns to, the registers that calls leave alone and
//! the bytes of its frame are known as far as the value analysis followed them. The rest is zero.
//!
//! False positives: what the routine does with a zero that would not be one; callers ask for
//! values that cannot come from there. False negatives: routines that need more of what was done
//! before.

use crate::subject::Subject;
use miyaburi_analysis::{FunctionId, StackByte, Value};
use miyaburi_emulator::{MemoryError, ReturnAddress, State};
use miyaburi_image::Address;

/// Places tried before a call, and behind it.
const MAX_STARTS: usize = 24;

/// Bytes of the frame that are put in place.
const FRAME: i64 = 0x800;

/// A place in the middle of a routine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The routine.
    function: FunctionId,
    /// The call that has just returned.
    call: Address,
    /// Where it returned to.
    pub address: Address,
}

/// Places of the function at `entry` from which it may come to the call at `site`: those before it,
/// the nearest first, then those behind it, where compilers put what is seldom executed.
#[must_use]
pub fn before(subject: &Subject<'_>, entry: Address, site: Address) -> Vec<Start> {
    let program = subject.program;
    let Some(function) = program.function_at(entry) else { return Vec::new() };
    let mut calls: Vec<Start> = program
        .calls_of(function)
        .filter(|call| call.return_address > call.address)
        .map(|call| Start { function, call: call.address, address: call.return_address })
        .collect();
    calls.sort_by_key(|start| start.address);
    let (before, behind) = calls.split_at(calls.partition_point(|start| start.address <= site));
    let nearest = before.iter().rev().take(MAX_STARTS);
    nearest.chain(behind.iter().take(MAX_STARTS)).copied().collect()
}

impl Start {
    /// Puts what is known there into `state`.
    ///
    /// # Errors
    /// When the stack cannot be written.
    pub fn set_up(&self, subject: &Subject<'_>, state: &mut State<'_>) -> Result<(), MemoryError> {
        let abi = subject.emulator.abi();
        let Some(values) = subject.program.values(self.function) else { return Ok(()) };
        // The return address that a call pushes has been popped.
        let popped = match abi.return_address {
            ReturnAddress::Stack => i64::from(abi.slot_size),
            ReturnAddress::Register(..) => 0,
        };
        let Some(own) = values.stack_pointer(self.call).map(|own| own.wrapping_add(popped)) else {
            return Ok(());
        };
        let stack_pointer = subject.emulator.callee_stack_pointer(state, 0);
        let on_stack = |offset: i64| stack_pointer.wrapping_add_signed(offset.wrapping_sub(own));
        for register in &abi.preserved {
            match values.register(self.call, register) {
                Value::Constant(value) => state.set_register(register, value),
                Value::StackOffset(offset) => state.set_register(register, on_stack(offset)),
                _ => {}
            }
        }
        let length = own.wrapping_neg().clamp(0, FRAME) as usize;
        for (index, byte) in values.stack_bytes(self.call, own, length).into_iter().enumerate() {
            if let StackByte::Known(byte) | StackByte::Stale(byte) = byte {
                state.memory.write(Address(on_stack(own + index as i64)), &[byte])?;
            }
        }
        Ok(())
    }
}
