//! Reading reports back, from a file or from a directory of files.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, stdin};
use std::path::{Path, PathBuf};

use miyaburi_model::{Report, SCHEMA_VERSION};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::collect;

/// Endings of the names of report files; in a directory other files are passed over.
const ENDINGS: [&str; 3] = ["json", "ndjson", "jsonl"];

/// Reports from one path of a command line.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportSet {
    /// The path as given.
    pub path: PathBuf,
    /// Whether the path is a directory.
    pub is_directory: bool,
    /// The reports, in the order of the files and within them; never empty.
    pub reports: Vec<FiledReport>,
}

/// A report and the file it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct FiledReport {
    /// The file it stands in.
    pub file: PathBuf,
    /// Whether it is the only report in that file.
    pub is_alone: bool,
    /// The report.
    pub report: Report,
}

/// Reports that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct ReportsError {
    /// The file, or the directory without one.
    pub file: PathBuf,
    /// What is wrong with it.
    pub problem: ReportsProblem,
}

/// What is wrong with a file of reports.
#[derive(Debug, thiserror::Error)]
pub enum ReportsProblem {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Collecting failed on a directory.
    #[error("{0}")]
    Unreachable(String),
    /// It is no JSON, or JSON that is no report; the text ends with line and column.
    #[error("not a report: {0}")]
    Json(#[from] serde_json::Error),
    /// An empty file; nothing can be concluded from it.
    #[error("holds no report")]
    Empty,
    /// A directory without a report file.
    #[error("no file in it ends in .json, .ndjson or .jsonl")]
    NoFiles,
}

/// Reads the reports at `path`: a file of JSON objects one after the other or of arrays of them,
/// `-` for standard input, or a directory, which stands for every file below it that ends in
/// `.json`, `.ndjson` or `.jsonl`.
///
/// # Errors
/// One error for each file that could not be read to its end. There is no partial success: a
/// report left out would look like one that was never there.
pub fn read_reports(path: &Path) -> Result<ReportSet, Vec<ReportsError>> {
    let mut reports: Vec<FiledReport> = Vec::new();
    for_each_report(path, |file, report| {
        let of_same_file = reports.last_mut().filter(|last| last.file == file);
        let is_alone = of_same_file.is_none();
        if let Some(last) = of_same_file {
            last.is_alone = false;
        }
        reports.push(FiledReport { file: file.to_owned(), is_alone, report });
    })?;
    Ok(ReportSet { path: path.to_owned(), is_directory: path.is_dir(), reports })
}

/// Hands the reports at `path`, as [`read_reports`] takes it, to `take` with their files, one after the
/// other, so that memory does not grow with their number; an array is read whole.
///
/// # Errors
/// As of [`read_reports`]. Reports that could be read were handed on all the same.
pub fn for_each_report(
    path: &Path,
    mut take: impl FnMut(&Path, Report),
) -> Result<(), Vec<ReportsError>> {
    let mut errors = Vec::new();
    for file in report_files(path)? {
        if let Err(problem) = read_file(&file, |report| take(&file, report)) {
            errors.push(ReportsError { file, problem });
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The files that hold the reports at `path`, as [`read_reports`] takes it: itself unless it is a
/// directory.
///
/// # Errors
/// For a directory without any, and for what is below it and cannot be reached.
pub fn report_files(path: &Path) -> Result<Vec<PathBuf>, Vec<ReportsError>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_report_file = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
    };
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for input in collect(&[path.to_owned()]) {
        match input.unreachable {
            Some(reason) => errors.push(ReportsError {
                file: input.path,
                problem: ReportsProblem::Unreachable(reason),
            }),
            None if is_report_file(&input.path) => files.push(input.path),
            None => {}
        }
    }
    if errors.is_empty() && files.is_empty() {
        let problem = ReportsProblem::NoFiles;
        errors.push(ReportsError { file: path.to_owned(), problem });
    }
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}

fn read_file(path: &Path, mut take: impl FnMut(Report)) -> Result<(), ReportsProblem> {
    let mut is_empty = true;
    let read = each_report(open(path)?, |report| {
        is_empty = false;
        take(report);
        Ok::<_, ReportsProblem>(())
    });
    read?;
    if is_empty { Err(ReportsProblem::Empty) } else { Ok(()) }
}

/// A file of reports, standard input for `-`.
///
/// # Errors
/// When it cannot be opened.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(if path == Path::new("-") { Box::new(stdin().lock()) } else { Box::new(File::open(path)?) })
}

/// Hands on every report that a reader has, JSON objects one after the other or arrays of them; there
/// need not be any.
///
/// # Errors
/// When the reader fails or has something else, and what `take` has.
pub fn each_report<E: From<ReportsProblem>>(
    reader: impl Read,
    mut take: impl FnMut(Report) -> Result<(), E>,
) -> Result<(), E> {
    let reader = BufReader::new(reader);
    for value in serde_json::Deserializer::from_reader(reader).into_iter::<OneOrMany>() {
        value.map_err(ReportsProblem::from)?.0.into_iter().try_for_each(&mut take)?;
    }
    Ok(())
}

/// A report or an array of them. Read without a buffer in between, so that errors keep their line.
struct OneOrMany(Vec<Report>);

/// A report whose names mean what they mean here.
struct Understood(Report);

impl<'de> Deserialize<'de> for Understood {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let report = Report::deserialize(deserializer)?;
        if report.schema_version == SCHEMA_VERSION {
            return Ok(Self(report));
        }
        let version = report.schema_version;
        Err(D::Error::custom(format_args!(
            "a report of schema version {version}, and only {SCHEMA_VERSION} is known"
        )))
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a report or an array of reports")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany, A::Error> {
                let Understood(report) = Understood::deserialize(MapAccessDeserializer::new(map))?;
                Ok(OneOrMany(vec![report]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut reports = Vec::new();
                while let Some(Understood(report)) = list.next_element()? {
                    reports.push(report);
                }
                Ok(OneOrMany(reports))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
