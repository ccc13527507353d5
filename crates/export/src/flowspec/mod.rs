//! Flow specifications (RFC 8955, RFC 8956) as text for GoBGP, ExaBGP and BIRD, which encode them.
//!
//! A C2 is one address with protocol and port; one of unknown port is left out, as are names. Against
//! attacks there are rules only for victims that the user names: what is common to an attack's
//! packets is common to much else, so they limit and never discard, and only the victim's traffic.
//! Stages differ in what routers do: they accept and count, take samples, or limit. More than that is
//! done on request alone.
//!
//! Routes do not expire: `flowspec.gobgp.sh del` withdraws those of an export, ExaBGP and BIRD what is
//! no longer in their configuration. Where it is known what was announced before, two more files
//! withdraw what no longer is: commands for GoBGP, and for the process that ExaBGP takes commands
//! from.

mod bird;
mod exabgp;
mod gobgp;
mod rule;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Write};

use core::net::IpAddr;
use ipnet::IpNet;
use miyaburi_model::Protocol;
use serde::{Deserialize, Serialize};

use crate::indicators::{Host, protocol_name};
use crate::list::{Block, BlockList, ExportError, Folder, Stage, Written, file};
use crate::rules::{Condition, Conditions};
use crate::traffic::Traffic;
use rule::{Action, Route, Rule};

/// File of the commands for GoBGP.
pub const GOBGP: &str = "flowspec.gobgp.sh";
/// File of what belongs into a neighbour of ExaBGP's configuration.
pub const EXABGP: &str = "flowspec.exabgp.conf";
/// File of what BIRD's configuration includes.
pub const BIRD: &str = "flowspec.bird.conf";

/// File of the commands for GoBGP that withdraw what was announced before.
pub const GOBGP_WITHDRAW: &str = "flowspec.withdraw.gobgp.sh";
/// File of the commands for ExaBGP that do.
pub const EXABGP_WITHDRAW: &str = "flowspec.withdraw.exabgp";

/// The most rules there can be: routers keep them in little memory.
pub const MAX_RULES: usize = 1000;

/// Bytes a second of a C2 that is limited: less than a bot's connection needs, and the least that
/// ExaBGP takes without a warning.
const C2_RATE: u32 = 9600;

/// IP protocols (IANA, Protocol Numbers).
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What is done to C2s when it is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Enforcement {
    /// A limit that lets no more than a few packets through.
    Limit,
    /// Everything to their port is discarded.
    Discard,
    /// Everything to their address is, by a route of its own (RFC 7999).
    Blackhole,
}

/// How rules are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// What is done to C2s.
    pub enforcement: Enforcement,
    /// Own addresses that are to be protected from the attacks of the reports.
    pub victims: Vec<IpNet>,
    /// Bytes a second that may reach a victim by one rule.
    pub victim_rate: u32,
    /// The most rules to write, [`MAX_RULES`] at most; those of most certainty and reports stay.
    pub max_rules: usize,
}

/// What is announced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    routes: BTreeSet<Route>,
    /// Indicators and attacks that have none.
    #[serde(skip)]
    left_out: usize,
}

impl Routes {
    /// The routes for a list, and against the floods of `traffic`.
    #[must_use]
    pub fn new(list: &BlockList, traffic: &Traffic, options: &Options) -> Self {
        let (routes, left_out) = routes(list, traffic, options);
        Self { routes, left_out }
    }

    /// Adds what another export may have announced.
    pub fn extend(&mut self, other: Self) {
        self.routes.extend(other.routes);
    }

    /// What routers look for.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        let told = self.routes.iter().map(|route| match route {
            Route::Flow(Rule { destination, protocol, port, .. }) => Condition::Flow {
                destination: *destination,
                protocol: Some(*protocol),
                port: *port,
            },
            Route::Blackhole(address) => Condition::Packet(*address),
        });
        Conditions { told: told.collect(), untold: 0 }
    }

    /// Those that `after` has under no name: adding a route of the same name replaces one.
    fn without(&self, after: &Self) -> BTreeSet<Route> {
        let is_left = |route: &&Route| !after.routes.iter().any(|it| it.has_name_of(route));
        self.routes.iter().filter(is_left).copied().collect()
    }
}

