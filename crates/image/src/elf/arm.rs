//! Which 32-bit ARM variant a file is for, by its build attributes and its code.
//!
//! `e_flags` do not say. Build attributes (`.ARM.attributes`) give the architecture version of
//! the newest object linked in; they need no section headers, because their vendor name finds
//! them. Without them the version follows from instructions that older cores lack. Whether there
//! is Thumb code is always judged by the code, as attributes only say what was allowed.

use crate::{Arch, Endian, Permissions, Segment};

/// Calls from Thumb code to function prologues that prove Thumb code, apart from those that
/// noise gives.
const THUMB_CALLS: u64 = 2;

/// Occurrences of newer instructions that prove a newer core.
const NEWER_INSTRUCTIONS: u64 = 3;

/// The halves of the constant -4096, above which the kernel's results are errors: ARM code around
/// system calls has it among its literals, where it would read as a call.
const ERROR_BOUND: (u32, u32) = (0xf000, 0xffff);

/// Code bytes that are looked at.
const MAX_CODE: usize = 4 << 20;

/// Refines a little-endian ARM type to `armv4`, `armv5`, `armv6`, `armv7` or `armv7-thumb`; big
/// endian keeps its one name.
///
/// `armv7-thumb` says that Thumb code is present, not that there is no ARM code: start files and
/// C libraries are often ARM code below a Thumb program. False positives: an ARM program linked
/// with a Thumb C library. False negatives: Thumb code with fewer than two calls; code without
/// attributes that uses no newer instruction is called `armv5`, whatever it was built for.
pub(crate) fn variant(
    arch: Arch,
    starts_in_thumb: bool,
    file: &[u8],
    segments: &[Segment],
) -> Arch {
    if arch.endian == Endian::Big {
        return arch;
    }
    let code = || {
        segments
            .iter()
            .filter(|segment| segment.permissions.contains(Permissions::EXECUTE))
            .map(|segment| segment.data.get(..MAX_CODE).unwrap_or(&segment.data))
    };
    let thumb: ThumbEvidence = code().map(thumb_evidence).sum();

    let is_thumb = starts_in_thumb || thumb.prove_code();
    let version = attributes_version(file).unwrap_or_else(|| {
        let arm: ArmEvidence = code().map(arm_evidence).sum();
        if (is_thumb && thumb.wide >= NEWER_INSTRUCTIONS) || arm.v7 >= NEWER_INSTRUCTIONS {
            7
        } else if arm.v6 >= NEWER_INSTRUCTIONS {
            6
        } else {
            5
        }
    });
    let cpu = match version {
        ..5 => "armv4",
        5 => "armv5",
        6 => "armv6",
        _ if is_thumb => "armv7-thumb",
        _ => "armv7",
    };
    Arch::named(cpu).unwrap_or(arch)
}

/// The architecture version in the `aeabi` build attributes of a file.
///
/// Format and values: "Addenda to, and Errata in, the ABI for the Arm Architecture", section 2.
fn attributes_version(file: &[u8]) -> Option<u32> {
    const VENDOR: &[u8] = b"aeabi\0";
    let mut from = 0;
    while let Some(found) = file.get(from..)?.windows(VENDOR.len()).position(|name| name == VENDOR)
    {
        let after = from + found + VENDOR.len();
        let version = file.get(after..).and_then(file_attributes_version);
        if version.is_some() {
            return version;
        }
        from = after;
    }
    None
}

/// Reads `Tag_File`, its size, then attributes up to `Tag_CPU_arch`.
fn file_attributes_version(bytes: &[u8]) -> Option<u32> {
    const TAG_FILE: u8 = 1;
    const TAG_CPU_RAW_NAME: u8 = 4;
    const TAG_CPU_NAME: u8 = 5;
    const TAG_CPU_ARCH: u8 = 6;
    const TAG_CONFORMANCE: u8 = 67;
    let (&tag, rest) = bytes.split_first()?;
    if tag != TAG_FILE {
        return None;
    }
    let mut rest = rest.get(4..)?;
    loop {
        let (&tag, value) = rest.split_first()?;
        match tag {
            TAG_CPU_RAW_NAME | TAG_CPU_NAME | TAG_CONFORMANCE => {
                let end = value.iter().position(|byte| *byte == 0)?;
                rest = value.get(end + 1..)?;
            }
            TAG_CPU_ARCH => return version_of(*value.first()?),
            _ => return None,
        }
    }
}

/// The architecture version that a value of `Tag_CPU_arch` stands for.
const fn version_of(cpu_arch: u8) -> Option<u32> {
    match cpu_arch {
        1 | 2 => Some(4),
        3..=5 => Some(5),
        6..=9 | 11 | 12 => Some(6),
        10 | 13 => Some(7),
        14..=22 => Some(8),
        _ => None,
    }
}

