//! Lines a second: a resolver's query log against a million names; a packet filter's log, and flows of
//! several formats, against a million addresses. Each line is read, its names or addresses are looked up,
//! and one in a thousand is a hit. Beside it, on the same files and from reading the list on: `grep -F -f`
//! and `rg -F -f`, where they are installed.
#![allow(missing_docs, clippy::panic)]

use std::fmt::Write;
use std::hint::black_box;
use std::process::Command;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use miyaburi_hunting::indicators::{self, Indicators};
use miyaburi_hunting::time::{Clock, Moment};
use miyaburi_hunting::{Hunt, Options, scan};

const INDICATORS: u64 = 1_000_000;
const LINES: u64 = 200_000;
const HIT_ONE_OF: u64 = 1000;

fn set(text: &str) -> Indicators {
    let mut set = Indicators::default();
    let read = indicators::read(&mut text.as_bytes(), &mut set, &mut |error| panic!("{error}"));
    read.unwrap_or_else(|error| panic!("{error}"));
    set.seal();
    set
}

/// A number that looks drawn.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    number ^ (number >> 29)
}

fn name(number: u64) -> String {
    format!("host{}.zone{}.example", mixed(number) % 1_000_000_007, number)
}

fn names() -> (String, String) {
    let (mut list, mut log) = (String::new(), String::new());
    for number in 0..INDICATORS {
        let _ = writeln!(list, "{}", name(number));
    }
    for line in 0..LINES {
        let asked = match line % HIT_ONE_OF {
            0 => name(mixed(line) % INDICATORS),
            _ => format!("www{}.site{}.example.org", line % 7, mixed(line) % 50_000),
        };
        let client = mixed(line) % 200;
        let _ = writeln!(
            log,
            "23-Nov-2026 04:{:02}:{:02}.123 queries: info: client @0x7f5a1c0021a8 198.51.100.{client}#41022 \
             ({asked}): query: {asked} IN A +E(0)K (192.0.2.53)",
            line / 60 % 60,
            line % 60,
        );
    }
    (list, log)
}

fn address(number: u64) -> core::net::Ipv4Addr {
    core::net::Ipv4Addr::from_bits(mixed(number) as u32)
}

/// The address that a record goes to: one in a thousand is an indicator.
fn target(line: u64) -> core::net::Ipv4Addr {
    address(if line.is_multiple_of(HIT_ONE_OF) { line } else { line + INDICATORS })
}

fn addresses() -> String {
    let mut list = String::new();
    for number in 0..INDICATORS {
        let _ = writeln!(list, "{}", address(number));
    }
    list
}

fn firewall() -> Vec<u8> {
    let mut log = String::new();
    for line in 0..LINES {
        let _ = writeln!(
            log,
            "Nov 23 04:{:02}:{:02} gate kernel: [88.2] fw: IN=lan OUT=wan SRC=198.51.100.{} DST={} LEN=60 \
             TTL=63 PROTO=TCP SPT=40122 DPT=23 SYN",
            line / 60 % 60,
            line % 60,
            line % 200,
            target(line),
        );
    }
    log.into_bytes()
}

fn nfdump() -> Vec<u8> {
    let mut log = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt\n".to_owned();
    for line in 0..LINES {
        let time = format!("2026-11-23 04:{:02}:{:02}.123", line / 60 % 60, line % 60);
        let (client, server) = (line % 200, target(line));
        let _ = writeln!(
            log,
            "{time},{time},0.000,198.51.100.{client},{server},40122,23,TCP,......S.,0,0,1,60,0,0"
        );
    }
    log.into_bytes()
}

fn zeek() -> Vec<u8> {
    let mut log =
        "#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\t\
        id.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\n"
            .to_owned();
    for line in 0..LINES {
        let (client, server) = (line % 200, target(line));
        let _ = writeln!(
            log,
            "17000{:05}.123456\tCHhAvVGS1DHFjwGM9\t198.51.100.{client}\t40122\t{server}\t23\ttcp\t-\t1.5\t60\t60\tSF",
            line % 100_000,
        );
    }
    log.into_bytes()
}

/// Messages of version 5 with twenty flows each.
fn netflow() -> Vec<u8> {
    const FLOWS: u64 = 20;
    let mut export = Vec::new();
    for message in 0..LINES / FLOWS {
        for number in [5 << 16 | FLOWS as u32, 10_000, 1_700_000_000 + message as u32, 0, 0, 0] {
            export.extend(number.to_be_bytes());
        }
        for line in message * FLOWS..(message + 1) * FLOWS {
            export.extend([198, 51, 100, (line % 200) as u8]);
            export.extend(target(line).octets());
            for number in [0, 0, 1, 60, 9000, 9100, 40_122 << 16 | 23, 0x0002_0600, 0, 0] {
                export.extend(u32::to_be_bytes(number));
            }
        }
    }
    export
}

/// Hits in a log, of which every record is an event.
fn hits(log: &[u8], indicators: &Indicators) -> u64 {
    let clock = Clock::utc(Moment::from_unix(1_795_435_200));
    let mut hunt = Hunt::new(indicators);
    let options = Options { format: None, clock };
    let mut hits = 0;
    let scanned = scan(log, "log", &options, &mut hunt, &mut |_| hits += 1);
    let events = scanned.map(|scanned| scanned.events).unwrap_or_default();
    assert!(events == LINES && hits >= LINES / HIT_ONE_OF);
    hits
}

fn hunt(bencher: &mut Criterion) {
    let mut group = bencher.benchmark_group("hunt");
    group.throughput(Throughput::Elements(LINES)).sample_size(10);
    let (list, queries) = names();
    let indicators = set(&list);
    let queries = queries.into_bytes();
    group.bench_function("dns_queries", |it| it.iter(|| black_box(hits(&queries, &indicators))));
    group.throughput(Throughput::Elements(2 * LINES));
    group.bench_function("dns_queries_two_threads", |it| {
        it.iter(|| {
            std::thread::scope(|scope| {
                let other = scope.spawn(|| hits(&queries, &indicators));
                black_box(hits(&queries, &indicators) + other.join().unwrap_or_default())
            })
        });
    });
    group.throughput(Throughput::Elements(LINES));
    let indicators = set(&addresses());
    let logs =
        [("firewall", firewall()), ("nfdump", nfdump()), ("zeek", zeek()), ("netflow", netflow())];
    for (kind, log) in &logs {
        group.bench_function(*kind, |it| it.iter(|| black_box(hits(log, &indicators))));
    }
    group.finish();
}

/// From reading the list to the last hit, as one runs it.
fn beside(bencher: &mut Criterion) {
    let mut group = bencher.benchmark_group("list_and_log");
    group.throughput(Throughput::Elements(LINES)).sample_size(10);
    let (list, log) = names();
    group.bench_function("hunt", |it| it.iter(|| black_box(hits(log.as_bytes(), &set(&list)))));
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let files = [folder.path().join("list"), folder.path().join("log")];
    for (file, text) in files.iter().zip([&list, &log]) {
        std::fs::write(file, text).unwrap_or_else(|error| panic!("{error}"));
    }
    for program in ["grep", "rg"] {
        let run = || Command::new(program).args(["-c", "-F", "-f"]).args(&files).output();
        let Ok(output) = run() else { continue };
        let found = String::from_utf8_lossy(&output.stdout).trim().parse::<u64>();
        assert!(found.is_ok_and(|found| found >= LINES / HIT_ONE_OF), "{program}: {output:?}");
        group.bench_function(program, |it| it.iter(|| black_box(run().is_ok())));
    }
    group.finish();
}

criterion_group!(benches, hunt, beside);
criterion_main!(benches);
