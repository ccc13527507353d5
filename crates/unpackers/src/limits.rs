//! What unpacking may cost.

/// Bounds of unpacking one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the unpacked file.
    pub output: usize,
}

impl Default for Limits {
    /// 64 MiB, far above any program of the family.
    fn default() -> Self {
        Self { output: 64 << 20 }
    }
}
