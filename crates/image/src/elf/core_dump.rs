//! Core dumps: the memory of a process when it was written out.

use object::elf::PT_NOTE;

use crate::elf::program_headers::ProgramHeader;
use crate::elf::reader::FileReader;

/// Kind of the note that holds the auxiliary vector (`NT_AUXV`, Linux `include/uapi/linux/elf.h`).
const NT_AUXV: u32 = 6;

/// Key of the program's entry point in it (`AT_ENTRY`, `include/uapi/linux/auxvec.h`).
const AT_ENTRY: u64 = 9;

/// Most notes that are looked at: a process has some for each thread.
const MAX_NOTES: usize = 4096;

/// Where the program that was dumped began, by the auxiliary vector that the kernel gave it.
pub(crate) fn entry(reader: FileReader<'_>, headers: &[ProgramHeader]) -> Option<u64> {
    headers.iter().filter(|header| header.kind == PT_NOTE).find_map(|header| {
        let notes = FileReader { bytes: reader.clamped(header.offset, header.file_size), ..reader };
        auxiliary_vector(notes).and_then(|vector| value_of(AT_ENTRY, vector))
    })
}

/// The content of the first note that is an auxiliary vector. Names and contents are padded to four
/// bytes in both widths.
fn auxiliary_vector(notes: FileReader<'_>) -> Option<FileReader<'_>> {
    let mut at = 0_u64;
    for _ in 0..MAX_NOTES {
        let name_size = u64::from(notes.u32(at)?);
        let size = u64::from(notes.u32(at + 4)?);
        let content = at + 12 + name_size.next_multiple_of(4);
        if notes.u32(at + 8)? == NT_AUXV {
            return Some(FileReader { bytes: notes.clamped(content, size), ..notes });
        }
        at = content + size.next_multiple_of(4);
    }
    None
}

fn value_of(key: u64, vector: FileReader<'_>) -> Option<u64> {
    let word = vector.word_size();
    let pairs = vector.bytes.len() as u64 / (2 * word);
    let pair = (0..pairs).map(|index| 2 * word * index);
    pair.into_iter()
        .find(|at| vector.word(*at) == Some(key))
        .and_then(|at| vector.word(at + word))
        .filter(|entry| *entry != 0)
}
