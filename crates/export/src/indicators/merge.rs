//! Reports one by one, indicators once.

use std::collections::{BTreeMap, HashSet};

use miyaburi_model::{
    Confidence, Endpoint, EndpointRole, Evidence, ExternalSource, Protocol, Report, SourceKind,
    Verdict, VirtualAddress,
};

use serde::{Deserialize, Serialize};

use super::{HostError, InForce, Indicator, Known, Naming, Observed, Span};

/// Files kept behind an indicator, those with the smallest digests: memory grows with indicators,
/// not with reports.
pub const MAX_SOURCES: usize = 8;

/// What all reports say of an indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sightings {
    /// The highest of any report.
    pub confidence: Confidence,
    /// When the files were seen, none when that is not known of any.
    pub seen: Option<Span>,
    /// Reports that name it.
    pub reports: u64,
    /// The family that all these reports agree on, none when one names none or another.
    pub family: Option<String>,
    /// Files with the smallest digests, ordered, [`MAX_SOURCES`] at most.
    pub sources: Vec<Source>,
}

/// A file that an indicator was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Its SHA-256.
    #[serde(with = "super::digest")]
    pub sha256: [u8; 32],
    /// Address that the value was read from, in that file.
    pub address: Option<VirtualAddress>,
}

/// Indicators of many reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indicators {
    merged: BTreeMap<Indicator, Known>,
    refused: BTreeMap<(String, Option<u16>, EndpointRole), HostError>,
    reports: u64,
    /// Whether earlier exports have any.
    is_carried: bool,
    /// Files that were analysed to the end, when earlier exports have any.
    analysed: HashSet<[u8; 32]>,
}

impl Indicators {
    /// Adds what an earlier export has in force, before any report.
    pub fn carry(&mut self, indicator: Indicator, sightings: Sightings, in_force: InForce) {
        self.is_carried = true;
        let in_force = in_force.with(self.merged.get(&indicator).and_then(|known| known.in_force));
        let known = Known { sightings, in_force: Some(in_force), naming: Naming::NotNamed };
        self.merged.insert(indicator, known);
    }

    /// Adds a host that files of earlier exports have in a role that is not blocked, before any report.
    pub fn remember(&mut self, indicator: Indicator, sightings: Sightings) {
        self.is_carried = true;
        let known = Known { sightings, in_force: None, naming: Naming::NotNamed };
        self.merged.entry(indicator).or_insert(known);
    }

    /// Adds what a report says; `observed` tells when its file was seen.
    pub fn add(&mut self, report: &Report, observed: &Observed) {
        self.reports += 1;
        let sha256 = report.sample.sha256.as_ref();
        let sha256: Option<[u8; 32]> = sha256.and_then(|it| it.0.as_slice().try_into().ok());
        let seen = sha256.and_then(|sha256| observed.of(&sha256));
        let is_whole =
            matches!(report.verdict, Verdict::Config | Verdict::ExternalC2 | Verdict::NoConfig);
        if let Some(sha256) = sha256.filter(|_| self.is_carried && is_whole) {
            self.analysed.insert(sha256);
        }
        let family = report.family.as_ref().map(|family| family.name.as_str());
        let found = report.endpoints.iter().map(Found::endpoint);
        let outside = report.external.iter().filter_map(Found::outside);
        let mut in_report: BTreeMap<Indicator, Sightings> = BTreeMap::new();
        for found in found.chain(outside) {
            let (role, port) = (found.role, found.port);
            match found.host.parse() {
                Ok(host) => {
                    let indicator = Indicator { host, port, protocol: found.protocol, role };
                    merge(&mut in_report, indicator, found.sightings(sha256, seen, family));
                }
                Err(error) => {
                    self.refused.insert((found.host.to_owned(), port, role), error);
                }
            }
        }
        for (indicator, mut sightings) in in_report {
            sightings.reports = 1;
            match self.merged.get_mut(&indicator) {
                Some(known) => known.name(sightings),
                None => {
                    let naming = Naming::Named;
                    let known = Known { sightings, in_force: None, naming };
                    self.merged.insert(indicator, known);
                }
            }
        }
    }

    /// How many reports were added.
    #[must_use]
    pub const fn reports(&self) -> u64 {
        self.reports
    }

    /// The indicators in order, taken apart.
    #[must_use]
    pub fn into_merged(mut self) -> BTreeMap<Indicator, Known> {
        if self.is_carried {
            self.merged.values_mut().for_each(|known| known.compare(&self.analysed));
        }
        self.merged
    }

    /// Texts that are no hosts, with port and role, in order.
    pub fn refused(&self) -> impl Iterator<Item = (&str, Option<u16>, EndpointRole, HostError)> {
        self.refused.iter().map(|((host, port, role), error)| (host.as_str(), *port, *role, *error))
    }
}

/// What a report says of one host.
struct Found<'a> {
    host: &'a str,
    port: Option<u16>,
    protocol: Option<Protocol>,
    role: EndpointRole,
    confidence: Confidence,
    evidence: Option<&'a Evidence>,
}

impl<'a> Found<'a> {
    fn endpoint(endpoint: &'a Endpoint) -> Self {
        Self {
            host: &endpoint.host,
            port: endpoint.port,
            protocol: endpoint.protocol,
            role: endpoint.role,
            confidence: endpoint.confidence,
            evidence: endpoint.evidence.first(),
        }
    }

    /// A name whose answer in DNS is or becomes the C2; names of other systems are none of DNS.
    /// One sound method found it: the report has no confidence of its own for it.
    fn outside(source: &'a ExternalSource) -> Option<Self> {
        let is_dns = match source.source {
            SourceKind::DnsTxt | SourceKind::DnsA | SourceKind::Opennic | SourceKind::Doh => true,
            SourceKind::Ens | SourceKind::Argv => false,
        };
        Some(Self {
            host: source.name.as_deref().filter(|_| is_dns)?,
            port: None,
            protocol: None,
            role: EndpointRole::DeadDropResolver,
            confidence: Confidence::Medium,
            evidence: source.evidence.first(),
        })
    }

    fn sightings(
        &self,
        sha256: Option<[u8; 32]>,
        seen: Option<Span>,
        family: Option<&str>,
    ) -> Sightings {
        let address = self.evidence.map(|evidence| evidence.address);
        let sources = sha256.map(|sha256| Source { sha256, address }).into_iter().collect();
        let family = family.map(str::to_owned);
        Sightings { confidence: self.confidence, seen, reports: 0, family, sources }
    }
}

fn merge(all: &mut BTreeMap<Indicator, Sightings>, indicator: Indicator, new: Sightings) {
    match all.get_mut(&indicator) {
        Some(known) => known.merge(new),
        None => drop(all.insert(indicator, new)),
    }
}

impl Sightings {
    pub(super) fn merge(&mut self, other: Self) {
        self.confidence = self.confidence.max(other.confidence);
        self.reports += other.reports;
        if self.family != other.family {
            self.family = None;
        }
        self.remember(other);
    }

    /// Adds times and files alone.
    pub(super) fn remember(&mut self, other: Self) {
        self.seen = match (self.seen, other.seen) {
            (Some(one), Some(other)) => Some(one.with(other)),
            (one, other) => one.or(other),
        };
        for source in other.sources {
            let place = self.sources.partition_point(|known| known.sha256 < source.sha256);
            let is_known = self.sources.get(place).is_some_and(|it| it.sha256 == source.sha256);
            if !is_known && place < MAX_SOURCES {
                self.sources.insert(place, source);
                self.sources.truncate(MAX_SOURCES);
            }
        }
    }
}
