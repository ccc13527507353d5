//! Which parts of a report are scored, and as what.

use serde_json::{Map, Value};

use super::matching::covers;

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
    /// A list whose items are the same when these members are.
    Keys(&'static [Member]),
    /// What the truth says about items beyond their key.
    Details(&'static [Member], Beyond),
}

/// A member of an item, and the members of its own items that count when it is a list.
#[derive(Debug)]
struct Member(&'static str, Option<&'static [Member]>);

/// Which members beyond the key.
#[derive(Debug)]
enum Beyond {
    All,
    AllBut(&'static str),
    Only(&'static str),
}

const fn scalar(name: &'static str, pointer: &'static str) -> Field {
    Field { name, pointer, shape: Shape::Scalar }
}

const fn keys(name: &'static str, pointer: &'static str, key: &'static [Member]) -> Field {
    Field { name, pointer, shape: Shape::Keys(key) }
}

const fn details(name: &'static str, pointer: &'static str, key: &'static [Member]) -> Field {
    Field { name, pointer, shape: Shape::Details(key, Beyond::All) }
}

const fn member(name: &'static str) -> Member {
    Member(name, None)
}

const ENDPOINT: &[Member] = &[member("host"), member("port"), member("role")];
const EXTERNAL: &[Member] = &[member("source")];
const ENTRY: &[Member] =
    &[member("id"), member("kind"), member("text"), member("port"), member("hex")];
const ENTRY_ID: &[Member] = &[member("id")];
const STRING: &[Member] = &[member("text")];
const CREDENTIAL: &[Member] = &[member("user"), member("password"), member("weight")];
const OPTION: &[Member] = &[member("key"), member("default")];
const ATTACK: &[Member] =
    &[member("vector"), member("command"), member("kind"), Member("options", Some(OPTION))];
const ORDER: &[Member] = &[member("vector"), member("command")];
const PROBE: &[Member] = &[member("port"), member("weight")];
const EXPLOIT: &[Member] = &[member("path"), member("loader")];
const PLACE: &[Member] = &[member("address"), member("role")];

/// Every scored field. What items hold beyond their key is scored as a field of its own, so that
/// a wrong detail does not hide a right item; so are the role of a table entry, and what an attack is
/// ordered by, its vector or command.
pub(crate) const FIELDS: &[Field] = &[
    scalar("verdict", "/verdict"),
    scalar("family", "/family/name"),
    scalar("sample.format", "/sample/format"),
    scalar("sample.arch", "/sample/arch"),
    scalar("sample.cpu", "/sample/cpu"),
    scalar("sample.bits", "/sample/bits"),
    scalar("sample.endian", "/sample/endian"),
    scalar("sample.packer", "/sample/packer"),
    keys("endpoints", "/endpoints", ENDPOINT),
    details("endpoints.details", "/endpoints", ENDPOINT),
    keys("external", "/external", EXTERNAL),
    details("external.details", "/external", EXTERNAL),
    scalar("string_table.key", "/string_table/key"),
    scalar("string_table.effective_key", "/string_table/effective_key"),
    scalar("string_table.cipher", "/string_table/cipher"),
    scalar("string_table.nonce", "/string_table/nonce"),
    scalar("string_table.sha256", "/string_table/sha256"),
    keys("string_table.entries", "/string_table/entries", ENTRY),
    Field {
        name: "string_table.roles",
        pointer: "/string_table/entries",
        shape: Shape::Details(ENTRY_ID, Beyond::Only("role")),
    },
    Field {
        name: "string_table.details",
        pointer: "/string_table/entries",
        shape: Shape::Details(ENTRY, Beyond::AllBut("role")),
    },
    keys("strings", "/strings", STRING),
    details("strings.details", "/strings", STRING),
    scalar("credentials.effective_key", "/credentials/effective_key"),
    scalar("credentials.cipher", "/credentials/cipher"),
    scalar("credentials.sha256", "/credentials/sha256"),
    keys("credentials.entries", "/credentials/entries", CREDENTIAL),
    details("credentials.details", "/credentials/entries", CREDENTIAL),
    keys("attacks", "/attacks", ATTACK),
    keys("attacks.vectors", "/attacks", ORDER),
    details("attacks.details", "/attacks", ATTACK),
    keys("scan.probes", "/scan/probes", PROBE),
    scalar("scan.excluded", "/scan/excluded"),
    scalar("scan.syn", "/scan/syn"),
    keys("scan.exploits", "/scan/exploits", EXPLOIT),
    details("scan.exploits.details", "/scan/exploits", EXPLOIT),
    keys("functions", "/functions", PLACE),
    details("functions.details", "/functions", PLACE),
    keys("data", "/data", PLACE),
    details("data.details", "/data", PLACE),
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
        let Shape::Details(key, _) = self.shape else { return Some(items) };
        let says_more = |item: &Value| cut(item, key) != *item;
        let telling: Vec<Value> = items.into_iter().filter(says_more).collect();
        (!telling.is_empty()).then_some(telling)
    }

    /// What a report holds in the field, given what is expected there; nothing when it is absent
    /// or null. Details count only of items whose key is expected.
    pub(crate) fn found(&self, report: &Value, expected: &[Value]) -> Vec<Value> {
        let mut items =
            report.pointer(self.pointer).map(|value| self.items_of(value)).unwrap_or_default();
        if let Shape::Details(key, _) = self.shape {
            let keys: Vec<Value> = expected.iter().map(|item| cut(item, key)).collect();
            items.retain(|item| keys.iter().any(|key| covers("", key, item)));
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
            (Shape::Keys(key), Value::Array(list)) => {
                list.iter().map(|item| cut(item, key)).collect()
            }
            (Shape::Details(key, beyond), Value::Array(list)) => {
                list.iter().map(|item| beyond.of(item, key)).collect()
            }
            // A scalar; or no list where one belongs, which nothing will match.
            (_, other) => vec![other.clone()],
        }
    }
}

impl Beyond {
    /// The item with its key and these members.
    fn of(&self, item: &Value, key: &[Member]) -> Value {
        let mut kept = item.clone();
        if let Some(members) = kept.as_object_mut() {
            let in_key = |name: &str| key.iter().any(|Member(member, _)| *member == name);
            members.retain(|name, _| match self {
                Self::All => true,
                Self::AllBut(other) => name != other,
                Self::Only(only) => name == only || in_key(name),
            });
        }
        kept
    }
}

/// The item with no other members than these, where it has them.
fn cut(item: &Value, members: &[Member]) -> Value {
    let Some(object) = item.as_object() else { return item.clone() };
    let kept = members.iter().filter_map(|Member(name, inner)| {
        let value = match (object.get(*name)?, inner) {
            (Value::Array(list), Some(inner)) => list.iter().map(|item| cut(item, inner)).collect(),
            (value, _) => value.clone(),
        };
        Some(((*name).to_owned(), value))
    });
    Value::Object(kept.collect::<Map<String, Value>>())
}
