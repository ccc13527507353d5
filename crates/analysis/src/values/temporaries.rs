//! Values of the temporaries of one instruction.

use crate::arithmetic::mask;
use crate::values::Value;
use miyaburi_image::Endian;
use miyaburi_pcode::Varnode;

/// The latest value of each temporary; later entries hide earlier ones.
#[derive(Default)]
pub(crate) struct Temporaries {
    entries: Vec<(u64, u32, Value)>,
}

impl Temporaries {
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn write(&mut self, varnode: &Varnode, value: Value) {
        self.entries.push((varnode.offset, varnode.size, value));
    }

    /// The value of a temporary or of a part of one.
    pub(crate) fn read(&self, varnode: &Varnode, endian: Endian) -> Value {
        let end = varnode.offset.wrapping_add(u64::from(varnode.size));
        let holder = self.entries.iter().rev().find(|(offset, size, _)| {
            *offset < end && varnode.offset < offset.wrapping_add(u64::from(*size))
        });
        let Some(&(offset, size, value)) = holder else { return Value::Unknown };
        if offset == varnode.offset && size == varnode.size {
            return value;
        }
        let holder_end = offset.wrapping_add(u64::from(size));
        if varnode.offset < offset || holder_end < end || size > 8 {
            return Value::Unknown;
        }
        let above = match endian {
            Endian::Little => varnode.offset - offset,
            Endian::Big => holder_end - end,
        };
        match (above, value) {
            (0, value) => value.truncated(varnode.size),
            (above, Value::Constant(value)) => {
                Value::Constant(value >> (above * 8) & mask(varnode.size))
            }
            _ => Value::Unknown,
        }
    }
}
