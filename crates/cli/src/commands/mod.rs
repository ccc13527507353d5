//! One file per command.

mod holders;
mod indicators;
mod reading;
mod redact;

pub(crate) mod behaviour;
pub(crate) mod completions;
pub(crate) mod count;
pub(crate) mod devices;
pub(crate) mod diff;
pub(crate) mod dump;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod extract;
pub(crate) mod hunt;
pub(crate) mod ledger;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod schema;
pub(crate) mod scope;
pub(crate) mod score;
pub(crate) mod timeline;
pub(crate) mod unpack;
