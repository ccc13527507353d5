//! What an extractor gives: what it found, and what kept it from finding more.

use miyaburi_image::Address;

/// Something that a reader of the finding should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which extractor says so.
    pub stage: &'static str,
    /// What it is.
    pub message: String,
    /// Where, when at one place.
    pub at: Option<Address>,
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
