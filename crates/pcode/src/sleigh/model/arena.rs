//! Flat storage with typed indices.

use std::fmt;
use std::marker::PhantomData;

/// The index of a `T` in its arena.
pub(in crate::sleigh) struct Id<T> {
    index: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    pub(in crate::sleigh) const fn new(index: u32) -> Self {
        Self { index, kind: PhantomData }
    }

    pub(in crate::sleigh) const fn index(self) -> u32 {
        self.index
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl<T> Eq for Id<T> {}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

/// A run of `T`s in their arena.
pub(in crate::sleigh) struct Span<T> {
    start: u32,
    length: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Span<T> {
    pub(in crate::sleigh) const EMPTY: Self = Self { start: 0, length: 0, kind: PhantomData };

    pub(in crate::sleigh) const fn length(self) -> u32 {
        self.length
    }

    /// The `index`th element, if the span has it.
    pub(in crate::sleigh) fn id(self, index: u32) -> Option<Id<T>> {
        (index < self.length).then(|| Id::new(self.start + index))
    }
}

impl<T> Clone for Span<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Span<T> {}

impl<T> fmt::Debug for Span<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}+{}", self.start, self.length)
    }
}

/// All `T`s of a specification. Decompressed specifications are far below 2^32 bytes, and every
/// element of an arena comes from at least one byte, so that indices fit `u32`.
#[derive(Debug)]
pub(in crate::sleigh) struct Arena<T>(Vec<T>);

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Arena<T> {
    pub(in crate::sleigh) fn push(&mut self, element: T) -> Id<T> {
        let id = Id::new(self.end());
        self.0.push(element);
        id
    }

    /// The index that the next element gets.
    pub(in crate::sleigh) fn end(&self) -> u32 {
        self.0.len() as u32
    }

    /// What was pushed since the arena's end was `start`.
    pub(in crate::sleigh) fn since(&self, start: u32) -> Span<T> {
        Span { start, length: self.end().saturating_sub(start), kind: PhantomData }
    }

    #[inline]
    pub(in crate::sleigh) fn get(&self, id: Id<T>) -> Option<&T> {
        self.0.get(id.index as usize)
    }

    pub(in crate::sleigh) fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        self.0.get_mut(id.index as usize)
    }

    #[inline]
    pub(in crate::sleigh) fn slice(&self, span: Span<T>) -> &[T] {
        let start = span.start as usize;
        self.0.get(start..start + span.length as usize).unwrap_or(&[])
    }

    pub(in crate::sleigh) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    pub(in crate::sleigh) fn extend(&mut self, elements: impl IntoIterator<Item = T>) -> Span<T> {
        let start = self.end();
        self.0.extend(elements);
        self.since(start)
    }
}
