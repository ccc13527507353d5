//! A small compression of our own in the manner of Lempel and Ziv; `stub.c` undoes it.

use std::collections::HashMap;

/// Bytes that a copy has at least and at most.
const SHORTEST: usize = 3;
const LONGEST: usize = 130;

/// How far back a copy reaches.
const REACH: usize = 0xffff;

/// Bytes that one control byte lets follow as they are.
const LITERALS: usize = 128;

/// Compresses: a control byte below 128 is followed by so many bytes and one more, another one by the
/// distance of a copy that is 125 bytes shorter than it says.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut seen: HashMap<&[u8], usize> = HashMap::new();
    let (mut at, mut kept) = (0, 0);
    while at < bytes.len() {
        let start = bytes.get(at..at + SHORTEST);
        let before = start.and_then(|start| seen.insert(start, at));
        let Some(before) = before.filter(|before| at - before <= REACH) else {
            at += 1;
            continue;
        };
        let same = bytes[before..].iter().zip(&bytes[at..]).take_while(|(a, b)| a == b).count();
        let length = same.min(LONGEST);
        put_literals(&mut out, &bytes[kept..at]);
        out.push((length - SHORTEST) as u8 | 0x80);
        out.extend(((at - before) as u16).to_le_bytes());
        at += length;
        kept = at;
    }
    put_literals(&mut out, &bytes[kept..]);
    out
}

fn put_literals(out: &mut Vec<u8>, bytes: &[u8]) {
    for run in bytes.chunks(LITERALS) {
        out.push((run.len() - 1) as u8);
        out.extend(run);
    }
}
