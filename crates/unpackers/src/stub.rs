//! Programs that nothing reads out of their file: the stub is run until the program is there.
//!
//! The stub runs in the emulator under the virtual Linux, and so does the code that it makes. The
//! program is there when execution comes to code that the file does not hold, and
//! - a file that the stub made has taken its place (`memfd_create`, `execve`): that file; or
//! - the ELF header of what was loaded says that it is entered there: that file, put together from
//!   memory; or
//! - the stack is as the kernel leaves it to a program that begins: memory as it is then, the last
//!   time that it is.
//!
//! When none of this comes to be, the first place in the file's own segments where it executed code
//! that it had made there, with the memory as it was then.
//!
//! False positives: programs that decrypt one routine in place, or write small pieces of code, are
//! given with just that undone; their other parts are unchanged, so findings are what they would
//! be. False negatives: stubs that take more instructions than allowed, that check where they run,
//! that need a library or the network, that move the program's stack and wipe its header; of several
//! layers the first alone is undone. Files that do not [look packed](looks_packed) are for the caller
//! to leave alone.

use std::time::Instant;

use miyaburi_emulator::{Abi, Emulator, Exit, Layout, Limits, MissingRegister, PAGE_SIZE, State};
use miyaburi_image::{Address, Image, ImageError, Permissions};
use miyaburi_linux::{Ended, Kernel, Observer, Process, Setup, Side, StartError};
use miyaburi_pcode::LanguageError;

use crate::loaded_file;
use crate::memory_image::{self, Loaded};

/// Instructions between two looks at the clock.
const SLICE: u64 = 1_000_000;

/// Bytes that are compared to tell made code from the file's.
const COMPARED: usize = 8;

/// Instructions behind the place where a program seemed to begin, in which the real one is waited
/// for: the second stage of a stub that decompresses LZMA needs some 300 for each byte.
const BEHIND_BEGIN: u64 = 40 * SLICE;

/// System calls of a stub; those of UPX make a few dozen.
const MAX_CALLS: usize = 10_000;

/// Pieces of made code that are looked at; a stub's own second stage has a few hundred.
const MAX_PIECES: usize = 10_000;

/// Bytes of the program that comes out.
const MAX_PROGRAM: u64 = 64 << 20;

/// Bytes of memory that are copied in all, each time that a program may be there.
const MAX_COPIED: u64 = 8 * MAX_PROGRAM;

/// What running one stub may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Emulated instructions.
    pub instructions: u64,
    /// Bytes of memory that it may touch.
    pub memory: u64,
    /// When it is over in any case.
    pub deadline: Option<Instant>,
}

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

/// Whether a file may hold another one that its code has to make first: some of its memory can be
/// written and executed, which no compiler asks for, or half of it looks random.
///
/// False positives: programs with keys, compressed data or firmware in them; running them comes to
/// nothing. False negatives: programs encrypted byte by byte with one value, or spread out, that are
/// decrypted into memory of their own.
#[must_use]
pub fn looks_packed(file: &[u8], image: &Image) -> bool {
    is_writable_code(image) || is_dense(file)
}

fn is_writable_code(image: &Image) -> bool {
    let both = Permissions::WRITE | Permissions::EXECUTE;
    image.segments().iter().any(|segment| segment.permissions.contains(both))
}

/// Whether at least half of the whole pieces of a file, but for padding, hold more than 7.3 bits of information a byte:
/// code of all CPUs stays below 7.2, what is compressed or encrypted comes above 7.4.
fn is_dense(file: &[u8]) -> bool {
    /// Bytes of a piece.
    const PIECE: usize = 4096;
    const BITS: f64 = 7.3;
    const PADDING: f64 = 1.0;
    let bits = file.chunks_exact(PIECE).map(entropy).filter(|bits| *bits > PADDING);
    let (dense, all) =
        bits.fold((0, 0), |(dense, all), bits| (dense + usize::from(bits > BITS), all + 1));
    dense > 0 && 2 * dense >= all
}

/// Shannon's entropy of single bytes, in bits.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let all = bytes.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / all);
    -shares.map(|share| share * share.log2()).sum::<f64>()
}

