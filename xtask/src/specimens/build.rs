//! Builds one specimen: sources, values, compiler, strip.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::toolchain::{Libc, workspace_root};

use super::{
    configuration::Configuration,
    fork::Fork,
    header::config_header,
    lookalike,
    parts::{self, Parts},
    plan::Specimen,
    truth,
};

/// A built file with what is known of it.
pub(super) struct Built {
    pub(super) label: String,
    pub(super) bytes: Vec<u8>,
    /// The line of `truth.ndjson`.
    pub(super) truth: Map<String, Json>,
    /// The line of `manifest.ndjson`.
    pub(super) manifest: Map<String, Json>,
}

/// Folder of the C sources.
pub(super) fn source_folder() -> PathBuf {
    workspace_root().join("specimens").join("src")
}

const MODULES: [&str; 15] = [
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
    "attack_app.c",
    "main.c",
];

/// The modules that only some forks have.
fn further_modules(fork: Fork) -> Option<&'static str> {
    if fork.has_cipher() {
        Some("cipher.c")
    } else if fork == Fork::ObservedAttacks {
        Some("attack_more.c")
    } else {
        Fork::DESTINATIONS.contains(&fork).then_some("reach.c")
    }
}

/// In a file with symbols, the name of the handler that sends SYN packets says something else.
const MISNAMED: &str = "-Dattack_tcp_syn=attack_udp_flood";

/// Builds `specimen` under `seed`, in a folder of its own below `scratch`. With `symbols`, the file
/// as it was before stripping goes there too.
pub(super) fn build(
    specimen: &Specimen,
    seed: u64,
    scratch: &Path,
    parts: &Parts,
    symbols: Option<&Path>,
) -> anyhow::Result<Built> {
    let label = specimen.label();
    let folder = scratch.join(&label);
    fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    write_values(specimen, seed, &label, &folder)?;
    let output = folder.join("specimen.elf");
    compile(specimen, &folder, parts, &[], &output)?;
    if let Some(symbols) = symbols {
        fs::copy(&output, symbols.join(&label)).with_context(|| format!("{label}: symbols"))?;
    }
    if !specimen.symbols {
        specimen.toolchain.strip(&output, specimen.section_headers)?;
    }
    let bytes = fs::read(&output).with_context(|| format!("{}", output.display()))?;
    fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    Ok(described(specimen, seed, bytes))
}

/// What is known of a file that was built of `specimen` under `seed`.
pub(super) fn described(specimen: &Specimen, seed: u64, bytes: Vec<u8>) -> Built {
    let (label, target) = (specimen.label(), specimen.toolchain.target);
    let mut truth = if specimen.fork.is_lookalike() {
        truth::of_lookalike(target)
    } else {
        truth::of_family(&configuration(specimen, seed), target)
    };
    let sha256 = hex::encode(Sha256::digest(&bytes));
    truth.insert("sha256".into(), sha256.as_str().into());
    truth.insert("labels".into(), labels(specimen));
    let mut manifest = Map::new();
    manifest.insert("sha256".into(), sha256.as_str().into());
    manifest.insert("name".into(), label.as_str().into());
    manifest.insert("size".into(), bytes.len().into());
    manifest.insert("labels".into(), labels(specimen));
    Built { label, bytes, truth, manifest }
}

/// What goes into a specimen of the family.
pub(crate) fn configuration(specimen: &Specimen, seed: u64) -> Configuration {
    Configuration::generate(specimen.fork, seed, &specimen.label())
}

/// Builds a specimen of the family with further `switches`, such as those for debug information,
/// and leaves it with its symbols at `output`.
pub(crate) fn compile_with(
    specimen: &Specimen,
    seed: u64,
    folder: &Path,
    parts: &Parts,
    switches: &[&str],
    output: &Path,
) -> anyhow::Result<()> {
    fs::write(folder.join("config.h"), config_header(&configuration(specimen, seed)))?;
    compile(specimen, folder, parts, switches, output)
}

/// Writes the generated sources.
fn write_values(specimen: &Specimen, seed: u64, label: &str, folder: &Path) -> anyhow::Result<()> {
    let header = if specimen.fork.is_lookalike() {
        lookalike::config_header(specimen.fork, seed, label)
    } else {
        config_header(&configuration(specimen, seed))
    };
    let path = folder.join("config.h");
    fs::write(&path, header).with_context(|| format!("{}", path.display()))
}

fn compile(
    specimen: &Specimen,
    folder: &Path,
    parts: &Parts,
    switches: &[&str],
    output: &Path,
) -> anyhow::Result<()> {
    let (toolchain, level) = (specimen.toolchain, specimen.optimisation);
    let source = source_folder();
    let program = source.join("bot");
    let mut inputs: Vec<PathBuf> = if specimen.fork.is_lookalike() {
        lookalike::sources(specimen.fork).iter().map(|file| source.join(file)).collect()
    } else if specimen.single_unit {
        vec![program.join("unity.c")]
    } else {
        let further = further_modules(specimen.fork);
        MODULES.into_iter().chain(further).map(|file| program.join(file)).collect()
    };
    let mut includes = vec![folder.to_owned(), program.join("include")];
    let prefix_map = format!("-ffile-prefix-map={}=.", folder.display());
    let mut extra = parts::SWITCHES.to_vec();
    extra.push(&prefix_map);
    extra.extend(switches);
    if specimen.ballast {
        extra.push("-DBALLAST");
        includes.push(parts.include().to_owned());
        inputs.extend(parts.ballast(toolchain, level)?);
    }
    if toolchain.libc == Libc::Tiny {
        extra.push("-DTINY_LIBC");
        includes.push(source.join("tiny"));
        inputs.extend(parts.library(toolchain, level)?);
        if specimen.fork == Fork::ObservedAttacks {
            inputs.push(source.join("tiny").join("messages.c"));
        }
    }
    if specimen.symbols {
        extra.push(MISNAMED);
    }
    toolchain.compile(level, &inputs, &includes, &extra, output)
}

fn labels(specimen: &Specimen) -> Json {
    let mut labels = json!({
        "target": specimen.toolchain.target.name(),
        "opt": specimen.optimisation.trim_start_matches('-'),
        "libc": specimen.toolchain.libc.name(),
        "compiler": specimen.toolchain.compiler.name(),
        "fork": specimen.fork.name(),
        "unit": if specimen.single_unit { "single" } else { "modules" },
        "sections": if specimen.section_headers { "yes" } else { "no" },
        "size": if specimen.ballast { "large" } else { "small" },
    });
    if specimen.symbols {
        labels["symbols"] = "yes".into();
    }
    if specimen.fork.must_run() {
        labels["piece"] = "run".into();
    }
    labels
}
