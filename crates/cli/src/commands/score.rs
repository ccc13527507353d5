//! `miyaburi score`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, stdin};
use std::path::Path;

use miyaburi_corpus::score::{Scorer, Truth, parse_truths};
use serde_json::{Deserializer, Value};

use crate::Status;
use crate::arguments::{ScoreArguments, ScoreFormat};
use crate::error::{CommandError, complain};
use crate::output::Output;
use crate::text;

/// Why a file of reports could not be read to its end.
#[derive(Debug, thiserror::Error)]
enum ReportsError {
    #[error("{0}")]
    Open(#[from] io::Error),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

pub(crate) fn run(arguments: &ScoreArguments) -> Result<Status, CommandError> {
    let path = &arguments.truth;
    let mut truths = File::open(path)
        .map_err(Into::into)
        .and_then(|file| parse_truths(BufReader::new(file)))
        .map_err(|error| CommandError::Truth { path: path.clone(), error })?;

    // A score of nothing would read like one without faults.
    if truths.is_empty() {
        return Err(CommandError::NoTruth { path: path.clone() });
    }
    truths.retain(|truth| is_selected(truth, &arguments.select));
    if truths.is_empty() {
        return Err(CommandError::NothingSelected);
    }
    let mut scorer = Scorer::new(truths);
    if !arguments.fields.is_empty() {
        scorer = scorer.only(arguments.fields.clone())?;
    }
    let mut status = Status::Clean;
    for path in &arguments.reports {
        if let Err(error) = add_reports(path, &mut scorer) {
            complain(format_args!("{}: {error}", path.display()));
            status = Status::SomethingFailed;
        }
    }
    let score = scorer.finish();

    let rendered = match arguments.format {
        ScoreFormat::Text => text::score(&score),
        ScoreFormat::Json => serde_json::to_string_pretty(&score)? + "\n",
    };
    Output::standard().write(&rendered)?;
    if let Some(percent) = arguments.require
        && !score.meets(percent)
    {
        complain(format_args!(
            "{} of {} files are exact, {percent} % are required",
            score.total.exact_files, score.total.files
        ));
        status = Status::SomethingFailed;
    }
    Ok(status)
}

/// Whether the file has, of each label asked for, one of the values.
fn is_selected(truth: &Truth, wanted: &[(String, String)]) -> bool {
    wanted.iter().all(|(name, _)| {
        let value = truth.labels.get(name);
        wanted.iter().any(|(other, wanted)| other == name && Some(wanted) == value)
    })
}

/// Adds the reports in a file: JSON values one after the other, or arrays of them.
fn add_reports(path: &Path, scorer: &mut Scorer) -> Result<(), ReportsError> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path)?))
    };
    for value in Deserializer::from_reader(reader).into_iter::<Value>() {
        match value? {
            Value::Array(reports) => reports.iter().for_each(|report| scorer.add(report)),
            report => scorer.add(&report),
        }
    }
    Ok(())
}
