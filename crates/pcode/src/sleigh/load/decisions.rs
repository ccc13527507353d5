//! Decision trees.

use super::{Loader, MAX_DEPTH, Result};
use crate::sleigh::format::{attribute, element};
use crate::sleigh::model::{Decision, Id, MaskWord, Pattern, PatternBlock};

/// Bits that one node tests; real specifications test at most 8.
const MAX_TEST_BITS: u8 = 16;

impl Loader<'_> {
    /// Reads the decision tree of the table whose constructors start at `first`.
    pub(super) fn read_decision(&mut self, first: u32, depth: u32) -> Result<Id<Decision>> {
        self.reader.expect(element::DECISION)?;
        if depth > MAX_DEPTH {
            return Err(self.reader.unsupported("a decision tree this deep"));
        }
        let in_context = self.reader.flag(attribute::CONTEXT)?;
        let start: u16 = self.reader.small(attribute::STARTBIT)?;
        let size: u8 = self.reader.small(attribute::SIZE)?;
        if size > MAX_TEST_BITS {
            return Err(self.reader.unsupported("a test of this many bits"));
        }
        let first_pattern = self.specification.patterns.end();
        let first_child = self.pending_children.len();
        while let Some(child) = self.reader.peek() {
            if child == element::PAIR && size == 0 {
                self.read_pattern(first)?;
            } else if child == element::DECISION && size > 0 {
                let child = self.read_decision(first, depth + 1)?;
                self.pending_children.push(child);
            } else {
                self.reader.open()?;
                return Err(self.reader.malformed("unexpected child of a decision"));
            }
        }
        self.reader.close()?;
        let decision = if size == 0 {
            Decision::Match(self.specification.patterns.since(first_pattern))
        } else {
            let children = self
                .specification
                .decision_children
                .extend(self.pending_children.drain(first_child..));
            if children.length() != 1 << size {
                return Err(self.reader.malformed("number of children of a decision"));
            }
            Decision::Test { in_context, start, size, children }
        };
        Ok(self.specification.decisions.push(decision))
    }

    fn read_pattern(&mut self, first: u32) -> Result<()> {
        self.reader.expect(element::PAIR)?;
        let number: u32 = self.reader.small(attribute::ID)?;
        let constructor = first.saturating_add(number);
        if constructor >= self.specification.constructors.end() {
            return Err(self.reader.malformed("number of a constructor"));
        }
        let mut pattern = Pattern {
            context: PatternBlock::Always,
            instruction: PatternBlock::Always,
            constructor: Id::new(constructor),
        };
        match self.reader.open()? {
            element::INSTRUCT_PAT => pattern.instruction = self.read_block()?,
            element::CONTEXT_PAT => pattern.context = self.read_block()?,
            element::COMBINE_PAT => {
                self.reader.expect(element::CONTEXT_PAT)?;
                pattern.context = self.read_block()?;
                self.reader.close()?;
                self.reader.expect(element::INSTRUCT_PAT)?;
                pattern.instruction = self.read_block()?;
                self.reader.close()?;
            }
            _ => return Err(self.reader.malformed("unknown kind of pattern")),
        }
        self.reader.close()?;
        self.reader.close()?;
        self.specification.patterns.push(pattern);
        Ok(())
    }

    fn read_block(&mut self) -> Result<PatternBlock> {
        self.reader.expect(element::PAT_BLOCK)?;
        let offset: u16 = self.reader.small(attribute::OFF)?;
        let significant_bytes = self.reader.signed(attribute::NONZERO)?;
        let start = self.specification.mask_words.end();
        while self.reader.peek().is_some() {
            self.reader.expect(element::MASK_WORD)?;
            let mask = self.reader.small(attribute::MASK)?;
            let value = self.reader.small(attribute::VAL)?;
            self.specification.mask_words.push(MaskWord { mask, value });
            self.reader.close()?;
        }
        self.reader.close()?;
        Ok(match significant_bytes {
            0 => PatternBlock::Always,
            ..0 => PatternBlock::Never,
            _ => PatternBlock::Words { offset, words: self.specification.mask_words.since(start) },
        })
    }
}
