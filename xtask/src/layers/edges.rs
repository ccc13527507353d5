//! Which crate may depend on which.

use anyhow::Context;
use serde_json::Value as Json;

/// Prefix of the project's crates.
const PREFIX: &str = "miyaburi-";

/// Engines that decode or emulate instructions: only the lifter's backend may name one.
const ENGINES: [&str; 5] = ["libsla", "sleigh", "icicle", "unicorn", "capstone"];

/// A crate and the crates of the project that it may depend on.
const LAYERS: [(&str, &[&str]); 18] = [
    ("image", &[]),
    ("model", &[]),
    ("pcode", &["image"]),
    ("emulator", &["image", "pcode"]),
    ("linux", &["image", "pcode", "emulator"]),
    ("unpackers", &["image", "pcode", "emulator", "linux"]),
    ("analysis", &["image", "pcode", "emulator"]),
    ("extractors", &["image", "pcode", "emulator", "linux", "analysis", "model"]),
    (
        "pipeline",
        &["image", "pcode", "emulator", "linux", "unpackers", "analysis", "model", "extractors"],
    ),
    ("archives", &[]),
    (
        "corpus",
        &["image", "pcode", "emulator", "analysis", "model", "extractors", "pipeline", "archives"],
    ),
    ("confinement", &[]),
    ("export", &["model"]),
    ("intel", &["model"]),
    ("ledger", &["export", "model"]),
    ("hunting", &["archives", "model"]),
    (
        "cli",
        &[
            "image",
            "pcode",
            "emulator",
            "analysis",
            "model",
            "extractors",
            "pipeline",
            "corpus",
            "confinement",
            "export",
            "intel",
            "ledger",
            "hunting",
        ],
    ),
    ("robustness", &["image", "pcode", "emulator", "analysis", "model", "extractors", "pipeline"]),
];

/// A package of the workspace.
#[derive(Debug)]
pub(super) struct Package {
    name: String,
    dependencies: Vec<String>,
}

/// The packages in the output of `cargo metadata`, with dependencies of every kind.
pub(super) fn packages(metadata: &Json) -> anyhow::Result<Vec<Package>> {
    let name_of = |value: &Json| {
        value["name"].as_str().map(str::to_owned).context("a package without a name")
    };
    let packages = metadata["packages"].as_array().context("no packages in the metadata")?;
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().context("no dependencies")?;
            Ok(Package {
                name: name_of(package)?,
                dependencies: dependencies.iter().map(name_of).collect::<anyhow::Result<_>>()?,
            })
        })
        .collect()
}

/// One line for every edge that the layers forbid.
pub(super) fn violations(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .filter_map(|package| Some((package, package.name.strip_prefix(PREFIX)?)))
        .flat_map(|(package, name)| {
            package.dependencies.iter().filter_map(move |dependency| judge(name, dependency))
        })
        .collect()
}

fn judge(name: &str, dependency: &str) -> Option<String> {
    if let Some(inner) = dependency.strip_prefix(PREFIX) {
        return match LAYERS.iter().find(|(layer, _)| *layer == name) {
            None => Some(format!("{name} has no place in the layers")),
            Some((_, allowed)) if allowed.contains(&inner) => None,
            Some(_) => Some(format!("{name} must not depend on {inner}")),
        };
    }
    let is_engine = ENGINES.iter().any(|engine| dependency.starts_with(engine));
    (is_engine && name != "pcode")
        .then(|| format!("{name} must not depend on {dependency}: only pcode names an engine"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn judged(edges: &[(&str, &[&str])]) -> Vec<String> {
        let packages: Vec<Json> = edges
            .iter()
            .map(|(name, dependencies)| {
                let dependencies: Vec<Json> =
                    dependencies.iter().map(|name| json!({ "name": name })).collect();
                json!({ "name": name, "dependencies": dependencies })
            })
            .collect();
        violations(&super::packages(&json!({ "packages": packages })).unwrap())
    }

    #[test]
    fn edges_to_the_left_are_allowed() {
        let edges: [(&str, &[&str]); 4] = [
            ("miyaburi-pcode", &["miyaburi-image", "thiserror"]),
            ("miyaburi-extractors", &["miyaburi-analysis", "miyaburi-model"]),
            ("miyaburi-cli", &["miyaburi-corpus", "miyaburi-pipeline"]),
            ("xtask", &["miyaburi-image", "anyhow"]),
        ];
        assert!(judged(&edges).is_empty());
    }

    #[test]
    fn a_forbidden_edge_is_reported() {
        let expected = ["image must not depend on pcode"];
        assert_eq!(judged(&[("miyaburi-image", &["miyaburi-pcode"])]), expected);
        let expected = ["model must not depend on image"];
        assert_eq!(judged(&[("miyaburi-model", &["serde", "miyaburi-image"])]), expected);
        let expected = ["hunting must not depend on pipeline"];
        assert_eq!(judged(&[("miyaburi-hunting", &["miyaburi-pipeline"])]), expected);
    }

    #[test]
    fn a_crate_outside_of_the_layers_is_reported() {
        let expected = ["extra has no place in the layers"];
        assert_eq!(judged(&[("miyaburi-extra", &["miyaburi-model"])]), expected);
    }

    #[test]
    fn only_the_lifter_names_an_engine() {
        let expected = ["emulator must not depend on libsla-sys: only pcode names an engine"];
        assert_eq!(judged(&[("miyaburi-emulator", &["libsla-sys"])]), expected);
        assert!(judged(&[("miyaburi-pcode", &["libsla-sys"])]).is_empty());
    }
}
