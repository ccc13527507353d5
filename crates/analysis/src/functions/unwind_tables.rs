//! Function starts out of the tables by which exceptions unwind the stack (`.eh_frame`: DWARF 5,
//! section 6.4, as changed by the Linux Standard Base's "Exception Frames").
//!
//! Static programs carry these tables with the C library's code, stripped or not. Neither section
//! nor program headers are needed to find them: every table begins with a common entry whose fixed
//! fields and augmentation text are rare among other data.
//!
//! What a table says is a hint: an entry counts when its range is code, overlaps no other entry's,
//! and starts where frames have not been changed yet.
//!
//! False positives: stretches of hand-written assembly code that have entries of their own without
//! being functions; parts without a frame that a compiler moved away from their function; tables
//! that a hostile file makes up. False negatives: functions entered with something pushed already,
//! such as the C library's lazy binding; code without unwind tables, which is most of what is not
//! the C library's.

use crate::diagnostic::AnalysisDiagnostic;
use gimli::{
    BaseAddresses, CallFrameInstruction, CieOrFde, EhFrame, EndianSlice, FrameDescriptionEntry,
    RunTimeEndian, UnwindSection as _,
};
use miyaburi_image::{Address, Endian, Image, Segment};

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// The most entries that are read.
const MAX_ENTRIES: usize = 1 << 16;

/// The most bytes of data that are searched.
const MAX_DATA: usize = 32 << 20;

/// The longest common entry, in bytes; common ones have 16 to 32.
const MAX_COMMON: u64 = 128;

/// The ranges of code that the file's unwind tables have entries for, ascending; none overlap.
pub(crate) fn ranges(image: &Image, diagnostics: &mut Vec<AnalysisDiagnostic>) -> Vec<Range> {
    let mut ranges = Vec::new();
    let (mut left, mut left_out) = (MAX_DATA, 0);
    for segment in image.segments() {
        let data = segment.data.get(..left).unwrap_or(&segment.data);
        left -= data.len();
        left_out += (segment.data.len() - data.len()) as u64;
        read_segment(image, segment, data, &mut ranges);
    }
    if left_out > 0 {
        diagnostics.push(AnalysisDiagnostic::UnwindTablesLeftOut { bytes: left_out });
    }
    if ranges.len() >= MAX_ENTRIES {
        diagnostics.push(AnalysisDiagnostic::UnwindEntriesLeftOut { read: MAX_ENTRIES });
    }
    ranges.sort_unstable();
    ranges.dedup();
    let mut end_of_last = Address(0);
    ranges.retain(|range| {
        let is_apart = range.start >= end_of_last && image.is_executable(range.start);
        end_of_last = end_of_last.max(range.end);
        is_apart
    });
    ranges
}

/// The code that an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) start: Address,
    pub(crate) end: Address,
    /// No frame has been made when its first instruction runs: it is no part of a function.
    pub(crate) is_whole: bool,
}

/// Reads every table of a segment.
fn read_segment(image: &Image, segment: &Segment, data: &[u8], ranges: &mut Vec<Range>) {
    let endian = image.arch().endian;
    let skew = (segment.address.0 as usize).wrapping_neg() % 4;
    let mut offset = skew;
    while let Some(rest) = data.get(offset..).filter(|rest| rest.len() >= 16) {
        if ranges.len() >= MAX_ENTRIES {
            return;
        }
        offset += if is_common_entry(rest, endian) {
            let size = image.arch().pointer_size() as u8;
            read_table(rest, segment.address.offset(offset as u64), endian, size, ranges).max(4)
        } else {
            4
        };
    }
}

/// Whether a table could begin here: a common entry of version 1 with an augmentation of the kinds
/// that compilers write.
fn is_common_entry(bytes: &[u8], endian: Endian) -> bool {
    let word = |from: usize| bytes.get(from..from + 4).map(|word| endian.read_uint(word));
    let text = bytes.get(9..).unwrap_or(&[]);
    let length = text.iter().take(6).take_while(|byte| b"zRPLSB".contains(byte)).count();
    bytes.get(8) == Some(&1)
        && bytes.get(9) == Some(&b'z')
        && text.get(length) == Some(&0)
        && word(4) == Some(0)
        && word(0).is_some_and(|length| (12..MAX_COMMON).contains(&length))
}

