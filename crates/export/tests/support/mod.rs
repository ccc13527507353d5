//! Reports made of endpoints, and a folder in memory.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod findings;
pub(crate) mod packets;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use miyaburi_export::gate::{Decisions, Gate, OwnSpace, Selection, WarningList, built_in};
use miyaburi_export::indicators::{Indicators, Observed, Timestamp};
use miyaburi_export::{BlockList, Folder, Stage, Stamp};
use miyaburi_model::{
    Confidence, Endpoint, EndpointRole, Evidence, Method, Protocol, Report, Sample, Verdict,
};

pub(crate) const DAY: u64 = 86400;

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn endpoint(host: &str, port: Option<u16>, role: EndpointRole) -> Endpoint {
    Endpoint {
        host: host.to_owned(),
        port,
        protocol: port.map(|_| Protocol::Tcp),
        url: None,
        role,
        order: None,
        method: Method::Emulation,
        confidence: Confidence::High,
        evidence: vec![Evidence::new(0x8048u64, None, "seen")],
    }
}

/// A report of a file whose SHA-256 is `digest` 32 times.
pub(crate) fn report(digest: u8, endpoints: Vec<Endpoint>) -> Report {
    let sha256 = Some([digest; 32].as_slice().into());
    let mut report = Report::new(Sample { sha256, ..Sample::default() }, Verdict::Config);
    report.endpoints = endpoints;
    report
}

pub(crate) fn merged(reports: &[Report]) -> Indicators {
    let mut indicators = Indicators::default();
    reports.iter().for_each(|report| indicators.add(report, &Observed::default()));
    indicators
}

pub(crate) fn selection() -> Selection {
    Selection {
        now: time("2026-11-23T00:00:00Z"),
        ttl: Duration::from_secs(30 * DAY),
        since: None,
        min_confidence: Confidence::Medium,
        roles: vec![EndpointRole::C2, EndpointRole::DeadDropResolver],
    }
}

/// A gate with the built-in lists.
pub(crate) fn gate() -> Gate {
    Gate::new(&built_in().unwrap(), OwnSpace::default()).unwrap()
}

/// A gate with only these lists.
pub(crate) fn gate_with(lists: &[&str]) -> Gate {
    let lists: Vec<WarningList> =
        lists.iter().map(|json| WarningList::parse(json).unwrap()).collect();
    Gate::new(&lists, OwnSpace::default()).unwrap()
}

/// What passes a gate without lists, to be enforced.
pub(crate) fn list_of(reports: &[Report]) -> BlockList {
    let decisions = gate_with(&[]).decide(merged(reports), &selection());
    list(decisions, Stage::Enforce)
}

pub(crate) fn list(decisions: Decisions, stage: Stage) -> BlockList {
    let now = selection().now;
    let stamp = Stamp { now, reports: 1, input_sha256: "00".repeat(32), serial: 7 };
    BlockList { stamp, stage, blocks: decisions.blocks, overdue: Vec::new(), withdrawn: None }
}

/// Files by name.
#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, Vec<u8>>);

impl Memory {
    pub(crate) fn text(&self, name: &str) -> &str {
        std::str::from_utf8(&self.0[name]).unwrap()
    }

    /// Lines that are neither empty nor begin with `comment`.
    pub(crate) fn lines(&self, name: &str, comment: &str) -> Vec<&str> {
        let lines = self.text(name).lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with(comment)).collect()
    }
}

impl Folder for Memory {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>> {
        let file = self.0.entry(name.to_owned()).or_default();
        file.clear();
        Ok(Box::new(file))
    }

    fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    fn earlier(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(name).cloned())
    }
}
