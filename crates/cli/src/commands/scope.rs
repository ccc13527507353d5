//! `miyaburi scope`.

use std::fs::{File, create_dir_all};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use csv::Writer;
use miyaburi_confinement::Reach;
use miyaburi_hunting::coverage::Gap;
use miyaburi_hunting::pseudonyms::Pseudonyms;
use miyaburi_hunting::scope::{
    Accounts, AlertError, Lists, Question, Rules, Scope, State, Suspicions, TableError,
};
use miyaburi_hunting::sources;
use serde::Serialize;

use super::logs::Logs;
use super::{holders, indicators, redact};
use crate::Status;
use crate::arguments::ScopeArguments;
use crate::error::{CommandError, complain};
use crate::output::Output;
use crate::text;

/// The files that are written.
const CONFIRMED: &str = "confirmed.csv";
const POSSIBLE: &str = "possible.csv";
const EXCLUDED: &str = "excluded.csv";
const CONTRACTS: &str = "contracts.csv";
const GAPS: &str = "gaps.csv";
const UNLISTED: &str = "unlisted.csv";
const REPORT: &str = "scope.md";

pub(crate) fn run(arguments: &ScopeArguments) -> Result<Status, CommandError> {
    let logs = Logs::collect(&arguments.logs, false)?;
    let pseudonyms = redact::pseudonyms(&arguments.redaction)?;
    let folder = &arguments.output;
    create_dir_all(folder).map_err(|error| CommandError::Create { path: folder.clone(), error })?;
    let given = arguments.indicators.iter().chain(&arguments.leases).chain(&arguments.classes);
    let given = given.chain(&arguments.alerts);
    let readable =
        given.chain([&arguments.accounts]).chain(&arguments.logs.logs).chain(&logs.files);
    let writable = vec![folder.clone()];
    arguments.confinement.begin(&Reach { readable: readable.cloned().collect(), writable });
    let (indicators, status) = indicators::read(&arguments.indicators)?;
    let (holders, told) = holders::read(&arguments.leases)?;
    let mut status = status.with(told);
    let mut accounts = read_table(&arguments.accounts, Accounts::read)?;
    let rules = match &arguments.classes {
        Some(path) => read_table(path, |file| Rules::read(file, &mut accounts))?,
        None => Rules::usual(&accounts),
    };
    let suspicions = suspicions(arguments)?;
    let unlisted = suspicions.unlisted(&accounts);
    if unlisted > 0 {
        complain(format_args!("{unlisted} accounts of alerts stand in no row of the table"));
    }
    let question = Question {
        since: arguments.since,
        until: arguments.until,
        indicators: &indicators,
        rules: &rules,
        suspicions: &suspicions,
        holders: &holders,
        threshold: arguments.silence.threshold(),
        pseudonyms: pseudonyms.as_ref(),
    };
    let mut scope = Scope::new(&accounts, question);
    for log in &logs.files {
        let mut reading = scope.begin(&log.display().to_string());
        let is_whole = logs.read(log, &mut |event, at| {
            scope.look(&mut reading, event, at);
        });
        scope.end(reading);
        if !is_whole {
            status = Status::SomethingFailed;
        }
    }
    logs.finish();
    let mut gaps = scope.gaps();
    let pseudonyms = pseudonyms.as_ref();
    pseudonyms.iter().for_each(|it| gaps.iter_mut().for_each(|gap| it.gap(gap)));
    let lists = write(&scope, &gaps, folder, pseudonyms)?;
    let report =
        text::scope(arguments.since, arguments.until, &lists, &gaps, scope.unlisted().len());
    Output::create(Some(&folder.join(REPORT)))?.write(&report)?;
    Output::standard().write(&report)?;
    Ok(status)
}

fn suspicions(arguments: &ScopeArguments) -> Result<Suspicions, CommandError> {
    let mut suspicions = Suspicions::default();
    for path in &arguments.alerts {
        sources::open(path)
            .map_err(AlertError::Read)
            .and_then(|alerts| {
                let alerts = BufReader::new(alerts);
                suspicions.read(alerts, arguments.since, arguments.until)
            })
            .map_err(|error| CommandError::Alerts { path: path.clone(), error })?;
    }
    Ok(suspicions)
}

fn read_table<T>(
    path: &Path,
    read: impl FnOnce(Box<dyn std::io::Read>) -> Result<T, TableError>,
) -> Result<T, CommandError> {
    let read = sources::open(path)
        .map_err(TableError::Read)
        .and_then(|reader| read(Box::new(BufReader::new(reader))));
    read.map_err(|error| CommandError::Table { path: path.to_owned(), error })
}

/// Writes all lists.
fn write(
    scope: &Scope<'_>,
    gaps: &[Gap],
    folder: &Path,
    pseudonyms: Option<&Pseudonyms>,
) -> Result<Lists, CommandError> {
    let create = |name: &str| create(folder.join(name));
    let mut confirmed = create(CONFIRMED)?;
    let mut possible = create(POSSIBLE)?;
    let mut excluded = create(EXCLUDED)?;
    let mut lists = scope.finish(|row| {
        let list = match row.state {
            State::Confirmed => &mut confirmed,
            State::Possible => &mut possible,
            State::Excluded => &mut excluded,
        };
        match pseudonyms {
            Some(pseudonyms) => list.serialize(pseudonyms.row(row.clone())),
            None => list.serialize(row),
        }
    })?;
    pseudonyms.iter().for_each(|pseudonyms| pseudonyms.lists(&mut lists));
    [confirmed, possible, excluded]
        .iter_mut()
        .try_for_each(|list| list.flush().map_err(csv::Error::from))?;
    all(create(CONTRACTS)?, &lists.contracts)?;
    all(create(GAPS)?, gaps)?;
    // Accounts that stand in a log but in no table may be anything, a formula of a spreadsheet too.
    let shown = |name: &String| match pseudonyms {
        Some(pseudonyms) => pseudonyms.entity(name),
        None => format!("'{name}"),
    };
    let unlisted = scope.unlisted().iter();
    let mut unlisted: Vec<Unlisted> =
        unlisted.map(|(name, count)| Unlisted { account: shown(name), events: *count }).collect();
    unlisted.sort_by(|one, other| one.account.cmp(&other.account));
    all(create(UNLISTED)?, unlisted)?;
    Ok(lists)
}

/// An account outside of the table.
#[derive(Serialize)]
struct Unlisted {
    account: String,
    events: u64,
}

fn create(path: PathBuf) -> Result<Writer<File>, CommandError> {
    let file = File::create(&path).map_err(|error| CommandError::Create { path, error })?;
    Ok(Writer::from_writer(file))
}

fn all(
    mut list: Writer<File>,
    rows: impl IntoIterator<Item = impl Serialize>,
) -> Result<(), CommandError> {
    rows.into_iter().try_for_each(|row| list.serialize(row))?;
    list.flush().map_err(csv::Error::from)?;
    Ok(())
}
