//! The command from the outside. One test program, since each would link everything anew.
#![allow(clippy::unwrap_used)]

mod archives;
mod behaviour;
mod common;
mod confinement;
mod devices;
mod diff;
mod documentation;
mod dry_run;
mod dump;
mod dump_documents;
mod events;
mod export;
mod extract;
mod folders;
mod follow;
mod hunt;
mod indicators;
mod ledger;
mod mirai_toushi;
mod plan;
mod redact;
mod scope;
mod score;
mod timeline;
mod unpack;
