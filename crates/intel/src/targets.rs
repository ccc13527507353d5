//! Which devices are targeted, by how many configurations, since when.

use std::collections::BTreeSet;

use miyaburi_model::{Confidence, HexBytes, VirtualAddress};
use serde::Serialize;

use crate::observed::Seen;

/// What opens a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Cause {
    /// A request that exploits it.
    Exploit {
        /// HTTP method, empty for any.
        method: String,
        /// Path, `*` for any text.
        path: String,
        /// Port of the device, null for any.
        port: Option<u16>,
        /// CVE identifiers.
        cve: Vec<String>,
    },
    /// A login.
    Credential {
        /// User name.
        user: String,
        /// Password.
        password: String,
    },
}

/// How often something was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Configurations that have it.
    pub configurations: usize,
    /// Files that have it.
    pub files: usize,
    /// When those files were seen, null when that is not known of any.
    pub seen: Option<Seen>,
}

/// A place in a file that a statement rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// SHA-256 of the file.
    pub sha256: Option<HexBytes>,
    /// Address of the first evidence, null when the report has none.
    pub address: Option<VirtualAddress>,
}

/// A cause, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CauseUse {
    /// What opens the device.
    #[serde(flatten)]
    pub cause: Cause,
    /// How sure it is that it is this device's.
    pub confidence: Confidence,
    /// Ids of the sources that say so.
    pub sources: Vec<String>,
    /// How often it was met.
    #[serde(flatten)]
    pub tally: Tally,
    /// The first places where it was.
    pub found_at: Vec<Place>,
}

/// Devices that are targeted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Vendor; empty for logins that no source ties to one.
    pub vendor: String,
    /// Product line or model; empty when no source names one.
    pub product: String,
    /// Kinds of device, as sources tell.
    pub kinds: BTreeSet<String>,
    /// That of the surest cause.
    pub confidence: Confidence,
    /// How often any of the causes was met.
    #[serde(flatten)]
    pub tally: Tally,
    /// What opens them, the most frequent first.
    pub causes: Vec<CauseUse>,
}

/// A port that scanners probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbedPort {
    /// The port.
    pub port: u16,
    /// How often it was met.
    #[serde(flatten)]
    pub tally: Tally,
}

/// A login or request that no row explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unexplained {
    /// The login, or the request as the file has it.
    #[serde(flatten)]
    pub cause: Cause,
    /// How often it was met.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What reports say of targeted devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Targets {
    /// Reports that were read.
    pub reports: usize,
    /// Configurations among those with credentials, probes or exploits.
    pub configurations: usize,
    /// Devices: first those that most configurations target, then the surest.
    pub targets: Vec<Target>,
    /// Ports, the most probed first.
    pub ports: Vec<ProbedPort>,
    /// What no row explains, the most frequent first.
    pub unexplained: Vec<Unexplained>,
}
