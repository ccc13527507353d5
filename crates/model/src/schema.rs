//! The published JSON Schema.

use schemars::Schema;
use schemars::generate::SchemaSettings;

use crate::{Report, SCHEMA_VERSION};

/// The JSON Schema (draft 2020-12) of a [`Report`] as this version writes it, generated from the
/// types and carrying [`SCHEMA_VERSION`] in its `$id`.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Report>();
    schema.insert("$id".to_owned(), format!("urn:miyaburi:report:{SCHEMA_VERSION}").into());
    schema.insert("title".to_owned(), "Miyaburi report".into());
    schema
}
