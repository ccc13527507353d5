//! Writing the P-code of a decoded instruction.

use super::fault::Fault;
use super::handles::Values;
use super::load::size_mask;
use super::model::{
    Action, Constructor, Definition, GeneralVarnode, Id, OpTemplate, Specification, Template,
    Value, VarnodeTemplate,
};
use super::parse::{Handle, NodeIndex, Parse};
use crate::op::{MAX_INPUTS, Op, Opcode};
use crate::space_number;
use crate::varnode::{Space, Varnode};

/// Operations of one instruction.
const MAX_OPS: usize = 1 << 13;

/// Constructors whose templates are built for one instruction.
const MAX_TEMPLATES: u32 = 1 << 12;

/// Labels of one instruction.
const MAX_LABELS: usize = 1 << 14;

/// Bytes of the constant that names a space.
const SPACE_NUMBER_SIZE: u32 = 8;

/// Label positions and the operations that refer to them, reused between instructions.
#[derive(Default)]
pub(super) struct Labels {
    /// The operation before which each label stands.
    positions: Vec<Option<u32>>,
    /// Operations whose first input is a label's number.
    references: Vec<u32>,
}

/// Writes the P-code of `parses[0]`, with `parses[1..]` in its delay slots, to `ops`.
pub(super) fn build(
    specification: &Specification,
    parses: &[Parse],
    labels: &mut Labels,
    ops: &mut Vec<Op>,
) -> Result<(), Fault> {
    let Some((main, slots)) = parses.split_first() else { return Err(Fault::Undecodable) };
    labels.positions.clear();
    labels.references.clear();
    let mut builder = Builder {
        specification,
        slots: Some(slots),
        labels,
        ops,
        label_base: 0,
        label_count: 0,
        unique: unique_offset(specification, main.address_behind(0)),
        templates: 0,
    };
    builder.constructor(main, 0)?;
    builder.resolve_labels()
}

/// What tells the temporaries of an instruction from those of its neighbours.
fn unique_offset(specification: &Specification, address: u64) -> u64 {
    (address & specification.unique_mask) << 4
}

/// Something behind a pointer, and by how many bytes the pointer is to be moved.
type Behind<'p> = (&'p Handle, u64);

struct Builder<'a> {
    specification: &'a Specification,
    /// The instructions in the delay slots; `None` while one of them is built.
    slots: Option<&'a [Parse]>,
    labels: &'a mut Labels,
    ops: &'a mut Vec<Op>,
    /// The number of the current template's label 0.
    label_base: u32,
    label_count: u32,
    unique: u64,
    templates: u32,
}

