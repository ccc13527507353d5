//! The analysis of one file, contained: it never panics and never exceeds its budget by much.

use crate::capture::{self, Capture};
use crate::{compose, findings, sample, unpack};
use miyaburi_analysis::{Limits, Program};
use miyaburi_image::{Image, ImageDiagnostic, ImageError, RawMemory};
use miyaburi_model::{Diagnostic, FileFormat, Level, Report, Sample, Verdict};
use std::borrow::{Borrow, BorrowMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What the analysis of one file may spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Emulated instructions over all stages.
    pub max_instructions: u64,
    /// Bytes of guest memory touched by one emulated run.
    pub max_bytes: u64,
    /// Steps of the analysis, in the unit of [`Limits::steps`].
    pub max_steps: u64,
    /// Bytes of lifted code and of values that the analysis keeps.
    pub max_analysis_bytes: u64,
    /// Emulated instructions for watching attacks; `None` when they are not to be watched.
    pub max_observed: Option<u64>,
    /// Wall clock behind the others; a report it cut says so.
    pub time_limit: Option<Duration>,
    /// What files are that have no header; otherwise they are ELF files.
    pub raw: Option<RawMemory>,
}

impl Default for Options {
    fn default() -> Self {
        let analysis = Limits::default();
        Self {
            max_instructions: 100_000_000,
            max_bytes: 64 << 20,
            max_steps: analysis.steps,
            max_analysis_bytes: analysis.bytes,
            max_observed: Some(40_000_000),
            time_limit: Some(Duration::from_secs(30)),
            raw: None,
        }
    }
}

/// What budgets cut before it was done; the report tells of it in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// The analysis of the code.
    pub analysis: Option<miyaburi_analysis::Cut>,
    /// The runs of the file's routines.
    pub runs: Option<miyaburi_extractors::budget::Cut>,
}

impl Cuts {
    /// Whether anything was cut.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.analysis.is_some() || self.runs.is_some()
    }

    /// Whether the wall clock cut it, so that the same file can give another report.
    #[must_use]
    pub fn is_by_time(&self) -> bool {
        self.analysis == Some(miyaburi_analysis::Cut::Time)
            || self.runs == Some(miyaburi_extractors::budget::Cut::Time)
    }
}

/// What came of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// The report.
    pub report: Report,
    /// What was cut.
    pub cuts: Cuts,
    /// What attacks were seen to send.
    pub captures: Vec<Capture>,
}

impl From<Report> for Analysis {
    fn from(report: Report) -> Self {
        Self { report, cuts: Cuts::default(), captures: Vec::new() }
    }
}

impl Borrow<Report> for Analysis {
    fn borrow(&self) -> &Report {
        &self.report
    }
}

impl BorrowMut<Report> for Analysis {
    fn borrow_mut(&mut self) -> &mut Report {
        &mut self.report
    }
}

/// Analyses one file. `path` only names it in the report.
///
/// Every way to fail ends in the report: `unsupported` for what is no ELF file of a known CPU,
/// `failed` for what is damaged beyond use or made the analyser panic.
#[must_use]
pub fn analyze(bytes: &[u8], path: &str, options: &Options) -> Report {
    analyze_in_full(bytes, path, options).report
}

/// As [`analyze`], with what is not in the report.
#[must_use]
pub fn analyze_in_full(bytes: &[u8], path: &str, options: &Options) -> Analysis {
    let sample = sample::describe(bytes, path);
    let contained = catch_unwind(AssertUnwindSafe(|| analyze_file(bytes, sample.clone(), options)));
    contained.unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("unknown");
        Report::failed(sample, "pipeline", format!("the analysis crashed: {reason}")).into()
    })
}

fn analyze_file(bytes: &[u8], mut sample: Sample, options: &Options) -> Analysis {
    if let Some(memory) = options.raw {
        sample::add_arch(&mut sample, FileFormat::Raw, memory.arch);
        return analyze_image(bytes, Image::of_memory(bytes, memory), sample, options);
    }
    match unpack::unpack(bytes, options) {
        Ok(None) => analyze_elf(bytes, sample, options),
        Ok(Some(unpacked)) => {
            sample.packer = Some(unpacked.packer);
            let mut analysis = analyze_elf(&unpacked.file, sample, options);
            if let Some(cut) = unpacked.cut {
                analysis.report.note_cut("unpack", cut);
            }
            analysis
        }
        Err(error) => {
            if let Ok(stub) = Image::parse(bytes) {
                sample::add_arch(&mut sample, FileFormat::Elf, stub.arch());
            }
            sample.packer = Some(*error.packer.clone());
            Report::failed(sample, "unpack", error.to_string()).into()
        }
    }
}

fn analyze_elf(bytes: &[u8], mut sample: Sample, options: &Options) -> Analysis {
    let image = Image::parse(bytes);
    if let Ok(image) = &image {
        sample::add_arch(&mut sample, FileFormat::Elf, image.arch());
    }
    analyze_image(bytes, image, sample, options)
}

fn analyze_image(
    bytes: &[u8],
    image: Result<Image, ImageError>,
    sample: Sample,
    options: &Options,
) -> Analysis {
    let deadline = options.time_limit.and_then(|limit| Instant::now().checked_add(limit));
    let image = match image {
        Ok(image) => image,
        Err(error) => {
            let verdict =
                if error.is_unsupported() { Verdict::Unsupported } else { Verdict::Failed };
            let mut report = Report::new(sample, verdict);
            let level = if error.is_unsupported() { Level::Info } else { Level::Error };
            report.diagnostics.push(Diagnostic::new("image", level, error.to_string()));
            return report.into();
        }
    };
    let mut report = Report::new(sample, Verdict::NoConfig);
    for diagnostic in image.diagnostics() {
        let level = if is_loss(diagnostic) { Level::Error } else { Level::Warning };
        report.diagnostics.push(Diagnostic::new("image", level, diagnostic.to_string()));
    }
    let is_whole = !image.diagnostics().iter().any(is_loss);
    let language = match miyaburi_pcode::language_for(image.arch()) {
        Ok(language) => language,
        Err(error) => return failed(report, "lifter", &error.to_string()).into(),
    };
    let limits = Limits { steps: options.max_steps, bytes: options.max_analysis_bytes, deadline };
    match Program::analyze_within(&image, &*language, limits) {
        Ok(program) => {
            let findings =
                findings::collect(bytes, &image, &*language, &program, options, deadline);
            compose::add(&mut report, &program, &findings, is_whole);
            let cuts = Cuts { analysis: findings.analysis_cut, runs: findings.cut };
            let captures = capture::captures_of(&report.attacks, &findings.behaviours);
            Analysis { report, cuts, captures }
        }
        Err(error) => failed(report, "analysis", &error.to_string()).into(),
    }
}

/// Whether a part of the program was not there to be analysed.
const fn is_loss(diagnostic: &ImageDiagnostic) -> bool {
    matches!(
        diagnostic,
        ImageDiagnostic::SegmentTruncated { .. }
            | ImageDiagnostic::SegmentsLeftOut { .. }
            | ImageDiagnostic::NotDumped { .. }
    )
}

fn failed(mut report: Report, stage: &str, reason: &str) -> Report {
    report.verdict = Verdict::Failed;
    report.diagnostics.push(Diagnostic::new(stage, Level::Error, reason));
    report
}
