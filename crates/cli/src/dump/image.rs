//! `--stage image`.

use std::io::{self, Write};

use miyaburi_image::{
    Endian, Image, ImageKind, Import, ImportKind, IndirectFunction, Permissions, Segment, Symbol,
    SymbolKind,
};
use miyaburi_model::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Stage;
use super::scope::mode_name;
use super::stream::Stream;
use crate::text::escape;

/// The file as mapped memory.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ImageDump<'a> {
    #[serde(skip)]
    cpu: &'static str,
    /// The CPU family in the report's spelling.
    arch: &'static str,
    bits: u32,
    /// Byte order of data: `little` or `big`.
    endian: &'static str,
    /// Byte order of code.
    instruction_endian: &'static str,
    /// `executable`, `position_independent`, `shared_object` or `relocatable`.
    kind: &'static str,
    /// The entry point.
    entry: VirtualAddress,
    /// `thumb` or `mips16` when the entry point is such code.
    entry_mode: Option<&'static str>,
    /// The value of the global pointer register, where the file states it.
    global_pointer: Option<VirtualAddress>,
    /// The path of the dynamic linker.
    interpreter: Option<&'a str>,
    /// Shared libraries that the file needs.
    needed_libraries: &'a [String],
    /// Functions run before or after `main`, as stored (with mode bit).
    initializers: Vec<VirtualAddress>,
    /// In address order.
    segments: Vec<SegmentItem>,
    /// In address order.
    symbols: Stream<'a, SymbolItem<'a>>,
    /// In order of their slots.
    imports: Stream<'a, ImportItem<'a>>,
    indirect_functions: Stream<'a, IndirectItem>,
    /// What was damaged or left out, and what was done about it.
    /// Every stage's document has them.
    #[serde(skip)]
    diagnostics: Stream<'a, String>,
}

/// Memory that the file asks for.
#[derive(Serialize, JsonSchema)]
struct SegmentItem {
    address: VirtualAddress,
    /// The first address after it.
    end: VirtualAddress,
    /// Bytes in memory.
    size: u64,
    /// Bytes that the file stores; the rest is zero.
    stored_size: usize,
    /// `r`, `w`, `x`, or `-` for what it lacks, such as `r-x`.
    permissions: String,
}

/// A defined symbol.
#[derive(Serialize, JsonSchema)]
struct SymbolItem<'a> {
    address: VirtualAddress,
    name: &'a str,
    /// In bytes, 0 when the file does not say.
    size: u64,
    /// `function`, `object` or `other`.
    kind: &'static str,
    /// `thumb` or `mips16` when it is such code.
    mode: Option<&'static str>,
}

/// A symbol that another file would provide.
#[derive(Serialize, JsonSchema)]
struct ImportItem<'a> {
    /// What the dynamic linker would fill.
    slot: VirtualAddress,
    name: &'a str,
    /// `function`, `address`, `copy` or `external`.
    kind: &'static str,
}

/// A slot that start-up code fills with what a resolver returns.
#[derive(Serialize, JsonSchema)]
struct IndirectItem {
    slot: VirtualAddress,
    resolver: VirtualAddress,
    /// `thumb` when the resolver is such code.
    mode: Option<&'static str>,
}

impl<'a> ImageDump<'a> {
    pub(crate) fn new(image: &'a Image) -> Self {
        let arch = image.arch();
        let mode = move |compressed: bool| compressed.then(|| mode_name(arch.family, true));
        let symbol = move |symbol: &'a Symbol| SymbolItem {
            address: symbol.address.0.into(),
            name: &symbol.name,
            size: symbol.size,
            kind: match symbol.kind {
                SymbolKind::Function => "function",
                SymbolKind::Object => "object",
                SymbolKind::Other => "other",
            },
            mode: mode(symbol.thumb),
        };
        let indirect = move |slot: &IndirectFunction| IndirectItem {
            slot: slot.slot.0.into(),
            resolver: slot.resolver.0.into(),
            mode: mode(slot.thumb),
        };
        Self {
            cpu: arch.cpu,
            arch: arch.name(),
            bits: arch.pointer_size() * 8,
            endian: endian_name(arch.endian),
            instruction_endian: endian_name(arch.instruction_endian),
            kind: match image.kind() {
                ImageKind::Executable => "executable",
                ImageKind::PositionIndependent => "position_independent",
                ImageKind::SharedObject => "shared_object",
                ImageKind::Relocatable => "relocatable",
                ImageKind::CoreDump => "core_dump",
                ImageKind::RawMemory => "raw_memory",
            },
            entry: image.entry().0.into(),
            entry_mode: mode(image.entry_is_thumb()),
            global_pointer: image.global_pointer().map(|address| address.0.into()),
            interpreter: image.interpreter(),
            needed_libraries: image.needed_libraries(),
            initializers: image.initializers().iter().map(|address| address.0.into()).collect(),
            segments: image.segments().iter().map(SegmentItem::new).collect(),
            symbols: Stream::new(move || image.symbols().iter().map(symbol)),
            imports: Stream::new(move || image.imports().iter().map(ImportItem::new)),
            indirect_functions: Stream::new(move || {
                image.indirect_functions().iter().map(indirect)
            }),
            diagnostics: Stream::new(move || image.diagnostics().iter().map(ToString::to_string)),
        }
    }
}

