//! Counting what reports target.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use miyaburi_model::{Confidence, Evidence, HexBytes, Report};
use roaring::RoaringBitmap;

use crate::Knowledge;
use crate::configuration::{self, Numbers};
use crate::observed::{Observed, Seen};
use crate::targets::{Cause, CauseUse, Place, ProbedPort, Tally, Target, Targets, Unexplained};

/// Places shown of one cause.
const EXAMPLES: usize = 3;

/// Vendor and product.
type Device = (String, String);

#[derive(Default)]
struct Count {
    configurations: RoaringBitmap,
    files: usize,
    seen: Option<Seen>,
}

impl Count {
    fn add(&mut self, file: &File<'_>) {
        self.configurations.insert(file.configuration);
        self.files += 1;
        self.seen = match (self.seen.take(), file.seen) {
            (Some(old), Some(new)) => Some(old.merged(new)),
            (old, new) => old.or_else(|| new.cloned()),
        };
    }

    fn tally(&self) -> Tally {
        let configurations = configuration::count(&self.configurations);
        Tally { configurations, files: self.files, seen: self.seen.clone() }
    }
}

/// The file whose report is being counted.
struct File<'a> {
    configuration: u32,
    sha256: Option<&'a HexBytes>,
    seen: Option<&'a Seen>,
}

struct CauseCount {
    count: Count,
    confidence: Confidence,
    sources: Vec<String>,
    found_at: Vec<Place>,
}

#[derive(Default)]
struct DeviceCount {
    count: Count,
    kinds: BTreeSet<String>,
    causes: BTreeMap<Cause, CauseCount>,
}

/// Counts reports one after the other.
pub struct Survey<'a> {
    knowledge: &'a Knowledge,
    observed: &'a Observed,
    reports: usize,
    configurations: Numbers,
    devices: BTreeMap<Device, DeviceCount>,
    ports: BTreeMap<u16, Count>,
    unexplained: BTreeMap<Cause, Count>,
}

/// What a row says of a device.
struct Said<'a> {
    vendor: &'a str,
    product: &'a str,
    kind: &'a str,
    confidence: Confidence,
    sources: &'a [String],
}

impl<'a> Survey<'a> {
    /// A survey of nothing yet.
    #[must_use]
    pub fn new(knowledge: &'a Knowledge, observed: &'a Observed) -> Self {
        Self {
            knowledge,
            observed,
            reports: 0,
            configurations: Numbers::default(),
            devices: BTreeMap::new(),
            ports: BTreeMap::new(),
            unexplained: BTreeMap::new(),
        }
    }

    /// Counts a report.
    pub fn add(&mut self, report: &Report) {
        self.reports += 1;
        let has_credentials =
            report.credentials.as_ref().is_some_and(|list| !list.entries.is_empty());
        let scan = report.scan.as_ref();
        let scans = scan.is_some_and(|scan| !scan.probes.is_empty() || !scan.exploits.is_empty());
        if !has_credentials && !scans {
            return;
        }
        let configuration = self.configurations.of(report);
        let sha256 = report.sample.sha256.as_ref();
        let file = File { configuration, sha256, seen: self.observed.of(sha256) };
        let mut devices = self.add_credentials(report, &file);
        devices.extend(self.add_exploits(report, &file));
        for device in devices {
            self.devices.entry(device).or_default().count.add(&file);
        }
        let ports: BTreeSet<u16> = scan
            .map(|scan| scan.probes.iter().map(|probe| probe.port).collect())
            .unwrap_or_default();
        for port in ports {
            self.ports.entry(port).or_default().add(&file);
        }
    }

    fn add_credentials(&mut self, report: &Report, file: &File<'_>) -> BTreeSet<Device> {
        let mut devices = BTreeSet::new();
        let mut pairs = BTreeSet::new();
        for entry in report.credentials.iter().flat_map(|list| &list.entries) {
            // A list may have a pair twice, with other weights.
            if !pairs.insert((&entry.user, &entry.password)) {
                continue;
            }
            let (user, password) = (entry.user.clone(), entry.password.clone());
            let cause = Cause::Credential { user, password };
            let mut is_explained = false;
            for row in self.knowledge.of_credential(&entry.user, &entry.password) {
                is_explained = true;
                let said = Said {
                    vendor: &row.vendor,
                    product: &row.product,
                    kind: &row.kind,
                    confidence: row.confidence,
                    sources: &row.sources,
                };
                devices.insert(count(&mut self.devices, &said, &cause, &entry.evidence, file));
            }
            if !is_explained {
                self.unexplained.entry(cause).or_default().add(file);
            }
        }
        devices
    }

