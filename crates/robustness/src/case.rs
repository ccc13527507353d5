//! One case: what is run, and what counts as a failure.

use crate::arguments::Arguments;
use crate::specimens::Specimen;
use crate::{memory, mutate, noise, patterns};
use miyaburi_model::{Report, Verdict};
use miyaburi_pipeline::{Analysis, Cuts, Options, analyze_in_full};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One of so many cases is run twice: both reports must be the same.
const REPEAT_ONE_OF: u64 = 32;

/// One of so many damaged files has false symbols alone, which must not make its configuration
/// disappear.
const FALSE_SYMBOLS_ONE_OF: u64 = 32;

/// Whether a damaged file has false symbols alone.
const fn has_false_symbols_alone(number: u64) -> bool {
    number % FALSE_SYMBOLS_ONE_OF == 1
}

/// The number of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CaseId {
    /// A damaged file.
    File(u64),
    /// A piece of random code.
    Code(u64),
    /// A program of one pattern.
    Pattern(u64),
}

impl fmt::Display for CaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(number) => write!(formatter, "file:{number}"),
            Self::Code(number) => write!(formatter, "code:{number}"),
            Self::Pattern(number) => write!(formatter, "pattern:{number}"),
        }
    }
}

impl FromStr for CaseId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, number) = text.split_once(':').ok_or("not KIND:NUMBER")?;
        let number = number.parse().map_err(|_| "not a number".to_owned())?;
        match kind {
            "file" => Ok(Self::File(number)),
            "code" => Ok(Self::Code(number)),
            "pattern" => Ok(Self::Pattern(number)),
            _ => Err("neither file nor code nor pattern".to_owned()),
        }
    }
}

/// What a case took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// The processor time of its first analysis.
    pub(crate) time: Duration,
    /// The most memory at once beyond what the process had before, in bytes.
    pub(crate) peak: usize,
    /// The report's verdict, as the report spells it.
    pub(crate) verdict: String,
    /// Whether a budget cut the analysis.
    pub(crate) is_cut: bool,
}

/// The random numbers of a case.
pub(crate) fn random(seed: u64, case: CaseId) -> ChaCha8Rng {
    // Streams keep the cases of a seed apart.
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(match case {
        CaseId::File(number) => number * 2,
        CaseId::Code(number) => number * 2 + 1,
        // Patterns take no random numbers.
        CaseId::Pattern(number) => number,
    });
    random
}

/// The input of a case.
pub(crate) fn input(arguments: &Arguments, specimens: &[Specimen], case: CaseId) -> Vec<u8> {
    let mut random = random(arguments.seed, case);
    match case {
        CaseId::File(number) if has_false_symbols_alone(number) => {
            let damaged =
                mutate::with_false_symbols(specimens, arguments.mostly_below, &mut random);
            damaged.map(|(damaged, _)| damaged).unwrap_or_default()
        }
        CaseId::File(_) => mutate::file(specimens, arguments.mostly_below, &mut random),
        CaseId::Code(number) => noise::Piece::new(arguments, number, &mut random).file(),
        CaseId::Pattern(number) => patterns::file(arguments, number),
    }
}

/// Runs a case; what went wrong, if anything.
pub(crate) fn run(
    arguments: &Arguments,
    specimens: &[Specimen],
    case: CaseId,
) -> (Cost, Result<(), String>) {
    let before = memory::live();
    memory::restart_peak();
    let bytes = input(arguments, specimens, case);
    let options = Options { time_limit: Some(arguments.time_limit()), ..Options::default() };
    let start = processor_time();
    let Analysis { report, cuts, .. } = analyze_in_full(&bytes, "case", &options);
    let mut cost = Cost {
        time: processor_time().saturating_sub(start),
        verdict: verdict(&report),
        is_cut: cuts.is_any(),
        ..Cost::default()
    };
    let mut checked = check(&report, cuts);
    let number = match case {
        CaseId::File(number) | CaseId::Code(number) | CaseId::Pattern(number) => number,
    };
    if checked.is_ok() && number.is_multiple_of(REPEAT_ONE_OF) && !cuts.is_by_time() {
        let Analysis { report: again, cuts, .. } = analyze_in_full(&bytes, "case", &options);
        if again != report && !cuts.is_by_time() {
            checked = Err("two analyses of the same file differ".to_owned());
        }
    }
    if let (CaseId::File(number), Verdict::NoConfig, Ok(())) = (case, report.verdict, &checked)
        && has_false_symbols_alone(number)
    {
        let mut random = random(arguments.seed, case);
        let damaged = mutate::with_false_symbols(specimens, arguments.mostly_below, &mut random);
        let clean =
            damaged.map(|(_, clean)| analyze_in_full(&clean.bytes, "case", &options).report);
        if clean.is_some_and(|clean| clean.verdict == Verdict::Config) {
            checked = Err("no_config because of false symbols".to_owned());
        }
    }
    if let (CaseId::Code(number), Ok(())) = (case, &checked) {
        let mut random = random(arguments.seed, case);
        checked = noise::Piece::new(arguments, number, &mut random).run(&mut random);
    }
    if cost.time > arguments.latest() {
        // Neighbours on the machine's cores and caches count, too: only a case that is late again
        // is.
        let start = processor_time();
        let _ = analyze_in_full(&bytes, "case", &options);
        cost.time = cost.time.min(processor_time().saturating_sub(start));
    }
    if checked.is_ok() && cost.time > arguments.latest() {
        checked = Err(format!("{} s, beyond the budget", cost.time.as_secs()));
    }
    cost.peak = memory::peak().saturating_sub(before);
    (cost, checked)
}

/// The processor time of this thread so far. That of the wall depends on what else the machine does.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanoseconds)
}

fn verdict(report: &Report) -> String {
    let text = serde_json::to_string(&report.verdict).unwrap_or_default();
    text.trim_matches('"').to_owned()
}

/// What every report must fulfil, whatever the file.
fn check(report: &Report, cuts: Cuts) -> Result<(), String> {
    if report.verdict == Verdict::Failed
        && let Some(crash) = report.diagnostics.iter().find(|told| told.stage == "pipeline")
    {
        return Err(format!("panic: {}", crash.message));
    }
    if cuts.is_any() && report.verdict == Verdict::NoConfig {
        return Err("no_config although a budget cut the analysis".to_owned());
    }
    serde_json::to_string(report).map(|_| ()).map_err(|error| format!("not JSON: {error}"))
}
