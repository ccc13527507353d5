//! A configuration, its files and what it talks to.

use std::collections::BTreeSet;
use std::io;

use miyaburi_model::{Confidence, EndpointRole};
use serde_json::{Value, json};

use super::bundle::Bundle;
use super::{indicator, infrastructure, observable, technique};
use crate::configurations::{Configuration, File, hex};
use crate::gate::BLOCKABLE;
use crate::indicators::{Indicator, role_name};
use crate::list::{BlockList, VERSION};

/// Adds a configuration; how many texts that should be URLs were left out.
pub(super) fn write(
    bundle: &mut Bundle<'_>,
    identifier: &str,
    configuration: &Configuration,
    list: &BlockList,
) -> io::Result<usize> {
    let mut samples = Vec::new();
    for (sha256, file) in &configuration.files {
        samples.push(observable::file(bundle, sha256, file)?);
    }
    let malware = malware(bundle, identifier, configuration, &samples)?;
    technique::write(bundle, &malware, configuration)?;
    let mut found = BTreeSet::new();
    for host in configuration.hosts.keys() {
        let observable = write_host(bundle, &malware, host, list)?;
        if BLOCKABLE.contains(&host.role) {
            found.insert(observable);
        }
    }
    write_logins(bundle, identifier, &malware, configuration)?;
    for ((sha256, file), sample) in configuration.files.iter().zip(&samples) {
        write_analysis(bundle, &malware, (sha256, file), sample, &found)?;
    }
    let mut left_out = 0;
    for url in &configuration.urls {
        match observable::url(bundle, url)? {
            Some(url) => bundle.relation(&malware, "communicates-with", &url, None)?,
            None => left_out += 1,
        }
    }
    Ok(left_out)
}

/// Adds the configuration as a family of its own below that which its files agree on: its files are
/// more than one binary.
fn malware(
    bundle: &mut Bundle<'_>,
    identifier: &str,
    configuration: &Configuration,
    samples: &[String],
) -> io::Result<String> {
    let has = |role| configuration.hosts.keys().any(|host| host.role == role);
    let kinds = [
        (has(EndpointRole::C2), "bot"),
        (!configuration.attacks.is_empty(), "ddos"),
        (!configuration.requests.is_empty() || !configuration.logins.is_empty(), "worm"),
    ];
    let kinds: Vec<&str> = kinds.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect();
    let cpus: BTreeSet<String> = configuration
        .files
        .values()
        .filter_map(|it| Some(processor(it.arch.as_deref()?)))
        .collect();
    let (family, seen) = (configuration.family(), configuration.seen());
    let prefix = family.map_or_else(String::new, |(name, _)| format!("{name}, "));
    let members = json!({
        "name": format!("{prefix}configuration {identifier}"), "is_family": true,
        "description": description(configuration),
        "malware_types": kinds,
        "architecture_execution_envs": cpus.into_iter().collect::<Vec<String>>(),
        "first_seen": seen.map(|seen| seen.first.milliseconds()),
        "last_seen": seen.map(|seen| seen.last.milliseconds()),
        "sample_refs": samples,
        "confidence": family.map(|(_, confidence)| indicator::confidence(confidence)),
    });
    let id = bundle.object("malware", &json!(["configuration", identifier]), members)?;
    if let Some((name, _)) = family.filter(|(name, _)| !name.is_empty()) {
        let members = json!({ "name": name, "is_family": true });
        let family = bundle.object("malware", &json!(["family", name]), members)?;
        bundle.relation(&id, "variant-of", &family, None)?;
    }
    Ok(id)
}

/// The comparison hashes by which others know the configuration.
fn description(configuration: &Configuration) -> Option<String> {
    let hashes = [
        ("String table", configuration.table.as_ref()),
        ("Credentials", configuration.credentials.as_ref()),
    ];
    let lines = hashes
        .into_iter()
        .filter_map(|(name, hash)| hash.map(|hash| format!("{name}: comparison SHA-256 {hash}.")));
    let lines: Vec<String> = lines.collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// A CPU family in the words of the specification's vocabulary where it has one.
fn processor(arch: &str) -> String {
    let word = match arch {
        "x86_64" => "x86-64",
        "aarch64" => "arm64",
        other => other,
    };
    word.to_owned()
}

/// Adds a host by its role: its observable.
fn write_host(
    bundle: &mut Bundle<'_>,
    malware: &str,
    host: &Indicator,
    list: &BlockList,
) -> io::Result<String> {
    let relation = match host.role {
        EndpointRole::C2 => "beacons-to",
        EndpointRole::ScanReceiver => "exfiltrates-to",
        EndpointRole::Loader | EndpointRole::DeadDropResolver => "uses",
        EndpointRole::SingleInstance => return observable::single_instance(bundle, host),
        EndpointRole::Resolver
        | EndpointRole::Decoy
        | EndpointRole::Peer
        | EndpointRole::Unknown => {
            let id = observable::host(bundle, &host.host)?;
            let role = Some(role_name(host.role).to_owned());
            bundle.relation(malware, "communicates-with", &id, role)?;
            return Ok(id);
        }
    };
    let id = infrastructure::write(bundle, host)?;
    bundle.relation(malware, relation, &id, None)?;
    if list.blocks.binary_search_by(|block| block.indicator.cmp(host)).is_ok() {
        bundle.relation(&indicator::id(host), "indicates", malware, None)?;
    }
    observable::traffic(bundle, host)
}

/// Adds the logins that are tried, and that they belong together.
fn write_logins(
    bundle: &mut Bundle<'_>,
    identifier: &str,
    malware: &str,
    configuration: &Configuration,
) -> io::Result<()> {
    if configuration.logins.is_empty() {
        return Ok(());
    }
    let mut members = vec![malware.to_owned()];
    for (user, password) in &configuration.logins {
        members.push(observable::login(bundle, user, password)?);
    }
    let members = json!({
        "name": format!("logins of configuration {identifier}"), "context": "malware-analysis",
        "object_refs": members,
    });
    bundle.object("grouping", &json!(["logins", identifier]), members).map(drop)
}

/// Adds that this program analysed a file, and the hosts of the attackers that came of it.
fn write_analysis(
    bundle: &mut Bundle<'_>,
    malware: &str,
    (sha256, file): (&[u8], &File),
    sample: &str,
    found: &BTreeSet<String>,
) -> io::Result<()> {
    let is_sure = file.is_complete && file.confidence >= Some(Confidence::Medium);
    let members = json!({
        // Not `version`, which OASIS' own server takes for that of the object.
        "product": "miyaburi", "analysis_engine_version": VERSION,
        "result": if is_sure { "malicious" } else { "suspicious" },
        "sample_ref": sample,
        "analysis_sco_refs": found.iter().cloned().map(Value::from).collect::<Vec<Value>>(),
    });
    let id = bundle.object("malware-analysis", &json!(hex(sha256)), members)?;
    bundle.relation(&id, "characterizes", malware, None)
}
