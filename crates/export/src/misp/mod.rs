//! Events of MISP, one a configuration, as a feed: a folder with a manifest and a file an event.
//!
//! ```text
//! event          tags of TLP, galaxies and ATT&CK
//! malware-config what was found, as JSON, with the keys; refers to all others
//! file, elf      a pair for each file
//! ip-port, domain-ip   hosts with their role
//! credential, ddos-config   logins, attacks
//! attributes     requests that exploit devices
//! ```
//!
//! Only hosts that passed the gate are marked for detection (`to_ids`). An event and all in it keep
//! their identifiers from export to export, so a later one replaces it. With a ledger, events of earlier
//! exports stay in the feed, and what they have that is not blocked any more is unmarked. Empty values, which MISP
//! does not know, and those longer than it keeps are left out.

mod earlier;
mod event;
mod object;

use std::io;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::configurations::Configurations;
use crate::list::{BlockList, ExportError, Folder, Written, file};
use crate::tlp::Tlp;
use earlier::Blocked;
use event::Event;

/// Folder of the feed.
pub const FOLDER: &str = "misp";

/// File that names the events, in that folder.
pub const MANIFEST: &str = "manifest.json";

/// Writes an event for each configuration. Entries are events; left out are values that MISP does
/// not take.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    list: &BlockList,
    configurations: &Configurations,
    tlp: Tlp,
    folder: &mut dyn Folder,
) -> Result<Written, ExportError> {
    let (mut manifest, mut written) = (Map::new(), Written::default());
    for (identifier, configuration) in configurations.iter() {
        let event = Event::new(identifier, configuration, list, tlp);
        let uuid = event.uuid.to_string();
        json_file(folder, &format!("{uuid}.json"), &event.document)?;
        manifest.insert(uuid, event.summary);
        written.entries += 1;
        written.left_out += event.left_out;
    }
    if list.withdrawn.is_some() {
        let earlier = earlier(list, &manifest, folder)?;
        written.entries += earlier.len();
        manifest.extend(earlier);
    }
    json_file(folder, MANIFEST, &Value::Object(manifest))?;
    Ok(written)
}

/// Brings the folder's events that are not in `manifest` up to date: what the manifest says of them.
fn earlier(
    list: &BlockList,
    manifest: &Map<String, Value>,
    folder: &mut dyn Folder,
) -> Result<Map<String, Value>, ExportError> {
    let Some(before) = read(folder, MANIFEST)? else { return Ok(Map::new()) };
    let (blocked, now) = (Blocked::of(list), list.stamp.now.unix());
    let mut kept = Map::new();
    let before = before.as_object().cloned().unwrap_or_default();
    let is_other = |uuid: &str| !manifest.contains_key(uuid) && Uuid::parse_str(uuid).is_ok();
    for (uuid, mut summary) in before.into_iter().filter(|(uuid, _)| is_other(uuid)) {
        let name = format!("{uuid}.json");
        // Who took an event out of the folder does not want it.
        let Some(mut document) = read(folder, &name)? else { continue };
        if document.get_mut("Event").is_some_and(|event| blocked.mark(event, now)) {
            json_file(folder, &name, &document)?;
            if let Some(summary) = summary.as_object_mut() {
                summary.insert("timestamp".to_owned(), now.to_string().into());
            }
        }
        kept.insert(uuid, summary);
    }
    Ok(kept)
}

/// What an earlier export has under a name.
fn read(folder: &dyn Folder, name: &str) -> Result<Option<Value>, ExportError> {
    let file = format!("{FOLDER}/{name}");
    let read = folder.earlier(&file).and_then(|bytes| {
        bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(io::Error::from)
    });
    read.map_err(|error| ExportError { file, error })
}

fn json_file(folder: &mut dyn Folder, name: &str, value: &Value) -> Result<(), ExportError> {
    file(folder, &format!("{FOLDER}/{name}"), |writer| {
        serde_json::to_writer(&mut *writer, value)?;
        writer.write_all(b"\n")
    })
}
