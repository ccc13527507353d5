//! Why a file gave no image.

/// A file that could not be turned into an [`Image`](crate::Image).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The file does not start with the ELF magic number.
    #[error("not an ELF file")]
    NotElf,
    /// An ELF file for a CPU that is not analysed.
    #[error("unsupported CPU: {name} (e_machine {machine})")]
    UnsupportedCpu {
        /// `e_machine`.
        machine: u16,
        /// What the CPU is called.
        name: &'static str,
    },
    /// Too little is left of the file to map anything.
    #[error("damaged ELF file: {reason} (at file offset {offset:#x})")]
    Damaged {
        /// File offset of the damage.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
}

impl ImageError {
    /// Whether the file is out of scope, as opposed to one that should have been readable.
    #[must_use]
    pub const fn is_unsupported(&self) -> bool {
        !matches!(self, Self::Damaged { .. })
    }
}
