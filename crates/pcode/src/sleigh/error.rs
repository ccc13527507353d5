//! What can be wrong with a processor specification.

/// Why a specification could not be loaded. Offsets count bytes of the decompressed data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecificationError {
    /// Not a compiled specification of the version that is read.
    #[error("not a compiled specification of format version 4")]
    Header,
    /// The compressed data are damaged, or larger than any real specification.
    #[error("the compressed data are damaged")]
    Compression,
    /// The data contradict the format.
    #[error("malformed at {offset:#x}: {problem}")]
    Malformed {
        /// Where.
        offset: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// A reference within the specification leads nowhere.
    #[error("inconsistent: {0}")]
    Inconsistent(&'static str),
    /// The specification uses a feature that is not implemented.
    #[error("at {offset:#x}: {feature} is not supported")]
    Unsupported {
        /// Where.
        offset: usize,
        /// Which feature.
        feature: &'static str,
    },
    /// The processor specification (`.pspec`) is no well-formed XML.
    #[error("the processor specification is no XML: {0}")]
    Xml(String),
    /// The processor specification sets something unusable.
    #[error("the processor specification sets {name}: {problem}")]
    Setting {
        /// The context field or register.
        name: String,
        /// What is wrong with the setting.
        problem: &'static str,
    },
}
