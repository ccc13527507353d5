//! All that an export is made from, read and decided on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ipnet::IpNet;
use miyaburi_export::configurations::Configurations;
use miyaburi_export::flowspec::{self, Routes};
use miyaburi_export::gate::{
    Decisions, Gate, OwnSpace, OwnSpaceError, Refusal, Selection, parse_prefixes,
};
use miyaburi_export::indicators::{Timestamp, TimestampError};
use miyaburi_export::{BlockList, Stamp};
use miyaburi_ledger::{Exempt, Innocent, State};
use serde_json::Value;

use super::{Book, Documents, ExportProblem, Findings, Provenance, read_lists};
use crate::arguments::{
    ExportArguments, ExportFormat, FlowspecArguments, SelectionArguments, StateArguments,
};
use crate::error::complain;

/// Bits of the shortest prefix that one network has, as registries gave out.
const SHORTEST_VICTIM: u8 = 8;

/// What is to be written.
pub(crate) struct Prepared {
    pub(crate) list: BlockList,
    pub(crate) state: State,
    pub(crate) configurations: Configurations,
    pub(crate) provenance: Value,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) exempt: Exempt,
    /// Documents of single files, which are written.
    pub(crate) documents: Vec<Documents>,
}

impl Prepared {
    /// Reads everything; documents of single files go below `output` meanwhile, if there is one.
    pub(crate) fn read(
        arguments: &ExportArguments,
        output: Option<&Path>,
        book: Option<&Book>,
    ) -> Result<Self, ExportProblem> {
        // What can be wrong is read before the reports, which may take long.
        let selection = selection(&arguments.selection)?;
        let lists = read_lists(arguments.gate.warning_lists.as_deref())?;
        let own = read_prefixes(arguments.gate.allow.as_deref(), OwnSpace::parse)?;
        let subscribers = read_prefixes(arguments.opt_out.as_deref(), parse_prefixes)?;
        let flows = flowspec_options(&arguments.flowspec)?;
        let reinstated = read_prefixes(arguments.state.reinstate.as_deref(), OwnSpace::parse)?;
        let revoked = revoked(&arguments.state, &reinstated, book)?;
        if let Some(book) = book {
            tell_not_reinstated(&reinstated, &book.exempt()?);
        }
        let gate = Gate::new(&lists, own)?.with_revoked(revoked.clone());
        let of_files = |format: &ExportFormat| Documents::create(output?, *format).transpose();
        let mut documents: Vec<Documents> =
            arguments.formats().iter().filter_map(of_files).collect::<Result<_, _>>()?;
        let known = book.map(|book| book.known(&reinstated)).transpose()?.unwrap_or_default();
        let findings = Findings::read(arguments, known, &mut documents)?;
        let Findings { indicators, traffic, configurations, input_sha256 } = findings;

        let serial = Stamp::serial(selection.now, book.and_then(|book| book.before.serial()));
        let reports = indicators.reports();
        if reports == 0 && book.is_none() && output.is_some() {
            return Err(ExportProblem::NoReports);
        }
        let stamp = Stamp { now: selection.now, reports, input_sha256, serial };
        let decisions = gate.decide(indicators, &selection);
        tell(&decisions);
        let provenance = Provenance::new(arguments, &selection, &lists, &stamp, &decisions);
        let provenance = serde_json::to_value(provenance)?;
        let state = State {
            reports,
            input_sha256: stamp.input_sha256.clone(),
            traffic,
            subscribers,
            flows: Some(flows),
            routes: Routes::default(),
        };
        let Decisions { blocks, refusals, withdrawn, innocent, .. } = decisions;
        let innocent = innocent.into_iter();
        let innocent =
            innocent.map(|(indicator, sightings)| Innocent { indicator, sightings }).collect();
        let exempt = Exempt { revoked: revoked.entries().collect(), innocent };
        let withdrawn = book.is_some().then_some(withdrawn);
        let overdue = Vec::new();
        let list = BlockList { stamp, stage: arguments.stage.into(), blocks, overdue, withdrawn };
        Ok(Self { list, state, configurations, provenance, refusals, exempt, documents })
    }
}

