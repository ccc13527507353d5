//! Objects one after the other, each once.

use std::collections::HashSet;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{CREATED, identifier};
use crate::list::Stamp;
use crate::tlp::Tlp;

/// The extension that carries labels of TLP 2.0 (OASIS, common objects).
const TLP_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// The identifier of OASIS' own object for a label.
const fn marking(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        Tlp::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Tlp::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Tlp::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        Tlp::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
    }
}

/// A bundle that is being written.
pub(super) struct Bundle<'a> {
    writer: &'a mut dyn Write,
    /// Identifiers of what is in it.
    written: HashSet<String>,
    marking: &'static str,
    /// The time of the export.
    now: String,
    modified: String,
    creator: String,
}

impl<'a> Bundle<'a> {
    /// Begins with the label and the creator of all that follows.
    pub(super) fn begin(writer: &'a mut dyn Write, stamp: &Stamp, tlp: Tlp) -> io::Result<Self> {
        let now = stamp.now.milliseconds();
        let modified = now.clone().max(CREATED.to_owned());
        let seed = json!([stamp.input_sha256, modified, tlp.name()]);
        let id = identifier::own("bundle", &seed);
        writeln!(writer, "{{\"type\":\"bundle\",\"id\":\"{id}\",\"objects\":[")?;
        let creator = identifier::own("identity", &json!("miyaburi"));
        let (marking, written) = (marking(tlp), HashSet::new());
        let mut bundle = Self { writer, written, marking, now, modified, creator };
        bundle.put(&label(tlp))?;
        let (created, modified) = (CREATED, &bundle.modified);
        let creator = json!({
            "type": "identity", "spec_version": "2.1", "id": bundle.creator,
            "created": created, "modified": modified, "object_marking_refs": [marking],
            "name": "miyaburi", "identity_class": "system",
        });
        bundle.put(&creator)?;
        Ok(bundle)
    }

    /// The time of the export.
    pub(super) fn now(&self) -> &str {
        &self.now
    }

    /// Ends the document.
    pub(super) fn end(self) -> io::Result<()> {
        self.writer.write_all(b"\n]}\n")
    }

    /// Adds a domain object or relationship that `seed` makes one of its own, unless it is there;
    /// members without a value are left out. Its identifier.
    pub(super) fn object(
        &mut self,
        kind: &str,
        seed: &Value,
        members: Value,
    ) -> io::Result<String> {
        let id = identifier::own(kind, seed);
        if !self.written.contains(&id) {
            let common = json!({
                "type": kind, "spec_version": "2.1", "id": id, "created_by_ref": self.creator,
                "created": CREATED, "modified": self.modified,
                "object_marking_refs": [self.marking],
            });
            self.put(&joined(common, members))?;
        }
        Ok(id)
    }

    /// Adds an observable under its identifier, unless it is there.
    pub(super) fn observable(
        &mut self,
        kind: &str,
        id: String,
        members: Value,
    ) -> io::Result<String> {
        if !self.written.contains(&id) {
            let common = json!({
                "type": kind, "spec_version": "2.1", "id": id,
                "object_marking_refs": [self.marking],
            });
            self.put(&joined(common, members))?;
        }
        Ok(id)
    }

    /// Adds that `source` stands in this relation to `target`.
    pub(super) fn relation(
        &mut self,
        source: &str,
        relation: &str,
        target: &str,
        description: Option<String>,
    ) -> io::Result<()> {
        let members = json!({
            "relationship_type": relation, "source_ref": source, "target_ref": target,
            "description": description,
        });
        self.object("relationship", &json!([source, relation, target]), members).map(drop)
    }

    fn put(&mut self, object: &Value) -> io::Result<()> {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        if !self.written.is_empty() {
            self.writer.write_all(b",\n")?;
        }
        self.written.insert(id);
        serde_json::to_writer(&mut *self.writer, object)?;
        Ok(())
    }
}

/// OASIS' own object for a label, word for word.
fn label(tlp: Tlp) -> Value {
    let mut extensions = Map::new();
    let content = json!({ "extension_type": "property-extension", "tlp_2_0": tlp.name() });
    extensions.insert(TLP_EXTENSION.to_owned(), content);
    json!({
        "type": "marking-definition", "spec_version": "2.1", "id": marking(tlp),
        "created": "2022-10-01T00:00:00.000Z",
        "name": format!("TLP:{}", tlp.name().to_uppercase()), "extensions": extensions,
    })
}

/// The members of both that have a value.
fn joined(common: Value, members: Value) -> Value {
    let has_value = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let all = [common, members].into_iter().filter_map(|it| match it {
        Value::Object(members) => Some(members),
        _ => None,
    });
    Value::Object(all.flatten().filter(|(_, value)| has_value(value)).collect())
}