#[derive(Clone, Copy, Default)]
struct ThumbEvidence {
    calls: u64,
    wide: u64,
    halfwords: u64,
}

impl ThumbEvidence {
    /// Among `n` random halfwords one in 2^7 begins a call, `n` in 2^24 of those lead into the
    /// same code, and one in 2^7 of these meets a prologue; four times as many are allowed for.
    fn prove_code(self) -> bool {
        self.calls >= THUMB_CALLS + ((self.halfwords * self.halfwords) >> 36)
    }
}

impl std::iter::Sum for ThumbEvidence {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            calls: sum.calls + part.calls,
            wide: sum.wide + part.wide,
            halfwords: sum.halfwords + part.halfwords,
        })
    }
}

/// Counts `bl` pairs whose target begins with a Thumb prologue, `blx` pairs whose target begins
/// with an ARM one, and `movw`/`movt` pairs.
fn thumb_evidence(code: &[u8]) -> ThumbEvidence {
    let halfword = |index: usize| {
        let bytes = code.get(index * 2..index * 2 + 2)?;
        Some(Endian::Little.read_uint(bytes) as u32)
    };
    let mut evidence = ThumbEvidence { halfwords: code.len() as u64 / 2, ..Default::default() };
    for index in 0..code.len() / 2 {
        let (Some(first), Some(second)) = (halfword(index), halfword(index + 1)) else { break };
        let is_call = thumb_call_target(index, first, second).is_some_and(|(target, to_arm)| {
            if to_arm {
                // `push {.., lr}` in ARM mode.
                halfword(target + 1) == Some(0xe92d)
                    && halfword(target).is_some_and(|registers| registers & 0x4000 != 0)
            } else {
                halfword(target).is_some_and(is_prologue)
            }
        });
        evidence.calls += u64::from(is_call);
        let pair = first & 0xfbf0 == 0xf240
            && [2, 3, 4].into_iter().any(|further| {
                let (movt, fields) = (halfword(index + further), halfword(index + further + 1));
                movt.is_some_and(|movt| movt & 0xfbf0 == 0xf2c0)
                    && fields.is_some_and(|fields| (fields ^ second) & 0x8f00 == 0)
            });
        evidence.wide += u64::from(pair || first == 0xe92d && second & 0x4000 != 0);
    }
    evidence
}

/// The halfword index that a `bl` or `blx` at halfword `index` leads to, and whether it changes to
/// ARM mode.
fn thumb_call_target(index: usize, first: u32, second: u32) -> Option<(usize, bool)> {
    let to_arm = second & 0xd001 == 0xc000;
    let is_call = first & 0xf800 == 0xf000 && (second & 0xd000 == 0xd000 || to_arm);
    if !is_call || (first, second) == ERROR_BOUND {
        return None;
    }
    let sign = first >> 10 & 1;
    let i1 = !((second >> 13 & 1) ^ sign) & 1;
    let i2 = !((second >> 11 & 1) ^ sign) & 1;
    let bits = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
    let distance = i64::from(bits) - if sign == 1 { 1 << 25 } else { 0 };
    let target = i64::try_from(index).ok()?.checked_add(2 + distance / 2)?;
    let target = usize::try_from(target).ok()?;
    Some((if to_arm { target & !1 } else { target }, to_arm))
}

/// `push {..}` with or without the link register, narrow or wide.
fn is_prologue(halfword: u32) -> bool {
    halfword & 0xfe00 == 0xb400 || halfword == 0xe92d
}

#[derive(Clone, Copy, Default)]
struct ArmEvidence {
    v6: u64,
    v7: u64,
}

impl std::iter::Sum for ArmEvidence {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self { v6: sum.v6 + part.v6, v7: sum.v7 + part.v7 })
    }
}

/// Counts unconditional ARM-mode instructions that came with version 6 (`uxtb`, `sxtb`, `uxth`,
/// `sxth`, `rev`, `ldrex`) and 7 (`movt`, `ubfx`).
fn arm_evidence(code: &[u8]) -> ArmEvidence {
    let mut evidence = ArmEvidence::default();
    for word in code.chunks_exact(4).map(|bytes| Endian::Little.read_uint(bytes) as u32) {
        let v7 = word & 0xfff0_0000 == 0xe340_0000 || word & 0xffe0_0070 == 0xe7e0_0050;
        let extend = word & 0xff8f_03f0 == 0xe68f_0070;
        let v6 = extend || word & 0xffff_0ff0 == 0xe6bf_0f30 || word & 0xfff0_0fff == 0xe190_0f9f;
        evidence.v7 += u64::from(v7);
        evidence.v6 += u64::from(v6);
    }
    evidence
}