/// What the user took back, before and by this export.
fn revoked(
    arguments: &StateArguments,
    reinstated: &OwnSpace,
    book: Option<&Book>,
) -> Result<OwnSpace, ExportProblem> {
    let mut revoked = book.map_or_else(|| Ok(OwnSpace::default()), Book::revoked)?;
    revoked.remove(reinstated);
    // Who tells both of a host has one of them wrong; not to block it is the safe one.
    revoked.extend(read_prefixes(arguments.revoked.as_deref(), OwnSpace::parse)?);
    Ok(revoked)
}

/// Tells what is to be reinstated and was neither revoked like that nor a decoy or resolver.
fn tell_not_reinstated(reinstated: &OwnSpace, exempt: &Exempt) {
    let innocent = exempt.innocent.iter().filter_map(|it| reinstated.find(&it.indicator.host));
    let known: BTreeSet<String> = innocent.chain(exempt.revoked.iter().cloned()).collect();
    for entry in reinstated.entries().filter(|entry| !known.contains(entry)) {
        complain(format_args!("{entry}: not reinstated, as no line of that text was revoked"));
    }
}

fn selection(arguments: &SelectionArguments) -> Result<Selection, ExportProblem> {
    Ok(Selection {
        now: now(arguments)?,
        ttl: arguments.ttl,
        since: arguments.since,
        min_confidence: arguments.min_confidence.into(),
        roles: arguments.role.iter().map(|role| (*role).into()).collect(),
    })
}

/// The time of an export.
pub(crate) fn now(arguments: &SelectionArguments) -> Result<Timestamp, ExportProblem> {
    match arguments.now {
        Some(now) => Ok(now),
        None => Ok(clock()?),
    }
}

fn flowspec_options(arguments: &FlowspecArguments) -> Result<flowspec::Options, ExportProblem> {
    let is_wide = |victim: &&IpNet| victim.prefix_len() < victim.max_prefix_len();
    let is_nobodys = |victim: &&IpNet| victim.prefix_len() < SHORTEST_VICTIM;
    if let Some(victim) = arguments.victim.iter().find(is_nobodys) {
        return Err(ExportProblem::NobodysVictim(*victim));
    }
    match arguments.victim.iter().find(is_wide) {
        Some(victim) if !arguments.victim_networks => Err(ExportProblem::WideVictim(*victim)),
        _ => Ok(flowspec::Options {
            enforcement: arguments.flowspec_action.into(),
            victims: arguments.victim.clone(),
            victim_rate: arguments.victim_rate,
            max_rules: arguments.max_rules.into(),
        }),
    }
}

fn clock() -> Result<Timestamp, TimestampError> {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| TimestampError)?;
    Timestamp::from_unix(elapsed.as_secs().try_into().map_err(|_| TimestampError)?)
}

/// What `parse` makes of the file at `path`, nothing without one.
fn read_prefixes<T: Default>(
    path: Option<&Path>,
    parse: impl FnOnce(&str) -> Result<T, OwnSpaceError>,
) -> Result<T, ExportProblem> {
    let Some(path) = path else { return Ok(T::default()) };
    let read = |error| ExportProblem::Read { path: path.to_owned(), error };
    let text = fs::read_to_string(path).map_err(read)?;
    parse(&text).map_err(|error| ExportProblem::Prefixes { path: path.to_owned(), error })
}

/// How many were refused and why, on standard error: the file names each.
fn tell(decisions: &Decisions) {
    let counts = decisions.refused_by_reason();
    let reasons: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let reasons =
        if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    complain(format_args!(
        "{} indicators exported, {} not selected, {} refused{reasons}",
        decisions.blocks.len(),
        decisions.not_selected,
        decisions.refusals.len(),
    ));
}
