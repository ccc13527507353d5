//! `export`: what it reads besides reports, and where it writes.

mod difference;
mod documents;
mod dry_run;
mod findings;
mod folder;
mod formats;
mod gate;
mod prepared;
mod problem;
mod provenance;
mod put;
mod reports;
mod roll_back;
mod state;

pub(crate) use difference::spelled;
pub(crate) use documents::Documents;
pub(crate) use dry_run::dry_run;
pub(crate) use findings::Findings;
pub(crate) use folder::OutputFolder;
pub(crate) use formats::{Sources, tell_written, write_formats};
pub(crate) use gate::{ListsProblem, read_lists};
pub(crate) use prepared::{Prepared, now};
pub(crate) use problem::ExportProblem;
pub(crate) use provenance::Provenance;
pub(crate) use put::Export;
pub(crate) use reports::{ReadProblem, for_each_report};
pub(crate) use roll_back::{Spared, rolled_back};
pub(crate) use state::{Access, Book};
