//! Files that only their stub unpacks.

use miyaburi_image::{Endian, Family, Image, Segment};
use miyaburi_unpackers::stub::{self, Budget};

/// Whether the stub that the packer gives this program with this method does not get to the program on
/// other machines either: QEMU 7.2, and on x86 the CPU (`bench/unpacking.md` has the table). The brute
/// methods of the older version choose LZMA for big-endian ARM.
pub(super) fn is_broken(version: &str, method: &str, original: &[u8]) -> bool {
    let Ok(image) = Image::parse(original) else { return false };
    let is_old = version == "UPX 3.96";
    let is_brute = ["--brute", "--ultra-brute"].contains(&method);
    match image.arch().family {
        Family::Mips | Family::PowerPc => is_old,
        Family::AArch64 => method == "--nrv2d",
        Family::Arm if image.arch().endian == Endian::Big => {
            is_old && (is_brute || method == "--lzma")
        }
        Family::X86 => is_old && is_brute,
        _ => false,
    }
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
