//! Techniques of ATT&CK that a configuration shows.

use std::io;

use serde_json::json;

use super::bundle::Bundle;
use crate::configurations::{Configuration, Request};
use crate::technique::{self, Technique};

/// Adds the techniques and that `malware` uses them.
pub(super) fn write(
    bundle: &mut Bundle<'_>,
    malware: &str,
    configuration: &Configuration,
) -> io::Result<()> {
    for technique in &configuration.techniques {
        let Technique { id, name, tactic } = technique;
        let members = json!({
            "name": name,
            "external_references": [{
                "source_name": "mitre-attack", "external_id": id,
                "url": format!("https://attack.mitre.org/techniques/{}", id.replace('.', "/")),
            }],
            "kill_chain_phases": [{ "kill_chain_name": "mitre-attack", "phase_name": tactic }],
        });
        let id = bundle.object("attack-pattern", &json!(id), members)?;
        bundle.relation(malware, "uses", &id, description(technique, configuration))?;
    }
    Ok(())
}

/// What was found of a technique.
fn description(technique: &Technique, configuration: &Configuration) -> Option<String> {
    let list = |items: Vec<String>| (!items.is_empty()).then(|| items.join(", "));
    match *technique {
        technique::FLOOD => list(configuration.attacks.iter().cloned().collect()),
        technique::EXPLOIT => list(configuration.requests.iter().map(request).collect()),
        technique::DISCOVERY => {
            let ports = configuration.probes.iter();
            list(ports.map(ToString::to_string).collect()).map(|ports| format!("ports {ports}"))
        }
        technique::GUESSING => Some(format!("{} logins", configuration.logins.len())),
        technique::DECODING => list(configuration.keys.iter().cloned().collect()),
        technique::PACKING => {
            let packers = configuration.files.values().filter_map(|file| file.packer.clone());
            let packers: std::collections::BTreeSet<String> = packers.collect();
            list(packers.into_iter().collect())
        }
        _ => None,
    }
}

/// Such as `POST /HNAP1 at port 80`.
fn request(request: &Request) -> String {
    let Request { port, method, path } = request;
    let port = port.map(|port| format!("at port {port}"));
    let parts = [method.clone(), path.clone(), port];
    parts.into_iter().flatten().collect::<Vec<String>>().join(" ")
}
