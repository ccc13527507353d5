//! Lists that are made while they are written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// A list whose items exist one at a time, so that no file makes the output grow in memory.
pub(super) struct Stream<'a, T>(Box<dyn Fn() -> Box<dyn Iterator<Item = T> + 'a> + 'a>);

impl<'a, T> Stream<'a, T> {
    /// A list that `start` yields anew each time it is asked for.
    pub(super) fn new<I: Iterator<Item = T> + 'a>(start: impl Fn() -> I + 'a) -> Self {
        Self(Box::new(move || Box::new(start())))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        (self.0)()
    }
}

impl<T: Serialize> Serialize for Stream<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<T: JsonSchema> JsonSchema for Stream<'_, T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}
