//! What is known of a file before anything in it is understood.

use md5::Md5;
use miyaburi_image::Arch;
use miyaburi_model::{Endian, FileFormat, HexBytes, Sample};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The digests and size of a file.
pub(crate) fn describe(bytes: &[u8], path: &str) -> Sample {
    Sample {
        path: path.to_owned(),
        sha256: Some(digest::<Sha256>(bytes)),
        sha1: Some(digest::<Sha1>(bytes)),
        md5: Some(digest::<Md5>(bytes)),
        size: Some(bytes.len() as u64),
        ..Sample::default()
    }
}

fn digest<D: Digest>(bytes: &[u8]) -> HexBytes {
    HexBytes::from(D::digest(bytes).to_vec())
}

/// Adds what the ELF header told, or the user of a file that has none.
pub(crate) fn add_arch(sample: &mut Sample, format: FileFormat, arch: Arch) {
    sample.format = Some(format);
    sample.arch = Some(arch.name().to_owned());
    sample.cpu = Some(arch.cpu.to_owned());
    sample.bits = Some((arch.pointer_size() * 8) as u8);
    sample.endian = Some(match arch.endian {
        miyaburi_image::Endian::Little => Endian::Little,
        miyaburi_image::Endian::Big => Endian::Big,
    });
}
