//! Who may see what is shared.

/// Labels of the Traffic Light Protocol 2.0 (FIRST, 2022).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tlp {
    /// Everybody.
    Clear,
    /// The community.
    Green,
    /// The recipient's organisation and its clients.
    Amber,
    /// The recipient's organisation.
    AmberStrict,
    /// The recipient.
    Red,
}

impl Tlp {
    /// The label in lower case, such as `amber+strict`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }
}
