//! ELF files in something else: one behind the other, within a flash image, inside another program.

use std::ops::ControlFlow;

use object::elf::{
    ET_CORE, ET_DYN, ET_EXEC, ET_REL, FileHeader32, FileHeader64, PT_NULL, SHT_NOBITS,
};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, pod};

use crate::budget::Budget;
use crate::walk::Visit;

/// What an ELF file begins with.
const MAGIC: &[u8] = b"\x7fELF";

/// Bytes behind what the headers know of that are taken for a part of the file: packers leave their
/// own header there, of less than a hundred bytes.
const MAX_TRAILER_BYTES: usize = 512;

/// Program and section headers that are looked at: every place could claim thousands.
const MAX_HEADERS: usize = 512;

/// An ELF file within other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    start: usize,
    /// Bytes from there that its headers know of.
    length: usize,
}

/// Whether there is something to carve: an ELF file that is not all of `bytes`.
pub(crate) fn is_blob(bytes: &[u8]) -> bool {
    files(bytes).any(|found| found.start > 0)
}

/// Hands every ELF file in `bytes` to `visit`, by the name `elf@0x` and its offset, one inside
/// another as well.
///
/// It ends where its headers say, or some hundred bytes behind that where another one or the end
/// follows. False positives: headers that a program holds to write files with, and junk behind a file,
/// which changes its digests. False negatives: files whose class, byte order, type or CPU is absurd,
/// and those that lie in pieces, as file systems store them.
pub(crate) fn walk(bytes: &[u8], budget: &mut Budget, visit: Visit<'_>) -> ControlFlow<()> {
    let mut files = files(bytes).peekable();
    while let Some(Found { start, length }) = files.next() {
        if let Err(limit) = budget.count_member() {
            return visit(budget, None, Err(limit.into()));
        }
        let end = start + length;
        let next = files.peek().map_or(bytes.len(), |next| next.start);
        let end = if (end..=end + MAX_TRAILER_BYTES).contains(&next) { next } else { end };
        let content = bytes.get(start..end).unwrap_or_default();
        let content = budget.read(content);
        visit(budget, Some(&format!("elf@{start:#x}")), content)?;
    }
    ControlFlow::Continue(())
}

fn files(bytes: &[u8]) -> impl Iterator<Item = Found> + '_ {
    let starts = bytes.windows(MAGIC.len()).enumerate().filter(|(_, it)| *it == MAGIC);
    starts.filter_map(|(start, _)| {
        let rest = bytes.get(start..)?;
        let length = length::<FileHeader32<Endianness>>(rest)
            .or_else(|| length::<FileHeader64<Endianness>>(rest))?;
        Some(Found { start, length })
    })
}

/// Bytes that the headers of the file know of, all that are left where more should be there; none
/// when it is no file of this width.
fn length<Elf: FileHeader<Endian = Endianness>>(file: &[u8]) -> Option<usize> {
    let (header, _) = pod::from_bytes::<Elf>(file).ok()?;
    if header.is_class_64() != header.is_type_64() {
        return None;
    }
    let endian = header.endian().ok()?;
    let kinds = [ET_REL, ET_EXEC, ET_DYN, ET_CORE];
    if !kinds.contains(&header.e_type(endian)) || header.e_machine(endian).name().is_none() {
        return None;
    }
    let table = |offset: u64, size: u16, count: usize| {
        let size = u64::from(size).checked_mul(count as u64)?;
        offset.checked_add(size).filter(|_| size > 0)
    };
    let programs = first(header.program_headers(endian, file).unwrap_or_default());
    let sections = first(header.section_headers(endian, file).unwrap_or_default());
    let tables = [
        table(header.e_phoff(endian).into(), header.e_phentsize(endian), programs.len()),
        table(header.e_shoff(endian).into(), header.e_shentsize(endian), sections.len()),
    ];
    let segments = programs.iter().filter(|it| it.p_type(endian) != PT_NULL).map(|it| {
        let offset: u64 = it.p_offset(endian).into();
        offset.checked_add(it.p_filesz(endian).into())
    });
    let contents = sections.iter().filter(|it| it.sh_type(endian) != SHT_NOBITS).map(|it| {
        let offset: u64 = it.sh_offset(endian).into();
        offset.checked_add(it.sh_size(endian).into())
    });
    let ends = segments.chain(contents).chain(tables).flatten();
    let end = ends.max().filter(|_| !programs.is_empty() || !sections.is_empty());
    // Without tables it may be a damaged one, which ends nobody knows where.
    let end = end.and_then(|end| usize::try_from(end).ok()).unwrap_or(file.len());
    Some(end.max(size_of::<Elf>()).min(file.len()))
}

fn first<T>(headers: &[T]) -> &[T] {
    headers.get(..MAX_HEADERS).unwrap_or(headers)
}
