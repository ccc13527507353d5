//! The ELF file header, judged by what makes sense rather than by what `e_ident` declares.

use crate::elf::reader::FileReader;
use crate::{Endian, ImageDiagnostic, ImageError};
use object::elf::{
    EM_386, EM_AARCH64, EM_ARM, EM_IAMCU, EM_MIPS_RS3_LE, EM_NONE, EM_RISCV, EM_X86_64, ET_CORE,
    ET_DYN, ET_EXEC, ET_REL, FileType, Machine,
};

/// The fields of an ELF file header that are used.
#[derive(Clone, Debug)]
pub(crate) struct FileHeader {
    pub(crate) file_type: FileType,
    pub(crate) machine: Machine,
    pub(crate) flags: u32,
    pub(crate) entry: u64,
    pub(crate) program_headers: Table,
    pub(crate) section_headers: Table,
}

/// Where the header says a table is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) offset: u64,
    pub(crate) entry_size: u16,
    pub(crate) count: u16,
}

impl FileReader<'_> {
    /// Size of the ELF file header.
    pub(crate) const fn header_size(self) -> u64 {
        if self.wide { 64 } else { 52 }
    }

    /// Size of one program header.
    pub(crate) const fn program_header_size(self) -> u64 {
        if self.wide { 56 } else { 32 }
    }

    /// Size of one section header.
    pub(crate) const fn section_header_size(self) -> u64 {
        if self.wide { 64 } else { 40 }
    }
}

/// Reads the header in the width and byte order that fit its contents best.
///
/// Every combination is scored by the fields whose values are all but fixed; what `e_ident`
/// declares decides only between equals. False positives: a file both of whose readings are
/// implausible is read as declared. False negatives: a header most of whose fixed fields were
/// overwritten *and* whose `e_ident` lies.
pub(crate) fn read<'a>(
    bytes: &'a [u8],
    diagnostics: &mut Vec<ImageDiagnostic>,
) -> Result<(FileReader<'a>, FileHeader), ImageError> {
    if !bytes.starts_with(b"\x7fELF") {
        return Err(ImageError::NotElf);
    }
    let declared_class = bytes.get(4).copied().unwrap_or(0);
    let declared_data = bytes.get(5).copied().unwrap_or(0);
    let candidates = [
        (false, Endian::Little),
        (false, Endian::Big),
        (true, Endian::Little),
        (true, Endian::Big),
    ]
    .map(|(wide, endian)| FileReader { bytes, endian, wide });
    let reader = candidates.into_iter().max_by_key(|reader| {
        let class = i32::from(class_byte(reader.wide) == declared_class);
        let data = i32::from(data_byte(reader.endian) == declared_data);
        // The later of two equals wins `max_by_key`; a declared one is never merely equal.
        3 * plausibility(*reader) + class + data
    });
    let cut_off =
        ImageError::Damaged { offset: bytes.len() as u64, reason: "the file header is cut off" };
    let Some(reader) = reader else { return Err(cut_off) };
    if declared_class == class_byte(true) && bytes.len() < 64 {
        return Err(cut_off);
    }
    let header = fields(reader).ok_or(cut_off)?;
    if class_byte(reader.wide) != declared_class {
        let bits = if reader.wide { 64 } else { 32 };
        diagnostics.push(ImageDiagnostic::ClassContradicted { declared: declared_class, bits });
    }
    if data_byte(reader.endian) != declared_data {
        let used = reader.endian;
        diagnostics.push(ImageDiagnostic::ByteOrderContradicted { declared: declared_data, used });
    }
    if bytes.get(6) != Some(&1) || reader.u32(20) != Some(1) {
        diagnostics.push(ImageDiagnostic::VersionNotCurrent);
    }
    Ok((reader, header))
}

const fn class_byte(wide: bool) -> u8 {
    if wide { 2 } else { 1 }
}

const fn data_byte(endian: Endian) -> u8 {
    match endian {
        Endian::Little => 1,
        Endian::Big => 2,
    }
}

/// How many of the header's all but fixed fields have their usual value in this reading.
fn plausibility(reader: FileReader<'_>) -> i32 {
    let Some(header) = fields(reader) else { return -1 };
    let end = if reader.wide { 52 } else { 40 };
    let signs = [
        header.machine != EM_NONE && header.machine.name().is_some(),
        machine_suits(header.machine, reader),
        [ET_REL, ET_EXEC, ET_DYN, ET_CORE].contains(&header.file_type),
        reader.u32(20) == Some(1),
        reader.u16(end).map(u64::from) == Some(reader.header_size()),
        u64::from(header.program_headers.entry_size) == reader.program_header_size(),
        u64::from(header.section_headers.entry_size) == reader.section_header_size(),
        header.program_headers.offset == reader.header_size(),
        header.program_headers.offset < reader.bytes.len() as u64,
    ];
    signs.into_iter().map(i32::from).sum()
}

/// Whether the machine exists in this width and byte order.
fn machine_suits(machine: Machine, reader: FileReader<'_>) -> bool {
    let little = reader.endian == Endian::Little;
    match machine {
        EM_386 | EM_IAMCU => little && !reader.wide,
        EM_X86_64 | EM_RISCV | EM_MIPS_RS3_LE => little,
        EM_ARM => !reader.wide,
        EM_AARCH64 => true,
        other => other.name().is_some(),
    }
}

fn fields(reader: FileReader<'_>) -> Option<FileHeader> {
    let word = reader.word_size();
    let after_words = 24 + 3 * word;
    let table = |offset: u64, sizes: u64| {
        Some(Table {
            offset: reader.word(offset)?,
            entry_size: reader.u16(sizes)?,
            count: reader.u16(sizes + 2)?,
        })
    };
    Some(FileHeader {
        file_type: FileType(reader.u16(16)?),
        machine: Machine(reader.u16(18)?),
        entry: reader.word(24)?,
        program_headers: table(24 + word, after_words + 6)?,
        section_headers: table(24 + 2 * word, after_words + 10)?,
        flags: reader.u32(after_words)?,
    })
}
