//! Hosts of the attackers.

use std::io;

use miyaburi_model::EndpointRole;
use serde_json::{Value, json};

use super::bundle::Bundle;
use super::observable;
use crate::indicators::{Indicator, protocol_name, role_name};

/// Adds a host of the attackers with what it consists of.
pub(super) fn write(bundle: &mut Bundle<'_>, indicator: &Indicator) -> io::Result<String> {
    let kind = match indicator.role {
        EndpointRole::ScanReceiver => "exfiltration",
        EndpointRole::Loader => "hosting-malware",
        _ => "command-and-control",
    };
    let members = json!({
        "name": name(indicator), "infrastructure_types": [kind],
        "labels": [role_name(indicator.role)],
    });
    let id = bundle.object("infrastructure", &seed(indicator), members)?;
    let host = observable::host(bundle, &indicator.host)?;
    bundle.relation(&id, "consists-of", &host, None)?;
    let traffic = observable::traffic(bundle, indicator)?;
    if traffic != host {
        bundle.relation(&id, "consists-of", &traffic, None)?;
    }
    Ok(id)
}

/// Such as `c2 192.0.2.1:23/tcp`.
pub(super) fn name(indicator: &Indicator) -> String {
    let Indicator { host, port, protocol, role } = indicator;
    let is_v6 = matches!(host, crate::indicators::Host::Address(core::net::IpAddr::V6(_)));
    let host = if is_v6 && port.is_some() { format!("[{host}]") } else { host.to_string() };
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let protocol = protocol.map_or_else(String::new, |it| format!("/{}", protocol_name(it)));
    format!("{} {host}{port}{protocol}", role_name(*role))
}

/// What makes it one of its own.
pub(super) fn seed(indicator: &Indicator) -> Value {
    json!(name(indicator))
}
