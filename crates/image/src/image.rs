//! The memory image of one file.

use crate::elf::cpu;
use crate::segment::SegmentMap;
use crate::{
    Address, Arch, Family, ImageDiagnostic, ImageError, Import, IndirectFunction, MappedContent,
    Permissions, Segment, Symbol,
};
use std::borrow::Cow;
use std::ops::Range;

/// What kind of file an image came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageKind {
    /// A program at fixed addresses.
    Executable,
    /// A position-independent program, mapped at 0.
    PositionIndependent,
    /// A shared library without an entry point, mapped at 0.
    SharedObject,
    /// An object file or kernel module; its sections were laid out and linked to each other.
    Relocatable,
    /// The memory of a process as it was when it was dumped.
    CoreDump,
    /// Bytes of which only their place and CPU type are known.
    RawMemory,
}

/// Bytes that no header describes: of what CPU they are and where they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawMemory {
    /// The CPU type.
    pub arch: Arch,
    /// Address of the first byte.
    pub base: Address,
    /// Where the program begins, if that is known.
    pub entry: Option<Address>,
}

/// A file as a loader would map it: segments, CPU type, entry point, and the names it has kept.
///
/// Section headers are not needed. Relocations are applied for load base 0.
#[derive(Clone, Debug)]
pub struct Image {
    pub(crate) arch: Arch,
    pub(crate) kind: ImageKind,
    pub(crate) entry: u64,
    pub(crate) segments: SegmentMap,
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) mapped_contents: Vec<(Address, MappedContent)>,
    pub(crate) imports: Vec<Import>,
    pub(crate) indirect_functions: Vec<IndirectFunction>,
    pub(crate) initializers: Vec<Address>,
    pub(crate) global_pointer: Option<Address>,
    pub(crate) interpreter: Option<String>,
    pub(crate) needed: Vec<String>,
    pub(crate) diagnostics: Vec<ImageDiagnostic>,
}

