//! Indicators through logs: who was touched, since when, how often, with the lines that prove it.
//!
//! ```text
//! sources        files, directories, standard input; decompressed; cut into lines
//!   └── readers  one format each: a line -> an event
//!        └── event      the one schema that everything behind works on
//!             └── indicators   what is looked for, matched by field and meaning
//!                  └── hunt    hits with their evidence, and a summary for every entity
//! ```

mod event;
mod hunt;
pub mod indicators;
pub mod readers;
mod scan;
pub mod sources;
pub mod time;

pub use event::{Event, Field, Kind, Outcome};
pub use hunt::{EntityType, Hit, Hunt, Sighted, Summary, SummaryLine};
pub use scan::{Options, Scanned, scan};
