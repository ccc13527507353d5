//! Small x86-64 programs for extractors: the truth is in the bytes' own comments.
#![allow(dead_code, unused_imports, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../analysis/tests/support/mod.rs"]
mod files;

use miyaburi_analysis::Program;
use miyaburi_emulator::Emulator;
use miyaburi_extractors::budget::Budget;
use miyaburi_extractors::subject::{LABORIOUS_RUNS, Subject};
use miyaburi_image::{Address, Image};

pub use files::{CODE, DATA};

/// System calls of x86-64 Linux.
pub const CONNECT: u32 = 42;
pub const BIND: u32 = 49;
/// Takes no address.
pub const GETPID: u32 = 39;

/// Code whose calls are put in place when it is known where everything lies.
#[derive(Default)]
pub struct Code {
    bytes: Vec<u8>,
    relative: Vec<(usize, &'static str)>,
    routines: Vec<(&'static str, usize)>,
}

impl Code {
    /// What follows is `name`.
    pub fn routine(&mut self, name: &'static str) -> &mut Self {
        self.routines.push((name, self.bytes.len()));
        self
    }

    pub fn add(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }

    pub fn word(&mut self, word: u32) -> &mut Self {
        self.add(&word.to_le_bytes())
    }

    /// The distance from behind it to `name`, in four bytes.
    fn distance_to(&mut self, name: &'static str) -> &mut Self {
        self.relative.push((self.bytes.len(), name));
        self.word(0)
    }

    pub fn call(&mut self, name: &'static str) -> &mut Self {
        self.add(&[0xe8]).distance_to(name)
    }

    /// je name
    pub fn jump_if_equal(&mut self, name: &'static str) -> &mut Self {
        self.add(&[0x0f, 0x84]).distance_to(name)
    }

    /// lea rdi, [name]
    pub fn point_to(&mut self, name: &'static str) -> &mut Self {
        self.add(&[0x48, 0x8d, 0x3d]).distance_to(name)
    }

    /// mov eax, number; syscall; ret
    pub fn system_call(&mut self, number: u32) -> &mut Self {
        self.add(&[0xb8]).word(number).add(&[0x0f, 0x05, 0xc3])
    }

    /// Where `name` lies.
    pub fn address(&self, name: &str) -> Address {
        let (_, at) = self.routines.iter().find(|(known, _)| *known == name).unwrap();
        Address(CODE + *at as u64)
    }

    /// The program that begins with this code, with 16 bytes of data.
    pub fn image(mut self) -> Image {
        for (at, name) in &self.relative {
            let (_, target) = self.routines.iter().find(|(known, _)| known == name).unwrap();
            let distance = *target as i32 - (at + 4) as i32;
            self.bytes[*at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        files::image(files::X86_64, &self.bytes, &[0; 16])
    }
}

/// What `ask` says of the program in `image`.
pub fn with_subject<T>(image: &Image, ask: impl FnOnce(&mut Subject<'_>) -> T) -> T {
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(image, language.as_ref()).unwrap();
    let mut subject = Subject {
        file: &[],
        image,
        program: &program,
        emulator: Emulator::new(image, language.as_ref(), program.abi().clone()),
        pages: 1024,
        patience: 1,
        laborious: LABORIOUS_RUNS,
        unmodelled: Default::default(),
        budget: Budget::new(10_000_000, None),
    };
    ask(&mut subject)
}
