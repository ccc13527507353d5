//! A disk that loses what comes after some write, and lists for a ledger.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use miyaburi_export::gate::{Gate, OwnSpace, Selection};
use miyaburi_export::indicators::{Indicators, Observed};
use miyaburi_export::{Block, Stage};
use miyaburi_ledger::{Entry, Exempt, Kind, Ledger, LedgerError, Run, State};
use miyaburi_model::{
    Confidence, Endpoint, EndpointRole, Evidence, Method, Protocol, Report, Sample, Verdict,
};
use redb::StorageBackend;

/// What is on the disk, and how many more writes reach it.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<Contents>>);

#[derive(Debug)]
struct Contents {
    bytes: Vec<u8>,
    left: usize,
}

impl Disk {
    /// An empty disk.
    pub(crate) fn new() -> Self {
        Self::with(Vec::new())
    }

    /// A disk with these bytes.
    pub(crate) fn with(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Contents { bytes, left: usize::MAX })))
    }

    /// What a process would find that begins now, with a disk that takes `left` more writes.
    pub(crate) fn reopened(&self, left: usize) -> Self {
        let bytes = self.0.lock().unwrap().bytes.clone();
        Self(Arc::new(Mutex::new(Contents { bytes, left })))
    }

    /// Whether all writes so far reached it.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.lock().unwrap().left > 0
    }

    fn write_or_die(&self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), std::io::Error> {
        let mut contents = self.0.lock().unwrap();
        if contents.left == 0 {
            return Err(std::io::Error::other("the process is dead"));
        }
        contents.left -= 1;
        write(&mut contents.bytes);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let contents = self.0.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        out.copy_from_slice(&contents.bytes[start..start + out.len()]);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), std::io::Error> {
        self.write_or_die(|bytes| bytes.resize(usize::try_from(length).unwrap(), 0))
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        let start = usize::try_from(offset).unwrap();
        self.write_or_die(|bytes| bytes[start..start + data.len()].copy_from_slice(data))
    }
}

/// Blocks of C2s at these addresses, made on a day of November 2026.
pub(crate) fn blocks(day: u8, addresses: &[&str]) -> Vec<Block> {
    let endpoint = |host: &&str| Endpoint {
        host: (*host).to_owned(),
        port: Some(23),
        protocol: Some(Protocol::Tcp),
        url: None,
        role: EndpointRole::C2,
        order: None,
        method: Method::Emulation,
        confidence: Confidence::High,
        evidence: vec![Evidence::new(0x8048u64, None, "seen")],
    };
    let sha256 = Some([day; 32].as_slice().into());
    let mut report = Report::new(Sample { sha256, ..Sample::default() }, Verdict::Config);
    report.endpoints = addresses.iter().map(endpoint).collect();
    let mut indicators = Indicators::default();
    indicators.add(&report, &Observed::default());
    let selection = Selection {
        now: format!("2026-11-{day:02}").parse().unwrap(),
        ttl: std::time::Duration::from_secs(30 * 86400),
        since: None,
        min_confidence: Confidence::Medium,
        roles: vec![EndpointRole::C2],
    };
    Gate::new(&[], OwnSpace::default()).unwrap().decide(indicators, &selection).blocks
}

/// A run that has not come to its end.
pub(crate) fn run(number: u64) -> Run {
    Run {
        number,
        kind: Kind::Export,
        time: format!("2026-11-{number:02}").parse().unwrap(),
        serial: u32::try_from(number).unwrap() * 100,
        stage: Stage::Enforce,
        formats: vec!["rpz".to_owned()],
        is_complete: false,
        provenance: serde_json::json!({ "reports": number }),
    }
}

/// Begins a run with these addresses, and what the user took back.
pub(crate) fn begin(
    ledger: &Ledger,
    number: u64,
    addresses: &[&str],
    revoked: &[&str],
) -> Result<(), LedgerError> {
    let run = run(number);
    let blocks = blocks(u8::try_from(number).unwrap(), addresses);
    let entries: Vec<Entry> = blocks.iter().map(|block| Entry::new(block, &run)).collect();
    let revoked = revoked.iter().map(|it| (*it).to_owned()).collect();
    let exempt = Exempt { revoked, innocent: Vec::new() };
    ledger.begin(&run, &State { reports: number, ..State::default() }, entries, &exempt)
}

/// Hosts in the entries of a run.
pub(crate) fn hosts(ledger: &Ledger, run: u64) -> Vec<String> {
    let mut hosts = Vec::new();
    let take = |entry: Entry| -> Result<(), LedgerError> {
        hosts.push(entry.indicator.host.to_string());
        Ok(())
    };
    ledger.entries(run, take).unwrap();
    hosts
}
