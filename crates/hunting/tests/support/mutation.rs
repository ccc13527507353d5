//! Samples of every format, damaged, through its reader and through the recognition.

use std::path::Path;

use miyaburi_hunting::readers::{self, Described, Source};
use miyaburi_hunting::time::{Clock, Moment};
use miyaburi_hunting::{Options, Scanned, events};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Descriptions that read the samples of another format.
const DESCRIPTIONS: [(&str, &str); 3] = [
    (
        "eve",
        r#"{"layout":"json","kind":"dns_query","time":{"field":"timestamp","as":"rfc3339"},
        "fields":{"client":"src_ip","name":"dns.rrname","port":"dest_port"}}"#,
    ),
    (
        "nfdump",
        r#"{"layout":{"separated":{"by":",","columns":["t","e","d","c","s","x","p","o"]}},
        "kind":"connection","time":{"field":"t","as":"rfc3339"},
        "fields":{"client":"c","server":"s","port":"p","protocol":"o"}}"#,
    ),
    (
        "combined",
        r#"{"layout":{"pattern":"^(?<c>\\S+) .* \"\\S+ (?<u>\\S+)"},"kind":"web_request",
        "fields":{"client":"c","url":"u"}}"#,
    ),
];

/// What separates fields, quotes and escapes.
const MARKS: &[u8] = b"\"'\\ ,;:[]{}()<>\t\n\r=|#-";

/// A sample with the reader that is tried on it.
pub(crate) struct Sample {
    bytes: Vec<u8>,
    reader: Box<dyn Source>,
}

/// What is made of many cases.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// Records.
    pub(crate) records: u64,
    /// Events.
    pub(crate) events: u64,
    /// Records that were not read.
    pub(crate) unread: u64,
}

/// A reader that is one of the formats'.
struct Known(&'static dyn Source);

impl Source for Known {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn read_all(
        &self,
        input: &mut readers::Input<'_>,
        clock: &Clock,
        records: &mut readers::Records<'_>,
    ) -> std::io::Result<()> {
        self.0.read_all(input, clock, records)
    }
}

/// All samples; the name of each without its ending is that of its format.
pub(crate) fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut samples = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).expect("a file");
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let format = readers::named(name).expect("a format");
        for (_, text) in DESCRIPTIONS.iter().filter(|(of, _)| *of == name) {
            let reader = Box::new(Described::parse(text).expect("a description"));
            samples.push(Sample { bytes: bytes.clone(), reader });
        }
        samples.push(Sample { bytes, reader: Box::new(Known(format)) });
    }
    samples
}

/// What comes of a sample that is whole, by its reader and by what it is recognised as.
pub(crate) fn whole(sample: &Sample) -> (Scanned, Scanned) {
    (read(&sample.bytes, Some(&*sample.reader)), read(&sample.bytes, None))
}

/// Damages samples and reads them; panics when a reader does, or when evidence is not where it is said
/// to be.
pub(crate) fn mutate(samples: &[Sample], cases: core::ops::Range<u64>, seed: u64) -> Told {
    let mut told = Told::default();
    for case in cases {
        let mut random = ChaCha8Rng::seed_from_u64(seed << 40 ^ case);
        let sample = &samples[random.random_range(0..samples.len())];
        let mut bytes = sample.bytes.clone();
        if random.random_ratio(1, 8) {
            bytes.extend_from_slice(&samples[random.random_range(0..samples.len())].bytes);
        }
        damage(&mut bytes, &mut random);
        let reader = random.random_ratio(3, 4).then_some(&*sample.reader);
        let scanned = read(&bytes, reader);
        told.records += scanned.lines;
        told.events += scanned.events;
        told.unread += scanned.unread;
    }
    told
}

/// Overwrites, doubles or takes out some bytes; cuts some inputs off.
fn damage(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(0..6) {
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..6) {
            0 => bytes[at] = 0,
            1 => bytes[at] = 0xff,
            2 => {
                let end = (at + random.random_range(1..40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            3 if bytes.len() > 1 => {
                bytes.remove(at);
            }
            4 => bytes[at] = MARKS[random.random_range(0..MARKS.len())],
            _ => bytes[at] = random.next_u32() as u8,
        }
    }
    if random.random_ratio(1, 8) {
        bytes.truncate(random.random_range(1..=bytes.len()));
    }
}

fn read(bytes: &[u8], format: Option<&dyn Source>) -> Scanned {
    let clock = Clock::utc(Moment::from_unix(1_795_435_200));
    let scanned = events(bytes, "sample", &Options { format, clock }, &mut |_, at| {
        let there = usize::try_from(at.offset).ok().and_then(|start| bytes.get(start..));
        assert!(there.is_some_and(|there| there.starts_with(at.line)), "evidence is elsewhere");
    });
    let scanned = scanned.expect("memory");
    assert_eq!(scanned.unread == 0, scanned.samples.is_empty());
    scanned
}