/// Runs the stub of `file`, and gives the program as an ELF file; `None` when none comes to be.
///
/// # Errors
/// When it cannot be started.
pub fn run(file: &[u8], budget: &Budget) -> Result<Option<Vec<u8>>, StubError> {
    let image = Image::parse(file)?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let abi = Abi::new(image.arch(), &*language)?;
    let mut emulator = Emulator::new(&image, &*language, abi.clone());
    emulator.follow_memory();
    let setup = Setup::default();
    let pages = usize::try_from(budget.memory / PAGE_SIZE).unwrap_or(usize::MAX);
    let mut process = Process::start(&emulator, &*language, &image, file, &setup, pages)?;
    // Who makes a process leaves the work to it.
    process.kernel.follow_forks(Side::Child);
    let mut watch = Watch {
        file,
        image: &image,
        abi: &abi,
        layout: *emulator.layout(),
        first_argument: setup.arguments.first().map_or(&[], Vec::as_slice),
        deadline: budget.deadline,
        pieces: 0,
        copied: 0,
        program: None,
        begun: None,
        in_place: None,
    };
    let mut left = budget.instructions;
    while left > 0 && !watch.is_over(&process.kernel) {
        let instructions = left.min(SLICE);
        let limits = Limits { instructions, depth: 1000, undo: false, ..Limits::DEFAULT };
        let outcome = process.run_observed(&mut emulator, &limits, &mut watch);
        left = left.saturating_sub(outcome.instructions.max(1));
        if watch.begun.is_some() {
            left = left.min(BEHIND_BEGIN);
        }
        if process.ended() == Some(Ended::Replaced) {
            return Ok(process.kernel.executed().map(<[u8]>::to_vec));
        }
        if !matches!(outcome.exit, Exit::Budget { .. }) || process.ended().is_some() {
            break;
        }
    }
    Ok(watch.program.or(watch.begun.map(|begun| begun.program)).or(watch.in_place))
}

/// Looks for the program while the stub runs.
struct Watch<'r> {
    file: &'r [u8],
    image: &'r Image,
    abi: &'r Abi,
    layout: Layout,
    first_argument: &'r [u8],
    deadline: Option<Instant>,
    /// Pieces of made code so far.
    pieces: usize,
    /// Bytes of memory copied so far.
    copied: u64,
    /// The program, once it is there.
    program: Option<Vec<u8>>,
    /// What it is if none is there that says where it is entered.
    begun: Option<Begun>,
    /// What it is if nothing better comes.
    in_place: Option<Vec<u8>>,
}

/// Memory when code began with the stack of a program that begins.
struct Begun {
    at: Address,
    program: Vec<u8>,
}

impl Observer for Watch<'_> {
    fn new_code(&mut self, state: &mut State<'_>, at: Address) -> bool {
        if !self.is_made(state, at) {
            return true;
        }
        self.pieces += 1;
        let entry = entry(self.abi, state);
        self.program = loaded_file::entered_at(&mut state.memory, self.image, entry, MAX_PROGRAM);
        if self.program.is_none() && self.is_farther(at) && self.begins(state) {
            let begun = self.memory(state).map(|program| Begun { at, program });
            self.begun = begun.or(self.begun.take());
        } else if self.in_place.is_none() && self.image.is_mapped(at) {
            self.in_place = self.memory(state);
        }
        self.program.is_none() && self.pieces < MAX_PIECES && !self.is_late()
    }

    fn stops(&self, kernel: &Kernel) -> bool {
        self.is_over(kernel)
    }
}

