//! Where built specimens go: a folder of plain files, or the committed archive with its lists.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, bail};
use lzma_rust2::{XzOptions, XzWriter};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::build::Built;

/// Name of the committed archive.
pub(super) const ARCHIVE: &str = "specimens.tar.xz";

/// Writes every file plain into `folder`, with `manifest.ndjson` and `truth.ndjson`. Specimens of
/// an earlier run there are removed: they would have no truth.
pub(super) fn write_folder(folder: &Path, built: &[Built]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    remove_earlier(folder)?;
    for specimen in built {
        write_specimen(folder, specimen)?;
    }
    write_lists(folder, built)
}

/// The specimens of a folder that [`write_folder`] wrote.
pub(super) fn read_folder(folder: &Path) -> anyhow::Result<Vec<Built>> {
    let manifest = read_ndjson(&folder.join("manifest.ndjson"))?;
    let truth = read_ndjson(&folder.join("truth.ndjson"))?;
    manifest
        .into_iter()
        .zip(truth)
        .map(|(manifest, truth)| {
            let label = manifest.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
            let path = folder.join(&label);
            let bytes = fs::read(&path).with_context(|| format!("{}", path.display()))?;
            let hash = Some(Json::from(hex::encode(Sha256::digest(&bytes))));
            if manifest.get("sha256").cloned() != hash || truth.get("sha256").cloned() != hash {
                bail!("{}: not the file of manifest and truth", path.display());
            }
            Ok(Built { label, bytes, truth, manifest })
        })
        .collect()
}

fn read_ndjson(path: &Path) -> anyhow::Result<Vec<Map<String, Json>>> {
    let text = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{}", path.display())))
        .collect()
}

/// Writes the archive, the lists and the examples of the repository into `folder`.
pub(super) fn write_committed(folder: &Path, built: &[Built]) -> anyhow::Result<()> {
    let archive = pack(built)?;
    write(&folder.join(ARCHIVE), &archive)?;
    write_lists(folder, built)?;
    let examples = folder.join("examples");
    fs::create_dir_all(&examples).with_context(|| format!("{}", examples.display()))?;
    let chosen = examples_of(built);
    for specimen in &chosen {
        write_specimen(&examples, specimen)?;
    }
    write(
        &folder.join("examples.truth.ndjson"),
        ndjson(chosen.iter().map(|specimen| &specimen.truth))?.as_bytes(),
    )
}

/// Removes the files that the manifest in `folder` names, if there is one.
fn remove_earlier(folder: &Path) -> anyhow::Result<()> {
    let manifest = folder.join("manifest.ndjson");
    if !manifest.exists() {
        return Ok(());
    }
    for line in read_ndjson(&manifest)? {
        let name = line.get("name").and_then(Json::as_str).and_then(|name| {
            // Only a plain file name stays inside the folder.
            Path::new(name).file_name().filter(|file| *file == name)
        });
        if let Some(file) = name.map(|name| folder.join(name)).filter(|file| file.is_file()) {
            fs::remove_file(&file).with_context(|| format!("{}", file.display()))?;
        }
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    fs::write(path, content).with_context(|| format!("{}", path.display()))
}

fn write_specimen(folder: &Path, specimen: &Built) -> anyhow::Result<()> {
    write(&folder.join(&specimen.label), &specimen.bytes)
}

fn write_lists(folder: &Path, built: &[Built]) -> anyhow::Result<()> {
    let manifest = ndjson(built.iter().map(|specimen| &specimen.manifest))?;
    write(&folder.join("manifest.ndjson"), manifest.as_bytes())?;
    let truth = ndjson(built.iter().map(|specimen| &specimen.truth))?;
    write(&folder.join("truth.ndjson"), truth.as_bytes())
}

fn ndjson<'a>(lines: impl Iterator<Item = &'a Map<String, Json>>) -> anyhow::Result<String> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    Ok(text)
}

/// A tar file under xz. Files of one toolchain and level stand together: they share most code.
fn pack(built: &[Built]) -> anyhow::Result<Vec<u8>> {
    let mut sorted: Vec<&Built> = built.iter().collect();
    sorted.sort_by_key(|specimen| neighbours(&specimen.manifest, &specimen.label));
    let mut tar = tar::Builder::new(Vec::new());
    for specimen in sorted {
        let mut header = tar::Header::new_ustar();
        header.set_size(specimen.bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, &specimen.label, specimen.bytes.as_slice())?;
    }
    let plain = tar.into_inner()?;
    let mut options = XzOptions::with_preset(9);
    options.lzma_options.dict_size = 1 << 27;
    let mut writer = XzWriter::new(Vec::new(), options)?;
    writer.write_all(&plain)?;
    Ok(writer.finish()?)
}

/// Sort key: toolchain first, then what else makes machine code alike.
fn neighbours(manifest: &Map<String, Json>, label: &str) -> (String, String) {
    let labels = manifest.get("labels");
    let label_of = |name: &str| {
        labels.and_then(|labels| labels.get(name)).and_then(Json::as_str).unwrap_or_default()
    };
    let near: Vec<&str> =
        ["target", "libc", "compiler", "opt", "size", "unit"].map(label_of).to_vec();
    (near.join(" "), label.to_owned())
}

/// A dozen small files across targets and forks.
fn examples_of(built: &[Built]) -> Vec<&Built> {
    const EXAMPLES: usize = 14;
    let labels = |specimen: &Built, name: &str| {
        specimen
            .truth
            .get("labels")
            .and_then(|labels| labels.get(name))
            .cloned()
            .unwrap_or_default()
    };
    let mut chosen: Vec<&Built> = Vec::new();
    for specimen in built {
        let is_new =
            |name: &str| chosen.iter().all(|other| labels(other, name) != labels(specimen, name));
        if labels(specimen, "libc") == "tiny"
            && labels(specimen, "size") == "small"
            && is_new("target")
            && is_new("fork")
        {
            chosen.push(specimen);
        }
        if chosen.len() == EXAMPLES {
            break;
        }
    }
    chosen
}