/// Reads the table at the start of `bytes`; yields its length.
fn read_table(
    bytes: &[u8],
    address: Address,
    endian: Endian,
    address_size: u8,
    ranges: &mut Vec<Range>,
) -> usize {
    let order = match endian {
        Endian::Little => RunTimeEndian::Little,
        Endian::Big => RunTimeEndian::Big,
    };
    let mut table = EhFrame::from(EndianSlice::new(bytes, order));
    table.set_address_size(address_size);
    let bases = BaseAddresses::default().set_eh_frame(address.0);
    let mut entries = table.entries(&bases);
    let mut end = 0;
    while let Ok(Some(entry)) = entries.next() {
        match entry {
            CieOrFde::Cie(cie) => end = end.max(cie.offset() + cie.entry_len()),
            CieOrFde::Fde(partial) => {
                let whole = partial.parse(|table, bases, at| table.cie_from_offset(bases, at));
                let Ok(entry) = whole else { break };
                end = end.max(entry.offset() + entry.entry_len());
                ranges.extend(range_of(&entry, &table, &bases));
            }
        }
        if ranges.len() >= MAX_ENTRIES {
            break;
        }
    }
    end
}

fn range_of(
    entry: &FrameDescriptionEntry<Slice<'_>>,
    table: &EhFrame<Slice<'_>>,
    bases: &BaseAddresses,
) -> Option<Range> {
    let start = entry.initial_address();
    let end = start.checked_add(entry.len()).filter(|end| *end > start)?;
    // A signal handler's return is entered in a way of its own, and its entry starts early.
    let is_trampoline = entry.is_signal_trampoline();
    let mut instructions = entry.instructions(table, bases);
    let mut is_whole = !is_trampoline;
    while let Ok(Some(instruction)) = instructions.next() {
        match instruction {
            CallFrameInstruction::AdvanceLoc { .. } | CallFrameInstruction::SetLoc { .. } => break,
            CallFrameInstruction::DefCfa { .. }
            | CallFrameInstruction::DefCfaSf { .. }
            | CallFrameInstruction::DefCfaRegister { .. }
            | CallFrameInstruction::DefCfaOffset { .. }
            | CallFrameInstruction::DefCfaOffsetSf { .. }
            | CallFrameInstruction::DefCfaExpression { .. }
            | CallFrameInstruction::Offset { .. }
            | CallFrameInstruction::OffsetExtendedSf { .. } => is_whole = false,
            _ => {}
        }
    }
    Some(Range { start: Address(start), end: Address(end), is_whole })
}

#[cfg(test)]
mod tests {
    use super::{Address, Endian, Range, is_common_entry, read_table};

    /// A common entry for 32-bit addresses, little endian: version 1, "zR", absolute pointers.
    const COMMON: [u8; 24] =
        [20, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x7c, 8, 1, 0, 0x0c, 4, 4, 0x88, 1, 0, 0];

    /// An entry for 16 bytes of code, at `offset` behind the start of the table.
    fn entry(offset: u8, start: u8, instructions: [u8; 3]) -> Vec<u8> {
        let mut bytes = vec![16, 0, 0, 0, offset + 4, 0, 0, 0, start, 0x10, 0, 0, 16, 0, 0, 0, 0];
        bytes.extend(instructions);
        bytes
    }

    fn ranges(table: &[u8]) -> Vec<Range> {
        let mut ranges = Vec::new();
        read_table(table, Address(0x8000), Endian::Little, 4, &mut ranges);
        ranges
    }

    #[test]
    fn entries_name_starts_and_parts_of_functions() {
        // Advance by 1, then the frame grows; the frame has grown already; nothing changes.
        let table = [
            COMMON.to_vec(),
            entry(24, 0x00, [0x41, 0x0e, 8]),
            entry(44, 0x40, [0x0e, 8, 0x41]),
            entry(64, 0x80, [0, 0, 0]),
            vec![0; 4],
        ];
        let range =
            |start, is_whole| Range { start: Address(start), end: Address(start + 16), is_whole };
        assert_eq!(
            ranges(&table.concat()),
            [range(0x1000, true), range(0x1040, false), range(0x1080, true)],
        );
    }

    #[test]
    fn what_only_resembles_a_table_names_nothing() {
        assert!(is_common_entry(&COMMON, Endian::Little));
        assert!(!is_common_entry(&COMMON, Endian::Big));
        let with = |place: usize, byte: u8| {
            let mut bytes = COMMON;
            bytes[place] = byte;
            bytes
        };
        assert!(!is_common_entry(&with(9, b'e'), Endian::Little));
        assert!(!is_common_entry(&with(8, 7), Endian::Little));
        assert!(!is_common_entry(&with(4, 1), Endian::Little));
        // An entry that refers to no common one.
        let table = [COMMON.to_vec(), entry(20, 0x00, [0x41, 0x0e, 8])];
        assert_eq!(ranges(&table.concat()), []);
    }

    #[test]
    fn a_table_cut_off_names_what_is_there() {
        let whole = [COMMON.to_vec(), entry(24, 0x00, [0, 0, 0])].concat();
        for length in 0..whole.len() {
            assert_eq!(ranges(&whole[..length]), []);
        }
        assert_eq!(ranges(&whole).len(), 1);
    }
}
