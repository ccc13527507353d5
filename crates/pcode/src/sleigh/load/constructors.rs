//! Constructors.

use super::{Loader, Result};
use crate::lifter::CONTEXT_WORDS;
use crate::sleigh::format::{attribute, element};
use crate::sleigh::model::{Constructor, ContextChange, Id, Piece, Span, Template};

impl Loader<'_> {
    pub(super) fn read_constructor(&mut self) -> Result<()> {
        self.reader.expect(element::CONSTRUCTOR)?;
        let minimum_length = self.reader.small::<u16>(attribute::LENGTH)?.into();
        // -1 when there is no space.
        let first_space = u32::try_from(self.reader.signed(attribute::FIRST)?).ok();
        let first_change = self.specification.changes.end();
        let first_piece = self.specification.pieces.end();
        let first_operand = self.constructor_operands.len();
        let mut template = None;
        while let Some(child) = self.reader.peek() {
            match child {
                element::OPER => self.read_operand_name()?,
                element::PRINT | element::OPPRINT => self.read_piece()?,
                element::CONTEXT_OP => self.read_context_set()?,
                element::COMMIT => self.read_context_commit()?,
                _ => {
                    if let Some(main) = self.read_section()?
                        && template.replace(main).is_some()
                    {
                        return Err(self.reader.malformed("two main sections"));
                    }
                }
            }
        }
        self.reader.close()?;
        let id = self.specification.constructors.push(Constructor {
            minimum_length,
            operands: Span::EMPTY,
            changes: self.specification.changes.since(first_change),
            template,
            pieces: self.specification.pieces.since(first_piece),
            first_space,
        });
        self.constructors.push((id, first_operand..self.constructor_operands.len()));
        Ok(())
    }

    fn read_operand_name(&mut self) -> Result<()> {
        self.reader.open()?;
        self.constructor_operands.push(self.reader.small(attribute::ID)?);
        self.reader.close()
    }

    fn read_piece(&mut self) -> Result<()> {
        let piece = if self.reader.open()? == element::PRINT {
            let text = self.reader.text(attribute::PIECE)?;
            Piece::Literal(self.intern(text))
        } else {
            Piece::Operand(self.reader.small(attribute::ID)?)
        };
        self.specification.pieces.push(piece);
        self.reader.close()
    }

    /// A word of the context, which the open element names.
    fn context_word(&self, number: u16) -> Result<u8> {
        let word: u8 = self.reader.small(number)?;
        if usize::from(word) < CONTEXT_WORDS {
            Ok(word)
        } else {
            Err(self.reader.unsupported("this much context"))
        }
    }

    fn read_context_set(&mut self) -> Result<()> {
        self.reader.open()?;
        let word = self.context_word(attribute::I)?;
        let shift: u8 = self.reader.small(attribute::SHIFT)?;
        if shift > 31 {
            return Err(self.reader.malformed("shift of a context field"));
        }
        let mask = self.reader.small(attribute::MASK)?;
        let expression = self.read_expression(0)?;
        self.reader.close()?;
        self.specification.changes.push(ContextChange::Set {
            word,
            shift,
            mask,
            expression,
            steps: Span::EMPTY,
        });
        Ok(())
    }

    fn read_context_commit(&mut self) -> Result<()> {
        self.reader.open()?;
        let target = Id::new(self.reader.small(attribute::ID)?);
        let word = self.context_word(attribute::NUMBER)?;
        let mask = self.reader.small(attribute::MASK)?;
        let flows = self.reader.flag(attribute::FLOW)?;
        self.reader.close()?;
        if !flows
            && let Some(bits) = self.specification.momentary_context.get_mut(usize::from(word))
        {
            *bits |= mask;
        }
        self.specification.changes.push(ContextChange::Commit { target, word, mask, flows });
        Ok(())
    }

    /// Reads a section; `None` when it is not the main one.
    fn read_section(&mut self) -> Result<Option<Id<Template>>> {
        self.reader.expect(element::CONSTRUCT_TPL)?;
        if self
            .reader
            .optional(attribute::SECTION)
            .is_some_and(|id| !id.cast_signed().is_negative())
        {
            // Only `crossbuild` enters a named section, and a specification that has it is refused.
            self.reader.skip()?;
            return Ok(None);
        }
        self.read_template().map(Some)
    }
}
