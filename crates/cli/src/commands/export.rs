//! `miyaburi export`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ipnet::IpNet;
use miyaburi_export::configurations::Configurations;
use miyaburi_export::flowspec::{self, Routes};
use miyaburi_export::gate::{Decisions, Gate, OwnSpace, OwnSpaceError, Selection, parse_prefixes};
use miyaburi_export::indicators::{InForce, Indicator, Indicators, Timestamp, TimestampError};
use miyaburi_export::{BlockList, Stamp, VERSION};
use miyaburi_ledger::{Kind, Return, State};

use crate::Status;
use crate::arguments::{
    ExportArguments, ExportFormat, FlowspecArguments, SelectionArguments, StateArguments,
};
use crate::error::{CommandError, complain};
use crate::export::{
    Book, Documents, Export, ExportProblem, Findings, Provenance, read_lists, rolled_back,
    tell_written,
};
use crate::output::Output;

pub(crate) fn run(arguments: &ExportArguments) -> Result<Status, CommandError> {
    let made = match &arguments.state.state {
        Some(state) if arguments.state.rollback => roll_back(arguments, state),
        _ => export(arguments),
    };
    if let Some(difference) = made.map_err(CommandError::Export)? {
        Output::standard().write(&difference)?;
    }
    Ok(Status::Clean)
}

/// Makes an export; what it changed, where that is known.
fn export(arguments: &ExportArguments) -> Result<Option<String>, ExportProblem> {
    // What can be wrong is read before the reports, which may take long.
    let selection = selection(&arguments.selection)?;
    let lists = read_lists(arguments.gate.warning_lists.as_deref())?;
    let own = read_prefixes(arguments.gate.allow.as_deref(), OwnSpace::parse)?;
    let subscribers = read_prefixes(arguments.opt_out.as_deref(), parse_prefixes)?;
    let flows = flowspec_options(&arguments.flowspec)?;
    let book = arguments.state.state.as_deref().map(|path| Book::open(path, true)).transpose()?;
    let revoked = revoked(&arguments.state, book.as_ref())?;
    let gate = Gate::new(&lists, own)?.with_revoked(revoked.clone());
    let of_files =
        |format: &ExportFormat| Documents::create(&arguments.output, *format).transpose();
    let mut documents: Vec<Documents> =
        arguments.to.iter().filter_map(of_files).collect::<Result<_, _>>()?;
    let in_force = book.as_ref().map_or_else(|| Ok(Indicators::default()), Book::in_force)?;
    let findings = Findings::read(arguments, in_force, &mut documents)?;
    let Findings { indicators, traffic, configurations, input_sha256 } = findings;

    let serial = Stamp::serial(selection.now, book.as_ref().and_then(|book| book.before.serial()));
    let stamp = Stamp { now: selection.now, reports: indicators.reports(), input_sha256, serial };
    let mut decisions = gate.decide(indicators, &selection);
    tell(&decisions);
    let provenance = Provenance::new(arguments, &selection, &lists, &stamp, &decisions);
    let provenance = serde_json::to_value(provenance)?;
    let refusals = std::mem::take(&mut decisions.refusals);
    let list = BlockList {
        stamp,
        stage: arguments.stage.into(),
        blocks: decisions.blocks,
        withdrawn: book.is_some().then_some(decisions.withdrawn),
    };
    let state = State {
        reports: list.stamp.reports,
        input_sha256: list.stamp.input_sha256.clone(),
        traffic,
        subscribers,
        flows: Some(flows),
        routes: Routes::default(),
    };
    let export = Export {
        folder: &arguments.output,
        formats: &arguments.to,
        provenance,
        kind: Kind::Export,
        configurations: &configurations,
        tlp: arguments.tlp.into(),
        revoked: &revoked,
        refusals: &refusals,
    };
    let difference = export.write(&list, state, book.as_ref())?;
    for (format, written) in documents.iter().map(Documents::written) {
        tell_written(format, written);
    }
    Ok(difference)
}

/// Returns to what the ledger had before its last export; what that changed.
fn roll_back(arguments: &ExportArguments, path: &Path) -> Result<Option<String>, ExportProblem> {
    let now = now(&arguments.selection)?;
    let book = Book::open(path, false)?;
    let Return { undone, target, state } = book.last_enforcement()?;
    let present: BTreeMap<Indicator, InForce> = book
        .in_force()?
        .into_merged()
        .into_iter()
        .filter_map(|(indicator, known)| Some((indicator, known.in_force?)))
        .collect();
    let entries = target.as_ref().map_or_else(|| Ok(Vec::new()), |run| book.entries(run))?;
    let revoked = book.revoked()?;
    let serial = Stamp::serial(now, book.before.serial());
    let stage = target.as_ref().unwrap_or(&undone).stage;
    let list = rolled_back(entries, present, &revoked, stage, state.stamp(now, serial));
    let provenance = serde_json::json!({
        "tool": format!("miyaburi {VERSION}"),
        "time": now,
        "rolled_back": undone.number,
        "returns_to": target.as_ref().map(|run| &run.provenance),
    });
    let runs = || target.iter().chain([&undone]);
    let formats: BTreeSet<ExportFormat> =
        runs().flat_map(|run| &run.formats).filter_map(|it| ExportFormat::named(it)).collect();
    let (formats, others): (Vec<ExportFormat>, Vec<ExportFormat>) =
        formats.into_iter().partition(|format| format.is_list());
    for format in others {
        complain(format_args!("{}: tells what was found, and stays as it is", format.name()));
    }
    Export {
        folder: &arguments.output,
        formats: &formats,
        provenance,
        kind: Kind::RollBack(undone.number),
        configurations: &Configurations::default(),
        tlp: arguments.tlp.into(),
        revoked: &revoked,
        refusals: &[],
    }
    .write(&list, state, Some(&book))
}

/// What the user took back, before and by this export.
fn revoked(arguments: &StateArguments, book: Option<&Book>) -> Result<OwnSpace, ExportProblem> {
    let mut revoked = book.map_or_else(|| Ok(OwnSpace::default()), Book::revoked)?;
    revoked.extend(read_prefixes(arguments.revoked.as_deref(), OwnSpace::parse)?);
    revoked.remove(&read_prefixes(arguments.reinstate.as_deref(), OwnSpace::parse)?);
    Ok(revoked)
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

fn now(arguments: &SelectionArguments) -> Result<Timestamp, ExportProblem> {
    match arguments.now {
        Some(now) => Ok(now),
        None => Ok(clock()?),
    }
}

fn flowspec_options(arguments: &FlowspecArguments) -> Result<flowspec::Options, ExportProblem> {
    let is_wide = |victim: &&IpNet| victim.prefix_len() < victim.max_prefix_len();
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
