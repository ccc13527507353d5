//! What a program's file gives, its memory gives as well: of a core dump, and of raw bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Debug;
use std::path::Path;

use miyaburi_image::{Arch, Image, Permissions, RawMemory};
use miyaburi_model::{FileFormat, Report, Verdict};
use miyaburi_pipeline::{Options, analyze};

/// Of both byte orders and widths.
const FILES: [&str; 3] = [
    "armv5-gcc-tiny.classic-O0.single",
    "mips-be-gcc-tiny.immediate-O0.modules",
    "riscv64-gcc-tiny.no_attacks-O1.modules",
];

fn specimen(name: &str) -> Vec<u8> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples");
    std::fs::read(examples.join(name)).unwrap()
}

fn report(bytes: &[u8], raw: Option<RawMemory>) -> Report {
    analyze(bytes, "memory", &Options { time_limit: None, raw, ..Options::default() })
}

/// Target integers in sequence.
struct Words {
    bytes: Vec<u8>,
    arch: Arch,
}

impl Words {
    fn put(&mut self, size: usize, value: u64) {
        let at = self.bytes.len();
        self.bytes.resize(at + size, 0);
        self.arch.endian.write_uint(&mut self.bytes[at..], value);
    }

    fn word(&mut self, value: u64) {
        self.put(self.arch.pointer_size() as usize, value);
    }

    fn program_header(&mut self, kind: u64, flags: u64, offset: u64, address: u64, size: u64) {
        let is_wide = self.arch.pointer_size() == 8;
        self.put(4, kind);
        if is_wide {
            self.put(4, flags);
        }
        for field in [offset, address, 0, size, size] {
            self.word(field);
        }
        if !is_wide {
            self.put(4, flags);
        }
        self.word(0x1000);
    }
}

/// A core dump of the program as it starts, a stack behind it, in the layout of Linux'
/// `fs/binfmt_elf.c`. The first bytes of `file` are its header.
fn dumped(file: &[u8]) -> Vec<u8> {
    let image = Image::parse(file).unwrap();
    let arch = image.arch();
    let (header_size, entry_size) = if arch.pointer_size() == 8 { (64, 56) } else { (52, 32) };
    let mut note = Words { bytes: Vec::new(), arch };
    for field in [5, 2 * u64::from(arch.pointer_size()), 6] {
        note.put(4, field);
    }
    note.bytes.extend(b"CORE\0\0\0\0");
    note.word(9);
    note.word(image.entry().0 | u64::from(image.entry_is_thumb()));
    let stack = (0x7fff_0000_u64, vec![0_u8; 0x2_1000], 6);
    let segments = image.segments().iter().map(|segment| {
        let bytes = image.read(segment.address, segment.size).unwrap().into_owned();
        let flags = [(Permissions::READ, 4), (Permissions::WRITE, 2), (Permissions::EXECUTE, 1)];
        let flags = flags.iter().filter(|(flag, _)| segment.permissions.contains(*flag));
        (segment.address.0, bytes, flags.map(|(_, flag)| flag).sum())
    });
    let segments: Vec<(u64, Vec<u8>, u64)> = segments.chain([stack]).collect();
    let mut body = Words { bytes: file[..header_size].to_vec(), arch };
    let mut offset = (header_size + entry_size * (segments.len() + 1)) as u64;
    body.program_header(4, 0, offset, 0, note.bytes.len() as u64);
    offset += note.bytes.len() as u64;
    for (address, bytes, flags) in &segments {
        body.program_header(1, *flags, offset, *address, bytes.len() as u64);
        offset += bytes.len() as u64;
    }
    body.bytes.extend(note.bytes);
    segments.iter().for_each(|(_, bytes, _)| body.bytes.extend(bytes));
    let word = arch.pointer_size() as usize;
    let mut set = |at: usize, size: usize, value: u64| {
        arch.endian.write_uint(&mut body.bytes[at..at + size], value);
    };
    set(16, 2, 4);
    set(24, word, 0);
    set(24 + word, word, header_size as u64);
    set(24 + 2 * word, word, 0);
    let counts = 24 + 3 * word + 4 + 2;
    for (index, value) in [entry_size as u64, segments.len() as u64 + 1, 0, 0, 0].iter().enumerate()
    {
        set(counts + 2 * index, 2, *value);
    }
    body.bytes
}

/// Its memory from the first byte to the last, and where that is.
fn flat(file: &[u8]) -> (Vec<u8>, RawMemory) {
    let image = Image::parse(file).unwrap();
    let base = image.segments()[0].address;
    let mut bytes = Vec::new();
    for segment in image.segments() {
        bytes.resize((segment.address.0 - base.0) as usize, 0);
        bytes.extend(image.read(segment.address, segment.size).unwrap().iter());
    }
    (bytes, RawMemory { arch: image.arch(), base, entry: Some(image.entry()) })
}

/// What the program is configured to do.
fn values(report: &Report) -> impl PartialEq + Debug + use<> {
    let table = report.string_table.as_ref().and_then(|table| table.sha256.clone());
    let credentials = report.credentials.as_ref().and_then(|list| list.sha256.clone());
    (report.verdict, table, credentials, report.endpoints.clone(), report.attacks.clone())
}

#[test]
fn a_core_dump_gives_what_the_file_gives() {
    for name in FILES {
        let file = specimen(name);
        let expected = report(&file, None);
        assert_eq!(expected.verdict, Verdict::Config, "{name}");
        let got = report(&dumped(&file), None);
        assert_eq!(got.sample.cpu, expected.sample.cpu);
        assert_eq!(values(&got), values(&expected), "{name}");
    }
}

#[test]
fn raw_memory_gives_what_the_file_gives() {
    for name in FILES {
        let file = specimen(name);
        let (bytes, memory) = flat(&file);
        let got = report(&bytes, Some(memory));
        assert_eq!(got.sample.format, Some(FileFormat::Raw));
        assert_eq!(got.sample.cpu.as_deref(), Some(memory.arch.cpu));
        assert_eq!(values(&got), values(&report(&file, None)), "{name}");
    }
}

#[test]
fn raw_memory_of_nothing_known_has_no_configuration() {
    let arch = Arch::named("mips-be-o32").unwrap();
    let memory = RawMemory { arch, base: miyaburi_image::Address(0x400000), entry: None };
    let noise: Vec<u8> =
        (0..40_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for bytes in [noise, vec![0; 4096], b"text and nothing else\n".repeat(100)] {
        let got = report(&bytes, Some(memory));
        assert_eq!(got.verdict, Verdict::NoConfig);
        assert!(got.endpoints.is_empty() && got.string_table.is_none());
    }
}
