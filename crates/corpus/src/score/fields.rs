//! Which parts of a report are scored, and as what.

use serde_json::{Map, Value};

/// One scored field.
#[derive(Debug)]
pub(crate) struct Field {
    /// Name in the score.
    pub name: &'static str,
    /// JSON pointer to its value.
    pub pointer: &'static str,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    /// One value; null is a value too.
    Scalar,
    /// A list of items; an item is every member that the truth gives.
    Items,
    /// A list of items without one member, which is scored as a field of its own.
    ItemsWithout(&'static str),
    /// One member of the items of a list, each told by another member, where the truth gives it.
    Member { key: &'static str, member: &'static str },
}

const fn scalar(name: &'static str, pointer: &'static str) -> Field {
    Field { name, pointer, shape: Shape::Scalar }
}

const fn items(name: &'static str, pointer: &'static str) -> Field {
    Field { name, pointer, shape: Shape::Items }
}

/// Every scored field. The role of a table entry is scored apart from its value, so that a wrong
/// role does not hide a right decoding.
pub(crate) const FIELDS: &[Field] = &[
    scalar("verdict", "/verdict"),
    scalar("family", "/family/name"),
    scalar("sample.format", "/sample/format"),
    scalar("sample.arch", "/sample/arch"),
    scalar("sample.cpu", "/sample/cpu"),
    scalar("sample.bits", "/sample/bits"),
    scalar("sample.endian", "/sample/endian"),
    scalar("sample.packer", "/sample/packer"),
    items("endpoints", "/endpoints"),
    items("external", "/external"),
    scalar("string_table.key", "/string_table/key"),
    scalar("string_table.effective_key", "/string_table/effective_key"),
    scalar("string_table.cipher", "/string_table/cipher"),
    scalar("string_table.nonce", "/string_table/nonce"),
    scalar("string_table.sha256", "/string_table/sha256"),
    Field {
        name: "string_table.entries",
        pointer: "/string_table/entries",
        shape: Shape::ItemsWithout("role"),
    },
    Field {
        name: "string_table.roles",
        pointer: "/string_table/entries",
        shape: Shape::Member { key: "id", member: "role" },
    },
    items("strings", "/strings"),
    scalar("credentials.effective_key", "/credentials/effective_key"),
    scalar("credentials.cipher", "/credentials/cipher"),
    scalar("credentials.sha256", "/credentials/sha256"),
    items("credentials.entries", "/credentials/entries"),
    items("attacks", "/attacks"),
    items("scan.probes", "/scan/probes"),
    scalar("scan.syn", "/scan/syn"),
    items("scan.exploits", "/scan/exploits"),
    items("functions", "/functions"),
    items("data", "/data"),
];

impl Field {
    /// What the truth says the field holds, or none when it does not mention it. A part that is
    /// null (`"credentials": null`) holds nothing.
    pub(crate) fn expected(&self, truth: &Value) -> Option<Vec<Value>> {
        let items = match truth.pointer(self.pointer) {
            Some(value) => self.items_of(value),
            None if self.parent_is_null(truth) => Vec::new(),
            None => return None,
        };
        match self.shape {
            Shape::Member { member, .. } => {
                let telling: Vec<Value> =
                    items.into_iter().filter(|item| item.get(member).is_some()).collect();
                (!telling.is_empty()).then_some(telling)
            }
            _ => Some(items),
        }
    }

    /// What a report holds in the field, given what is expected there; nothing when it is absent
    /// or null.
    pub(crate) fn found(&self, report: &Value, expected: &[Value]) -> Vec<Value> {
        let mut items =
            report.pointer(self.pointer).map(|value| self.items_of(value)).unwrap_or_default();
        if let Shape::Member { key, .. } = self.shape {
            items.retain(|item| expected.iter().any(|other| other.get(key) == item.get(key)));
        }
        items
    }

    fn parent_is_null(&self, truth: &Value) -> bool {
        self.pointer
            .rsplit_once('/')
            .and_then(|(parent, _)| truth.pointer(parent))
            .is_some_and(Value::is_null)
    }

    fn items_of(&self, value: &Value) -> Vec<Value> {
        match (&self.shape, value) {
            (_, Value::Null) => Vec::new(),
            (Shape::Items, Value::Array(list)) => list.clone(),
            (Shape::ItemsWithout(name), Value::Array(list)) => {
                list.iter().map(|item| drop_member(item, name)).collect()
            }
            (Shape::Member { key, member }, Value::Array(list)) => {
                list.iter().map(|item| keep(item, &[key, member])).collect()
            }
            // A scalar; or no list where one belongs, which nothing will match.
            (_, other) => vec![other.clone()],
        }
    }
}

fn keep(item: &Value, members: &[&str]) -> Value {
    let kept: Map<String, Value> = members
        .iter()
        .filter_map(|&name| item.get(name).map(|value| (name.to_owned(), value.clone())))
        .collect();
    Value::Object(kept)
}

fn drop_member(item: &Value, name: &str) -> Value {
    let mut item = item.clone();
    if let Some(members) = item.as_object_mut() {
        members.shift_remove(name);
    }
    item
}
