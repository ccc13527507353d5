//! Files that only their stub unpacks.

use miyaburi_image::{Family, Image, Segment};
use miyaburi_unpackers::stub::{self, Budget};

/// Whether the packer's stub for this program never ends: that of UPX 3.96 for MIPS calls `mprotect`
/// by a routine that returns to itself.
pub(super) fn is_broken(version: &str, original: &[u8]) -> bool {
    let is_mips = Image::parse(original).is_ok_and(|it| it.arch().family == Family::Mips);
    version == "UPX 3.96" && is_mips
}

/// Whether what comes out of a packed file loads the same as the packer's input. Section headers are
/// in no memory.
pub(super) fn is_loaded(file: &[u8], original: &[u8]) -> bool {
    let budget = Budget { instructions: 100_000_000, memory: 64 << 20, deadline: None };
    let Ok(Some(mut program)) = stub::run(file, &budget) else { return false };
    forget_sections(&mut program);
    let mut original = original.to_vec();
    forget_sections(&mut original);
    let (Ok(found), Ok(wanted)) = (Image::parse(&program), Image::parse(&original)) else {
        return false;
    };
    let loaded = |image: &Image| -> Vec<Segment> { image.segments().to_vec() };
    found.entry() == wanted.entry()
        && found.arch() == wanted.arch()
        && loaded(&found) == loaded(&wanted)
}

/// Takes the place and number of section headers out of the ELF header.
fn forget_sections(file: &mut [u8]) {
    let (place, number) = if file[4] == 2 { (40..48, 60..64) } else { (32..36, 48..52) };
    file[place].fill(0);
    file[number].fill(0);
}
