//! Identifiers of objects.

use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::identifier::{identifier, named};

/// The namespace of identifiers that the specification makes of an observable's properties.
const OBSERVABLES: Uuid = uuid!("00abedb4-aa42-466c-9c01-fed23315a9b7");

/// The identifier of an observable by the properties that make it one of its own, in the order of
/// their names: that is the canonical form of RFC 8785, as there are only texts and whole numbers.
pub(super) fn observable(kind: &str, properties: &Value) -> String {
    spell(kind, named(OBSERVABLES, &properties.to_string()))
}

/// The identifier of something else by what makes it one of its own.
pub(super) fn own(kind: &str, seed: &Value) -> String {
    spell(kind, identifier(&json!([kind, seed])))
}

fn spell(kind: &str, uuid: Uuid) -> String {
    format!("{kind}--{uuid}")
}
