//! Random code, in every mode of every CPU: as bytes for the lifter, as a program for the whole
//! analysis, and as routines for the emulator.

pub(crate) mod elf;
pub(crate) mod modes;

use crate::arguments::Arguments;
use elf::{CODE, DATA};
use miyaburi_emulator::{Abi, Emulator, Limits, NoHooks};
use miyaburi_image::{Address, Image};
use miyaburi_pcode::{Instruction, Language, LiftError};
use modes::{MODES, Mode};
use rand::{Rng, RngExt};

/// Bytes of code in one piece. Every piece is a program of its own, so that entry points vary.
const PIECE: u64 = 8 << 10;

/// Bytes of data of a program.
const DATA_SIZE: usize = 1024;

/// One of so many bytes of code is where an initialiser starts: little random code is reached
/// otherwise.
const START_ONE_OF: u64 = 48;

/// Routines of a piece that the emulator calls.
const CALLS: usize = 24;

/// Pages that an emulated call may touch.
const PAGES: usize = 1024;

/// The most bytes that any CPU's instruction has, delay slots included.
const MAX_INSTRUCTION: u32 = 64;

/// How many pieces there are: for every mode as many as its bytes fill.
pub(crate) const fn pieces(arguments: &Arguments) -> u64 {
    arguments.random_code.div_ceil(PIECE) * MODES.len() as u64
}

/// Random code for one mode.
pub(crate) struct Piece {
    mode: &'static Mode,
    code: Vec<u8>,
    data: Vec<u8>,
    /// Where functions start, in bytes from the start of the code.
    starts: Vec<u64>,
}

impl Piece {
    /// Piece `number`; consecutive ones are for different modes.
    pub(crate) fn new(arguments: &Arguments, number: u64, random: &mut impl Rng) -> Self {
        let mode = &MODES[(number % MODES.len() as u64) as usize];
        let round = number / MODES.len() as u64;
        let size = PIECE.min(arguments.random_code.saturating_sub(round * PIECE)).max(64);
        let mut code = vec![0; size as usize];
        random.fill_bytes(&mut code);
        let mut data = vec![0; DATA_SIZE];
        random.fill_bytes(&mut data);
        plant_pointers(mode, size, &mut data, random);
        let starts = (0..size / START_ONE_OF)
            .map(|_| random.random_range(0..size) / mode.step * mode.step)
            .collect();
        Self { mode, code, data, starts }
    }

    /// A program with this code.
    pub(crate) fn file(&self) -> Vec<u8> {
        elf::program(self.mode, &self.code, &self.data, &self.starts)
    }

    /// Lifts the code instruction by instruction from every possible start, and lets the emulator
    /// call into it; what went wrong, if anything.
    pub(crate) fn run(&self, random: &mut impl Rng) -> Result<(), String> {
        let image = Image::parse(&self.file()).map_err(|error| format!("no image: {error}"))?;
        let language = miyaburi_pcode::language_for(image.arch())
            .map_err(|error| format!("no language: {error}"))?;
        self.lift(&*language)?;
        let abi = Abi::new(image.arch(), &*language).map_err(|error| error.to_string())?;
        let mut emulator = Emulator::new(&image, &*language, abi);
        for call in 0..CALLS {
            let limits = Limits {
                instructions: 20_000,
                call_instructions: 5_000,
                undo: call % 2 == 0,
                ..Limits::default()
            };
            let mut state = emulator.bare_state(PAGES);
            let offset = random.random_range(0..self.code.len() as u64);
            let address = Address(CODE + offset / self.mode.step * self.mode.step);
            let context = emulator.context(self.mode.alternate);
            let arguments: [u64; 6] =
                std::array::from_fn(|_| elf::pointer(self.code.len() as u64, random));
            let outcome =
                emulator.call(&mut state, (address, context), &arguments, &mut NoHooks, &limits);
            if outcome.instructions > limits.instructions + 256 {
                return Err(format!("{} instructions emulated", outcome.instructions));
            }
        }
        Ok(())
    }

    fn lift(&self, language: &dyn Language) -> Result<(), String> {
        let initial = language.initial_context();
        let field = if self.mode.alternate { self.mode.field } else { None };
        let start = field.and_then(|field| language.with_context_field(initial, field, 1));
        let start = start.unwrap_or(initial);
        let mut context = start;
        let mut lifter = language.lifter();
        let mut instruction = Instruction::default();
        let bytes = (Address(CODE), self.code.as_slice());
        for offset in (0..self.code.len() as u64).step_by(self.mode.step as usize) {
            let address = Address(CODE + offset);
            match lifter.lift(&bytes, address, context, &mut instruction) {
                Ok(()) if instruction.length == 0 || instruction.length > MAX_INSTRUCTION => {
                    return Err(format!("{} bytes long at {address}", instruction.length));
                }
                Ok(()) => {
                    context = instruction.context_at(address.offset(instruction.length.into()));
                }
                Err(LiftError::Unmapped(at)) if at == address => {
                    return Err(format!("unmapped at {address}"));
                }
                Err(_) => context = start,
            }
            // Text needs no semantics, so that it may succeed where lifting does not.
            let _ = lifter.disassemble(&bytes, address, context);
        }
        Ok(())
    }
}

/// Makes every second word of the data an address of code or data.
fn plant_pointers(mode: &Mode, code_size: u64, data: &mut [u8], random: &mut impl Rng) {
    let size = if mode.wide { 8 } else { 4 };
    for word in data.chunks_exact_mut(size).step_by(2) {
        let alternate = u64::from(mode.alternate);
        mode.endian.write_uint(word, elf::pointer(code_size, random) | alternate);
    }
}

/// The end of the data, where zero-initialised memory begins.
const fn data_end() -> u64 {
    DATA + DATA_SIZE as u64
}