impl SegmentItem {
    fn new(segment: &Segment) -> Self {
        let letters =
            [(Permissions::READ, 'r'), (Permissions::WRITE, 'w'), (Permissions::EXECUTE, 'x')];
        let letter = |(permission, letter)| {
            if segment.permissions.contains(permission) { letter } else { '-' }
        };
        Self {
            address: segment.address.0.into(),
            end: segment.end().0.into(),
            size: segment.size,
            stored_size: segment.data.len(),
            permissions: letters.into_iter().map(letter).collect(),
        }
    }
}

impl<'a> ImportItem<'a> {
    fn new(import: &'a Import) -> Self {
        Self {
            slot: import.slot.0.into(),
            name: &import.name,
            kind: match import.kind {
                ImportKind::Function => "function",
                ImportKind::Address => "address",
                ImportKind::Copy => "copy",
                ImportKind::External => "external",
            },
        }
    }
}

const fn endian_name(endian: Endian) -> &'static str {
    match endian {
        Endian::Little => "little",
        Endian::Big => "big",
    }
}

impl Stage for ImageDump<'_> {
    fn name(&self) -> &'static str {
        "image"
    }

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_facts(out)?;
        let width = self.segments.last().map_or(0, |last| last.end.to_string().len());
        let width = width.max("address".len());
        writeln!(out, "\nSegments")?;
        let (address, end, size, stored) = ("address", "end", "size", "stored");
        writeln!(out, "  {address:width$}  {end:width$}  {size:>10}  {stored:>10}")?;
        for segment in &self.segments {
            let SegmentItem { size, stored_size, permissions, .. } = segment;
            let [address, end] = [segment.address, segment.end].map(|address| address.to_string());
            writeln!(
                out,
                "  {address:width$}  {end:width$}  {size:>10}  {stored_size:>10}  {permissions}"
            )?;
        }
        list(out, "Symbols", self.symbols.iter(), |symbol| {
            let SymbolItem { size, kind, name, mode, .. } = symbol;
            let kind = mode.unwrap_or(kind);
            format!("{:width$}  {size:>8}  {kind:8}  {}", symbol.address.to_string(), escape(name))
        })?;
        list(out, "Imports", self.imports.iter(), |import| {
            format!(
                "{:width$}  {:8}  {}",
                import.slot.to_string(),
                import.kind,
                escape(import.name)
            )
        })?;
        list(out, "Indirect functions", self.indirect_functions.iter(), |item| {
            let mode = item.mode.unwrap_or_default();
            format!("{:width$}  resolver {} {mode}", item.slot.to_string(), item.resolver)
        })?;
        list(out, "Diagnostics", self.diagnostics.iter(), |text| escape(&text))
    }
}

impl ImageDump<'_> {
    fn write_facts(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut fact = |name: &str, value: &str| writeln!(out, "{name:15} {}", escape(value));
        fact("cpu", &format!("{} ({})", self.cpu, self.arch))?;
        fact("bits", &self.bits.to_string())?;
        fact("byte order", self.endian)?;
        if self.instruction_endian != self.endian {
            fact("of code", self.instruction_endian)?;
        }
        fact("kind", &self.kind.replace('_', " "))?;
        let mode = self.entry_mode.map(|mode| format!(" {mode}")).unwrap_or_default();
        fact("entry", &format!("{}{mode}", self.entry))?;
        if let Some(address) = &self.global_pointer {
            fact("global pointer", &address.to_string())?;
        }
        if let Some(path) = self.interpreter {
            fact("interpreter", path)?;
        }
        for library in self.needed_libraries {
            fact("needs", library)?;
        }
        for address in &self.initializers {
            fact("initializer", &address.to_string())?;
        }
        Ok(())
    }
}

/// A heading and a line for every item; nothing without items.
fn list<T>(
    out: &mut dyn Write,
    heading: &str,
    items: impl Iterator<Item = T>,
    line: impl Fn(T) -> String,
) -> io::Result<()> {
    for (number, item) in items.enumerate() {
        if number == 0 {
            writeln!(out, "\n{heading}")?;
        }
        writeln!(out, "  {}", line(item).trim_end())?;
    }
    Ok(())
}
