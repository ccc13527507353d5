//! The published JSON Schema of a comparison.

use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::{Comparison, DIFF_SCHEMA_VERSION};

/// The JSON Schema (draft 2020-12) of a [`Comparison`], generated from the types and carrying
/// [`DIFF_SCHEMA_VERSION`] in its `$id`.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Comparison>();
    schema.insert("$id".to_owned(), format!("urn:miyaburi:diff:{DIFF_SCHEMA_VERSION}").into());
    schema.insert("title".to_owned(), "Miyaburi diff".into());
    schema
}
