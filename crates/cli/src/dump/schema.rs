//! The published JSON Schema of the documents.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::document::{Document, SCHEMA_VERSION};
use super::{CallGraphDump, CodeDump, ConstantsDump, FunctionsDump, ImageDump};

/// The JSON Schema (draft 2020-12) of what `dump` prints of any stage, generated from the types and
/// carrying [`SCHEMA_VERSION`] in its `$id`.
pub(crate) fn schema() -> Schema {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let stages = [
        document::<ImageDump<'static>>(&mut generator, &["image"]),
        document::<FunctionsDump<'static>>(&mut generator, &["functions"]),
        document::<CodeDump<'static>>(&mut generator, &["disasm", "pcode"]),
        document::<CallGraphDump<'static>>(&mut generator, &["callgraph"]),
        document::<ConstantsDump<'static>>(&mut generator, &["constants"]),
    ];
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:miyaburi:dump:{SCHEMA_VERSION}"),
        "title": "Miyaburi dump",
        "oneOf": stages,
        "$defs": generator.take_definitions(true),
    })
}

/// The document of these stages.
fn document<S: JsonSchema + 'static>(generator: &mut SchemaGenerator, stages: &[&str]) -> Schema {
    let document = generator.subschema_for::<Document<'static, S>>();
    json_schema!({ "allOf": [document], "properties": { "stage": { "enum": stages } } })
}