impl Image {
    /// Reads an ELF file. Never panics; memory use is bounded by a small multiple of
    /// `bytes.len()`, whatever sizes the file claims.
    ///
    /// # Errors
    /// [`ImageError`]; [`ImageError::is_unsupported`] tells files that are out of scope from
    /// those that are damaged beyond use.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        crate::load::load(bytes)
    }

    /// Takes bytes as memory that may be read, written and executed. Without an entry point, that
    /// of an ELF header at their beginning is used where it leads into them, else their first byte.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] when there are no bytes, or none that have an address.
    pub fn of_memory(bytes: &[u8], memory: RawMemory) -> Result<Self, ImageError> {
        crate::load::load_memory(bytes, memory)
    }

    /// An image that holds memory alone.
    pub(crate) const fn new(
        arch: Arch,
        kind: ImageKind,
        segments: SegmentMap,
        diagnostics: Vec<ImageDiagnostic>,
    ) -> Self {
        Self {
            arch,
            kind,
            entry: 0,
            segments,
            symbols: Vec::new(),
            mapped_contents: Vec::new(),
            imports: Vec::new(),
            indirect_functions: Vec::new(),
            initializers: Vec::new(),
            global_pointer: None,
            interpreter: None,
            needed: Vec::new(),
            diagnostics,
        }
    }

    /// Takes symbols, by address, functions first; what two tables both name is kept once.
    pub(crate) fn set_symbols(&mut self, mut symbols: Vec<Symbol>) {
        symbols.sort_by(|a, b| (a.address, a.kind, &a.name).cmp(&(b.address, b.kind, &b.name)));
        symbols.dedup();
        self.symbols = symbols;
    }

    /// The CPU type.
    #[must_use]
    pub const fn arch(&self) -> Arch {
        self.arch
    }

    /// The kind of file.
    #[must_use]
    pub const fn kind(&self) -> ImageKind {
        self.kind
    }

    /// The entry point, mode bit cleared. Of a relocatable file: `_start`, `main`, or the first
    /// code byte. Of a core dump that does not tell it: 0.
    #[must_use]
    pub const fn entry(&self) -> Address {
        let mode_bit = cpu::has_mode_bit(self.arch.family) as u64;
        Address(self.entry & !mode_bit)
    }

    /// Whether the entry point is Thumb code (on MIPS: MIPS16 or microMIPS code).
    #[must_use]
    pub const fn entry_is_thumb(&self) -> bool {
        cpu::has_mode_bit(self.arch.family) && self.entry & 1 != 0
    }

    /// The segments in address order; they never overlap.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        self.segments.as_slice()
    }

    /// Defined symbols in address order; empty when the file is stripped.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The symbol of this name, functions before others.
    #[must_use]
    pub fn symbol_named(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().filter(|symbol| symbol.name == name).min_by_key(|symbol| symbol.kind)
    }

    /// Symbols that other files would provide, in order of their slots.
    #[must_use]
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// The import whose slot is `slot`.
    #[must_use]
    pub fn import_at(&self, slot: Address) -> Option<&Import> {
        let index = self.imports.binary_search_by_key(&slot, |import| import.slot).ok()?;
        self.imports.get(index)
    }

    /// Slots that start-up code fills with the results of resolvers.
    #[must_use]
    pub fn indirect_functions(&self) -> &[IndirectFunction] {
        &self.indirect_functions
    }

    /// Functions that the dynamic section names as run before `main` or after it, as stored (the
    /// mode bit is kept).
    #[must_use]
    pub fn initializers(&self) -> &[Address] {
        &self.initializers
    }

    /// The value of the global pointer register (MIPS `$gp`, RISC-V `gp`, PowerPC's small data
    /// base) where the file states it.
    #[must_use]
    pub const fn global_pointer(&self) -> Option<Address> {
        self.global_pointer
    }

    /// The path of the dynamic linker, for files that need one.
    #[must_use]
    pub fn interpreter(&self) -> Option<&str> {
        self.interpreter.as_deref()
    }

    /// Names of the shared libraries the file needs.
    #[must_use]
    pub fn needed_libraries(&self) -> &[String] {
        &self.needed
    }

    /// What was damaged, and what was done about it.
    #[must_use]
    pub fn diagnostics(&self) -> &[ImageDiagnostic] {
        &self.diagnostics
    }

    /// What mapping symbols say about the byte at `address`; `None` without such symbols and on
    /// CPUs other than 32-bit ARM.
    #[must_use]
    pub fn mapped_content(&self, address: Address) -> Option<MappedContent> {
        if self.arch.family != Family::Arm {
            return None;
        }
        let after = self.mapped_contents.partition_point(|(start, _)| *start <= address);
        let (start, content) = self.mapped_contents.get(after.checked_sub(1)?)?;
        let same_segment = self.segment_at(*start)?.contains(address);
        same_segment.then_some(*content)
    }

    /// Memory whose bytes the file should hold and does not, in address order: it was cut off, or
    /// lies about them. Nobody knows what is there.
    pub fn missing_ranges(&self) -> impl Iterator<Item = Range<Address>> + '_ {
        self.segments().iter().map(Segment::missing_range).filter(|range| !range.is_empty())
    }

    /// Whether the byte at `address` is [missing](Self::missing_ranges).
    #[must_use]
    pub fn is_missing(&self, address: Address) -> bool {
        self.segment_at(address).is_some_and(|segment| segment.missing_range().contains(&address))
    }

    /// The segment that holds `address`.
    #[must_use]
    pub fn segment_at(&self, address: Address) -> Option<&Segment> {
        self.segments.at(address)
    }

    /// Whether `address` lies in a segment.
    #[must_use]
    pub fn is_mapped(&self, address: Address) -> bool {
        self.segment_at(address).is_some()
    }

    /// Whether `address` lies in an executable segment.
    #[must_use]
    pub fn is_executable(&self, address: Address) -> bool {
        self.permits(address, Permissions::EXECUTE)
    }

    /// Whether `address` lies in a writable segment.
    #[must_use]
    pub fn is_writable(&self, address: Address) -> bool {
        self.permits(address, Permissions::WRITE)
    }

    fn permits(&self, address: Address, permissions: Permissions) -> bool {
        self.segment_at(address).is_some_and(|segment| segment.permissions.contains(permissions))
    }

    /// The file-backed bytes from `address` to the end of its segment's; empty where there are
    /// none. A binary search and a slice, nothing more.
    #[must_use]
    pub fn bytes_from(&self, address: Address) -> &[u8] {
        self.segments.bytes_from(address)
    }

    /// `length` bytes at `address`, zero tails included; `None` when any of them is unmapped or
    /// [missing](Self::missing_ranges).
    #[must_use]
    pub fn read(&self, address: Address, length: u64) -> Option<Cow<'_, [u8]>> {
        self.segments.read(address, length)
    }

    /// The unsigned integer of `size` bytes (at most 8) at `address`.
    #[must_use]
    pub fn read_uint(&self, address: Address, size: u32) -> Option<u64> {
        self.segments.read_uint(address, size, self.arch.endian)
    }

    /// The pointer at `address`, as stored.
    #[must_use]
    pub fn read_pointer(&self, address: Address) -> Option<Address> {
        self.read_uint(address, self.arch.pointer_size()).map(Address)
    }

    /// The bytes at `address` up to a NUL, without it; `None` when there is no NUL among the
    /// first `max` bytes and the one after them, or none before the segment ends.
    #[must_use]
    pub fn read_c_string(&self, address: Address, max: usize) -> Option<&[u8]> {
        let segment = self.segment_at(address)?;
        let bytes = segment.bytes_from(address);
        let window = bytes.get(..max.saturating_add(1)).unwrap_or(bytes);
        let has_tail = segment.size > segment.data.len() as u64;
        let is_known = !segment.missing_range().contains(&address.offset(bytes.len() as u64));
        match window.iter().position(|byte| *byte == 0) {
            Some(length) => bytes.get(..length),
            // A string that the zero tail ends.
            None if bytes.len() <= max && has_tail && is_known => Some(bytes),
            None => None,
        }
    }
}
