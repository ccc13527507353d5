//! `miyaburi behaviour`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use miyaburi_confinement::Reach;
use miyaburi_hunting::behaviour::{Alert, Behaviours, Places, Rules, Vectors};
use miyaburi_hunting::sources;

use super::logs::Logs;
use super::reading::reports;
use super::redact;
use crate::Status;
use crate::arguments::BehaviourArguments;
use crate::error::{CommandError, complain};
use crate::output::Output;

pub(crate) fn run(arguments: &BehaviourArguments) -> Result<Status, CommandError> {
    let mut output = Output::create(arguments.output.as_deref())?;
    let logs = Logs::collect(&arguments.logs, output.is_terminal())?;
    let pseudonyms = redact::pseudonyms(&arguments.redaction)?;
    let (rules, mut status) = rules(&arguments.sigma)?;
    let places = arguments.countries.as_deref().map(places).transpose()?.unwrap_or_default();
    let mut vectors = Vectors::default();
    if !reports(&arguments.reports, |report| vectors.add(report)) {
        status = Status::SomethingFailed;
    }
    if !arguments.reports.is_empty() {
        complain(format_args!("{} kinds of packets of attacks", vectors.len()));
    }
    let staff = arguments.staff.as_deref().map(staff).transpose()?.unwrap_or_default();
    let readable = arguments.logs.logs.iter().chain(&logs.files).cloned().collect();
    arguments.confinement.begin(&Reach { readable, writable: Vec::new() });
    let behaviours = Behaviours::default().with_rules(rules).with_places(places).with_staff(staff);
    let mut behaviours = behaviours.with_vectors(vectors);
    for log in logs.in_order() {
        let mut alerts: Vec<Alert> = Vec::new();
        let is_whole = logs.read_all(&log, &mut |event, at| {
            behaviours.look(event, at, &mut |alert| alerts.push(alert));
        });
        for mut alert in alerts {
            pseudonyms.iter().for_each(|it| it.alert(&mut alert));
            output.write(&(serde_json::to_string(&alert)? + "\n"))?;
        }
        if !is_whole {
            status = Status::SomethingFailed;
        }
    }
    logs.finish();
    if behaviours.unwatched() > 0 {
        complain(format_args!("{} events not watched: too many entities", behaviours.unwatched()));
    }
    Ok(status)
}

/// Reads a table of countries, before rights are dropped.
fn places(path: &Path) -> Result<Places, CommandError> {
    let table =
        sources::open(path).map_err(|error| CommandError::Read { path: path.to_owned(), error })?;
    Places::read(table).map_err(|error| CommandError::Countries { path: path.to_owned(), error })
}

/// Reads the names of accounts, before rights are dropped.
fn staff(path: &Path) -> Result<Vec<String>, CommandError> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| CommandError::Read { path: path.to_owned(), error })?;
    let names = text.lines().map(str::trim);
    Ok(names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect())
}

/// Reads rules, before rights are dropped. What is no rule is told, and the rest goes on.
fn rules(paths: &[PathBuf]) -> Result<(Rules, Status), CommandError> {
    let files = sources::collect(paths);
    let files = files.map_err(|(path, error)| CommandError::Read { path, error })?;
    let is_rule = |path: &Path| {
        let extension = path.extension().and_then(OsStr::to_str);
        matches!(extension, Some("yml" | "yaml")) || paths.iter().any(|given| given == path)
    };
    let (mut rules, mut status) = (Rules::default(), Status::Clean);
    for path in files.into_iter().filter(|path| is_rule(path)) {
        let text = fs::read_to_string(&path)
            .map_err(|error| CommandError::Read { path: path.clone(), error })?;
        rules.read(&text, &mut |number, error| {
            complain(format_args!("{}, document {number}: {error}", path.display()));
            status = Status::SomethingFailed;
        });
    }
    if !paths.is_empty() {
        complain(format_args!("{} Sigma rules", rules.len()));
    }
    Ok((rules, status))
}
