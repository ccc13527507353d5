//! What an extractor gives: what it found, and what kept it from finding more.

use miyaburi_image::Address;

/// What a diagnostic means for the finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Something is absent, or was decided one way; nothing went wrong.
    Note,
    /// The finding may be wrong in the way told.
    Doubt,
    /// A part of what the file holds could not be read.
    Loss,
}

/// Something that a reader of the finding should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which extractor says so.
    pub stage: &'static str,
    /// What it is.
    pub message: String,
    /// Where, when at one place.
    pub at: Option<Address>,
    /// What it means.
    pub weight: Weight,
}

impl Diagnostic {
    /// Tells of what is absent or was decided.
    #[must_use]
    pub const fn note(stage: &'static str, message: String, at: Option<Address>) -> Self {
        Self { stage, message, at, weight: Weight::Note }
    }

    /// Tells of what may be wrong.
    #[must_use]
    pub const fn doubt(stage: &'static str, message: String, at: Option<Address>) -> Self {
        Self { stage, message, at, weight: Weight::Doubt }
    }

    /// Tells of what could not be read.
    #[must_use]
    pub const fn loss(stage: &'static str, message: String, at: Option<Address>) -> Self {
        Self { stage, message, at, weight: Weight::Loss }
    }
}

/// A finding together with its diagnostics.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// The finding; for an optional one, `None` means that there is nothing.
    pub finding: T,
    /// In the order in which they came up.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Found<T> {
    /// A finding that needs no comment.
    pub const fn plain(finding: T) -> Self {
        Self { finding, diagnostics: Vec::new() }
    }
}
