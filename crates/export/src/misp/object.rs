//! Objects by the templates of MISP.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::identifier::identifier;

/// Bytes of the longest value that MISP keeps.
pub(super) const MAX_VALUE: usize = 65535;

/// A template of MISP's own.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) name: &'static str,
    category: &'static str,
    uuid: &'static str,
    version: &'static str,
}

const fn template(
    name: &'static str,
    category: &'static str,
    uuid: &'static str,
    version: &'static str,
) -> Template {
    Template { name, category, uuid, version }
}

pub(super) const MALWARE_CONFIG: Template =
    template("malware-config", "file", "8200b79b-1d8c-49a8-9a63-7710e613c059", "2");
pub(super) const FILE: Template =
    template("file", "file", "688c46fb-5edb-40a3-8273-1af7923e2215", "25");
pub(super) const ELF: Template =
    template("elf", "file", "fa6534ae-ad74-4ce0-8f23-15a66c82c7fa", "5");
pub(super) const IP_PORT: Template =
    template("ip-port", "network", "9f8cea74-16fe-4968-a2b4-026676949ac6", "10");
pub(super) const DOMAIN_IP: Template =
    template("domain-ip", "network", "43b3b146-77eb-4931-b4cc-b66c60f28734", "11");
pub(super) const CREDENTIAL: Template =
    template("credential", "misc", "a27e98c9-9b0e-414c-8076-d201e039ca09", "5");
pub(super) const DDOS_CONFIG: Template =
    template("ddos-config", "network", "e56d7f93-258e-4ba5-bd8a-463acd6d98c4", "3");

/// Types of attribute with their category.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Address,
    Domain,
    Port,
    Text,
    Md5,
    Sha1,
    Sha256,
    Size,
    Time,
}

impl Kind {
    /// Type, category, and whether equal values in other events say something.
    const fn spelling(self) -> (&'static str, &'static str, bool) {
        match self {
            Self::Address => ("ip-dst", "Network activity", true),
            Self::Domain => ("domain", "Network activity", true),
            Self::Port => ("port", "Network activity", false),
            Self::Text => ("text", "Other", false),
            Self::Md5 => ("md5", "Payload delivery", true),
            Self::Sha1 => ("sha1", "Payload delivery", true),
            Self::Sha256 => ("sha256", "Payload delivery", true),
            Self::Size => ("size-in-bytes", "Other", false),
            Self::Time => ("datetime", "Other", false),
        }
    }
}

/// An object that is being made.
pub(super) struct Object {
    pub(super) uuid: Uuid,
    template: Template,
    comment: String,
    attributes: Vec<Value>,
    references: Vec<Value>,
    /// Values that MISP does not take.
    pub(super) left_out: usize,
}

impl Object {
    /// An object of an event that `key` makes one of its own.
    pub(super) fn new(event: Uuid, template: Template, key: &Value) -> Self {
        let uuid = identifier(&json!([event, template.name, key]));
        let (attributes, references) = (Vec::new(), Vec::new());
        Self { uuid, template, comment: String::new(), attributes, references, left_out: 0 }
    }

    /// The same with a comment.
    pub(super) fn comment(mut self, comment: String) -> Self {
        self.comment = comment;
        self
    }

    /// The same with a value, where there is one.
    pub(super) fn with(self, relation: &str, kind: Kind, value: Option<String>) -> Self {
        self.add(relation, kind, value, false)
    }

    /// The same with a value, which consumers are to detect when `to_ids`.
    pub(super) fn add(
        mut self,
        relation: &str,
        kind: Kind,
        value: Option<String>,
        to_ids: bool,
    ) -> Self {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return self };
        if value.len() > MAX_VALUE {
            self.left_out += 1;
            return self;
        }
        let (spelling, category, correlates) = kind.spelling();
        self.attributes.push(json!({
            "uuid": identifier(&json!([self.uuid, relation, value])),
            "object_relation": relation, "type": spelling, "category": category,
            "value": value, "to_ids": to_ids, "disable_correlation": !correlates,
        }));
        self
    }

    /// Adds that it stands in this relation to another object.
    pub(super) fn refer(&mut self, relation: &str, other: Uuid) {
        self.references.push(json!({
            "uuid": identifier(&json!([self.uuid, relation, other])),
            "object_uuid": self.uuid, "referenced_uuid": other, "relationship_type": relation,
        }));
    }

    /// Whether it holds a value.
    pub(super) fn has_values(&self) -> bool {
        !self.attributes.is_empty()
    }

    /// The document.
    pub(super) fn document(self, timestamp: &str) -> Value {
        let Template { name, category, uuid, version } = self.template;
        let mut attributes = self.attributes;
        for attribute in &mut attributes {
            attribute["timestamp"] = Value::from(timestamp);
        }
        json!({
            "uuid": self.uuid, "name": name, "meta-category": category, "template_uuid": uuid,
            "template_version": version, "timestamp": timestamp, "comment": self.comment,
            "Attribute": attributes, "ObjectReference": self.references,
        })
    }
}
