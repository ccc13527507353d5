//! What attackers do to packed files so that the packer itself does not unpack them, while they
//! still run: nothing of it touches the blocks.

use rand::Rng;

/// The packer's magic number.
const MAGIC: &[u8] = b"UPX!";

/// Bytes of the header at the end, with the offset that follows it.
const TRAILER: usize = 36;

/// One kind of damage.
#[derive(Clone, Copy)]
pub(super) enum Damage {
    /// None.
    None,
    /// The magic number of `l_info` overwritten.
    FirstMagic,
    /// All magic numbers overwritten.
    AllMagics,
    /// Both sizes in `p_info` zero.
    ZeroSizes,
    /// `p_info` overwritten.
    ProgramInfo,
    /// `l_info` overwritten.
    LoaderInfo,
    /// The header at the end cut off.
    TrailerMissing,
    /// The header at the end zeroed.
    TrailerZeroed,
    /// Bytes before the header at the end.
    TrailerMoved,
    /// Bytes behind the end.
    Junk,
    /// Section headers.
    Sections,
    /// Another entry, as if a chain of jumps began there.
    Entry,
    /// Everything around the blocks.
    Everything,
    /// What the stub leaves out of the first block's header: nobody can find the blocks.
    FirstFilter,
    /// This, everything around the blocks, and the packer's name wherever it stands.
    Unrecognisable,
}

impl Damage {
    pub(super) const ALL: [Self; 15] = [
        Self::None,
        Self::FirstMagic,
        Self::AllMagics,
        Self::ZeroSizes,
        Self::ProgramInfo,
        Self::LoaderInfo,
        Self::TrailerMissing,
        Self::TrailerZeroed,
        Self::TrailerMoved,
        Self::Junk,
        Self::Sections,
        Self::Entry,
        Self::Everything,
        Self::FirstFilter,
        Self::Unrecognisable,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::FirstMagic => "first magic",
            Self::AllMagics => "all magics",
            Self::ZeroSizes => "p_info sizes zero",
            Self::ProgramInfo => "p_info random",
            Self::LoaderInfo => "l_info random",
            Self::TrailerMissing => "trailer missing",
            Self::TrailerZeroed => "trailer zeroed",
            Self::TrailerMoved => "trailer moved",
            Self::Junk => "junk appended",
            Self::Sections => "section headers",
            Self::Entry => "entry",
            Self::Everything => "everything",
            Self::FirstFilter => "first block's filter",
            Self::Unrecognisable => "all that is not read",
        }
    }

    /// Whether the program can only come out of the stub.
    pub(super) const fn is_beyond_repair(self) -> bool {
        matches!(self, Self::FirstFilter | Self::Unrecognisable)
    }

    /// Damages a packed file.
    pub(super) fn apply(self, file: &mut Vec<u8>, random: &mut impl Rng) {
        // `l_info` begins four bytes before its magic number, the first one in the file.
        let Some(&magic) = magics(file).first() else { return };
        let (loader, program) = (magic - 4..magic + 8, magic + 8..magic + 20);
        // Behind both sizes and the method of the first block.
        let filter = magic + 29..magic + 32;
        let trailer = file.len() - TRAILER;
        match self {
            Self::None => {}
            Self::FirstMagic => random.fill_bytes(&mut file[magic..magic + MAGIC.len()]),
            Self::AllMagics => overwrite_magics(file, random),
            Self::ZeroSizes => file[program.start + 4..program.end].fill(0),
            Self::ProgramInfo => random.fill_bytes(&mut file[program]),
            Self::LoaderInfo => random.fill_bytes(&mut file[loader]),
            Self::TrailerMissing => file.truncate(trailer),
            Self::TrailerZeroed => file[trailer..].fill(0),
            Self::TrailerMoved => {
                file.splice(trailer..trailer, junk(random));
            }
            Self::Junk => file.extend(junk(random)),
            Self::Sections => add_sections(file, random),
            Self::Entry => random.fill_bytes(&mut file[24..28]),
            Self::Everything => {
                overwrite_magics(file, random);
                random.fill_bytes(&mut file[loader.start..program.end]);
                file.truncate(trailer);
                add_sections(file, random);
                random.fill_bytes(&mut file[24..28]);
            }
            Self::FirstFilter => overwrite_filter(&mut file[filter], random),
            Self::Unrecognisable => {
                overwrite_filter(&mut file[filter], random);
                overwrite_names(file, random);
                random.fill_bytes(&mut file[loader.start..program.end]);
                file.truncate(trailer);
            }
        }
    }
}

/// Puts something else there than the zeros of a block without a filter.
fn overwrite_filter(bytes: &mut [u8], random: &mut impl Rng) {
    random.fill_bytes(bytes);
    bytes.iter_mut().for_each(|byte| *byte |= 1);
}

/// Overwrites the text by which the stub names the packer.
fn overwrite_names(file: &mut [u8], random: &mut impl Rng) {
    const NAME: &[u8] = b"UPX";
    let starts = file.windows(NAME.len()).enumerate();
    let names: Vec<usize> = starts.filter(|(_, bytes)| *bytes == NAME).map(|(at, _)| at).collect();
    for at in names {
        random.fill_bytes(&mut file[at..at + NAME.len()]);
    }
}

/// Overwrites the first magic number and those at the end; another one is a program's text that
/// did not become smaller.
fn overwrite_magics(file: &mut [u8], random: &mut impl Rng) {
    let found = magics(file);
    let end = file.len().saturating_sub(2 * TRAILER);
    for at in found.iter().copied().filter(|at| found.first() == Some(at) || *at >= end) {
        random.fill_bytes(&mut file[at..at + MAGIC.len()]);
    }
}

fn magics(file: &[u8]) -> Vec<usize> {
    let starts = file.windows(MAGIC.len()).enumerate();
    starts.filter(|(_, bytes)| *bytes == MAGIC).map(|(at, _)| at).collect()
}

fn junk(random: &mut impl Rng) -> Vec<u8> {
    let mut bytes = vec![0; 100 + random.next_u32() as usize % 5000];
    random.fill_bytes(&mut bytes);
    bytes
}

/// Appends a table of section headers and names it in the ELF header.
fn add_sections(file: &mut Vec<u8>, random: &mut impl Rng) {
    let (is_64_bit, is_big) = (file[4] == 2, file[5] == 2);
    let (offset, size, entry) = if is_64_bit { (40, 58, 64_u16) } else { (32, 46, 40_u16) };
    let table = (file.len() as u32, 5_u16);
    file.extend(junk(random));
    let half = |value: u16| if is_big { value.to_be_bytes() } else { value.to_le_bytes() };
    let word = if is_big { table.0.to_be_bytes() } else { table.0.to_le_bytes() };
    let offset = if is_64_bit && is_big { offset + 4 } else { offset };
    file[offset..offset + 4].copy_from_slice(&word);
    file[size..size + 2].copy_from_slice(&half(entry));
    file[size + 2..size + 4].copy_from_slice(&half(table.1));
}
