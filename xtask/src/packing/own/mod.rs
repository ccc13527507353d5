//! Packers of our own, which nobody knows: their stubs are C, compiled for four CPU types.
//!
//! ```text
//! stub.c   the stub: into mapped memory, or into a file that takes its place
//! lz.rs    a compression that it undoes; the other one is LZMA
//! ```

mod lz;

use std::{fmt::Write, fs, io::Write as _, path::Path};

use anyhow::{Context, ensure};
use lzma_rust2::{LzmaOptions, LzmaWriter};

use super::beyond;
use crate::toolchain::Toolchain;

/// Toolchains, each with the program that it packs.
const PROGRAMS: [(&str, &str); 4] = [
    ("aarch64-gcc-tiny", "aarch64-gcc-tiny.plain_c2-O1.single"),
    ("armv5-gcc-tiny", "armv5-gcc-tiny.classic-O0.single"),
    ("mips-be-gcc-tiny", "mips-be-gcc-tiny.immediate-O0.modules"),
    ("x86_64-gcc-tiny", "x86_64-gcc-tiny.no_scanner-O1.modules"),
];

/// What every payload is encrypted with follows from this.
const SEED: u32 = 0x6d69_7961;

/// Where the stubs lie: beside all programs.
const STUB: &str = "-Wl,-Ttext-segment=0x30000000";

/// How a stub unpacks: its name, its macros, how its payload is compressed.
const KINDS: [Kind; 3] = [
    ("lz", &["-DINTO_MEMORY"], |bytes| Ok(lz::compress(bytes))),
    ("lzma", &["-DINTO_MEMORY", "-DWITH_LZMA"], lzma),
    INTO_FILE,
];
const INTO_FILE: Kind = ("memfd", &["-DINTO_FILE"], |bytes| Ok(bytes.to_vec()));

type Kind = (&'static str, &'static [&'static str], Compress);
type Compress = fn(&[u8]) -> anyhow::Result<Vec<u8>>;

/// A program that another packer packed, to be packed again, and by whom.
const PACKED: (&str, &str, &str) =
    ("x86_64-gcc-tiny", "x86_64.lzma.upx-4.2.2", "x86_64.upx-in-memfd");

/// Packs each program in each way, and demands that it comes out; the packed files go to `keep`
/// where one is named.
///
/// # Errors
/// When a stub cannot be built, or a program does not come out as it went in.
pub(super) fn run(root: &Path, keep: Option<&Path>) -> anyhow::Result<()> {
    for (name, program) in PROGRAMS {
        let toolchain: Toolchain = name.parse()?;
        let cpu = name.trim_end_matches("-gcc-tiny");
        let input = root.join("specimens/examples").join(program);
        let original = fs::read(&input).with_context(|| input.display().to_string())?;
        for kind in KINDS {
            let name = format!("{cpu}.{}", kind.0);
            let packed = pack(&toolchain, root, kind, &original)?;
            ensure!(beyond::is_loaded(&packed, &original), "{name}: the program does not come out");
            println!("{name}: {} bytes, unpacked to what was packed", packed.len());
            if let Some(folder) = keep {
                fs::write(folder.join(&name), &packed)?;
            }
        }
    }
    let (toolchain, program, name) = PACKED;
    let input = root.join("specimens/packed").join(program);
    let original = fs::read(&input).with_context(|| input.display().to_string())?;
    let packed = pack(&toolchain.parse()?, root, INTO_FILE, &original)?;
    ensure!(beyond::is_loaded(&packed, &original), "{name}: the program does not come out");
    if let Some(folder) = keep {
        fs::write(folder.join(name), &packed)?;
    }
    Ok(())
}

fn pack(
    toolchain: &Toolchain,
    root: &Path,
    (_, macros, compress): Kind,
    original: &[u8],
) -> anyhow::Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let mut payload = compress(original)?;
    encrypt(&mut payload);
    let mut header = format!(
        "#define PAYLOAD_SIZE {}ul\n#define ORIGINAL_SIZE {}ul\n#define SEED {SEED}u\n\
         static const unsigned char payload[] = {{",
        payload.len(),
        original.len()
    );
    for byte in &payload {
        write!(header, "{byte},")?;
    }
    header.push_str("};\n");
    fs::write(folder.path().join("payload.h"), header)?;
    let output = folder.path().join("packed");
    let mut extra = vec![STUB, "-fno-builtin", "-fno-tree-loop-distribute-patterns"];
    extra.extend(macros);
    if toolchain.name().starts_with("mips") {
        extra.extend(["-fno-pic", "-mno-abicalls", "-G0"]);
    }
    let source = root.join("xtask/src/packing/own/stub.c");
    toolchain.compile("-O2", &[source], &[folder.path().to_owned()], &extra, &output)?;
    toolchain.strip(&output, false)?;
    Ok(fs::read(output)?)
}

/// LZMA without a header, with the usual numbers of context bits.
fn lzma(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut writer = LzmaWriter::new_no_header(Vec::new(), &LzmaOptions::with_preset(9), false)?;
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

/// Marsaglia's xorshift of 32 bits, the highest byte of each number.
fn encrypt(bytes: &mut [u8]) {
    let mut state = SEED;
    for byte in bytes {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *byte ^= (state >> 24) as u8;
    }
}
