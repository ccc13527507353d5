//! What the constructors and symbols of an instruction stand for.

use super::evaluate::Evaluator;
use super::fault::Fault;
use super::load::element_at;
use super::model::{
    Definition, Export, GeneralExport, Id, PointerExport, SpaceIndex, SpaceInfo, Specification,
    Symbol, Value,
};
use super::parse::{Handle, NodeIndex, Parse, Pointer};

/// Computes the handles of every node of a decoded instruction.
pub(super) fn resolve_handles(
    specification: &Specification,
    parse: &mut Parse,
) -> Result<(), Fault> {
    constructor_handles(specification, parse, 0)
}

/// The handles below `node`, then its own. As deep as decoding went, which is bounded.
fn constructor_handles(
    specification: &Specification,
    parse: &mut Parse,
    node: NodeIndex,
) -> Result<(), Fault> {
    let decoded = parse.node(node)?;
    let first = decoded.operands;
    let constructor = decoded
        .constructor
        .and_then(|id| specification.constructors.get(id))
        .ok_or(Fault::Undecodable)?;
    let operands = specification.operands.slice(constructor.operands);
    for (operand, child) in operands.iter().zip(first..) {
        match operand.definition {
            Definition::Table(_) => constructor_handles(specification, parse, child)?,
            Definition::Symbol(symbol) => {
                parse.node_mut(child)?.handle = symbol_handle(specification, parse, symbol, child)?;
            }
            Definition::Expression(expression) => {
                let value = Evaluator { specification, parse }.value(expression, child)?;
                parse.node_mut(child)?.handle = Handle::constant(value.cast_unsigned());
            }
            Definition::Nothing => {}
        }
    }
    let Some(template) = constructor.template.and_then(|id| specification.templates.get(id)) else {
        return Ok(());
    };
    let handle = match template.export {
        Export::Nothing => return Ok(()),
        Export::Operand(operand) => *parse.operand(node, operand)?,
        Export::General(export) => {
            let export = specification.general_exports.get(export).ok_or(Fault::Undecodable)?;
            Values { specification, parse, node }.export(export)?
        }
    };
    parse.node_mut(node)?.handle = handle;
    Ok(())
}

/// What a symbol stands for at `node`.
pub(super) fn symbol_handle(
    specification: &Specification,
    parse: &Parse,
    symbol: Id<Symbol>,
    node: NodeIndex,
) -> Result<Handle, Fault> {
    let value = |index| Evaluator { specification, parse }.value(index, node);
    let code_address = |address| {
        let size = specification.space(specification.code_space).map_or(0, |s| s.address_size);
        Handle { space: specification.code_space, size, offset: address, pointer: None }
    };
    Ok(match *specification.symbols.get(symbol).ok_or(Fault::Undecodable)? {
        Symbol::Epsilon => Handle::constant(0),
        Symbol::Value(index) | Symbol::Names { index, .. } => {
            Handle::constant(value(index)?.cast_unsigned())
        }
        Symbol::ValueMap { index, values } => {
            let value = element_at(&specification.map_values, values, value(index)?);
            Handle::constant(value.copied().flatten().ok_or(Fault::Undecodable)?.cast_unsigned())
        }
        Symbol::Varnode { varnode, space, .. } => {
            Handle { space, size: varnode.size, offset: varnode.offset, pointer: None }
        }
        Symbol::Varnodes { index, varnodes } => {
            let varnode = element_at(&specification.list_varnodes, varnodes, value(index)?)
                .copied()
                .flatten()
                .and_then(|id| specification.symbols.get(id));
            match varnode {
                Some(&Symbol::Varnode { varnode, space, .. }) => {
                    Handle { space, size: varnode.size, offset: varnode.offset, pointer: None }
                }
                _ => return Err(Fault::Undecodable),
            }
        }
        Symbol::Start => code_address(parse.address()),
        Symbol::Next => code_address(parse.next()),
        Symbol::Operand(operand) => *parse.operand(node, operand)?,
        Symbol::Table(_) | Symbol::Other => return Err(Fault::Unimplemented),
    })
}

