//! `miyaburi export`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ipnet::IpNet;
use miyaburi_export::configurations::Configurations;
use miyaburi_export::gate::{
    Decisions, Gate, OwnSpace, OwnSpaceError, Selection, WarningListError, parse_prefixes,
};
use miyaburi_export::indicators::{Indicators, Observed, ObservedError, Timestamp, TimestampError};
use miyaburi_export::traffic::Traffic;
use miyaburi_export::{
    BlockList, ExportError, Stamp, Written, csv, flowspec, misp, nftables, rpz, sigma, stix,
    suricata, yara,
};
use sha2::{Digest, Sha256};

use crate::Status;
use crate::arguments::{ExportArguments, ExportFormat, FlowspecArguments, SelectionArguments};
use crate::error::{CommandError, complain};
use crate::export::{
    Documents, ListsProblem, OutputFolder, Provenance, ReportsProblem, for_each_report, read_lists,
};
use crate::reports::FolderError;

/// What keeps an export from being made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportProblem {
    #[error(transparent)]
    Lists(#[from] ListsProblem),
    #[error(transparent)]
    List(#[from] WarningListError),
    #[error("{}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    Observed { path: PathBuf, error: ObservedError },
    #[error("{}: {error}", path.display())]
    Prefixes { path: PathBuf, error: OwnSpaceError },
    #[error("the clock: {0}")]
    Clock(#[from] TimestampError),
    #[error("{}: {error}", folder.display())]
    Write { folder: PathBuf, error: ExportError },
    #[error(transparent)]
    Document(#[from] FolderError),
    #[error("{0} is a network: --victim-networks allows that")]
    WideVictim(IpNet),
    #[error("{}: not every report could be read, so no list was written", .0.display())]
    Reports(PathBuf),
}

pub(crate) fn run(arguments: &ExportArguments) -> Result<Status, CommandError> {
    export(arguments).map_err(CommandError::Export)
}

fn export(arguments: &ExportArguments) -> Result<Status, ExportProblem> {
    // What can be wrong is read before the reports, which may take long.
    let selection = selection(&arguments.selection)?;
    let lists = read_lists(arguments.gate.warning_lists.as_deref())?;
    let own = read_prefixes(arguments.gate.allow.as_deref(), OwnSpace::parse)?;
    let subscribers = read_prefixes(arguments.opt_out.as_deref(), parse_prefixes)?;
    let gate = Gate::new(&lists, own)?;
    let flows = flowspec_options(&arguments.flowspec)?;
    let of_files =
        |format: &ExportFormat| Documents::create(&arguments.output, *format).transpose();
    let mut documents: Vec<Documents> =
        arguments.to.iter().filter_map(of_files).collect::<Result<_, _>>()?;
    let findings = read_findings(arguments, &mut documents)?;
    let Findings { indicators, traffic, configurations, input_sha256 } = findings;

    let stamp = Stamp { now: selection.now, reports: indicators.reports(), input_sha256 };
    let mut decisions = gate.decide(indicators, &selection);
    let in_folder = |error| ExportProblem::Write { folder: arguments.output.clone(), error };
    let path = &arguments.output;
    let mut folder = OutputFolder::create(path)
        .map_err(|error| ExportProblem::Read { path: path.clone(), error })?;
    Provenance::new(arguments, &selection, &lists, &stamp, &decisions)
        .write(&mut folder)
        .map_err(in_folder)?;
    csv::write_refusals(&decisions.refusals, &mut folder).map_err(in_folder)?;
    tell(&decisions);
    let blocks = std::mem::take(&mut decisions.blocks);
    let list = BlockList { stamp, stage: arguments.stage.into(), blocks };
    for format in &arguments.to {
        let written = match format {
            ExportFormat::Csv => csv::write(&list, &mut folder),
            ExportFormat::Flowspec => flowspec::write(&list, &traffic, &flows, &mut folder),
            // These are written.
            ExportFormat::Labels | ExportFormat::Maco => continue,
            ExportFormat::Misp => {
                misp::write(&list, &configurations, arguments.tlp.into(), &mut folder)
            }
            ExportFormat::Nftables => nftables::write(&list, &mut folder),
            ExportFormat::Rpz => rpz::write(&list, &subscribers, &mut folder),
            ExportFormat::Sigma => sigma::write(&list, &mut folder),
            ExportFormat::Stix => {
                stix::write(&list, &configurations, arguments.tlp.into(), &mut folder)
            }
            ExportFormat::Yara => yara::write(&list, &configurations, &mut folder),
            ExportFormat::Suricata => suricata::write(&list, &traffic, &mut folder),
        };
        tell_written(*format, written.map_err(in_folder)?);
    }
    for (format, written) in documents.iter().map(Documents::written) {
        tell_written(format, written);
    }
    Ok(Status::Clean)
}

fn selection(arguments: &SelectionArguments) -> Result<Selection, ExportProblem> {
    let now = match arguments.now {
        Some(now) => now,
        None => clock()?,
    };
    Ok(Selection {
        now,
        ttl: arguments.ttl,
        since: arguments.since,
        min_confidence: arguments.min_confidence.into(),
        roles: arguments.role.iter().map(|role| (*role).into()).collect(),
    })
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

/// What all reports say.
#[derive(Default)]
struct Findings {
    indicators: Indicators,
    traffic: Traffic,
    /// Empty when no format tells them.
    configurations: Configurations,
    /// SHA-256 of the reports in hexadecimal.
    input_sha256: String,
}

/// Reads all reports and writes the documents of single files.
fn read_findings(
    arguments: &ExportArguments,
    documents: &mut [Documents],
) -> Result<Findings, ExportProblem> {
    let observed = match &arguments.selection.observed {
        Some(path) => read_observed(path)?,
        None => Observed::default(),
    };
    let mut findings = Findings::default();
    let mut digest = Sha256::new();
    let has_configurations = arguments.to.iter().any(|format| format.has_configurations());
    for path in &arguments.reports {
        let read = for_each_report(path, &mut digest, |report| {
            findings.indicators.add(&report, &observed);
            findings.traffic.add(&report);
            if has_configurations {
                findings.configurations.add(&report, &observed);
            }
            documents.iter_mut().try_for_each(|documents| documents.write(&report))
        });
        match read {
            Ok(()) => {}
            Err(ReportsProblem::Document(error)) => return Err(error.into()),
            // A list that lacks what could not be read would withdraw it from consumers.
            Err(error) => {
                complain(format_args!("{}: {error}", path.display()));
                return Err(ExportProblem::Reports(path.clone()));
            }
        }
    }
    findings.input_sha256 = hex::encode(digest.finalize());
    Ok(findings)
}

fn read_observed(path: &Path) -> Result<Observed, ExportProblem> {
    let file =
        File::open(path).map_err(|error| ExportProblem::Read { path: path.to_owned(), error })?;
    Observed::read(file).map_err(|error| ExportProblem::Observed { path: path.to_owned(), error })
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

fn tell_written(format: ExportFormat, Written { entries, left_out }: Written) {
    complain(format_args!("{}: {entries} entries, {left_out} left out", format.name()));
}
