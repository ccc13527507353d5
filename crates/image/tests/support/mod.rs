//! Builds small ELF files, so that what a test expects follows from how the file was made.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

use miyaburi_image::Endian;

/// `e_machine` values used by the tests.
pub mod machine {
    pub const SPARC: u16 = 2;
    pub const I386: u16 = 3;
    pub const M68K: u16 = 4;
    pub const MIPS: u16 = 8;
    pub const SPARC32PLUS: u16 = 18;
    pub const PPC: u16 = 20;
    pub const ARM: u16 = 40;
    pub const SH: u16 = 42;
    pub const X86_64: u16 = 62;
    pub const AARCH64: u16 = 183;
    pub const RISCV: u16 = 243;
}

pub const REL: u16 = 1;
pub const EXEC: u16 = 2;
pub const DYN: u16 = 3;

pub const READ: u32 = 4;
pub const WRITE: u32 = 2;
pub const EXECUTE: u32 = 1;

/// A program header; `file_offset` is set when the file is built.
#[derive(Clone)]
pub struct Load {
    pub kind: u32,
    pub address: u64,
    pub data: Vec<u8>,
    pub memory_size: u64,
    pub flags: u32,
}

#[derive(Clone)]
pub struct Section {
    pub name: &'static str,
    pub kind: u32,
    pub flags: u64,
    pub address: u64,
    pub data: Vec<u8>,
    pub link: u32,
    pub info: u32,
    pub alignment: u64,
    pub entry_size: u64,
}

impl Section {
    pub fn new(name: &'static str, kind: u32, data: Vec<u8>) -> Self {
        Self {
            name,
            kind,
            flags: 0,
            address: 0,
            data,
            link: 0,
            info: 0,
            alignment: 4,
            entry_size: 0,
        }
    }
}

/// What an ELF file is made from.
#[derive(Clone)]
pub struct ElfBuilder {
    pub wide: bool,
    pub endian: Endian,
    pub machine: u16,
    pub file_type: u16,
    pub flags: u32,
    pub entry: u64,
    pub loads: Vec<Load>,
    pub sections: Vec<Section>,
}

