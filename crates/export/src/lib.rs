//! Reports in the formats of other programs.
//!
//! A format is made from reports alone; writing it somewhere is left to the caller.
//!
//! ```text
//! indicators/  reports merged to indicators: typed hosts, sightings, times
//! gate/        which of them may be blocked, and why the others may not
//! traffic/     packets of attacks and scanners, merged: what tells them from those of others
//! rules.rs     what the rules of formats would hit in logs
//! formats      csv, flowspec, nftables, rpz, sigma, suricata: lists of what passed the gate
//! configurations/  files of one configuration, merged, with what was found in them
//! yara         rules of what lies encoded in the files of a configuration
//! stix, misp   both, with what they have to do with each other
//! mirai_toushi, maco, labels  documents of one file
//! ```

pub mod configurations;
pub mod csv;
pub mod flowspec;
pub mod gate;
mod identifier;
pub mod indicators;
pub mod labels;
mod list;
pub mod maco;
pub mod mirai_toushi;
pub mod misp;
pub mod nftables;
pub mod rpz;
pub mod rules;
pub mod sigma;
pub mod stix;
pub mod suricata;
mod technique;
mod tlp;
pub mod traffic;
pub mod yara;

pub use list::{Block, BlockList, ExportError, Folder, Stage, Stamp, VERSION, Withdrawal, Written};
pub use technique::Technique;
pub use tlp::Tlp;
