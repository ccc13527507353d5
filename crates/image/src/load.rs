//! From a file's bytes to its image.

use crate::elf::header::{self, FileHeader};
use crate::elf::program_headers::{self, ProgramHeader};
use crate::elf::reader::{FileReader, name_from};
use crate::elf::sections::Sections;
use crate::elf::segments::{self, Mapping};
use crate::elf::symbols::SymbolTable;
use crate::elf::{arm, cpu};
use crate::segment::SegmentMap;
use crate::{
    Address, Arch, Family, Image, ImageDiagnostic, ImageError, ImageKind, Permissions, Segment,
    Symbol,
};
use object::elf::{
    ET_CORE, ET_DYN, ET_EXEC, ET_REL, PT_INTERP, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOBITS,
};

/// See [`Image::parse`].
pub(crate) fn load(bytes: &[u8]) -> Result<Image, ImageError> {
    let mut diagnostics = Vec::new();
    let (reader, header) = header::read(bytes, &mut diagnostics)?;
    let arch = cpu::arch(reader, &header)?;
    if header.file_type == ET_CORE {
        let file_type = header.file_type.0;
        return Err(ImageError::UnsupportedFileType { file_type, name: "core dump" });
    }
    if ![ET_REL, ET_EXEC, ET_DYN].contains(&header.file_type) {
        diagnostics.push(ImageDiagnostic::FileTypeUnknown(header.file_type.0));
    }
    let sections = Sections::read(reader, &header);
    load_program(reader, &header, arch, &sections, diagnostics)
}

fn load_program(
    reader: FileReader<'_>,
    header: &FileHeader,
    arch: Arch,
    sections: &Sections<'_>,
    mut diagnostics: Vec<ImageDiagnostic>,
) -> Result<Image, ImageError> {
    let program_headers = program_headers::read(reader, header, &mut diagnostics);
    let mut mappings = segments::mappings(&program_headers);
    if mappings.is_empty() {
        mappings = section_mappings(sections);
        if !mappings.is_empty() {
            diagnostics.push(ImageDiagnostic::LaidOutFromSections);
        }
    }
    let mut mapped = segments::map(reader, mappings, arch, &mut diagnostics);
    if mapped.iter().all(|segment| segment.data.is_empty()) {
        let offset = header.program_headers.offset;
        return Err(ImageError::Damaged { offset, reason: "no segment has any bytes in the file" });
    }
    make_entry_executable(&mut mapped, entry_address(arch, header.entry), &mut diagnostics);
    let arch = match arch.family {
        Family::Arm => arm::variant(arch, reader.bytes, &mapped),
        _ => arch,
    };
    let segments = SegmentMap::new(mapped);
    let interpreter = interpreter(reader, &program_headers);
    let table = SymbolTable::from_sections(reader, sections, &mut diagnostics).unwrap_or_default();
    let kind = match header.file_type {
        ET_DYN
            if interpreter.is_some()
                || segments
                    .at(entry_address(arch, header.entry))
                    .is_some_and(|s| s.permissions.contains(Permissions::EXECUTE)) =>
        {
            ImageKind::PositionIndependent
        }
        ET_DYN => ImageKind::SharedObject,
        _ => ImageKind::Executable,
    };
    let mut symbols: Vec<Symbol> =
        table.symbols(arch).filter(|symbol| segments.at(symbol.address).is_some()).collect();
    symbols.sort_by(|a, b| (a.address, a.kind, &a.name).cmp(&(b.address, b.kind, &b.name)));
    symbols.dedup();
    Ok(Image {
        arch,
        kind,
        entry: header.entry,
        segments,
        symbols,
        mapped_contents: table.mapped_contents(arch),
        imports: Vec::new(),
        indirect_functions: Vec::new(),
        initializers: Vec::new(),
        global_pointer: None,
        interpreter,
        needed: Vec::new(),
        diagnostics,
    })
}

fn entry_address(arch: Arch, entry: u64) -> Address {
    Address(if cpu::has_mode_bit(arch.family) { entry & !1 } else { entry })
}

/// The layout that allocated sections ask for, for files whose program headers are gone.
fn section_mappings(sections: &Sections<'_>) -> Vec<Mapping> {
    let set = |flags: u64, flag: u64, permission| {
        if flags & flag != 0 { permission } else { Permissions::empty() }
    };
    sections
        .list
        .iter()
        .filter(|section| section.flags & SHF_ALLOC.0 != 0 && section.address != 0)
        .map(|section| Mapping {
            address: section.address,
            size: section.size,
            offset: section.offset,
            file_size: if section.kind == SHT_NOBITS { 0 } else { section.size },
            permissions: Permissions::READ
                | set(section.flags, SHF_WRITE.0, Permissions::WRITE)
                | set(section.flags, SHF_EXECINSTR.0, Permissions::EXECUTE),
        })
        .collect()
}

/// Kernels run code from readable memory on many of these CPUs, so a file that says otherwise of
/// its entry point still runs.
fn make_entry_executable(
    segments: &mut [Segment],
    entry: Address,
    diagnostics: &mut Vec<ImageDiagnostic>,
) {
    match segments.iter_mut().find(|segment| segment.contains(entry)) {
        None => diagnostics.push(ImageDiagnostic::EntryUnmapped(entry)),
        Some(segment) if !segment.permissions.contains(Permissions::EXECUTE) => {
            segment.permissions |= Permissions::EXECUTE;
            diagnostics.push(ImageDiagnostic::EntryNotExecutable(entry));
        }
        Some(_) => {}
    }
}

fn interpreter(reader: FileReader<'_>, headers: &[ProgramHeader]) -> Option<String> {
    let header = headers.iter().find(|header| header.kind == PT_INTERP)?;
    let name = name_from(reader.clamped(header.offset, header.file_size));
    (!name.is_empty()).then_some(name)
}
