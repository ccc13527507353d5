//! Identifiers that follow from content (UUID version 5, RFC 9562), so that the same finding has the
//! same one in every export.

use serde_json::Value;
use uuid::{Uuid, uuid};

/// The namespace of this program's identifiers, chosen once.
const NAMESPACE: Uuid = uuid!("5d0c1a9e-7f43-4b62-8c0d-3a4e9b1f6c27");

/// The identifier of what these values make one of its own.
pub(crate) fn identifier(seed: &Value) -> Uuid {
    Uuid::new_v5(&NAMESPACE, seed.to_string().as_bytes())
}
