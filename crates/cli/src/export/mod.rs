//! `export`: what it reads besides reports, and where it writes.

mod documents;
mod folder;
mod gate;
mod provenance;
mod reports;

pub(crate) use documents::Documents;
pub(crate) use folder::OutputFolder;
pub(crate) use gate::{ListsProblem, read_lists};
pub(crate) use provenance::Provenance;
pub(crate) use reports::{ReportsProblem, for_each_report};
