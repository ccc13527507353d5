//! What file was analysed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::HexBytes;

/// The analysed file. Digests are null only when the file could not be read; everything about
/// the program is null when it is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Path as given or as met, members of archives behind a `!`.
    pub path: String,
    /// SHA-256 of the file as it lies on disk, lower-case hexadecimal.
    pub sha256: Option<HexBytes>,
    /// SHA-1 of the same bytes.
    pub sha1: Option<HexBytes>,
    /// MD5 of the same bytes.
    pub md5: Option<HexBytes>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// File format.
    pub format: Option<FileFormat>,
    /// CPU family: `arm`, `aarch64`, `mips`, `powerpc`, `sparc`, `superh`, `m68k`, `x86`,
    /// `x86_64`, `riscv`, `arc`; for an unsupported one its usual name.
    pub arch: Option<String>,
    /// CPU variant, such as `armv5`, `mips-be-o32` or `amd64`.
    pub cpu: Option<String>,
    /// Width of a pointer in bits.
    pub bits: Option<u8>,
    /// Byte order of data.
    pub endian: Option<Endian>,
    /// The packer that was undone, null when the file was not packed.
    pub packer: Option<Packer>,
}

/// File formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Executable and Linkable Format.
    Elf,
    /// Memory without a header, described by the user.
    Raw,
}

/// Byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// A packer around the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Packer {
    /// Name, such as `upx`; `unknown` when its stub was run instead.
    pub name: String,
    /// Version, when the file tells it.
    pub version: Option<String>,
    /// How the code was compressed: `nrv2b`, `nrv2d`, `nrv2e`, `lzma`, `deflate`; null when that
    /// is not known.
    #[serde(default)]
    pub method: Option<String>,
    /// Number of the filter that the code went through before it was compressed, such as `0x49`;
    /// null when there was none.
    #[serde(default)]
    pub filter: Option<String>,
    /// Fields of the packer's headers that were damaged and did without, such as `l_magic`;
    /// `stub_run` when the program could only be taken out of memory, once the packer's code had run.
    #[serde(default)]
    pub repaired: Vec<String>,
    /// SHA-256 of what was unpacked, of its beginning when the file was cut off; null when unpacking
    /// failed.
    pub unpacked_sha256: Option<HexBytes>,
    /// The packer around the program in what was unpacked, when that is packed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<Box<Packer>>,
}
