//! From a file's bytes to its image.

use crate::diagnostic;
use crate::elf::dynamic::Dynamic;
use crate::elf::header::{self, FileHeader};
use crate::elf::names::NameBudget;
use crate::elf::program_headers::{self, ProgramHeader};
use crate::elf::reader::{FileReader, name_from};
use crate::elf::sections::Sections;
use crate::elf::segments::{self, Mapping};
use crate::elf::slots::Slots;
use crate::elf::symbols::SymbolTable;
use crate::elf::{arm, core_dump, cpu, indirect, mips_got, relocatable, relocations};
use crate::segment::SegmentMap;
use crate::{
    Address, Arch, Family, Image, ImageDiagnostic, ImageError, ImageKind, Permissions, RawMemory,
    Segment,
};
use object::elf::{
    ET_CORE, ET_DYN, ET_EXEC, ET_REL, PT_INTERP, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOBITS,
};

/// See [`Image::parse`].
pub(crate) fn load(bytes: &[u8]) -> Result<Image, ImageError> {
    let mut diagnostics = Vec::new();
    let (reader, header) = header::read(bytes, &mut diagnostics)?;
    let arch = cpu::arch(reader, &header)?;
    if ![ET_REL, ET_EXEC, ET_DYN, ET_CORE].contains(&header.file_type) {
        diagnostics.push(ImageDiagnostic::FileTypeUnknown(header.file_type.0));
    }
    let sections = Sections::read(reader, &header);
    let mut image = match header.file_type {
        ET_REL => load_object(reader, &header, arch, &sections, diagnostics)?,
        ET_CORE => load_core(reader, &header, arch, diagnostics)?,
        _ => load_program(reader, &header, arch, &sections, diagnostics)?,
    };
    diagnostic::shorten(&mut image.diagnostics);
    Ok(image)
}

fn load_object(
    reader: FileReader<'_>,
    header: &FileHeader,
    arch: Arch,
    sections: &Sections,
    mut diagnostics: Vec<ImageDiagnostic>,
) -> Result<Image, ImageError> {
    let mut names = NameBudget::new();
    let linked = relocatable::link(reader, header, arch, sections, &mut names, &mut diagnostics)?;
    let arch = variant(arch, 0, reader.bytes, linked.memory.as_slice());
    let mut image = Image {
        mapped_contents: linked.table.mapped_contents(arch),
        imports: linked.imports,
        ..Image::new(arch, ImageKind::Relocatable, linked.memory, diagnostics)
    };
    let symbols = linked.table.symbols(arch, &image.segments, &mut names);
    image.set_symbols(symbols);
    names.report(&mut image.diagnostics);
    image.entry = object_entry(&image).unwrap_or(0);
    Ok(image)
}

/// Where an object file starts: `_start`, `main`, or its first code byte.
fn object_entry(image: &Image) -> Option<u64> {
    let named = ["_start", "main", "init_module"].into_iter().find_map(|name| {
        let symbol = image.symbol_named(name)?;
        Some(symbol.address.0 | u64::from(symbol.thumb))
    });
    let is_code = |segment: &&Segment| segment.permissions.contains(Permissions::EXECUTE);
    named.or_else(|| Some(image.segments().iter().find(is_code)?.address.0))
}

/// Memory alone: what was dynamic is linked by then.
fn load_core(
    reader: FileReader<'_>,
    header: &FileHeader,
    arch: Arch,
    mut diagnostics: Vec<ImageDiagnostic>,
) -> Result<Image, ImageError> {
    let program_headers = program_headers::read(reader, header, &mut diagnostics);
    let mappings = segments::dumped(&program_headers, &mut diagnostics);
    let mut memory = segments::map(reader, mappings, arch, &mut diagnostics);
    require_bytes(&memory, header)?;
    memory.iter_mut().for_each(drop_stored_zeros);
    let entry = core_dump::entry(reader, &program_headers);
    if entry.is_none() {
        diagnostics.push(ImageDiagnostic::EntryUnknown);
    }
    let arch = variant(arch, entry.unwrap_or(0), reader.bytes, &memory);
    let memory = SegmentMap::new(memory);
    let image = Image::new(arch, ImageKind::CoreDump, memory, diagnostics);
    Ok(Image { entry: entry.unwrap_or(0), ..image })
}

/// See [`Image::of_memory`].
pub(crate) fn load_memory(bytes: &[u8], memory: RawMemory) -> Result<Image, ImageError> {
    let RawMemory { arch, base, entry } = memory;
    let mut diagnostics = Vec::new();
    let size = bytes.len() as u64;
    let mapping = Mapping {
        address: base.0,
        size,
        offset: 0,
        file_size: size,
        missing: 0,
        permissions: Permissions::all(),
    };
    let reader = FileReader { bytes, endian: arch.endian, wide: arch.pointer_size() == 8 };
    let mut mapped = segments::map(reader, vec![mapping], arch, &mut diagnostics);
    if mapped.iter().all(|segment| segment.data.is_empty()) {
        return Err(ImageError::Damaged { offset: 0, reason: "no byte of it has an address" });
    }
    mapped.iter_mut().for_each(drop_stored_zeros);
    let memory = SegmentMap::new(mapped);
    let told = || {
        let (_, header) = header::read(bytes, &mut Vec::new()).ok()?;
        memory.at(entry_address(arch, header.entry)).map(|_| header.entry)
    };
    let entry = entry.map(|entry| entry.0).or_else(told).unwrap_or(base.0);
    Ok(Image { entry, ..Image::new(arch, ImageKind::RawMemory, memory, diagnostics) })
}

