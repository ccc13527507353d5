//! Debian's packages: from where the machine gets its own, and from other releases beside them.

pub(crate) mod archive;
pub(crate) mod suite;
