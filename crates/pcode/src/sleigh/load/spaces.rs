//! Address spaces.

use super::{Loader, Result};
use crate::sleigh::format::{attribute, element};
use crate::sleigh::model::{SpaceIndex, SpaceInfo};
use crate::varnode::Space;

/// Bytes of an address in spaces that declare none.
const DEFAULT_ADDRESS_SIZE: u32 = 8;

const CONSTANT: SpaceInfo =
    SpaceInfo { space: Space::Constant, address_size: 8, word_size: 1, highest: u64::MAX };

impl Loader<'_> {
    pub(super) fn read_spaces(&mut self) -> Result<()> {
        self.reader.expect(element::SPACES)?;
        let code_space = self.reader.text(attribute::DEFAULTSPACE)?;
        self.specification.spaces.push(CONSTANT);
        let mut code_found = false;
        while self.reader.peek().is_some() {
            let kind = self.reader.open()?;
            let index: u8 = self.reader.small(attribute::INDEX)?;
            let name = self.reader.optional_text(attribute::NAME)?.unwrap_or("");
            let space = match kind {
                element::SPACE_UNIQUE => {
                    self.specification.unique_space = SpaceIndex(index);
                    Space::Unique
                }
                element::SPACE if name == code_space => {
                    self.specification.code_space = SpaceIndex(index);
                    code_found = true;
                    Space::Ram
                }
                element::SPACE if name == "register" => Space::Register,
                element::SPACE | element::SPACE_OTHER => Space::Other(index),
                _ => return Err(self.reader.malformed("unknown kind of space")),
            };
            self.add_space(index, space)?;
            self.reader.close()?;
        }
        if !code_found || self.specification.unique_space == SpaceIndex::CONSTANT {
            return Err(self.reader.malformed("no code space or no unique space"));
        }
        self.reader.close()
    }

    fn add_space(&mut self, index: u8, space: Space) -> Result<()> {
        let address_size = match self.reader.optional(attribute::SIZE) {
            None => DEFAULT_ADDRESS_SIZE,
            Some(1..=8) => self.reader.small(attribute::SIZE)?,
            Some(_) => return Err(self.reader.malformed("address size of a space")),
        };
        let word_size = match self.reader.optional(attribute::WORDSIZE) {
            None => 1,
            Some(1..=255) => self.reader.small(attribute::WORDSIZE)?,
            Some(_) => return Err(self.reader.malformed("word size of a space")),
        };
        let last_word = u64::MAX >> (64 - 8 * address_size);
        let word = u64::from(word_size);
        let highest = last_word.wrapping_mul(word).wrapping_add(word - 1);
        let unused = SpaceInfo { space: Space::Other(index), ..CONSTANT };
        let spaces = &mut self.specification.spaces;
        let slot = usize::from(index);
        if spaces.len() <= slot {
            spaces.resize(slot + 1, unused);
        }
        match spaces.get_mut(slot) {
            Some(info) if slot > 0 => {
                *info = SpaceInfo { space, address_size, word_size, highest };
                Ok(())
            }
            _ => Err(self.reader.malformed("number of a space")),
        }
    }

    /// The space that the attribute of the open element names.
    pub(super) fn space_attribute(&self) -> Result<SpaceIndex> {
        let index: u8 = self.reader.small(attribute::SPACE)?;
        if usize::from(index) < self.specification.spaces.len() {
            Ok(SpaceIndex(index))
        } else {
            Err(self.reader.malformed("unknown space"))
        }
    }
}
