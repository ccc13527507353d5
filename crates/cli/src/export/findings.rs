//! What reports say, all of them together.

use std::fs::File;
use std::path::{Path, PathBuf};

use miyaburi_corpus::reports;
use miyaburi_export::configurations::Configurations;
use miyaburi_export::indicators::{Indicators, Observed};
use miyaburi_export::traffic::Traffic;
use sha2::{Digest, Sha256};

use super::{Documents, ExportProblem, ReadProblem, for_each_report};
use crate::arguments::ExportArguments;
use crate::error::complain;

/// What all reports say.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) indicators: Indicators,
    pub(crate) traffic: Traffic,
    /// Empty when no format tells them.
    pub(crate) configurations: Configurations,
    /// SHA-256 of the reports in hexadecimal.
    pub(crate) input_sha256: String,
}

impl Findings {
    /// Reads all reports, beside what earlier exports have in force, and writes the documents of single
    /// files.
    pub(crate) fn read(
        arguments: &ExportArguments,
        in_force: Indicators,
        documents: &mut [Documents],
    ) -> Result<Self, ExportProblem> {
        let observed = match &arguments.selection.observed {
            Some(path) => read_observed(path)?,
            None => Observed::default(),
        };
        let mut findings = Self { indicators: in_force, ..Self::default() };
        let mut digest = Sha256::new();
        let has_configurations =
            arguments.formats().iter().any(|format| format.has_configurations());
        for path in &report_files(&arguments.reports)? {
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
                Err(ReadProblem::Document(error)) => return Err(error.into()),
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
}

/// The files that are meant, those of directories in order.
fn report_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ExportProblem> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(reports::report_files(path).map_err(|errors| {
            errors.into_iter().for_each(complain);
            ExportProblem::Reports(path.clone())
        })?);
    }
    Ok(files)
}

fn read_observed(path: &Path) -> Result<Observed, ExportProblem> {
    let file =
        File::open(path).map_err(|error| ExportProblem::Read { path: path.to_owned(), error })?;
    Observed::read(file).map_err(|error| ExportProblem::Observed { path: path.to_owned(), error })
}
