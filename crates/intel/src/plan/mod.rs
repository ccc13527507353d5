//! What to prepare against the attacks that reports describe.
//!
//! Attacks are grouped by what they send. Everything said of a group is either read from the
//! packets of its handlers, which are named, or comes from a document that is cited.

mod cite;
mod collect;
mod commands;
mod drawing;
mod html;
mod markdown;
mod measures;
mod shape;

use serde::Serialize;

use crate::targets::Tally;
use miyaburi_model::{HexBytes, VirtualAddress};

pub use cite::Cite;
pub use collect::Planner;
pub use shape::{FieldUse, Origin, PacketShape, ValueUse};

/// What to prepare against everything that was observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Reports that were read.
    pub reports: usize,
    /// Configurations with at least one attack.
    pub configurations: usize,
    /// One section for every kind of attack, those of most configurations first.
    pub sections: Vec<Section>,
    /// The first attacks of which no packet was seen, so that nothing is planned against them.
    pub unobserved: Vec<Handler>,
    /// Such attacks that are not listed.
    pub more_unobserved: usize,
}

impl Plan {
    /// The plan as Markdown, everything that reports say escaped.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }

    /// The plan as one HTML document without references to others, everything that reports say
    /// escaped.
    #[must_use]
    pub fn html(&self) -> String {
        html::render(self)
    }
}

/// One kind of attack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Kind as reports call it.
    pub kind: String,
    /// How often it was met.
    #[serde(flatten)]
    pub tally: Tally,
    /// The first handlers that send it.
    pub handlers: Vec<Handler>,
    /// Handlers that are not listed.
    pub more_handlers: usize,
    /// What it sends.
    pub packets: Vec<PacketShape>,
    /// Whether the source address can be trusted, and why.
    pub source: Statement,
    /// What can be done, the most exact first.
    pub measures: Vec<Measure>,
}

/// The routine of a file that sends an attack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handler {
    /// SHA-256 of the file.
    pub sha256: Option<HexBytes>,
    /// Number or text by which the C2 orders it.
    pub order: String,
    /// Entry of the routine.
    pub address: VirtualAddress,
}

/// Something that is said, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What is said.
    pub text: String,
    /// Fields of the packets that it was read from.
    pub fields: Vec<String>,
    /// Documents that say it.
    pub cites: Vec<Cite>,
}

/// Something that can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// What it is.
    pub name: &'static str,
    /// What it catches, and by what.
    pub catches: Statement,
    /// What it hits by mistake.
    pub mistakes: Statement,
    /// Options by which operators get around it.
    pub overridden_by: Vec<String>,
    /// Ready commands; `VICTIM` stands for the attacked address when none was given.
    pub commands: Vec<Command>,
}

/// A command or a piece of configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    /// What takes it.
    pub tool: &'static str,
    /// The text.
    pub text: String,
}
