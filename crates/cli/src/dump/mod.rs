//! What the stages of the analysis make of one file.
//!
//! The engine's types are never serialised: every stage has structures of its own here. JSON is
//! their serialisation, and text is written from the same structures. Lists that grow with the
//! file are made while they are written ([`Stream`]). Members are always present, `null` or empty
//! when there is nothing to say. Addresses are those of reports: virtual, mode bit cleared.

mod call;
mod callgraph;
mod code;
mod constants;
mod document;
mod functions;
mod hex;
mod image;
mod instruction;
mod lines;
mod listing;
mod operation;
mod reference;
mod schema;
mod scope;
mod stream;
mod value;

pub(crate) use callgraph::CallGraphDump;
pub(crate) use code::CodeDump;
pub(crate) use constants::ConstantsDump;
pub(crate) use document::{Source, Stage, write_json};
pub(crate) use functions::FunctionsDump;
pub(crate) use image::ImageDump;
pub(crate) use listing::listing;
pub(crate) use schema::schema;
pub(crate) use scope::{NoFunction, Scope};
