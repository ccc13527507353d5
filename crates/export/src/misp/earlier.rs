//! Events of earlier exports, of which no report of this one says anything.

use std::collections::BTreeMap;

use miyaburi_model::EndpointRole;
use serde_json::{Value, json};

use super::object::{DOMAIN_IP, IP_PORT};
use crate::indicators::role_name;
use crate::list::{Block, BlockList};

/// What is blocked, as events spell it: host, port and role.
pub(super) struct Blocked<'a>(BTreeMap<(String, Option<String>, String), &'a Block>);

impl<'a> Blocked<'a> {
    pub(super) fn of(list: &'a BlockList) -> Self {
        let spelled = |block: &'a Block| {
            let it = &block.indicator;
            let port = it.port.map(|port| port.to_string());
            ((it.host.to_string(), port, role_name(it.role).to_owned()), block)
        };
        Self(list.blocks.iter().map(spelled).collect())
    }

    /// Marks what is blocked in an event for detection, and nothing else. Whether that changed it, which
    /// makes it one of `now`, in seconds since 1970.
    pub(super) fn mark(&self, event: &mut Value, now: i64) -> bool {
        let mut is_changed = false;
        let objects = event.get_mut("Object").and_then(Value::as_array_mut);
        for object in objects.into_iter().flatten() {
            is_changed |= self.mark_object(object, now);
        }
        if is_changed && let Some(event) = event.as_object_mut() {
            event.insert("timestamp".to_owned(), now.to_string().into());
        }
        is_changed
    }

    fn mark_object(&self, object: &mut Value, now: i64) -> bool {
        let name = object.get("name").and_then(Value::as_str);
        let [host, port] = match name {
            Some(name) if name == DOMAIN_IP.name => ["domain", "port"],
            Some(name) if name == IP_PORT.name => ["ip-dst", "dst-port"],
            _ => return false,
        };
        let value = |relation: &str| {
            let mut attributes = object.get("Attribute")?.as_array()?.iter();
            attributes.find(|it| it["object_relation"] == relation)?["value"].as_str()
        };
        let (Some(text), Some(role)) = (value(host), value("text")) else { return false };
        let key = (text.to_owned(), value(port).map(str::to_owned), role.to_owned());
        let block = self.0.get(&key).copied();
        let comment = comment(block, role);
        let is_blocked = block.is_some();
        let attributes = object.get_mut("Attribute").and_then(Value::as_array_mut);
        let host = attributes.into_iter().flatten().find(|it| it["object_relation"] == host);
        let Some(host) = host.filter(|it| it["to_ids"] != is_blocked) else { return false };
        host["to_ids"] = json!(is_blocked);
        host["timestamp"] = json!(now.to_string());
        object["comment"] = json!(comment);
        object["timestamp"] = json!(now.to_string());
        true
    }
}

/// Until when a host in this role holds, or that it is not to be blocked.
pub(super) fn comment(block: Option<&Block>, role: &str) -> String {
    let innocent = [EndpointRole::Decoy, EndpointRole::Resolver].map(role_name);
    match block {
        Some(block) => format!("valid until {}", block.expires),
        None if innocent.contains(&role) => "not the attackers'".to_owned(),
        None => "not to be blocked".to_owned(),
    }
}