impl ElfBuilder {
    pub fn new(machine: u16, wide: bool, endian: Endian) -> Self {
        Self {
            wide,
            endian,
            machine,
            file_type: EXEC,
            flags: 0,
            entry: 0,
            loads: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// Adds a `PT_LOAD`.
    pub fn load(mut self, address: u64, data: Vec<u8>, memory_size: u64, flags: u32) -> Self {
        self.loads.push(Load { kind: 1, address, data, memory_size, flags });
        self
    }

    /// Adds a program header of another kind for memory that a `PT_LOAD` holds.
    pub fn view(mut self, kind: u32, address: u64, size: u64) -> Self {
        let load = Load { kind, address, data: Vec::new(), memory_size: size, flags: READ };
        self.loads.push(load);
        self
    }

    pub fn entry(mut self, entry: u64) -> Self {
        self.entry = entry;
        self
    }

    pub fn file_type(mut self, file_type: u16) -> Self {
        self.file_type = file_type;
        self
    }

    pub fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    pub fn header_size(&self) -> usize {
        if self.wide { 64 } else { 52 }
    }

    pub fn program_header_size(&self) -> usize {
        if self.wide { 56 } else { 32 }
    }

    fn words(&self) -> Words {
        Words::new(self.wide, self.endian)
    }

    pub fn build(&self) -> Vec<u8> {
        let (header_size, entry_size) = (self.header_size(), self.program_header_size());
        let mut body = vec![0; header_size + entry_size * self.loads.len()];
        let mut headers = self.words();
        for load in &self.loads {
            let offset = append(&mut body, &load.data);
            let size = load.data.len() as u64;
            headers.u32(load.kind);
            if self.wide {
                headers.u32(load.flags);
            }
            for field in [offset, load.address, load.address, size, load.memory_size] {
                headers.word(field);
            }
            if !self.wide {
                headers.u32(load.flags);
            }
            headers.word(4);
        }
        let section_count = if self.sections.is_empty() { 0 } else { self.sections.len() + 2 };
        let section_table = self.append_sections(&mut body);
        body[header_size..header_size + headers.bytes.len()].copy_from_slice(&headers.bytes);
        let mut header = self.words();
        let class = if self.wide { 2 } else { 1 };
        let data = if self.endian == Endian::Little { 1 } else { 2 };
        header.bytes.extend([0x7f, b'E', b'L', b'F', class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        header.u16(self.file_type);
        header.u16(self.machine);
        header.u32(1);
        header.word(self.entry);
        header.word(if self.loads.is_empty() { 0 } else { header_size as u64 });
        header.word(section_table);
        header.u32(self.flags);
        header.u16(header_size as u16);
        header.u16(entry_size as u16);
        header.u16(self.loads.len() as u16);
        header.u16(if self.wide { 64 } else { 40 });
        header.u16(section_count as u16);
        header.u16((section_count as u16).saturating_sub(1));
        body[..header_size].copy_from_slice(&header.bytes);
        body
    }

    /// Writes section contents and headers: a null section, those given, the name table.
    fn append_sections(&self, body: &mut Vec<u8>) -> u64 {
        if self.sections.is_empty() {
            return 0;
        }
        let mut names = vec![0];
        let mut table = self.words();
        table.bytes.resize(if self.wide { 64 } else { 40 }, 0);
        let name_section = Section::new(".shstrtab", 3, Vec::new());
        for section in self.sections.iter().chain([&name_section]) {
            let name = names.len() as u32;
            names.extend(section.name.as_bytes());
            names.push(0);
            let data = if section.name == ".shstrtab" { &names } else { &section.data };
            // SHT_NOBITS: the data only states the size.
            let offset = if section.kind == 8 { 0 } else { append(body, data) };
            table.u32(name);
            table.u32(section.kind);
            for field in [section.flags, section.address, offset, data.len() as u64] {
                table.word(field);
            }
            table.u32(section.link);
            table.u32(section.info);
            table.word(section.alignment);
            table.word(section.entry_size);
        }
        append(body, &table.bytes)
    }
}

fn append(body: &mut Vec<u8>, data: &[u8]) -> u64 {
    body.resize(body.len().next_multiple_of(8), 0);
    let offset = body.len() as u64;
    body.extend(data);
    offset
}

/// A buffer of target integers.
#[derive(Clone)]
pub struct Words {
    pub bytes: Vec<u8>,
    pub wide: bool,
    pub endian: Endian,
}

impl Words {
    pub fn new(wide: bool, endian: Endian) -> Self {
        Self { bytes: Vec::new(), wide, endian }
    }

    fn uint(&mut self, size: usize, value: u64) {
        let at = self.bytes.len();
        self.bytes.resize(at + size, 0);
        self.endian.write_uint(&mut self.bytes[at..], value);
    }

    pub fn u8(&mut self, value: u8) {
        self.uint(1, u64::from(value));
    }

    pub fn u16(&mut self, value: u16) {
        self.uint(2, u64::from(value));
    }

    pub fn u32(&mut self, value: u32) {
        self.uint(4, u64::from(value));
    }

    /// An address-sized field.
    pub fn word(&mut self, value: u64) {
        self.uint(if self.wide { 8 } else { 4 }, value);
    }

    /// A symbol table entry.
    pub fn symbol(&mut self, name: u32, value: u64, size: u64, info: u8, section: u16) {
        self.u32(name);
        if self.wide {
            self.u8(info);
            self.u8(0);
            self.u16(section);
            self.word(value);
            self.word(size);
        } else {
            self.word(value);
            self.word(size);
            self.u8(info);
            self.u8(0);
            self.u16(section);
        }
    }

    /// A relocation; `addend` as `None` makes it a REL entry.
    pub fn relocation(&mut self, slot: u64, symbol: u64, kind: u64, addend: Option<u64>) {
        self.word(slot);
        self.word(if self.wide { symbol << 32 | kind } else { symbol << 8 | kind });
        if let Some(addend) = addend {
            self.word(addend);
        }
    }
}

/// File offsets of header fields, as (offset, size).
pub fn header_field(wide: bool, name: &str) -> (usize, usize) {
    let word = if wide { 8 } else { 4 };
    let after_words = 24 + 3 * word;
    match name {
        "ei_class" => (4, 1),
        "ei_data" => (5, 1),
        "ei_version" => (6, 1),
        "e_type" => (16, 2),
        "e_machine" => (18, 2),
        "e_version" => (20, 4),
        "e_entry" => (24, word),
        "e_phoff" => (24 + word, word),
        "e_shoff" => (24 + 2 * word, word),
        "e_flags" => (after_words, 4),
        "e_phentsize" => (after_words + 6, 2),
        "e_phnum" => (after_words + 8, 2),
        "e_shentsize" => (after_words + 10, 2),
        "e_shnum" => (after_words + 12, 2),
        "e_shstrndx" => (after_words + 14, 2),
        other => panic!("no header field {other}"),
    }
}

/// Offset and size of a field of program header `index`.
pub fn program_header_field(wide: bool, index: usize, name: &str) -> (usize, usize) {
    let (word, start) = if wide { (8, 64 + 56 * index) } else { (4, 52 + 32 * index) };
    let shift = if wide { 8 } else { 4 };
    let (at, size) = match name {
        "p_type" => (0, 4),
        "p_flags" => (if wide { 4 } else { 24 }, 4),
        "p_offset" => (shift, word),
        "p_vaddr" => (shift + word, word),
        "p_filesz" => (shift + 3 * word, word),
        "p_memsz" => (shift + 4 * word, word),
        other => panic!("no program header field {other}"),
    };
    (start + at, size)
}

/// Overwrites an integer of a built file.
pub fn patch(file: &mut [u8], field: (usize, usize), endian: Endian, value: u64) {
    endian.write_uint(&mut file[field.0..field.0 + field.1], value);
}
