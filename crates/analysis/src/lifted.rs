//! A lifter that does not lift again what the analysis has lifted.

use crate::code::Code;
use miyaburi_image::Address;
use miyaburi_pcode::{CodeBytes, Context, Instruction, LiftError, Lifter};

/// Answers from what was lifted of an image, and lifts the rest. The bytes that it is given must be
/// those of that image.
pub(crate) struct KnownCode<'a> {
    code: &'a Code,
    rest: Box<dyn Lifter + Send + 'a>,
}

impl<'a> KnownCode<'a> {
    /// With a lifter of the same language for the rest.
    pub(crate) fn new(code: &'a Code, rest: Box<dyn Lifter + Send + 'a>) -> Self {
        Self { code, rest }
    }
}

impl Lifter for KnownCode<'_> {
    fn lift(
        &mut self,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
        into: &mut Instruction,
    ) -> Result<(), LiftError> {
        if self.code.copy_lifted(address, context, into) {
            return Ok(());
        }
        self.rest.lift(code, address, context, into)
    }

    fn disassemble(
        &mut self,
        code: &dyn CodeBytes,
        address: Address,
        context: Context,
    ) -> Result<String, LiftError> {
        self.rest.disassemble(code, address, context)
    }
}
