//! The lifter: one instruction at a time, in reused storage.

use super::build::{Labels, build};
use super::commits::{apply_commits, successor_context};
use super::decode::decode;
use super::disassemble::disassemble;
use super::handles::resolve_handles;
use super::language::SleighLanguage;
use super::model::Specification;
use super::parse::{Parse, WINDOW};
use super::repeats::Repeats;
use super::shapes::Shapes;
use crate::lifter::{CodeBytes, Context, Instruction, LiftError, Lifter};
use miyaburi_image::Address;

/// Instructions in the delay slots of one instruction; all supported CPUs have at most one.
const MAX_DELAY_SLOTS: usize = 2;

/// Lifts instructions of one language.
pub(super) struct SleighLifter<'a> {
    language: &'a SleighLanguage,
    specification: &'a Specification,
    /// The instruction and those in its delay slots.
    parses: Vec<Parse>,
    labels: Labels,
    repeats: Repeats,
    shapes: Shapes,
}

impl<'a> SleighLifter<'a> {
    pub(super) fn new(language: &'a SleighLanguage) -> Self {
        Self {
            language,
            specification: language.specification(),
            parses: vec![Parse::default()],
            labels: Labels::default(),
            repeats: Repeats::default(),
            shapes: Shapes::default(),
        }
    }

    /// Decodes the instruction at `address` into parse number `slot`.
    fn decode(
        &mut self,
        slot: usize,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
    ) -> Result<&mut Parse, LiftError> {
        if !address.0.is_multiple_of(self.specification.alignment) {
            return Err(LiftError::Misaligned(address));
        }
        let bytes = code.code_at(address);
        if bytes.is_empty() {
            return Err(LiftError::Unmapped(address));
        }
        if self.parses.len() <= slot {
            self.parses.resize_with(slot + 1, Parse::default);
        }
        let Some(parse) = self.parses.get_mut(slot) else {
            return Err(LiftError::Undecodable(address));
        };
        let unit = self.language.code_unit(context);
        parse.reset(bytes, unit, address.0, context.0);
        decode(self.specification, &mut self.shapes, parse).map_err(|fault| fault.at(address))?;
        let length = parse.length() as usize;
        if length == 0 {
            return Err(LiftError::Undecodable(address));
        }
        if length > WINDOW {
            return Err(LiftError::Limit { address, limit: "bytes of an instruction" });
        }
        if length > bytes.len() / unit * unit {
            return Err(LiftError::Truncated(address));
        }
        Ok(parse)
    }

    /// Decodes the instruction in a parse slot for P-code and notes the contexts it prescribes.
    fn prepare(
        &mut self,
        slot: usize,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
        into: &mut Instruction,
    ) -> Result<&Parse, LiftError> {
        let specification = self.specification;
        let parse = self.decode(slot, code, address, context)?;
        resolve_handles(specification, parse)
            .and_then(|()| apply_commits(specification, parse, context, into))
            .map_err(|fault| fault.at(address))?;
        Ok(parse)
    }

    fn lift_into(
        &mut self,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
        into: &mut Instruction,
    ) -> Result<(), LiftError> {
        into.successor_context =
            successor_context(self.specification, context, self.language.start_context());
        let main = self.prepare(0, code, address, context, into)?;
        let delay_bytes = main.delay_bytes;
        into.own_length = main.length();
        into.length = into.own_length;
        let slots = self.delay_slots(code, address, delay_bytes, into)?;
        let after = self.after(address, into.length);
        if let Some(main) = self.parses.first_mut() {
            main.set_next(after.0);
        }
        let parses = self.parses.get(..=slots).unwrap_or(&[]);
        build(self.specification, parses, &mut self.labels, &mut into.ops)
            .map_err(|fault| fault.at(address))
    }

    /// Keeps an instruction that would be the same at any address.
    fn remember(&mut self, bytes: &[u8], context: Context, instruction: &mut Instruction) {
        let is_alone =
            instruction.length == instruction.own_length && instruction.prescribed.is_empty();
        let needed = self.parses.first().and_then(Parse::bytes_needed);
        if let (Some(needed), true, 0) = (needed, is_alone, self.specification.unique_mask) {
            let unit = self.language.code_unit(context);
            let needed = (needed as usize).next_multiple_of(unit);
            self.repeats.add(bytes, needed, context, instruction);
        }
    }

    /// Decodes what is in the delay slots, adds to the length, and returns how many there are.
    fn delay_slots(
        &mut self,
        code: &dyn CodeBytes,
        address: Address,
        delay_bytes: u32,
        into: &mut Instruction,
    ) -> Result<usize, LiftError> {
        let mut slots = 0;
        while into.length - into.own_length < delay_bytes {
            slots += 1;
            if slots > MAX_DELAY_SLOTS {
                return Err(LiftError::Limit { address, limit: "delay slots" });
            }
            let at = self.after(address, into.length);
            let context = into.context_at(at);
            let slot = self.prepare(slots, code, at, context, into)?;
            if slot.delay_bytes > 0 {
                return Err(LiftError::Limit {
                    address,
                    limit: "a delay slot within a delay slot",
                });
            }
            let length = slot.length();
            into.length += length;
        }
        Ok(slots)
    }

    /// The address `length` bytes after `address`.
    fn after(&self, address: Address, length: u32) -> Address {
        let next = address.0.wrapping_add(u64::from(length));
        let space = self.specification.space(self.specification.code_space);
        Address(space.map_or(next, |space| space.wrap(next)))
    }
}

impl Lifter for SleighLifter<'_> {
    fn lift(
        &mut self,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
        into: &mut Instruction,
    ) -> Result<(), LiftError> {
        clear(into);
        let bytes = code.code_at(address);
        if address.0.is_multiple_of(self.specification.alignment)
            && self.repeats.find(bytes, context, into)
        {
            return Ok(());
        }
        let outcome = self.lift_into(code, address, context, into);
        match outcome {
            Ok(()) => self.remember(bytes, context, into),
            Err(_) => clear(into),
        }
        outcome
    }

    fn disassemble(
        &mut self,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
    ) -> Result<String, LiftError> {
        let specification = self.specification;
        let parse = self.decode(0, code, address, context)?;
        disassemble(specification, parse).map_err(|fault| fault.at(address))
    }
}

fn clear(into: &mut Instruction) {
    into.ops.clear();
    into.prescribed.clear();
    into.length = 0;
    into.own_length = 0;
    into.successor_context = Context::default();
    into.form = None;
}
