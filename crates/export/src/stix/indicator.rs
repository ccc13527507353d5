//! What passed the gate: patterns that consumers may block by.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::bundle::Bundle;
use super::{identifier, infrastructure, observable};
use crate::indicators::{Host, Indicator, Timestamp, protocol_name, role_name};
use crate::list::{Block, Withdrawal};
use miyaburi_model::Confidence;

/// Adds an indicator with the infrastructure that it indicates.
pub(super) fn write(bundle: &mut Bundle<'_>, block: &Block) -> io::Result<()> {
    let Block { indicator, sightings, expires, .. } = block;
    let seen = sightings.seen;
    let from = seen.map_or_else(|| bundle.now().to_owned(), |it| it.first.milliseconds());
    let members = json!({
        "name": infrastructure::name(indicator),
        "description": description(block),
        "indicator_types": ["malicious-activity"],
        "pattern": pattern(indicator), "pattern_type": "stix", "pattern_version": "2.1",
        "valid_from": from, "valid_until": expires.milliseconds(),
        "confidence": confidence(sightings.confidence),
        "labels": [role_name(indicator.role)],
    });
    let id = bundle.object("indicator", &infrastructure::seed(indicator), members)?;
    let infrastructure = infrastructure::write(bundle, indicator)?;
    bundle.relation(&id, "indicates", &infrastructure, None)
}

/// Adds the indicator of what is no longer in force, as one whose validity ended. One that expired did so
/// where it was taken, too; its last version said when.
pub(super) fn withdraw(
    bundle: &mut Bundle<'_>,
    withdrawal: &Withdrawal,
    now: Timestamp,
) -> io::Result<()> {
    let Withdrawal { indicator, in_force, reason } = withdrawal;
    if in_force.until <= now {
        return Ok(());
    }
    let from = in_force.since;
    // Validity of no length is not allowed.
    let until = now.max(from.after(Duration::from_secs(1)));
    let members = json!({
        "name": infrastructure::name(indicator),
        "description": format!("withdrawn: {reason}"),
        "pattern": pattern(indicator), "pattern_type": "stix", "pattern_version": "2.1",
        "valid_from": from.milliseconds(), "valid_until": until.milliseconds(),
        "labels": [role_name(indicator.role)],
    });
    bundle.object("indicator", &infrastructure::seed(indicator), members).map(drop)
}

/// What it rests on, and what a list says of it.
fn description(block: &Block) -> String {
    let (role, reports) = (role_name(block.indicator.role), block.sightings.reports);
    let note = block.note.as_ref().map_or_else(String::new, |note| format!("; listed: {note}"));
    format!("{role}, named by {reports} reports{note}")
}

/// The identifier of the indicator for a host.
pub(super) fn id(indicator: &Indicator) -> String {
    identifier::own("indicator", &infrastructure::seed(indicator))
}

/// Traffic to a host: a name whatever the port, as resolvers see no ports. Hosts are typed and hold
/// no quotes.
fn pattern(indicator: &Indicator) -> String {
    let Indicator { host, port, protocol, .. } = indicator;
    let kind = observable::host_kind(host);
    let (Host::Address(_), Some(port)) = (host, port) else {
        return format!("[{kind}:value = '{host}']");
    };
    let protocol = protocol.map_or_else(String::new, |protocol| {
        format!(" AND network-traffic:protocols[*] = '{}'", protocol_name(protocol))
    });
    format!(
        "[network-traffic:dst_ref.type = '{kind}' AND network-traffic:dst_ref.value = '{host}' \
         AND network-traffic:dst_port = {port}{protocol}]"
    )
}

/// Confidence in percent, by the scale of the specification's appendix A.
pub(super) const fn confidence(confidence: Confidence) -> u8 {
    match confidence {
        Confidence::Low => 15,
        Confidence::Medium => 50,
        Confidence::High => 85,
    }
}
