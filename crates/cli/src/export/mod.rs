//! `export`: what it reads besides reports, and where it writes.

mod folder;
mod gate;
mod provenance;
mod reports;

pub(crate) use folder::OutputFolder;
pub(crate) use gate::{ListsProblem, read_lists};
pub(crate) use provenance::Provenance;
pub(crate) use reports::for_each_report;
