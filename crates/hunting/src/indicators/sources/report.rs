//! Our own reports.

use miyaburi_model::{Confidence, EndpointRole, HexBytes, Report};

use super::Taken;
use crate::indicators::{Indicator, Value};

/// Digits of a configuration's comparison hash that name it.
const DIGITS: usize = 8;

/// What a report says is the attackers' own. Its other endpoints are decoys, resolvers and the bot's
/// own port: whoever talks to them is not infected.
pub(super) fn read(report: &Report, taken: &mut Taken<'_>) {
    let botnet = botnet(report);
    for endpoint in &report.endpoints {
        let is_hunted = matches!(
            endpoint.role,
            EndpointRole::C2
                | EndpointRole::ScanReceiver
                | EndpointRole::Loader
                | EndpointRole::DeadDropResolver
                | EndpointRole::Peer
        );
        if !is_hunted {
            continue;
        }
        taken.add(&endpoint.host, |value| {
            let value = match (value, endpoint.port) {
                (Value::Address(address, None), port) => Value::Address(address, port),
                (value, _) => value,
            };
            Indicator {
                protocol: endpoint.protocol,
                role: Some(endpoint.role),
                confidence: Some(endpoint.confidence),
                botnets: botnet.iter().cloned().collect(),
                ..Indicator::from(value)
            }
        });
    }
    // Whoever asks for the name under which the C2 is published is as infected.
    for name in report.external.iter().filter_map(|source| source.name.as_deref()) {
        taken.add(name, |value| Indicator {
            role: Some(EndpointRole::DeadDropResolver),
            confidence: Some(Confidence::Medium),
            botnets: botnet.iter().cloned().collect(),
            ..Indicator::from(value)
        });
    }
}

/// Family and configuration: the string table, or the credentials where there is none.
fn botnet(report: &Report) -> Option<Box<str>> {
    let family = report.family.as_ref().map_or("unknown", |family| &family.name);
    let table = report.string_table.as_ref().and_then(|table| table.sha256.as_ref());
    let credentials = || report.credentials.as_ref().and_then(|list| list.sha256.as_ref());
    let hash = table.or_else(credentials).map(HexBytes::to_string);
    match hash.as_deref().and_then(|hash| hash.get(..DIGITS)) {
        Some(hash) => Some(format!("{family}/{hash}").into()),
        None => report.family.as_ref().map(|family| family.name.as_str().into()),
    }
}
