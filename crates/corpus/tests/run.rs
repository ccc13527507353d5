//! Order, bounds and containment of a parallel run.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{Cursor, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use miyaburi_corpus::{ArchiveOptions, Input, Outcome, collect, run};
use miyaburi_model::{Level, Report, Sample, Verdict};
use tempfile::TempDir;

fn files(count: usize) -> (TempDir, Vec<Input>) {
    let root = tempfile::tempdir().unwrap();
    for number in 0..count {
        fs::write(root.path().join(format!("{number:04}")), number.to_string()).unwrap();
    }
    let inputs = collect(&[root.path().to_owned()]);
    assert_eq!(inputs.len(), count);
    (root, inputs)
}

fn report(bytes: &[u8], name: &str) -> Report {
    let sample =
        Sample { path: name.to_owned(), size: Some(bytes.len() as u64), ..Sample::default() };
    Report::new(sample, Verdict::NoConfig)
}

fn all(
    inputs: &[Input],
    jobs: usize,
    analyze: &(dyn Fn(&[u8], &str) -> Report + Sync),
) -> Vec<Outcome<Report>> {
    let mut outcomes = Vec::new();
    run(inputs, NonZeroUsize::new(jobs).unwrap(), &ArchiveOptions::default(), analyze, |outcome| {
        outcomes.push(outcome);
        ControlFlow::Continue(())
    })
    .unwrap();
    outcomes
}

#[test]
fn results_stand_in_input_order_whatever_finishes_first() {
    let (_root, inputs) = files(40);
    let slow_first = |bytes: &[u8], name: &str| {
        if bytes == b"0" || bytes == b"7" {
            sleep(Duration::from_millis(60));
        }
        report(bytes, name)
    };
    let expected: Vec<String> = inputs.iter().map(Input::name).collect();
    let one = all(&inputs, 1, &slow_first);
    let four = all(&inputs, 4, &slow_first);
    let paths: Vec<String> =
        one.iter().map(|outcome| outcome.report().sample.path.clone()).collect();
    assert_eq!(paths, expected);
    assert_eq!(one, four);
}

#[test]
fn workers_wait_for_a_slow_predecessor() {
    let (_root, inputs) = files(200);
    let finished = AtomicUsize::new(0);
    let ahead = AtomicUsize::new(0);
    let analyze = |bytes: &[u8], name: &str| {
        if bytes == b"0" {
            sleep(Duration::from_millis(300));
            ahead.store(finished.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        finished.fetch_add(1, Ordering::SeqCst);
        report(bytes, name)
    };
    assert_eq!(all(&inputs, 2, &analyze).len(), 200);
    let ahead = ahead.load(Ordering::SeqCst);
    assert!((1..32).contains(&ahead), "{ahead} files finished before the first");
}

#[test]
fn unreadable_files_and_crashes_are_failed_reports_and_the_rest_goes_on() {
    let (root, _) = files(3);
    let at = |name: &str| root.path().join(name);
    let inputs = collect(&[at("0000"), at("absent"), at("0001"), at("0002")]);
    let analyze = |bytes: &[u8], name: &str| {
        assert!(bytes != b"1", "bad luck");
        report(bytes, name)
    };
    let outcomes = all(&inputs, 2, &analyze);
    let verdicts: Vec<_> = outcomes.iter().map(|outcome| outcome.report().verdict).collect();
    let (good, bad) = (Verdict::NoConfig, Verdict::Failed);
    assert_eq!(verdicts, [good, bad, bad, good]);
    let message = |index: usize| outcomes[index].report().diagnostics[0].message.clone();
    assert!(message(1).contains("No such file"), "{}", message(1));
    assert_eq!(message(2), "contained a crash: bad luck");
    assert_eq!(outcomes[2].report().sample.path, at("0001").to_string_lossy());
}

#[test]
fn unsupported_fails_only_when_named() {
    let (root, met) = files(1);
    let unsupported =
        |bytes: &[u8], name: &str| Report { verdict: Verdict::Unsupported, ..report(bytes, name) };
    assert!(!all(&met, 1, &unsupported)[0].is_failure());
    let named = collect(&[root.path().join("0000")]);
    assert!(all(&named, 1, &unsupported)[0].is_failure());
}

#[test]
fn a_break_ends_the_run() {
    let (_root, inputs) = files(500);
    let analyzed = AtomicUsize::new(0);
    let analyze = |bytes: &[u8], name: &str| {
        analyzed.fetch_add(1, Ordering::SeqCst);
        report(bytes, name)
    };
    let mut delivered = 0;
    run(&inputs, NonZeroUsize::new(2).unwrap(), &ArchiveOptions::default(), &analyze, |_| {
        delivered += 1;
        if delivered == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(delivered, 3);
    assert!(analyzed.load(Ordering::SeqCst) < 100);
}

#[test]
fn no_inputs_give_nothing() {
    let none: Vec<PathBuf> = vec![];
    assert_eq!(all(&collect(&none), 4, &report), []);
}

/// A pipe that nobody writes to would block the batch for ever.
#[cfg(unix)]
#[test]
fn pipes_inside_a_directory_are_not_opened() {
    let (root, _) = files(1);
    let pipe = root.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let outcomes = all(&collect(&[root.path().to_owned()]), 1, &report);
    let of_pipe = outcomes.iter().find(|outcome| outcome.report().sample.path.ends_with("pipe"));
    let of_pipe = &of_pipe.unwrap().report();
    assert_eq!(of_pipe.verdict, Verdict::Unsupported);
    assert_eq!(of_pipe.diagnostics[0].message, "is not a regular file");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn members_take_the_place_of_their_archive() {
    let root = tempfile::tempdir().unwrap();
    let inner = gzip(&tar(&[("dir/three", b"3"), ("four", b"4")]));
    let cut = gzip(&[b'x'; 4096]);
    for (name, bytes) in [
        ("a", b"0".to_vec()),
        ("b.zip", zip(&[("one", b"1"), ("more.tgz", &inner), ("two", b"2")])),
        ("c.gz", cut[..cut.len() - 9].to_vec()),
        ("d", b"5".to_vec()),
    ] {
        fs::write(root.path().join(name), bytes).unwrap();
    }
    let inputs = collect(&[root.path().to_owned()]);
    let one = all(&inputs, 1, &report);
    let start = root.path().display().to_string() + "/";
    let told: Vec<(&str, Verdict)> = one
        .iter()
        .map(|outcome| {
            let report = outcome.report();
            (report.sample.path.strip_prefix(&start).unwrap(), report.verdict)
        })
        .collect();
    let read = Verdict::NoConfig;
    let expected = [
        ("a", read),
        ("b.zip!one", read),
        ("b.zip!more.tgz!dir/three", read),
        ("b.zip!more.tgz!four", read),
        ("b.zip!two", read),
        // What there is, and that it is not all.
        ("c.gz", Verdict::Partial),
        ("d", read),
    ];
    assert_eq!(told, expected);
    let told = &one[5].report().diagnostics;
    assert!(told.len() == 1 && told[0].stage == "read" && told[0].level == Level::Error);
    assert_eq!(one, all(&inputs, 4, &report));
}
