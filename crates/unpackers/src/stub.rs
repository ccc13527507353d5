//! Packers that nobody knows: their stub is run until the program is there.
//!
//! The stub runs in the emulator under the virtual Linux. When execution stands where memory holds
//! something else than the file, the code there was made by the stub: the first such place is taken
//! for the program's entry, and the memory as it is then for the program.
//!
//! False positives: programs that decrypt one routine in place, or write small pieces of code, are
//! given with just that undone; their other parts are unchanged, so findings are what they would
//! be. False negatives: stubs that do not decrypt into memory of the file's own segments, that take
//! more instructions than allowed, or that check where they run; of several layers the first alone
//! is undone. Files without memory that can be written and executed are not run.

use miyaburi_emulator::{Abi, Emulator, Exit, Limits, MissingRegister, Outcome, State};
use miyaburi_image::{Image, ImageError, Permissions};
use miyaburi_linux::{Process, Setup, StartError};
use miyaburi_pcode::LanguageError;

use crate::memory_image::{self, Loaded};

/// Instructions between two looks at where execution stands.
const SLICE: u64 = 100_000;

/// Bytes that are compared there.
const COMPARED: u64 = 8;

/// Pages of 4 KiB that the stub may touch.
const PAGES: usize = 4096;

/// Why a stub could not be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StubError {
    /// The packed file has no memory image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Its CPU has no lifter.
    #[error(transparent)]
    Language(#[from] LanguageError),
    /// Its CPU has no calling convention.
    #[error(transparent)]
    Register(#[from] MissingRegister),
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Whether some memory of a program can be written and executed, which stubs need and which no
/// compiler asks for.
#[must_use]
pub fn is_writable_code(image: &Image) -> bool {
    let both = Permissions::WRITE | Permissions::EXECUTE;
    image.segments().iter().any(|segment| segment.permissions.contains(both))
}

/// Runs the stub of `file` for at most so many instructions, and gives the program as an ELF file;
/// `None` when none comes to be.
///
/// # Errors
/// When it cannot be started.
pub fn run(file: &[u8], instructions: u64) -> Result<Option<Vec<u8>>, StubError> {
    let image = Image::parse(file)?;
    if !is_writable_code(&image) {
        return Ok(None);
    }
    let language = miyaburi_pcode::language_for(image.arch())?;
    let abi = Abi::new(image.arch(), &*language)?;
    let mut emulator = Emulator::new(&image, &*language, abi);
    let process = Process::start(&emulator, &*language, &image, file, &Setup::default(), PAGES)?;
    let Some(mut process) = to_entry(&mut emulator, &image, process, instructions) else {
        return Ok(None);
    };
    Ok(program(file, &image, emulator.abi(), &mut process))
}

/// Runs on to the first place whose code the stub has made.
fn to_entry<'a>(
    emulator: &mut Emulator<'a>,
    image: &Image,
    mut process: Process<'a>,
    instructions: u64,
) -> Option<Process<'a>> {
    for _ in 0..instructions.div_ceil(SLICE) {
        let before = process.clone();
        let outcome = step(emulator, &mut process, SLICE);
        if stands_in_made_code(image, &mut process) {
            return Some(narrow(emulator, image, before, outcome.instructions));
        }
        if !matches!(outcome.exit, Exit::Budget { .. }) || process.ended().is_some() {
            return None;
        }
    }
    None
}

fn step<'a>(emulator: &mut Emulator<'a>, process: &mut Process<'a>, instructions: u64) -> Outcome {
    process.run(emulator, &Limits { instructions, depth: 1000, ..Limits::DEFAULT })
}

/// Goes on from `before` to the first of so many instructions behind which execution stands in made
/// code: what is run from there on is not what memory holds.
fn narrow<'a>(
    emulator: &mut Emulator<'a>,
    image: &Image,
    before: Process<'a>,
    instructions: u64,
) -> Process<'a> {
    let (mut low, mut high) = (0, instructions.max(1));
    let mut found = before.clone();
    while low < high {
        let middle = low + (high - low) / 2;
        let mut process = before.clone();
        step(emulator, &mut process, middle);
        if stands_in_made_code(image, &mut process) {
            high = middle;
            found = process;
        } else {
            low = middle + 1;
        }
    }
    if !stands_in_made_code(image, &mut found) {
        found = before;
        step(emulator, &mut found, high);
    }
    found
}

/// Whether memory holds something else than the file where execution stands.
fn stands_in_made_code(image: &Image, process: &mut Process<'_>) -> bool {
    let at = process.state.pc();
    let (Some(now), Some(then)) =
        (process.state.memory.bytes(at, COMPARED as usize), image.read(at, COMPARED))
    else {
        return false;
    };
    now != then.as_ref()
}

/// The segments as they are in memory now.
fn program(file: &[u8], image: &Image, abi: &Abi, process: &mut Process<'_>) -> Option<Vec<u8>> {
    let segments: Vec<Loaded> = image
        .segments()
        .iter()
        .filter_map(|segment| {
            let size = usize::try_from(segment.size).ok()?;
            let mut bytes = process.state.memory.bytes(segment.address, size)?;
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(end);
            let (address, permissions) = (segment.address, segment.permissions);
            Some(Loaded { address, bytes, size: segment.size, permissions })
        })
        .collect();
    memory_image::write(file, entry(abi, &process.state), &segments)
}

/// Where execution stands, odd when that is Thumb code.
fn entry(abi: &Abi, state: &State<'_>) -> u64 {
    let is_thumb = abi.mode_switch.as_ref().is_some_and(|it| state.register(&it.register) == 1);
    state.pc().0 | u64::from(is_thumb)
}
