//! Example specimens that the real packer packed.

#![allow(dead_code, clippy::unwrap_used, reason = "support of several test programs")]

use std::path::{Path, PathBuf};

/// One of the packed files in `tests/data`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed {
    /// Name of the file.
    pub(crate) name: &'static str,
    /// The packer's input, among `specimens/examples`.
    pub(crate) original: &'static str,
    /// The version as its stub gives it.
    pub(crate) version: &'static str,
    /// The method that the packer was told to use.
    pub(crate) method: &'static str,
    /// The filter of its CPU type.
    pub(crate) filter: u8,
    /// Offset of the first block's header: 24 bytes behind the program headers.
    pub(crate) block: usize,
    /// Whether its numbers have their most significant byte first.
    pub(crate) big: bool,
}

const fn packed(
    name: &'static str,
    original: &'static str,
    method: &'static str,
    filter: u8,
    block: usize,
) -> Packed {
    // The packer writes its version 4.2.2 like this.
    let version = if name.as_bytes()[name.len() - 1] == b'2' { "4.22" } else { "3.96" };
    let first = name.as_bytes()[0];
    let big = name.as_bytes()[3] == b'e' || first == b'p' || name.as_bytes()[5] == b'b';
    Packed { name, original, version, method, filter, block, big }
}

/// All of them.
pub(crate) const PACKED: [Packed; 9] = [
    packed("aarch64.nrv2e.upx-4.2.2", "aarch64-gcc-tiny.plain_c2-O1.single", "nrv2e", 0x52, 0x100),
    packed("armeb.nrv2b.upx-3.96", "armeb-gcc-tiny.mixed_keys-O1.single", "nrv2b", 0x51, 0xac),
    packed("armv5.nrv2d.upx-4.2.2", "armv5-gcc-tiny.classic-O0.single", "nrv2d", 0x50, 0xac),
    packed(
        "armv7-thumb.nrv2e.upx-3.96",
        "armv7-thumb-gcc-tiny.renumbered-O2.modules",
        "nrv2e",
        0,
        0xac,
    ),
    packed("mips-be.nrv2e.upx-3.96", "mips-be-gcc-tiny.immediate-O0.modules", "nrv2e", 0, 0x8c),
    packed("mips-le.nrv2b.upx-4.2.2", "mips-le-gcc-tiny.many_c2-O0.modules", "nrv2b", 0, 0xac),
    packed("powerpc.lzma.upx-4.2.2", "powerpc-gcc-tiny.no_table-O2.single", "lzma", 0xd0, 0xac),
    packed("x86.nrv2d.upx-3.96", "x86-gcc-tiny.switch_dispatch-O2.modules", "nrv2d", 0x49, 0xac),
    packed("x86_64.lzma.upx-4.2.2", "x86_64-gcc-tiny.no_scanner-O1.modules", "lzma", 0x49, 0x100),
];

/// A file of `specimens/packed`.
pub(crate) fn packed_file(name: &str) -> Vec<u8> {
    std::fs::read(root().join("specimens/packed").join(name)).unwrap()
}

impl Packed {
    /// The packed file.
    pub(crate) fn file(&self) -> Vec<u8> {
        packed_file(self.name)
    }

    /// The packer's input.
    pub(crate) fn original(&self) -> Vec<u8> {
        std::fs::read(root().join("specimens/examples").join(self.original)).unwrap()
    }

    /// Writes a number of four bytes in the file's byte order.
    pub(crate) fn put(&self, file: &mut [u8], at: usize, value: u32) {
        let bytes = if self.big { value.to_be_bytes() } else { value.to_le_bytes() };
        file[at..at + 4].copy_from_slice(&bytes);
    }
}

/// Where the magic number of the packer stands in a file.
pub(crate) fn magics(file: &[u8]) -> Vec<usize> {
    (0..file.len() - 4).filter(|&at| file[at..].starts_with(b"UPX!")).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
