//! What is known about the credentials, exploits and attack vectors of the family, and what follows
//! for one's own network: which devices are targeted, which of one's own are next, what to prepare
//! against each attack.
//!
//! Reads reports and bytes, never the file system.

mod configuration;
mod inventory;
mod knowledge;
mod observed;
mod plan;
mod risk;
mod survey;
mod targets;

pub use configuration::{Configuration, configuration};
pub use inventory::{InventoryDevice, InventoryError, LoginChanged, parse_inventory};
pub use knowledge::{
    CredentialRow, ExploitRow, Knowledge, KnowledgeError, RowProblem, Source, Table,
};
pub use observed::{Observed, ObservedError, Seen};
pub use plan::{
    Cite, Command, FieldUse, Handler, Measure, Origin, PacketShape, Plan, Planner, Section,
    Statement, ValueUse,
};
pub use risk::{Danger, DeviceRisk, Urgency, risks, unknown_vendors};
pub use survey::Survey;
pub use targets::{Cause, CauseUse, Place, ProbedPort, Tally, Target, Targets, Unexplained};
