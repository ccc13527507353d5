//! Builds one specimen: sources, values, compiler, strip.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::toolchain::{Libc, Target, workspace_root};

use super::{
    ballast, configuration::Configuration, header::config_header, lookalike, plan::Specimen, truth,
};

/// A built file with what is known of it.
pub(super) struct Built {
    pub(super) label: String,
    pub(super) sha256: String,
    pub(super) bytes: Vec<u8>,
    /// The line of `truth.ndjson`.
    pub(super) truth: Map<String, Json>,
    /// The line of `manifest.ndjson`.
    pub(super) manifest: Map<String, Json>,
}

/// Folder of the C sources.
fn source_folder() -> PathBuf {
    workspace_root().join("specimens").join("src")
}

const MODULES: [&str; 13] = [
    "inert.c",
    "table.c",
    "util.c",
    "rand.c",
    "checksum.c",
    "resolver.c",
    "killer.c",
    "scanner.c",
    "exploit.c",
    "attack.c",
    "attack_udp.c",
    "attack_tcp.c",
    "attack_gre.c",
];
const LAST_MODULES: [&str; 2] = ["attack_app.c", "main.c"];

/// Builds `specimen` under `seed`, in a folder of its own below `scratch`. With `symbols`, the file
/// as it was before stripping goes there too.
pub(super) fn build(
    specimen: &Specimen,
    seed: u64,
    scratch: &Path,
    symbols: Option<&Path>,
) -> anyhow::Result<Built> {
    let label = specimen.label();
    let folder = scratch.join(&label);
    fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let mut truth = write_values(specimen, seed, &label, &folder)?;
    let output = folder.join("specimen.elf");
    compile(specimen, &folder, &output)?;
    if let Some(symbols) = symbols {
        fs::copy(&output, symbols.join(&label)).with_context(|| format!("{label}: symbols"))?;
    }
    specimen.toolchain.strip(&output, specimen.section_headers)?;
    let bytes = fs::read(&output).with_context(|| format!("{}", output.display()))?;
    fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    truth.insert("sha256".into(), sha256.as_str().into());
    truth.insert("labels".into(), labels(specimen));
    let mut manifest = Map::new();
    manifest.insert("sha256".into(), sha256.as_str().into());
    manifest.insert("name".into(), label.as_str().into());
    manifest.insert("size".into(), bytes.len().into());
    manifest.insert("labels".into(), labels(specimen));
    Ok(Built { label, sha256, bytes, truth, manifest })
}

/// Writes the generated sources and gives the truth that they imply.
fn write_values(
    specimen: &Specimen,
    seed: u64,
    label: &str,
    folder: &Path,
) -> anyhow::Result<Map<String, Json>> {
    let target = specimen.toolchain.target;
    let (header, truth) = if specimen.fork.is_lookalike() {
        (lookalike::config_header(specimen.fork, seed, label), truth::of_lookalike(target))
    } else {
        let configuration = Configuration::generate(specimen.fork, seed, label);
        (config_header(&configuration), truth::of_family(&configuration, target))
    };
    fs::write(folder.join("config.h"), header)?;
    if specimen.ballast {
        fs::write(folder.join("ballast.h"), ballast::HEADER)?;
        fs::write(folder.join("ballast.c"), ballast::source(seed))?;
    }
    Ok(truth)
}

fn compile(specimen: &Specimen, folder: &Path, output: &Path) -> anyhow::Result<()> {
    let source = source_folder();
    let (program, tiny) = (source.join("bot"), source.join("tiny"));
    let mut sources: Vec<PathBuf> = if specimen.fork.is_lookalike() {
        lookalike::sources(specimen.fork).iter().map(|file| source.join(file)).collect()
    } else if specimen.single_unit {
        vec![program.join("unity.c")]
    } else {
        MODULES.iter().chain(&LAST_MODULES).map(|file| program.join(file)).collect()
    };
    if specimen.ballast && !specimen.single_unit {
        sources.push(folder.join("ballast.c"));
    }
    let mut includes = vec![folder.to_owned(), program.join("include")];
    let prefix_map = format!("-ffile-prefix-map={}=.", folder.display());
    let mut extra = vec!["-std=gnu99", "-w", prefix_map.as_str()];
    if specimen.ballast {
        extra.push("-DBALLAST");
    }
    if specimen.toolchain.libc == Libc::Tiny {
        extra.push("-DTINY_LIBC");
        includes.push(tiny.clone());
        sources.push(tiny.join("unity.c"));
        if !specimen.toolchain.has_support_library() {
            sources.push(tiny.join("divide.c"));
        }
        sources.push(tiny.join("arch").join(start_file(specimen.toolchain.target)));
    }
    specimen.toolchain.compile(specimen.optimisation, &sources, &includes, &extra, output)
}

/// The assembly file with a target's entry point and system call.
fn start_file(target: Target) -> &'static str {
    match target {
        Target::Armv5 | Target::Armv7Thumb | Target::ArmBe => "arm.S",
        Target::Aarch64 => "aarch64.S",
        Target::MipsBe | Target::MipsLe => "mips.S",
        Target::PowerPc => "powerpc.S",
        Target::Sparc32 => "sparc.S",
        Target::Sh4 => "sh4.S",
        Target::M68k | Target::ColdFire => "m68k.S",
        Target::X86 => "x86.S",
        Target::X86_64 => "x86_64.S",
        Target::Riscv64 => "riscv64.S",
    }
}

fn labels(specimen: &Specimen) -> Json {
    json!({
        "target": specimen.toolchain.target.name(),
        "opt": specimen.optimisation.trim_start_matches('-'),
        "libc": specimen.toolchain.libc.name(),
        "compiler": specimen.toolchain.compiler.name(),
        "fork": specimen.fork.name(),
        "unit": if specimen.single_unit { "single" } else { "modules" },
        "sections": if specimen.section_headers { "yes" } else { "no" },
        "size": if specimen.ballast { "large" } else { "small" },
    })
}