/// Writes the rules for all three programs, and what withdraws those of `before` that are no longer
/// among them.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    list: &BlockList,
    routes: &Routes,
    before: Option<&Routes>,
    folder: &mut dyn Folder,
) -> Result<Written, ExportError> {
    if let Some(before) = before {
        let gone = before.without(routes);
        file(folder, GOBGP_WITHDRAW, |writer| {
            writeln!(writer, "#!/bin/sh\n# {} routes that are no longer announced", gone.len())?;
            gobgp::withdraw(writer, &gone)
        })?;
        file(folder, EXABGP_WITHDRAW, |writer| exabgp::withdraw(writer, &gone))?;
    } else {
        folder.remove(GOBGP_WITHDRAW);
        folder.remove(EXABGP_WITHDRAW);
    }
    let Routes { routes, left_out } = routes;
    let left_out = *left_out;
    file(folder, GOBGP, |writer| {
        writeln!(writer, "#!/bin/sh")?;
        begin(writer, list, left_out)?;
        gobgp::write(writer, routes)
    })?;
    file(folder, EXABGP, |writer| {
        begin(writer, list, left_out)?;
        exabgp::write(writer, routes)
    })?;
    file(folder, BIRD, |writer| {
        begin(writer, list, left_out)?;
        bird::write(writer, routes)
    })?;
    Ok(Written { entries: routes.len(), left_out })
}

fn begin(writer: &mut dyn Write, list: &BlockList, left_out: usize) -> io::Result<()> {
    for line in list.head() {
        writeln!(writer, "# {line}")?;
    }
    writeln!(
        writer,
        "# {left_out} left out: names, unknown ports, attacks without a victim, beyond the most rules"
    )
}

/// Routes in order, and how many were left out.
fn routes(list: &BlockList, traffic: &Traffic, options: &Options) -> (BTreeSet<Route>, usize) {
    let mut wanted: Vec<Route> = victim_routes(traffic, list.stage, options);
    let mut left_out = if options.victims.is_empty() { traffic.floods().len() } else { 0 };
    let mut blocks: Vec<&Block> = list.blocks.iter().collect();
    blocks.sort_by_key(|block| Reverse((block.sightings.confidence, block.sightings.reports)));
    for block in blocks {
        let routes = block_routes(block, list.stage, options.enforcement);
        left_out += usize::from(routes.is_empty());
        wanted.extend(routes);
    }
    let mut routes = BTreeSet::new();
    for route in wanted {
        if routes.len() < options.max_rules.min(MAX_RULES) {
            routes.insert(route);
        } else if !routes.contains(&route) {
            left_out += 1;
        }
    }
    (routes, left_out)
}

/// What routers do at a stage, `enforced` at the last.
const fn action(stage: Stage, enforced: Action) -> Action {
    match stage {
        Stage::Report => Action::Accept,
        Stage::Log => Action::Sample,
        Stage::Enforce => enforced,
    }
}

fn block_routes(block: &Block, stage: Stage, enforcement: Enforcement) -> Vec<Route> {
    let Host::Address(address) = block.indicator.host else { return Vec::new() };
    let enforced = match enforcement {
        Enforcement::Blackhole if stage == Stage::Enforce => {
            return vec![Route::Blackhole(address)];
        }
        Enforcement::Limit => Action::Limit(C2_RATE),
        Enforcement::Discard | Enforcement::Blackhole => Action::Discard,
    };
    let action = action(stage, enforced);
    let Some(port) = block.indicator.port else { return Vec::new() };
    let known = block.indicator.protocol;
    let protocols = [(Protocol::Tcp, TCP), (Protocol::Udp, UDP)].into_iter();
    let protocols = protocols
        .filter(|(it, _)| known.is_none_or(|known| protocol_name(known) == protocol_name(*it)));
    protocols
        .map(|(_, protocol)| {
            Route::Flow(Rule { destination: address.into(), protocol, port: Some(port), action })
        })
        .collect()
}

/// Every victim against every flood of its address family.
fn victim_routes(traffic: &Traffic, stage: Stage, options: &Options) -> Vec<Route> {
    let action = action(stage, Action::Limit(options.victim_rate));
    let rule = |victim: &IpNet| {
        let is_v6 = matches!(victim.addr(), IpAddr::V6(_));
        let floods = traffic.floods().keys().filter(move |flood| flood.is_v6 == is_v6);
        let destination = victim.trunc();
        floods.map(move |flood| {
            Route::Flow(Rule { destination, protocol: flood.protocol, port: flood.port, action })
        })
    };
    options.victims.iter().flat_map(rule).collect()
}
