//! P-code templates.

use super::{Loader, Result};
use crate::op::Opcode;
use crate::sleigh::format::{attribute, element};
use crate::sleigh::model::{
    Action, Export, GeneralExport, GeneralVarnode, Id, OpTemplate, PointerExport, SpaceIndex,
    Template, Value, VarnodeTemplate,
};
use crate::varnode::{Space, Varnode};

/// Numbers of the directives among the operations (`semantics.hh`): they take the numbers of
/// operations that only a decompiler uses.
mod directive {
    pub(super) const BUILD: u8 = 60;
    pub(super) const DELAY_SLOT: u8 = 61;
    pub(super) const LABEL: u8 = 65;
    pub(super) const CROSSBUILD: u8 = 66;
}

/// A value as written: a label's number is told apart only where a varnode is made of it.
enum Written {
    Value(Value),
    Label(u32),
}

/// The bits of a constant of `size` bytes.
pub(in crate::sleigh) const fn size_mask(size: u32) -> u64 {
    match size {
        0 => 0,
        1..=7 => (1 << (8 * size)) - 1,
        _ => u64::MAX,
    }
}

impl Loader<'_> {
    /// Reads what follows the start of a template.
    pub(super) fn read_template(&mut self) -> Result<Id<Template>> {
        let delay_bytes = self.reader.small_or_zero::<u8>(attribute::DELAY)?.into();
        let labels = self.reader.small_or_zero::<u16>(attribute::LABELS)?.into();
        let export = self.read_export()?;
        let first = self.specification.op_templates.end();
        while self.reader.peek().is_some() {
            self.read_op()?;
        }
        self.reader.close()?;
        let ops = self.specification.op_templates.since(first);
        Ok(self.specification.templates.push(Template { ops, export, delay_bytes, labels }))
    }

    fn read_op(&mut self) -> Result<()> {
        self.reader.expect(element::OP_TPL)?;
        let code: u8 = self.reader.small(attribute::CODE)?;
        let output = if self.reader.peek() == Some(element::NULL) {
            self.reader.open()?;
            self.reader.close()?;
            None
        } else {
            let output = self.read_varnode()?;
            Some(self.specification.varnode_templates.push(output))
        };
        let first = self.specification.varnode_templates.end();
        while self.reader.peek().is_some() {
            let input = self.read_varnode()?;
            self.specification.varnode_templates.push(input);
        }
        self.reader.close()?;
        let inputs = self.specification.varnode_templates.since(first);
        let argument = inputs.id(0).and_then(|id| self.specification.varnode_templates.get(id));
        let argument = match argument {
            Some(VarnodeTemplate::Fixed(Varnode { space: Space::Constant, offset, .. })) => {
                Some(*offset)
            }
            _ => None,
        };
        let action = self.action(code, argument)?;
        self.specification.op_templates.push(OpTemplate { action, output, inputs });
        Ok(())
    }

    fn action(&self, code: u8, argument: Option<u64>) -> Result<Action> {
        let argument = argument.ok_or_else(|| self.reader.malformed("argument of a directive"));
        Ok(match code {
            directive::BUILD => Action::Build(
                u8::try_from(argument?)
                    .map_err(|_| self.reader.malformed("number of an operand"))?,
            ),
            directive::DELAY_SLOT => Action::DelaySlot,
            directive::LABEL => Action::Label(
                u16::try_from(argument?)
                    .map_err(|_| self.reader.malformed("number of a label"))?
                    .into(),
            ),
            directive::CROSSBUILD => return Err(self.reader.unsupported("crossbuild")),
            _ => Action::Emit(
                Opcode::from_number(code)
                    .ok_or_else(|| self.reader.malformed("unknown operation"))?,
            ),
        })
    }

    fn read_varnode(&mut self) -> Result<VarnodeTemplate> {
        self.reader.expect(element::VARNODE_TPL)?;
        let space = self.read_value()?;
        let offset = self.read_written()?;
        let size = self.read_value()?;
        self.reader.close()?;
        let offset = match (offset, size) {
            (Written::Value(offset), _) => offset,
            (Written::Label(label), Value::Real(size)) => {
                return Ok(VarnodeTemplate::Label { label, size: size as u32 });
            }
            (Written::Label(_), _) => return Err(self.reader.malformed("size of a label")),
        };
        if let Some(known) = self.known_varnode(space, offset, size) {
            return Ok(known);
        }
        let general = GeneralVarnode { space, offset, size };
        Ok(VarnodeTemplate::General(self.specification.general_varnodes.push(general)))
    }

    /// The more special form of a varnode template, if there is one.
    fn known_varnode(&self, space: Value, offset: Value, size: Value) -> Option<VarnodeTemplate> {
        match (space, offset, size) {
            (Value::OperandSpace(a), Value::OperandOffset(b), Value::OperandSize(c))
                if a == b && b == c =>
            {
                Some(VarnodeTemplate::Operand(a))
            }
            (Value::Space(SpaceIndex::CONSTANT), Value::Space(named), _) => {
                Some(VarnodeTemplate::Space(named))
            }
            (Value::Space(space), Value::Real(offset), Value::Real(size)) => {
                let size = u32::try_from(size).ok()?;
                if space == self.specification.unique_space {
                    return Some(VarnodeTemplate::Temporary { offset, size });
                }
                let info = self.specification.space(space)?;
                let offset = match info.space {
                    Space::Constant => offset & size_mask(size),
                    _ => info.wrap(offset),
                };
                Some(VarnodeTemplate::Fixed(Varnode { space: info.space, offset, size }))
            }
            _ => None,
        }
    }

    fn read_value(&mut self) -> Result<Value> {
        match self.read_written()? {
            Written::Value(value) => Ok(value),
            Written::Label(_) => Err(self.reader.malformed("misplaced label")),
        }
    }

    fn read_written(&mut self) -> Result<Written> {
        let value = match self.reader.open()? {
            element::CONST_REAL => Value::Real(self.reader.unsigned(attribute::VAL)?),
            element::CONST_HANDLE => self.operand_value()?,
            element::CONST_START => Value::Start,
            element::CONST_NEXT => Value::Next,
            element::CONST_NEXT2 => return Err(self.reader.unsupported("inst_next2")),
            element::CONST_CURSPACE => Value::CodeSpace,
            element::CONST_CURSPACE_SIZE => Value::CodeAddressSize,
            element::CONST_SPACEID => Value::Space(self.space_attribute()?),
            element::CONST_RELATIVE => {
                let label: u16 = self.reader.small(attribute::VAL)?;
                self.reader.close()?;
                return Ok(Written::Label(label.into()));
            }
            // The reference's `flowref` and `flowdest` are for P-code injected into calls.
            _ => return Err(self.reader.unsupported("this kind of template value")),
        };
        self.reader.close()?;
        Ok(Written::Value(value))
    }

    fn operand_value(&self) -> Result<Value> {
        let operand: u8 = self.reader.small(attribute::VAL)?;
        Ok(match self.reader.unsigned(attribute::S)? {
            0 => Value::OperandSpace(operand),
            1 => Value::OperandOffset(operand),
            2 => Value::OperandSize(operand),
            3 => Value::OperandOffsetPlus { operand, plus: self.reader.unsigned(attribute::PLUS)? },
            _ => return Err(self.reader.malformed("unknown part of an operand")),
        })
    }

    fn read_export(&mut self) -> Result<Export> {
        if self.reader.peek() == Some(element::NULL) {
            self.reader.open()?;
            self.reader.close()?;
            return Ok(Export::Nothing);
        }
        self.reader.expect(element::HANDLE_TPL)?;
        let space = self.read_value()?;
        let size = self.read_value()?;
        let pointer_space = self.read_value()?;
        let offset = self.read_value()?;
        let pointer = PointerExport {
            space: pointer_space,
            size: self.read_value()?,
            temporary_space: self.read_value()?,
            temporary_offset: self.read_value()?,
        };
        self.reader.close()?;
        let pointer = (!matches!(pointer_space, Value::Real(_))).then_some(pointer);
        match (space, offset, size, pointer) {
            (Value::OperandSpace(a), Value::OperandOffset(b), Value::OperandSize(c), None)
                if a == b && b == c =>
            {
                Ok(Export::Operand(a))
            }
            _ => {
                let general = GeneralExport { space, size, pointer, offset };
                Ok(Export::General(self.specification.general_exports.push(general)))
            }
        }
    }
}
