//! Material made to be slow.

use super::*;
use std::time::{Duration, Instant};

/// Far more than it takes, for slow machines.
const MOST: Duration = Duration::from_secs(30);

/// More regions than are looked at, the first of which promises ChaCha20.
fn large_regions() -> Vec<(Address, Vec<u8>)> {
    let noisy = (1..2000).map(|index| (Address(0x1000 * index), noise(index, 128)));
    std::iter::once((Address(0x100), b"expand 32-byte k".to_vec())).chain(noisy).collect()
}

#[test]
fn large_material_ends_without_a_key() {
    let regions = large_regions();
    // Each begins to look like the loads of a key that is taken in turn.
    let reads: Vec<(Address, u32)> =
        (0..65_536).map(|at| (Address(0x1000 + at % 100 + at / 100 % 2), 1)).collect();
    let constants: Vec<u32> = (0..100_000).map(|index| index * 7919).collect();
    let known = Material {
        reads: &reads,
        constants: &constants,
        writes_identity: true,
        ..material(&regions)
    };
    // One text may be under any cipher, many under some only.
    let one = [Sample { encoded: noise(90, 4096), decoded: noise(91, 4096) }];
    let many: Vec<Sample> = (0..400)
        .map(|index| Sample { encoded: noise(index, 64), decoded: noise(index + 1000, 64) })
        .collect();
    let begun = Instant::now();
    assert_eq!(recognise(&one, &known), Coding::of(Cipher::Rc4Modified));
    assert_eq!(recognise(&many, &known), Coding::of(Cipher::Unknown));
    assert!(begun.elapsed() < MOST);
}
