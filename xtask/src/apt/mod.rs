//! Debian's packages: from where the machine gets its own, and from other releases beside them.

pub(crate) mod archive;
#[expect(dead_code, reason = "the first component that comes from another release uses it")]
pub(crate) mod suite;
