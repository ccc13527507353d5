//! Grouping attacks by what they send.

use core::net::Ipv4Addr;
use std::collections::{BTreeMap, BTreeSet};

use miyaburi_model::{Attack, Report};
use roaring::RoaringBitmap;

use super::shape::{ShapeCount, visible};
use super::{Handler, Plan, Section, measures};
use crate::configuration::{self, Numbers};
use crate::targets::Tally;
use crate::{Observed, Seen};

/// Handlers listed of one kind of attack, and of attacks without packets.
const LISTED: usize = 8;

#[derive(Default)]
struct Group {
    configurations: RoaringBitmap,
    files: usize,
    seen: Option<Seen>,
    handlers: Vec<Handler>,
    more: usize,
    shapes: BTreeMap<(Vec<String>, bool), ShapeCount>,
}

/// Reads reports one after the other and makes a plan of them.
pub struct Planner<'a> {
    observed: &'a Observed,
    victim: Option<Ipv4Addr>,
    reports: usize,
    configurations: Numbers,
    groups: BTreeMap<String, Group>,
    unobserved: Vec<Handler>,
    more_unobserved: usize,
}

impl<'a> Planner<'a> {
    /// A plan of nothing yet; commands name `victim`, or a placeholder.
    #[must_use]
    pub fn new(observed: &'a Observed, victim: Option<Ipv4Addr>) -> Self {
        Self {
            observed,
            victim,
            reports: 0,
            configurations: Numbers::default(),
            groups: BTreeMap::new(),
            unobserved: Vec::new(),
            more_unobserved: 0,
        }
    }

    /// Takes in the attacks of a report.
    pub fn add(&mut self, report: &Report) {
        self.reports += 1;
        if report.attacks.is_empty() {
            return;
        }
        let number = self.configurations.of(report);
        let mut kinds = BTreeSet::new();
        for attack in &report.attacks {
            let handler = handler(report, attack);
            if attack.packets.is_empty() {
                if self.unobserved.len() < LISTED {
                    self.unobserved.push(handler);
                } else {
                    self.more_unobserved += 1;
                }
                continue;
            }
            let kind = visible(attack.kind.as_deref().unwrap_or("unknown"));
            let group = self.groups.entry(kind.clone()).or_default();
            kinds.insert(kind);
            if group.handlers.len() < LISTED {
                group.handlers.push(handler);
            } else {
                group.more += 1;
            }
            for packet in &attack.packets {
                let layers = packet.layers.iter().map(|layer| visible(layer)).collect();
                let key = (layers, packet.spoofable);
                group.shapes.entry(key).or_default().add(attack, packet);
            }
        }
        let seen = self.observed.of(report.sample.sha256.as_ref());
        for (_, group) in self.groups.iter_mut().filter(|(kind, _)| kinds.contains(*kind)) {
            group.configurations.insert(number);
            group.files += 1;
            group.seen = match (group.seen.take(), seen) {
                (Some(old), Some(new)) => Some(old.merged(new)),
                (old, new) => old.or_else(|| new.cloned()),
            };
        }
    }

    /// The plan.
    #[must_use]
    pub fn finish(self) -> Plan {
        let victim = self.victim;
        let mut sections: Vec<Section> =
            self.groups.into_iter().map(|(kind, group)| section(kind, group, victim)).collect();
        sections.sort_by_key(|section| std::cmp::Reverse(section.tally.configurations));
        Plan {
            reports: self.reports,
            configurations: self.configurations.len(),
            sections,
            unobserved: self.unobserved,
            more_unobserved: self.more_unobserved,
        }
    }
}

fn handler(report: &Report, attack: &Attack) -> Handler {
    let number = attack.vector.map(|vector| vector.to_string());
    let order = attack.command.as_deref().map(visible).or(number).unwrap_or_default();
    Handler { sha256: report.sample.sha256.clone(), order, address: attack.handler }
}

fn section(kind: String, group: Group, victim: Option<Ipv4Addr>) -> Section {
    let shapes = group.shapes.into_iter();
    let packets: Vec<_> =
        shapes.map(|((layers, spoofable), shape)| shape.finish(layers, spoofable)).collect();
    Section {
        tally: Tally {
            configurations: configuration::count(&group.configurations),
            files: group.files,
            seen: group.seen,
        },
        handlers: group.handlers,
        more_handlers: group.more,
        source: measures::source(&packets),
        measures: measures::measures(&packets, victim),
        packets,
        kind,
    }
}
