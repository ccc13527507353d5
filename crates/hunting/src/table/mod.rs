//! Events of all formats as one table: rows, and Arrow record batches of them.
//!
//! The schema is that of [`Row`]: for whoever keeps events, or asks of them with SQL or data frames what no
//! command here answers.

mod batches;
mod row;

pub use batches::{Batches, schema};
pub use row::Row;
