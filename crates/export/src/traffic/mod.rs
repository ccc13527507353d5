//! What observed attacks and scanners put on the wire, merged over reports.
//!
//! A [`Signature`] is what is always the same in a packet and what others do not send; not every
//! packet has one: where everything is drawn, set by an option or as everybody sends it, a rule
//! would hit others. A [`Flood`] is what a router can tell of the same packets.

mod flood;
mod marks;
mod pairs;
mod signature;

use std::collections::{BTreeMap, BTreeSet};

use miyaburi_model::{Attack, Report, VirtualAddress};

use serde::{Deserialize, Serialize};

use crate::indicators::{MAX_SOURCES, Source};

pub use flood::Flood;
pub use marks::Mark;
pub use signature::{Signature, Transport};

/// The word for the scanner among the kinds.
pub const SCAN: &str = "scan";

/// Kinds kept behind an entry, those that come first.
const MAX_KINDS: usize = 8;

/// Characters of a kind.
const MAX_KIND: usize = 32;

/// What sends a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Senders {
    /// Kinds of attack, or [`SCAN`]: lower-case letters, digits and underscores, eight at most.
    pub kinds: BTreeSet<String>,
    /// Reports that have it.
    pub reports: u64,
    /// Files with the smallest digests, ordered, [`MAX_SOURCES`] at most, with the handler's address.
    pub sources: Vec<Source>,
}

/// Packets of many reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    #[serde(with = "pairs")]
    signatures: BTreeMap<Signature, Senders>,
    #[serde(with = "pairs")]
    floods: BTreeMap<Flood, Senders>,
}

impl Traffic {
    /// Adds what the attacks and the scanner of a report send.
    pub fn add(&mut self, report: &Report) {
        let sha256 = report.sample.sha256.as_ref();
        let sha256: Option<[u8; 32]> = sha256.and_then(|it| it.0.as_slice().try_into().ok());
        let mut in_report = Self::default();
        for attack in &report.attacks {
            in_report.add_attack(attack, sha256);
        }
        let scan = report.scan.as_ref();
        if let Some((scan, signature)) = scan.and_then(|it| Some((it, Signature::of_scan(it)?))) {
            let address = scan.evidence.first().map(|evidence| evidence.address);
            let senders = Senders::one(SCAN, sha256, address);
            merge(&mut in_report.signatures, signature, senders);
        }
        for (signature, mut senders) in in_report.signatures {
            senders.reports = 1;
            merge(&mut self.signatures, signature, senders);
        }
        for (flood, mut senders) in in_report.floods {
            senders.reports = 1;
            merge(&mut self.floods, flood, senders);
        }
    }

    fn add_attack(&mut self, attack: &Attack, sha256: Option<[u8; 32]>) {
        let senders = Senders::one(&kind(attack), sha256, Some(attack.handler));
        for packet in &attack.packets {
            if let Some(signature) = Signature::of_packet(packet) {
                merge(&mut self.signatures, signature, senders.clone());
            }
            if let Some(flood) = Flood::of_packet(packet) {
                merge(&mut self.floods, flood, senders.clone());
            }
        }
    }

    /// What is always the same and others do not send, in order.
    #[must_use]
    pub const fn signatures(&self) -> &BTreeMap<Signature, Senders> {
        &self.signatures
    }

    /// What floods look like to a router, in order.
    #[must_use]
    pub const fn floods(&self) -> &BTreeMap<Flood, Senders> {
        &self.floods
    }
}

/// The kind of an attack; a text that is no word of ours is not passed on.
fn kind(attack: &Attack) -> String {
    attack.kind.as_deref().filter(|kind| is_word(kind)).unwrap_or("unknown").to_owned()
}

fn is_word(kind: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    !kind.is_empty() && kind.len() <= MAX_KIND && kind.bytes().all(is_plain)
}

fn merge<K: Ord>(all: &mut BTreeMap<K, Senders>, key: K, new: Senders) {
    all.entry(key).or_default().merge(new);
}

impl Senders {
    fn one(kind: &str, sha256: Option<[u8; 32]>, address: Option<VirtualAddress>) -> Self {
        let sources = sha256.map(|sha256| Source { sha256, address }).into_iter().collect();
        Self { kinds: BTreeSet::from([kind.to_owned()]), reports: 0, sources }
    }

    fn merge(&mut self, other: Self) {
        self.kinds.extend(other.kinds);
        while self.kinds.len() > MAX_KINDS {
            self.kinds.pop_last();
        }
        self.reports += other.reports;
        for source in other.sources {
            if !self.sources.iter().any(|known| known.sha256 == source.sha256) {
                self.sources.push(source);
            }
        }
        self.sources.sort_unstable();
        self.sources.truncate(MAX_SOURCES);
    }
}
