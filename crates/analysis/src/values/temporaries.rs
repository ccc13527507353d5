//! Values of the temporaries of one instruction, and of the registers that specifications use as
//! such.

use crate::arithmetic::mask;
use crate::values::Value;
use miyaburi_image::Endian;
use miyaburi_pcode::Varnode;

/// The latest value of each temporary; later entries hide earlier ones.
#[derive(Default)]
pub(crate) struct Temporaries {
    entries: Vec<(Varnode, Value)>,
}

impl Temporaries {
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn write(&mut self, varnode: &Varnode, value: Value) {
        self.entries.push((*varnode, value));
    }

    /// The value of a temporary or of a part of one.
    pub(crate) fn read(&self, varnode: &Varnode, endian: Endian) -> Value {
        let holder = self.entries.iter().rev().find(|(place, _)| place.overlaps(varnode));
        let Some((place, value)) = holder else { return Value::Unknown };
        if place == varnode {
            return *value;
        }
        let end = varnode.offset.wrapping_add(u64::from(varnode.size));
        let place_end = place.offset.wrapping_add(u64::from(place.size));
        if varnode.offset < place.offset || place_end < end || place.size > 8 {
            return Value::Unknown;
        }
        let above = match endian {
            Endian::Little => varnode.offset - place.offset,
            Endian::Big => place_end - end,
        };
        match (above, *value) {
            (0, value) => value.truncated(varnode.size),
            (above, Value::Constant(value)) => {
                Value::Constant(value >> (above * 8) & mask(varnode.size))
            }
            _ => Value::Unknown,
        }
    }
}
