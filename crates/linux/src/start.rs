//! What a process finds on its stack when it begins.

use crate::kernel::Side;
use crate::script::Script;
use crate::tree::FOLDER;
use miyaburi_emulator::{Emulator, MemoryError, PAGE_SIZE, State};
use miyaburi_image::{Address, Arch, Family, Image};

/// How a process is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Its arguments, the program's name first.
    pub arguments: Vec<Vec<u8>>,
    /// Its environment, as `NAME=value`.
    pub environment: Vec<Vec<u8>>,
    /// Which side of each `fork` is followed, in order; of later ones the parent's.
    pub forks: Vec<Side>,
    /// What programs draw at random follows from this: the kernel's random numbers, and the day.
    pub seed: u32,
    /// How the network behaves.
    pub script: Script,
    /// Files that it finds beside those that every system has, by path.
    pub files: Vec<(Vec<u8>, Vec<u8>)>,
    /// What comes from its standard input.
    pub input: Vec<u8>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            arguments: vec![b"./bot".to_vec()],
            environment: Vec::new(),
            forks: Vec::new(),
            seed: 0,
            script: Script::default(),
            files: Vec::new(),
            input: Vec::new(),
        }
    }
}

impl Setup {
    /// The program's own path, which is absolute whatever its first argument says: C libraries
    /// insist on it.
    pub(crate) fn executable(&self) -> Vec<u8> {
        let name = self.arguments.first().map_or(&[][..], Vec::as_slice);
        if name.starts_with(b"/") {
            return name.to_vec();
        }
        let name = name.strip_prefix(b"./").unwrap_or(name);
        [FOLDER, b"/", name].concat()
    }
}

/// Bytes of text that arguments and environment may take together.
const MAX_TEXT: usize = 0x1800;

/// Where the text begins, above the first stack pointer.
const TEXT: u64 = 0x1800;

/// Types of the auxiliary vector's entries.
///
/// Source: `include/uapi/linux/auxvec.h`.
mod aux {
    pub(super) const END: u64 = 0;
    pub(super) const HEADERS: u64 = 3;
    pub(super) const HEADER_SIZE: u64 = 4;
    pub(super) const HEADER_COUNT: u64 = 5;
    pub(super) const PAGE_SIZE: u64 = 6;
    pub(super) const ENTRY: u64 = 9;
    pub(super) const IDENTITIES: [u64; 4] = [11, 12, 13, 14];
    pub(super) const CAPABILITIES: u64 = 16;
    pub(super) const TICKS: u64 = 17;
    pub(super) const SECURE: u64 = 23;
    pub(super) const RANDOM: u64 = 25;
}

/// Puts arguments, environment and auxiliary vector on the stack of `state`, whose program was read
/// from `file`, and points its stack pointer there.
///
/// # Errors
/// When the memory budget of `state` is spent.
pub(crate) fn lay_out_stack(
    emulator: &Emulator<'_>,
    image: &Image,
    file: &[u8],
    setup: &Setup,
    state: &mut State<'_>,
) -> Result<(), MemoryError> {
    let arch = image.arch();
    let top = emulator.layout().initial_stack_pointer();
    let random = top.offset(TEXT - 16);
    let mut bytes = *b"MiyaburiMiyaburi";
    for (byte, seed) in bytes.iter_mut().zip(setup.seed.to_le_bytes()) {
        *byte ^= seed;
    }
    state.memory.write(random, &bytes)?;
    let mut text = Text { next: top.offset(TEXT), left: MAX_TEXT };
    let mut words = vec![setup.arguments.len() as u64];
    for group in [&setup.arguments, &setup.environment] {
        for string in group {
            words.push(text.add(state, string)?.0);
        }
        words.push(0);
    }
    let headers = ProgramHeaders::of(arch, image, file);
    words.extend([aux::HEADERS, headers.address]);
    words.extend([aux::HEADER_SIZE, headers.entry_size, aux::HEADER_COUNT, headers.count]);
    words.extend([aux::PAGE_SIZE, PAGE_SIZE, aux::ENTRY, image.entry().0]);
    words.extend(aux::IDENTITIES.into_iter().flat_map(|kind| [kind, 0]));
    words.extend([aux::CAPABILITIES, 0, aux::TICKS, 100, aux::SECURE, 0]);
    words.extend([aux::RANDOM, random.0, aux::END, 0]);
    let size = arch.pointer_size();
    for (at, value) in (0..).map(|index| top.offset(u64::from(size) * index)).zip(words) {
        state.memory.store(at, size, value)?;
    }
    // SPARC leaves room for the windows of the first frame below what is found there.
    let has_windows = matches!(arch.family, Family::Sparc | Family::SparcV8Plus);
    let room = if has_windows { 64 } else { 0 };
    state.set_register(&emulator.abi().stack_pointer, top.0 - room);
    Ok(())
}

/// Strings, one behind the other.
struct Text {
    next: Address,
    left: usize,
}

impl Text {
    /// Puts one more there, cut to what there is room for; its address.
    fn add(&mut self, state: &mut State<'_>, string: &[u8]) -> Result<Address, MemoryError> {
        let length = string.len().min(self.left.saturating_sub(1));
        let mut bytes = string.get(..length).unwrap_or(&[]).to_vec();
        bytes.push(0);
        let at = self.next;
        state.memory.write(at, &bytes)?;
        self.next = at.offset(bytes.len() as u64);
        self.left = self.left.saturating_sub(bytes.len());
        Ok(at)
    }
}

/// Where the program finds its own program headers.
struct ProgramHeaders {
    address: u64,
    entry_size: u64,
    count: u64,
}

impl ProgramHeaders {
    /// Those of `file`, as it is mapped; none when no segment begins with its header.
    fn of(arch: Arch, image: &Image, file: &[u8]) -> Self {
        let is_wide = arch.pointer_size() == 8;
        let field = |narrow: usize, wide: usize, size: usize| {
            let at = if is_wide { wide } else { narrow };
            file.get(at..at + size).map_or(0, |bytes| arch.endian.read_uint(bytes))
        };
        // `e_phoff`, `e_phentsize` and `e_phnum`.
        let offset = field(28, 32, arch.pointer_size() as usize);
        let first = image.segments().iter().find(|segment| segment.data.starts_with(b"\x7fELF"));
        let Some(first) = first else { return Self { address: 0, entry_size: 0, count: 0 } };
        Self {
            address: first.address.0.wrapping_add(offset),
            entry_size: field(42, 54, 2),
            count: field(44, 56, 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Setup;

    #[test]
    fn the_path_of_the_program_is_absolute() {
        for (argument, path) in [("./bot", "/tmp/bot"), ("bot", "/tmp/bot"), ("/bin/x", "/bin/x")] {
            let setup = Setup { arguments: vec![argument.into()], ..Setup::default() };
            assert_eq!(setup.executable(), path.as_bytes());
        }
    }
}