/// Values of template placeholders for the constructor at `node`.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) specification: &'a Specification,
    pub(super) parse: &'a Parse,
    pub(super) node: NodeIndex,
}

impl<'a> Values<'a> {
    pub(super) fn info(self, space: SpaceIndex) -> Result<&'a SpaceInfo, Fault> {
        self.specification.space(space).ok_or(Fault::Unimplemented)
    }

    /// The space that a placeholder stands for.
    pub(super) fn space(self, value: Value) -> Result<SpaceIndex, Fault> {
        Ok(match value {
            Value::Space(space) => space,
            Value::CodeSpace => self.specification.code_space,
            Value::OperandSpace(operand) => self.parse.operand(self.node, operand)?.value_space(),
            _ => return Err(Fault::Unimplemented),
        })
    }

    /// The number that a placeholder stands for.
    pub(super) fn number(self, value: Value) -> Result<u64, Fault> {
        let operand = |operand| self.parse.operand(self.node, operand);
        Ok(match value {
            Value::Real(value) => value,
            Value::OperandOffset(index) => operand(index)?.value_offset(),
            Value::OperandSize(index) => u64::from(operand(index)?.size),
            Value::OperandOffsetPlus { operand: index, plus } => {
                let handle = operand(index)?;
                if handle.space == SpaceIndex::CONSTANT {
                    let bits = (plus >> 16).saturating_mul(8);
                    u32::try_from(bits)
                        .ok()
                        .and_then(|bits| handle.value_offset().checked_shr(bits))
                        .unwrap_or(0)
                } else {
                    handle.value_offset().wrapping_add(plus & 0xffff)
                }
            }
            Value::Start => self.parse.address(),
            Value::Next => self.parse.next(),
            Value::CodeAddressSize => {
                u64::from(self.info(self.specification.code_space)?.address_size)
            }
            Value::OperandSpace(_) | Value::CodeSpace | Value::Space(_) => {
                crate::space_number(self.info(self.space(value)?)?.space)
            }
        })
    }

    /// A number that counts bytes.
    pub(super) fn size(self, value: Value) -> Result<u32, Fault> {
        u32::try_from(self.number(value)?).map_err(|_| Fault::Unimplemented)
    }

    fn export(self, export: &GeneralExport) -> Result<Handle, Fault> {
        match &export.pointer {
            None => self.direct_export(export),
            Some(pointer) => self.pointer_export(export, pointer),
        }
    }

    fn direct_export(self, export: &GeneralExport) -> Result<Handle, Fault> {
        let space = match export.space {
            // The space of what is pointed to, even if the value is held in a temporary.
            Value::OperandSpace(operand) => self.parse.operand(self.node, operand)?.space,
            value => self.space(value)?,
        };
        let size = self.size(export.size)?;
        Ok(match export.offset {
            Value::OperandSpace(operand)
            | Value::OperandOffset(operand)
            | Value::OperandSize(operand)
            | Value::OperandOffsetPlus { operand, .. } => {
                Handle { space, size, ..*self.parse.operand(self.node, operand)? }
            }
            value => {
                let offset = self.info(space)?.wrap(self.number(value)?);
                Handle { space, size, offset, pointer: None }
            }
        })
    }

    fn pointer_export(
        self,
        export: &GeneralExport,
        pointer: &PointerExport,
    ) -> Result<Handle, Fault> {
        let space = self.space(export.space)?;
        let size = self.size(export.size)?;
        let offset = self.number(export.offset)?;
        let pointer_space = self.space(pointer.space)?;
        if pointer_space == SpaceIndex::CONSTANT {
            // The pointer is known after all.
            let info = self.info(space)?;
            let offset = info.wrap(offset.wrapping_mul(u64::from(info.word_size)));
            return Ok(Handle { space, size, offset, pointer: None });
        }
        let pointer = Pointer {
            space: pointer_space,
            size: self.size(pointer.size)?,
            temporary_space: self.space(pointer.temporary_space)?,
            temporary_offset: self.number(pointer.temporary_offset)?,
        };
        Ok(Handle { space, size, offset, pointer: Some(pointer) })
    }
}