/// Makes zeros at the end a zero tail, as they are in a program's own file.
fn drop_stored_zeros(segment: &mut Segment) {
    if segment.missing == 0 {
        let length = segment.data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        segment.data.truncate(length);
        segment.data.shrink_to_fit();
    }
}

fn require_bytes(memory: &[Segment], header: &FileHeader) -> Result<(), ImageError> {
    if memory.iter().all(|segment| segment.data.is_empty()) {
        let offset = header.program_headers.offset;
        return Err(ImageError::Damaged { offset, reason: "no segment has any bytes in the file" });
    }
    Ok(())
}

/// The CPU type with the variant that only code tells.
fn variant(arch: Arch, entry: u64, file: &[u8], memory: &[Segment]) -> Arch {
    match arch.family {
        Family::Arm => arm::variant(arch, entry & 1 != 0, file, memory),
        _ => arch,
    }
}

fn load_program(
    reader: FileReader<'_>,
    header: &FileHeader,
    arch: Arch,
    sections: &Sections,
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
    require_bytes(&mapped, header)?;
    // Shared objects need no entry point.
    if header.file_type != ET_DYN || header.entry != 0 {
        make_entry_executable(&mut mapped, entry_address(arch, header.entry), &mut diagnostics);
    }
    let arch = variant(arch, header.entry, reader.bytes, &mapped);
    let memory = SegmentMap::new(mapped);
    let interpreter = interpreter(reader, &program_headers);
    let kind = kind(header, arch, &memory, interpreter.is_some());
    let image =
        Image { entry: header.entry, interpreter, ..Image::new(arch, kind, memory, diagnostics) };
    let static_table = |diagnostics: &mut Vec<ImageDiagnostic>| {
        SymbolTable::from_sections(reader, sections, diagnostics).unwrap_or_default()
    };
    Ok(link(image, &program_headers, static_table))
}

/// Relocates a mapped program and gives its symbols.
fn link(
    mut image: Image,
    program_headers: &[ProgramHeader],
    static_table: impl FnOnce(&mut Vec<ImageDiagnostic>) -> SymbolTable,
) -> Image {
    let arch = image.arch;
    let memory = &mut image.segments;
    let dynamic = Dynamic::read(program_headers, memory, arch);
    let relocations = dynamic.relocations(memory, arch, &mut image.diagnostics);
    let exported = dynamic.symbols(memory, arch, &relocations, &mut image.diagnostics);
    image.needed = dynamic.needed(memory);
    let is_static = image.kind == ImageKind::Executable && image.interpreter.is_none();
    let mut slots = Slots::new(memory, is_static);
    let mut names = NameBudget::new();
    let mut relocated = relocations::apply(&relocations, &exported, &mut slots, &mut names, arch);
    relocated.report(&mut image.diagnostics);
    drop(relocations);
    if arch.family == Family::Mips {
        let imports = mips_got::resolve(&dynamic, &exported, &mut slots, &mut names, arch);
        relocated.imports.extend(imports);
    }
    slots.report(&mut image.diagnostics);
    if arch.family == Family::Mips {
        image.global_pointer = mips_got::global_pointer(&dynamic, program_headers, memory, arch);
    }
    if dynamic.is_empty() {
        relocated.indirect_functions = indirect::scan(memory, arch);
    }
    relocated.imports.sort_by_key(|import| import.slot);
    relocated.imports.dedup_by_key(|import| import.slot);
    image.imports = relocated.imports;
    image.indirect_functions = relocated.indirect_functions;
    image.initializers = dynamic.initializers(memory, arch);
    let table = static_table(&mut image.diagnostics);
    image.mapped_contents = table.mapped_contents(arch);
    let mut symbols = table.symbols(arch, &image.segments, &mut names);
    symbols.extend(exported.symbols(arch, &image.segments, &mut names));
    image.set_symbols(symbols);
    names.report(&mut image.diagnostics);
    image.global_pointer = image.global_pointer.or_else(|| {
        // The names under which ABIs let linkers define the small data base.
        let base = match arch.family {
            Family::RiscV64 => table.value_of("__global_pointer$"),
            Family::PowerPc => table.value_of("_SDA_BASE_"),
            _ => None,
        };
        base.map(Address)
    });
    image
}

fn kind(header: &FileHeader, arch: Arch, memory: &SegmentMap, interpreted: bool) -> ImageKind {
    let entry_is_code = memory
        .at(entry_address(arch, header.entry))
        .is_some_and(|segment| segment.permissions.contains(Permissions::EXECUTE));
    match header.file_type {
        ET_DYN if interpreted || (header.entry != 0 && entry_is_code) => {
            ImageKind::PositionIndependent
        }
        ET_DYN => ImageKind::SharedObject,
        _ => ImageKind::Executable,
    }
}

fn entry_address(arch: Arch, entry: u64) -> Address {
    Address(if cpu::has_mode_bit(arch.family) { entry & !1 } else { entry })
}

/// The layout that allocated sections ask for, for files whose program headers are gone.
fn section_mappings(sections: &Sections) -> Vec<Mapping> {
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
            missing: 0,
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
