//! What the value analysis has found out about jumps and calls.

use crate::code::ContextId;
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};

/// Where a computed jump goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ComputedJump {
    /// To one of these addresses in the same function.
    Switch(Vec<Address>),
    /// To one constant address.
    To(Address, ContextId),
    /// Back to the caller.
    Return,
    /// To another function that is not known.
    TailCall,
}

/// Facts that hold whatever function an instruction turns out to belong to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learnt {
    /// Computed jumps, by address.
    pub(crate) jumps: FxHashMap<Address, ComputedJump>,
    /// Callees of computed calls, by site.
    pub(crate) calls: FxHashMap<Address, (Address, ContextId)>,
    /// Computed jumps whose one known target was taken back when more of the function became known.
    /// They are not believed a second time, so that what is learnt settles.
    pub(crate) retracted: FxHashSet<Address>,
    /// The word that a computed jump loads its target from, by address of the jump.
    pub(crate) slots: FxHashMap<Address, Address>,
    /// Jumps over other functions' starts that stay in their function: from, to.
    pub(crate) inner_jumps: FxHashSet<(Address, Address)>,
}
