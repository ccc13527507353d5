//! Machines around a few bytes of code: the truth is in the bytes' own comments.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unreachable_pub)]

use miyaburi_emulator::{Abi, Emulator, Limits, NoHooks, Outcome, State};
use miyaburi_image::{Address, Image};
use miyaburi_pcode::Language;
use std::sync::Arc;

/// Where [`elf`] maps the code.
pub const CODE: u64 = 0x1_0000;

/// An ELF file of one executable and writable segment, 64 KiB large, that starts with `code`.
pub fn elf(machine: u16, wide: bool, big: bool, code: &[u8]) -> Vec<u8> {
    let mut file =
        vec![0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, if big { 2 } else { 1 }, 1];
    file.resize(16, 0);
    let mut put = |value: u64, size: usize| {
        let bytes = if big {
            value.to_be_bytes()[8 - size..].to_vec()
        } else {
            value.to_le_bytes()[..size].to_vec()
        };
        file.extend(bytes);
    };
    let word = if wide { 8 } else { 4 };
    let header = if wide { 64 } else { 52 };
    put(2, 2);
    put(u64::from(machine), 2);
    put(1, 4);
    put(CODE, word);
    put(header, word);
    put(0, word);
    put(0, 4);
    put(header, 2);
    put(if wide { 56 } else { 32 }, 2);
    put(1, 2);
    put(0, 6);
    let offset = 0x100;
    let size = code.len() as u64;
    put(1, 4);
    if wide {
        put(7, 4);
    }
    put(offset, word);
    put(CODE, word);
    put(CODE, word);
    put(size, word);
    put(0x1_0000, word);
    if !wide {
        put(7, 4);
    }
    put(0x1000, word);
    file.resize(offset as usize, 0);
    file.extend_from_slice(code);
    file
}

/// One file and its language, from which emulators are made.
pub struct Program {
    pub image: Image,
    pub language: Arc<dyn Language>,
}

impl Program {
    pub fn new(machine: u16, wide: bool, big: bool, code: &[u8]) -> Self {
        let image = Image::parse(&elf(machine, wide, big, code)).unwrap();
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        Self { image, language }
    }

    pub fn emulator(&self) -> Emulator<'_> {
        let abi = Abi::new(self.image.arch(), &*self.language).unwrap();
        Emulator::new(&self.image, &*self.language, abi)
    }
}

/// Calls the function at `offset` into the code.
pub fn call<'a>(
    emulator: &mut Emulator<'a>,
    state: &mut State<'a>,
    offset: u64,
    arguments: &[u64],
    limits: &Limits,
) -> Outcome {
    let context = emulator.context(false);
    emulator.call(state, (Address(CODE + offset), context), arguments, &mut NoHooks, limits)
}
