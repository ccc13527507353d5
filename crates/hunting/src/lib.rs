//! Indicators through logs: who was touched, since when, how often, with the lines that prove it.
//!
//! ```text
//! sources        files, directories, standard input; decompressed; cut into lines
//!   └── readers  one format each: lines or records -> events
//!        └── event      the one schema that everything behind works on
//!             └── indicators   what is looked for, matched by field and meaning
//!                  └── hunt    hits with their evidence, and a summary for every entity
//!             └── behaviour    what is on no list, by how it behaves
//!             └── count        attack accesses by day, and their trend
//!             └── holders      who is behind an address at a time
//!             └── timeline     what happened around one entity, in order
//!             └── scope        which accounts were touched, and which were not
//!             └── table        all events, as rows and Arrow batches
//!             └── pseudonyms   for what outputs say of people
//!             └── coverage     when each source spoke, and where it fell silent
//! ```

pub mod behaviour;
pub mod count;
pub mod coverage;
mod event;
pub mod holders;
mod hunt;
pub mod indicators;
pub mod pseudonyms;
pub mod readers;
mod scan;
pub mod scope;
pub mod sources;
pub mod table;
pub mod time;
pub mod timeline;

pub use event::{Event, Field, Kind, Outcome, Traffic};
pub use hunt::{EntityType, Evidence, Hit, Hunt, Sighted, Summary, SummaryLine};
pub use readers::Scanned;
pub use scan::{Options, begins, events, scan};
