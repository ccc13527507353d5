//! Techniques of ATT&CK that findings show.
//!
//! Identifiers, names and tactics are those of MITRE's Enterprise matrix. Each follows from a
//! finding alone: nothing is added because the family usually does it.

use miyaburi_model::{Cipher, Report};

/// A technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Technique {
    /// Such as `T1498.001`.
    pub id: &'static str,
    /// As the matrix spells it, without that of the technique above.
    pub name: &'static str,
    /// Short name of its first tactic.
    pub tactic: &'static str,
}

const fn technique(id: &'static str, name: &'static str, tactic: &'static str) -> Technique {
    Technique { id, name, tactic }
}

/// Packets that fill a line.
pub(crate) const FLOOD: Technique = technique("T1498.001", "Direct Network Flood", "impact");
/// Requests that wear out a service.
pub(crate) const EXHAUSTION: Technique =
    technique("T1499.002", "Service Exhaustion Flood", "impact");
/// Logins that are tried.
pub(crate) const GUESSING: Technique =
    technique("T1110.001", "Password Guessing", "credential-access");
/// Ports that are probed.
pub(crate) const DISCOVERY: Technique =
    technique("T1046", "Network Service Discovery", "discovery");
/// Requests that exploit devices.
pub(crate) const EXPLOIT: Technique =
    technique("T1190", "Exploit Public-Facing Application", "initial-access");
/// Strings that are decoded at run time.
pub(crate) const DECODING: Technique =
    technique("T1140", "Deobfuscate/Decode Files or Information", "defense-evasion");
/// A packer.
pub(crate) const PACKING: Technique = technique("T1027.002", "Software Packing", "defense-evasion");

/// The techniques that a report shows.
#[must_use]
pub(crate) fn techniques(report: &Report) -> Vec<Technique> {
    let scan = report.scan.as_ref();
    let is_http = |kind: Option<&str>| kind == Some("http");
    let found = [
        (!report.attacks.is_empty(), FLOOD),
        (report.attacks.iter().any(|attack| is_http(attack.kind.as_deref())), EXHAUSTION),
        (report.credentials.is_some(), GUESSING),
        (scan.is_some_and(|scan| !scan.probes.is_empty()), DISCOVERY),
        (scan.is_some_and(|scan| !scan.exploits.is_empty()), EXPLOIT),
        (is_encoded(report), DECODING),
        (report.sample.packer.is_some(), PACKING),
    ];
    found.into_iter().filter(|(is_found, _)| *is_found).map(|(_, technique)| technique).collect()
}

/// Whether the table or the credentials are encoded.
fn is_encoded(report: &Report) -> bool {
    let table = report.string_table.as_ref().map(|table| table.cipher);
    let credentials = report.credentials.as_ref().map(|list| list.cipher);
    table.into_iter().chain(credentials).any(|cipher| cipher != Cipher::Plain)
}
