//! P-code operations interpreted per second, by CPU, over ciphers, hashes, text and sorting.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/support/conformance.rs"]
mod conformance;
#[path = "../tests/support/programs.rs"]
mod programs;

use conformance::{Machine, Program, Record};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// What routines that keep strings and configurations are made of.
const CASES: &[&str] = &[
    "repeating_key_xor",
    "folded_key_decoding",
    "rc4",
    "chacha20",
    "xtea_both_ways",
    "aes128_both_ways",
    "crc32_by_table",
    "md5",
    "sha256",
    "base64_both_ways",
    "decimal_both_ways",
    "internet_addresses",
    "substring_search",
    "quick_sort",
    "heap_sort",
    "state_machine",
    "hash_table",
];

fn run(machine: &mut Machine<'_>, records: &[Record]) {
    for record in records {
        machine.run(record, &conformance::LIMITS).expect("it returns");
    }
}

fn interpret(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("interpret");
    for kept in programs::kept().expect("the kept programs") {
        let mut records = Record::parse_all(&kept.record).expect("records");
        records.retain(|record| CASES.contains(&record.name.as_str()));
        let program = Program::new(kept.file).expect("a program");
        let mut machine = program.machine().expect("a machine");
        // The first pass translates.
        run(&mut machine, &records);
        let before = (machine.operations, machine.instructions);
        run(&mut machine, &records);
        let operations = machine.operations - before.0;
        let instructions = machine.instructions - before.1;
        println!("{}: {operations} operations, {instructions} instructions", kept.target);
        group.throughput(Throughput::Elements(operations));
        group.bench_function(kept.target, |bencher| {
            bencher.iter(|| run(&mut machine, &records));
        });
    }
    group.finish();
}

criterion_group!(benches, interpret);
criterion_main!(benches);
