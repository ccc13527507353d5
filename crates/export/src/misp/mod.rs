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
//! their identifiers from export to export, so a later one replaces it. Empty values, which MISP
//! does not know, and those longer than it keeps are left out.

mod event;
mod object;

use serde_json::{Map, Value};

use crate::configurations::Configurations;
use crate::list::{BlockList, ExportError, Folder, Written, file};
use crate::tlp::Tlp;
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
    json_file(folder, MANIFEST, &Value::Object(manifest))?;
    Ok(written)
}

fn json_file(folder: &mut dyn Folder, name: &str, value: &Value) -> Result<(), ExportError> {
    file(folder, &format!("{FOLDER}/{name}"), |writer| {
        serde_json::to_writer(&mut *writer, value)?;
        writer.write_all(b"\n")
    })
}
