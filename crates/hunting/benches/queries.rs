//! Lines a second: a resolver's query log against a million names, and a packet filter's log against
//! a million addresses. Each line is read, its names or addresses are looked up, and one in a thousand
//! is a hit.
#![allow(missing_docs, clippy::panic)]

use std::fmt::Write;
use std::hint::black_box;

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

fn addresses() -> (String, String) {
    let address = |number: u64| core::net::Ipv4Addr::from_bits(mixed(number) as u32);
    let (mut list, mut log) = (String::new(), String::new());
    for number in 0..INDICATORS {
        let _ = writeln!(list, "{}", address(number));
    }
    for line in 0..LINES {
        let number = if line % HIT_ONE_OF == 0 { line } else { line + INDICATORS };
        let _ = writeln!(
            log,
            "Nov 23 04:{:02}:{:02} gate kernel: [88.2] fw: IN=lan OUT=wan SRC=198.51.100.{} DST={} LEN=60 \
             TTL=63 PROTO=TCP SPT=40122 DPT=23 SYN",
            line / 60 % 60,
            line % 60,
            line % 200,
            address(number),
        );
    }
    (list, log)
}

fn hunt(bencher: &mut Criterion) {
    let clock = Clock::utc(Moment::from_unix(1_795_435_200));
    let mut group = bencher.benchmark_group("hunt");
    group.throughput(Throughput::Elements(LINES)).sample_size(10);
    for (kind, (list, log)) in [("dns_queries", names()), ("firewall", addresses())] {
        let indicators = set(&list);
        group.bench_function(kind, |bencher| {
            bencher.iter(|| {
                let mut hunt = Hunt::new(&indicators);
                let options = Options { format: None, clock };
                let mut hits = 0;
                let scanned = scan(log.as_bytes(), "log", &options, &mut hunt, &mut |_| hits += 1);
                let events = scanned.map(|scanned| scanned.events).unwrap_or_default();
                assert!(events == LINES && hits >= LINES / HIT_ONE_OF);
                black_box(hits)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hunt);
criterion_main!(benches);