impl Watch<'_> {
    fn is_over(&self, kernel: &Kernel) -> bool {
        self.program.is_some()
            || self.pieces >= MAX_PIECES
            || kernel.calls().len() >= MAX_CALLS
            || self.is_late()
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whether memory holds something else than the file at an address.
    fn is_made(&self, state: &mut State<'_>, at: Address) -> bool {
        let now = state.memory.bytes_up_to(at, COMPARED);
        self.image.read(at, now.len() as u64).is_none_or(|then| then.as_ref() != now.as_slice())
    }

    /// Whether an address is not right behind where a program seemed to begin. The last jump of a stub
    /// leaves the stack as it is, too, and so do a program's first instructions.
    fn is_farther(&self, at: Address) -> bool {
        /// Bytes of the first instructions.
        const NEAR: u64 = 256;
        self.begun.as_ref().is_none_or(|begun| at.0.abs_diff(begun.at.0) > NEAR)
    }

    /// Whether the stack is that of a program that begins: the number of its arguments, then the
    /// first of them.
    fn begins(&self, state: &mut State<'_>) -> bool {
        let word = self.image.arch().pointer_size();
        let stack = Address(state.register(&self.abi.stack_pointer));
        let count = state.memory.load(stack, word);
        let first = state.memory.load(stack.offset(word.into()), word);
        let (Ok(1), Ok(first)) = (count, first) else { return false };
        let text = state.memory.bytes_up_to(Address(first), self.first_argument.len() + 1);
        text.strip_suffix(b"\0") == Some(self.first_argument)
    }

    /// What memory holds now: the file's segments, and what was written beside them and the stack. `None`
    /// once more than [`MAX_COPIED`] bytes were copied.
    fn memory(&mut self, state: &mut State<'_>) -> Option<Vec<u8>> {
        let own = self.image.segments().iter();
        let mut wanted: Vec<(Address, u64, Permissions)> =
            own.map(|segment| (segment.address, segment.size, segment.permissions)).collect();
        let all = Permissions::READ | Permissions::WRITE | Permissions::EXECUTE;
        let fresh = self.fresh_pages(state);
        wanted.extend(fresh.into_iter().map(|(start, size)| (start, size, all)));
        let held = wanted.iter().map(|(start, size, _)| self.held(state, *start, *size));
        let held: Vec<u64> = held.collect();
        self.copied += held.iter().sum::<u64>();
        if self.copied > MAX_COPIED {
            return None;
        }
        let segments: Vec<Loaded> = wanted
            .into_iter()
            .zip(held)
            .filter_map(|((address, size, permissions), held)| {
                let length = usize::try_from(held).ok()?;
                let mut bytes = state.memory.bytes_up_to(address, length);
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                bytes.truncate(end);
                Some(Loaded { address, bytes, size, permissions })
            })
            .collect();
        memory_image::write(self.file, entry(self.abi, state), &segments)
    }

    /// Bytes from an address on behind which a segment of this size is zero: neither does the file hold
    /// anything there, nor was it touched.
    fn held(&self, state: &State<'_>, start: Address, size: u64) -> u64 {
        let stored = self.image.segment_at(start).map_or(0, |segment| segment.data.len() as u64);
        let last = state.memory.touched(start, size).last().copied();
        let touched = last.map_or(0, |page| page.offset(PAGE_SIZE).0.saturating_sub(start.0));
        stored.max(touched).min(size).min(MAX_PROGRAM)
    }

    /// Runs of pages that were touched, beside the file's own, the stack and the first page.
    fn fresh_pages(&self, state: &State<'_>) -> Vec<(Address, u64)> {
        let is_fresh = |page: &Address| {
            let is_own = [0, PAGE_SIZE - 1].iter().any(|by| self.image.is_mapped(page.offset(*by)));
            page.0 != 0 && !self.layout.is_stack(*page) && !is_own
        };
        let mut runs: Vec<(Address, u64)> = Vec::new();
        for page in state.memory.touched(Address(0), u64::MAX).into_iter().filter(is_fresh) {
            match runs.last_mut() {
                Some((start, size)) if start.0.wrapping_add(*size) == page.0 => *size += PAGE_SIZE,
                _ => runs.push((page, PAGE_SIZE)),
            }
        }
        runs
    }
}

/// Where execution stands, odd when that is Thumb code.
fn entry(abi: &Abi, state: &State<'_>) -> u64 {
    let is_thumb = abi.mode_switch.as_ref().is_some_and(|it| state.register(&it.register) == 1);
    state.pc().0 | u64::from(is_thumb)
}
