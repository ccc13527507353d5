//! What a run was made from and how.

use ipnet::IpNet;
use miyaburi_export::flowspec::{self, Routes};
use miyaburi_export::indicators::Timestamp;
use miyaburi_export::traffic::Traffic;
use miyaburi_export::{Stage, Stamp};
use serde::{Deserialize, Serialize};

/// One export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its number: 1, 2, 3 and so on.
    pub number: u64,
    /// What it was.
    pub kind: Kind,
    /// Its time.
    pub time: Timestamp,
    /// The serial of its zones.
    pub serial: u32,
    /// How far consumers go.
    pub stage: Stage,
    /// The formats that it wrote.
    pub formats: Vec<String>,
    /// Whether it came to its end.
    pub is_complete: bool,
    /// What it was made from, as written beside its files.
    pub provenance: serde_json::Value,
}

/// Where the entries of a run come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Reports.
    Export,
    /// The run before the one with this number.
    RollBack(u64),
}

/// What the files of a run are made from, beside its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Reports that were read.
    pub reports: u64,
    /// Their SHA-256 in hexadecimal.
    pub input_sha256: String,
    /// Packets of attacks.
    pub traffic: Traffic,
    /// Subscribers that are exempted.
    pub subscribers: Vec<IpNet>,
    /// How routes are made.
    pub flows: Option<flowspec::Options>,
    /// Routes that may be announced.
    pub routes: Routes,
}

impl State {
    /// The stamp of files that are made of it at another time.
    #[must_use]
    pub fn stamp(&self, now: Timestamp, serial: u32) -> Stamp {
        let Self { reports, input_sha256, .. } = self;
        Stamp { now, reports: *reports, input_sha256: input_sha256.clone(), serial }
    }
}