    fn add_exploits(&mut self, report: &Report, file: &File<'_>) -> BTreeSet<Device> {
        let mut devices = BTreeSet::new();
        for exploit in report.scan.iter().flat_map(|scan| &scan.exploits) {
            let mut is_explained = false;
            for row in self.knowledge.of_exploit(exploit) {
                is_explained = true;
                let cause = Cause::Exploit {
                    method: row.method.clone(),
                    path: row.path.clone(),
                    port: row.port.or(exploit.port),
                    cve: row.cve.clone(),
                };
                let said = Said {
                    vendor: &row.vendor,
                    product: &row.product,
                    kind: &row.kind,
                    confidence: row.confidence,
                    sources: &row.sources,
                };
                devices.insert(count(&mut self.devices, &said, &cause, &exploit.evidence, file));
            }
            if !is_explained {
                let cause = Cause::Exploit {
                    method: exploit.method.clone().unwrap_or_default(),
                    path: exploit.path.clone().unwrap_or_default(),
                    port: exploit.port,
                    cve: Vec::new(),
                };
                self.unexplained.entry(cause).or_default().add(file);
            }
        }
        devices
    }

    /// What the counted reports say.
    #[must_use]
    pub fn finish(self) -> Targets {
        let mut targets: Vec<Target> = self.devices.into_iter().map(target).collect();
        // Stable sorts keep the order of names among equals.
        targets.sort_by_key(|target| {
            (usize::MAX - target.tally.configurations, Reverse(target.confidence))
        });
        let mut ports: Vec<ProbedPort> = self
            .ports
            .iter()
            .map(|(&port, count)| ProbedPort { port, tally: count.tally() })
            .collect();
        ports.sort_by_key(|port| usize::MAX - port.tally.configurations);
        let mut unexplained: Vec<Unexplained> = self
            .unexplained
            .into_iter()
            .map(|(cause, count)| Unexplained { cause, tally: count.tally() })
            .collect();
        unexplained.sort_by_key(|item| usize::MAX - item.tally.configurations);
        let (reports, configurations) = (self.reports, self.configurations.len());
        Targets { reports, configurations, targets, ports, unexplained }
    }
}

/// Counts `cause` for the device that a row names, and gives the device.
fn count(
    devices: &mut BTreeMap<Device, DeviceCount>,
    said: &Said<'_>,
    cause: &Cause,
    evidence: &[Evidence],
    file: &File<'_>,
) -> Device {
    let key = (said.vendor.to_owned(), said.product.to_owned());
    let device = devices.entry(key.clone()).or_default();
    if !said.kind.is_empty() {
        device.kinds.insert(said.kind.to_owned());
    }
    let counted = device.causes.entry(cause.clone()).or_insert_with(|| CauseCount {
        count: Count::default(),
        confidence: said.confidence,
        sources: said.sources.to_vec(),
        found_at: Vec::new(),
    });
    counted.count.add(file);
    if counted.found_at.len() < EXAMPLES {
        let address = evidence.first().map(|evidence| evidence.address);
        counted.found_at.push(Place { sha256: file.sha256.cloned(), address });
    }
    key
}

fn target(((vendor, product), device): (Device, DeviceCount)) -> Target {
    let mut causes: Vec<CauseUse> = device
        .causes
        .into_iter()
        .map(|(cause, counted)| CauseUse {
            cause,
            confidence: counted.confidence,
            sources: counted.sources,
            tally: counted.count.tally(),
            found_at: counted.found_at,
        })
        .collect();
    causes.sort_by_key(|cause| usize::MAX - cause.tally.configurations);
    let confidence = causes.iter().map(|cause| cause.confidence).max().unwrap_or(Confidence::Low);
    Target { vendor, product, kinds: device.kinds, confidence, tally: device.count.tally(), causes }
}