impl Builder<'_> {
    /// Builds the constructor at `node`. As deep as decoding went, which is bounded.
    fn constructor(&mut self, parse: &Parse, node: NodeIndex) -> Result<(), Fault> {
        self.templates += 1;
        if self.templates > MAX_TEMPLATES {
            return Err(Fault::Limit("templates of an instruction"));
        }
        let specification = self.specification;
        let constructor = parse
            .node(node)?
            .constructor
            .and_then(|id| specification.constructors.get(id))
            .ok_or(Fault::Undecodable)?;
        let template: &Template = constructor
            .template
            .and_then(|id| specification.templates.get(id))
            .ok_or(Fault::Unimplemented)?;
        let outer_base = self.label_base;
        self.label_base = self.label_count;
        self.label_count += template.labels;
        for op in specification.op_templates.slice(template.ops) {
            match op.action {
                Action::Emit(opcode) => self.operation(parse, node, opcode, op)?,
                Action::Build(operand) => self.operand(parse, node, constructor, operand)?,
                Action::DelaySlot => self.delay_slots()?,
                Action::Label(label) => self.label(label)?,
            }
        }
        self.label_base = outer_base;
        Ok(())
    }

    fn operand(
        &mut self,
        parse: &Parse,
        node: NodeIndex,
        constructor: &Constructor,
        operand: u8,
    ) -> Result<(), Fault> {
        let described = constructor
            .operands
            .id(u32::from(operand))
            .and_then(|id| self.specification.operands.get(id))
            .ok_or(Fault::Unimplemented)?;
        // Only a table's constructors have P-code.
        if !matches!(described.definition, Definition::Table(_)) {
            return Ok(());
        }
        let child = parse.node(node)?.operands + NodeIndex::from(operand);
        self.constructor(parse, child)
    }

    fn delay_slots(&mut self) -> Result<(), Fault> {
        let Some(slots) = self.slots.take() else {
            return Err(Fault::Limit("a delay slot within a delay slot"));
        };
        let unique = self.unique;
        for slot in slots {
            self.unique = unique_offset(self.specification, slot.address_behind(0));
            self.constructor(slot, 0)?;
        }
        self.unique = unique;
        self.slots = Some(slots);
        Ok(())
    }

    fn label(&mut self, label: u32) -> Result<(), Fault> {
        let label = (self.label_base + label) as usize;
        if label >= MAX_LABELS {
            return Err(Fault::Limit("labels of an instruction"));
        }
        if self.labels.positions.len() <= label {
            self.labels.positions.resize(label + 1, None);
        }
        if let Some(position) = self.labels.positions.get_mut(label) {
            *position = Some(self.ops.len() as u32);
        }
        Ok(())
    }

    fn push(&mut self, op: Op) -> Result<(), Fault> {
        if self.ops.len() >= MAX_OPS {
            return Err(Fault::Limit("operations of an instruction"));
        }
        self.ops.push(op);
        Ok(())
    }

    fn operation(
        &mut self,
        parse: &Parse,
        node: NodeIndex,
        opcode: Opcode,
        op: &OpTemplate,
    ) -> Result<(), Fault> {
        let specification = self.specification;
        let values = Values { specification, parse, node };
        let mut inputs = [Varnode::constant(0, 1); MAX_INPUTS];
        let mut count = 0;
        let mut is_reference = false;
        for template in specification.varnode_templates.slice(op.inputs) {
            let (varnode, behind) = self.varnode(values, template)?;
            if let Some((handle, plus)) = behind {
                self.load(values, handle, plus, varnode)?;
            }
            is_reference |= count == 0 && matches!(template, VarnodeTemplate::Label { .. });
            if let Some(input) = inputs.get_mut(count) {
                *input = varnode;
                count += 1;
            }
        }
        if is_reference {
            self.labels.references.push(self.ops.len() as u32);
        }
        let inputs = inputs.get(..count).unwrap_or(&[]);
        let Some(output) = op.output.and_then(|id| specification.varnode_templates.get(id)) else {
            return self.push(Op::new(opcode, None, inputs));
        };
        let (varnode, behind) = self.varnode(values, output)?;
        self.push(Op::new(opcode, Some(varnode), inputs))?;
        if let Some((handle, plus)) = behind {
            self.store(values, handle, plus, varnode)?;
        }
        Ok(())
    }

    /// The varnode that a template stands for, and what it is a temporary for, if it is one.
    #[inline]
    fn varnode<'p>(
        &self,
        values: Values<'p>,
        template: &VarnodeTemplate,
    ) -> Result<(Varnode, Option<Behind<'p>>), Fault> {
        match *template {
            VarnodeTemplate::Fixed(varnode) => Ok((varnode, None)),
            VarnodeTemplate::Temporary { offset, size } => {
                let offset = offset | self.unique;
                Ok((Varnode { space: Space::Unique, offset, size }, None))
            }
            VarnodeTemplate::Operand(operand) => {
                let handle = values.parse.operand(values.node, operand)?;
                let (space, offset) = (handle.value_space(), handle.value_offset());
                let varnode = self.located(values, space, offset, handle.size)?;
                Ok((varnode, handle.pointer.is_some().then_some((handle, 0))))
            }
            VarnodeTemplate::Label { label, size } => {
                let label = u64::from(self.label_base + label);
                Ok((Varnode::constant(label, size), None))
            }
            VarnodeTemplate::Space(space) => {
                let number = space_number(values.info(space)?.space);
                Ok((Varnode::constant(number, SPACE_NUMBER_SIZE), None))
            }
            VarnodeTemplate::General(general) => self.general(values, general),
        }
    }

    fn general<'p>(
        &self,
        values: Values<'p>,
        general: Id<GeneralVarnode>,
    ) -> Result<(Varnode, Option<Behind<'p>>), Fault> {
        let general =
            self.specification.general_varnodes.get(general).ok_or(Fault::Unimplemented)?;
        let space = values.space(general.space)?;
        let offset = values.number(general.offset)?;
        let varnode = self.located(values, space, offset, values.size(general.size)?)?;
        let (operand, plus) = match general.offset {
            Value::OperandSpace(operand)
            | Value::OperandOffset(operand)
            | Value::OperandSize(operand) => (operand, 0),
            Value::OperandOffsetPlus { operand, plus } => (operand, plus & 0xffff),
            _ => return Ok((varnode, None)),
        };
        let handle = values.parse.operand(values.node, operand)?;
        Ok((varnode, handle.pointer.is_some().then_some((handle, plus))))
    }

    #[inline]
    fn located(
        &self,
        values: Values<'_>,
        space: super::model::SpaceIndex,
        offset: u64,
        size: u32,
    ) -> Result<Varnode, Fault> {
        let info = values.info(space)?;
        let offset = match info.space {
            Space::Constant => offset & size_mask(size),
            Space::Unique => offset | self.unique,
            _ => info.wrap(offset),
        };
        Ok(Varnode { space: info.space, offset, size })
    }

    /// The space constant and the pointer of a `LOAD` or `STORE`.
    fn address(
        &mut self,
        values: Values<'_>,
        handle: &Handle,
        plus: u64,
    ) -> Result<[Varnode; 2], Fault> {
        let pointer = handle.pointer.ok_or(Fault::Unimplemented)?;
        let space =
            Varnode::constant(space_number(values.info(handle.space)?.space), SPACE_NUMBER_SIZE);
        let address = self.located(values, pointer.space, handle.offset, pointer.size)?;
        if plus == 0 {
            return Ok([space, address]);
        }
        let moved = Varnode {
            space: Space::Unique,
            offset: self.specification.truncation_temporary,
            size: address.size,
        };
        let distance = Varnode::constant(plus, address.size);
        self.push(Op::new(Opcode::INT_ADD, Some(moved), &[address, distance]))?;
        Ok([space, moved])
    }

    fn load(
        &mut self,
        values: Values<'_>,
        handle: &Handle,
        plus: u64,
        into: Varnode,
    ) -> Result<(), Fault> {
        let address = self.address(values, handle, plus)?;
        self.push(Op::new(Opcode::LOAD, Some(into), &address))
    }

    fn store(
        &mut self,
        values: Values<'_>,
        handle: &Handle,
        plus: u64,
        value: Varnode,
    ) -> Result<(), Fault> {
        let [space, address] = self.address(values, handle, plus)?;
        self.push(Op::new(Opcode::STORE, None, &[space, address, value]))
    }

    /// Replaces the labels' numbers by distances.
    fn resolve_labels(&mut self) -> Result<(), Fault> {
        for &reference in &self.labels.references {
            let input = self
                .ops
                .get_mut(reference as usize)
                .and_then(|op| op.inputs_mut().first_mut())
                .ok_or(Fault::Unimplemented)?;
            let label = usize::try_from(input.offset).ok();
            let position = label
                .and_then(|label| self.labels.positions.get(label))
                .copied()
                .flatten()
                .ok_or(Fault::Unimplemented)?;
            let distance = u64::from(position).wrapping_sub(u64::from(reference));
            input.offset = distance & size_mask(input.size);
        }
        Ok(())
    }
}
