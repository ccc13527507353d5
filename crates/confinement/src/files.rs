//! Which files can be opened, by landlock: those that are named.

use crate::Reach;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags,
};
use std::path::Path;

/// The newest rights that are asked for; of older kernels what they have.
const VERSION: ABI = ABI::V6;

/// Why files are not confined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    #[error("this kernel has no landlock, or it is switched off")]
    Missing,
    #[error("{0}")]
    Ruleset(#[from] RulesetError),
}

/// Refuses all access to files but what `reach` names, and the network.
pub(crate) fn confine(reach: &Reach) -> Result<(), FilesError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(VERSION))?
        .handle_access(AccessNet::from_all(VERSION))?
        .scope(Scope::from_all(VERSION))?
        .create()?;
    let written = make_bitflags!(AccessFs::{WriteFile | Truncate | MakeReg | MakeDir});
    for path in &reach.readable {
        allow(&mut rules, path, AccessFs::ReadFile.into());
    }
    for path in &reach.writable {
        allow(&mut rules, path, written);
    }
    match rules.restrict_self()?.ruleset {
        RulesetStatus::NotEnforced => Err(FilesError::Missing),
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
    }
}

/// Adds a rule. A path without one cannot be opened, and whoever tries is told; so one that does not
/// exist, or that has no place in a file system such as a pipe, needs no word here.
fn allow(rules: &mut RulesetCreated, path: &Path, access: BitFlags<AccessFs>) {
    if let Ok(place) = PathFd::new(path) {
        let _ = rules.add_rule(PathBeneath::new(place, access));
    }
}
