//! The rules for Suricata: it tells of exactly the C2s, of every attack whose packets have something
//! that is always the same, of the scanner, and of nothing in ordinary traffic.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use core::net::{IpAddr, SocketAddr};
use serde_json::Value as Json;

use super::{
    recording::{self, Recording},
    truth::Truth,
};
use crate::toolchain::{process, workspace_root};

/// What the specimens' attacks have that nobody else sends, by kind: a header before `Host`, a first
/// packet without a window, a query of always the same bytes. The others draw everything or leave it
/// to options.
const KINDS: [&str; 3] = ["http", "syn", "vse"];

/// Messages of rules.
const NAME: &str = "miyaburi name of a C2 asked for";
const ADDRESS: &str = "miyaburi packet to a C2";
const TRAFFIC: &str = "miyaburi traffic as of ";

/// Packets of ordinary traffic that are to be read at least.
const ORDINARY: u64 = 10_000;

/// What is not as it should be; `captures` are those of `extract --pcap`.
pub(super) fn judge(
    truth: &Truth,
    truth_file: &Path,
    captures: &Path,
    logging: &Path,
    enforcing: &Path,
) -> anyhow::Result<Vec<String>> {
    for export in [logging, enforcing] {
        process::run(Command::new("suricata").arg("-T").args(options(export, export)))?;
    }
    let hosts = hosts(truth)?;
    let mut problems = judge_hosts(&hosts, logging, "log", "allowed")?;
    problems.extend(judge_hosts(&hosts, enforcing, "enforce", "blocked")?);
    problems.extend(judge_traffic(truth_file, captures, logging)?);
    problems.extend(judge_ordinary(logging)?);
    Ok(problems)
}

/// What is not as it should be of hosts alone, after some were withdrawn.
pub(super) fn judge_left(truth: &Truth, export: &Path) -> anyhow::Result<Vec<String>> {
    judge_hosts(&hosts(truth)?, export, "enforce, after a withdrawal", "blocked")
}

/// Queries for names and first packets to addresses, with what rules are to say of each.
struct Hosts {
    recording: Recording,
    expected: BTreeMap<String, &'static str>,
}

fn hosts(truth: &Truth) -> anyhow::Result<Hosts> {
    let (mut recording, mut expected) = (Recording::new(), BTreeMap::new());
    let names = truth.bad_names.iter().chain(&truth.good_names);
    for (port, name) in (20_000..).zip(names) {
        // Some resolvers vary the case of what they ask for, so that answers are harder to forge.
        let asked = if port % 2 == 0 { name.to_uppercase() } else { name.clone() };
        recording.add(name.clone(), &[recording::query(&asked, port)?])?;
    }
    expected.extend(truth.bad_names.iter().map(|name| (name.clone(), NAME)));
    for address in truth.bad_hosts().into_iter().chain(truth.good_hosts()) {
        let packet = recording::syn(SocketAddr::new(address, 4242), 1)?;
        recording.add(address.to_string(), &[packet])?;
    }
    expected.extend(truth.bad_hosts().into_iter().map(|it| (it.to_string(), ADDRESS)));
    Ok(Hosts { recording, expected })
}

fn judge_hosts(
    hosts: &Hosts,
    export: &Path,
    stage: &str,
    action: &str,
) -> anyhow::Result<Vec<String>> {
    let Hosts { recording, expected } = hosts;
    let path = export.join("hosts.pcap");
    recording.write(&path)?;
    let alerts = alerts(&path, export)?;
    let mut problems = Vec::new();
    for alert in alerts.iter().filter(|alert| alert.action != action) {
        problems.push(format!("Suricata, stage {stage}: {}", alert.action));
    }
    let told = told(&alerts, recording)?;
    for sender in recording.senders() {
        let expected: BTreeSet<String> =
            expected.get(sender).iter().map(|it| (**it).to_owned()).collect();
        let told = told.get(sender.as_str()).cloned().unwrap_or_default();
        if told != expected {
            problems.push(format!("Suricata, stage {stage}: {sender}: {told:?}"));
        }
    }
    let others = recording.senders().len() - expected.len();
    println!("Suricata, stage {stage}: {} hosts {action}, {others} not", expected.len());
    Ok(problems)
}

/// The attacks of the specimens and a scanner, which are told of by their kind or not at all.
fn judge_traffic(truth: &Path, captures: &Path, export: &Path) -> anyhow::Result<Vec<String>> {
    let mut recording = Recording::new();
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut told_of = 0;
    for (path, kind) in attacks(truth, captures)? {
        let sender = path.display().to_string();
        recording.add(sender.clone(), &recording::read(&path)?)?;
        let is_told = KINDS.contains(&kind.as_str());
        told_of += usize::from(is_told);
        let message = is_told.then(|| format!("{TRAFFIC}{kind}"));
        expected.insert(sender, message.into_iter().collect());
    }
    let address = core::net::Ipv4Addr::new(203, 0, 113, 77);
    for (sender, sequence) in [("scanner", address.to_bits()), ("client", 0x1234_5678)] {
        let to = SocketAddr::new(IpAddr::V4(address), 23);
        recording.add(sender.to_owned(), &[recording::syn(to, sequence)?])?;
    }
    expected.insert("scanner".to_owned(), BTreeSet::from([format!("{TRAFFIC}scan")]));
    expected.insert("client".to_owned(), BTreeSet::new());

    let path = export.join("traffic.pcap");
    recording.write(&path)?;
    let told = told(&alerts(&path, export)?, &recording)?;
    let mut problems = Vec::new();
    for (sender, expected) in &expected {
        // Attacks may be sent to addresses that are C2s of other specimens.
        let told = told.get(sender.as_str()).into_iter().flatten();
        let told: BTreeSet<String> =
            told.filter(|message| message.starts_with(TRAFFIC)).cloned().collect();
        if told != *expected {
            problems.push(format!("Suricata: {sender}: {told:?} instead of {expected:?}"));
        }
    }
    ensure!(told_of > 0, "no attack that rules can tell of");
    println!("Suricata: {told_of} of {} attacks and the scanner told of", expected.len() - 2);
    Ok(problems)
}

/// Captures of attacks with their kinds as the truth has them.
fn attacks(truth: &Path, captures: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut attacks = Vec::new();
    for line in fs::read_to_string(truth)?.lines() {
        let line: Json = serde_json::from_str(line)?;
        let folder = captures.join(line["sha256"].as_str().context("no sha256")?);
        for attack in line["attacks"].as_array().into_iter().flatten() {
            let vector = attack["vector"].as_u64();
            if let Some((vector, kind)) = vector.zip(attack["kind"].as_str()) {
                attacks.push((folder.join(format!("{vector}.pcap")), kind.to_owned()));
            }
        }
    }
    Ok(attacks)
}

/// Traffic of ordinary programs, recorded between two network namespaces.
fn judge_ordinary(export: &Path) -> anyhow::Result<Vec<String>> {
    let script = workspace_root().join("xtask/src/exports/benign/record.sh");
    process::run(Command::new("bash").arg(script).arg(export))?;
    let path = export.join("benign.pcap");
    let problems = alerts(&path, export)?
        .into_iter()
        .map(|alert| format!("Suricata, ordinary traffic: {}", alert.message))
        .collect();
    let counted = process::run(Command::new("capinfos").args(["-M", "-c", "-T", "-r"]).arg(&path))?;
    let count = counted.split_whitespace().last().and_then(|count| count.parse().ok());
    let count: u64 = count.with_context(|| format!("no number of packets: {counted}"))?;
    ensure!(count >= ORDINARY, "only {count} packets of ordinary traffic were recorded");
    println!("Suricata: {count} packets of ordinary traffic");
    Ok(problems)
}

/// What Suricata tells of a packet.
struct Alert {
    packet: usize,
    message: String,
    action: String,
}

/// What it tells of a capture with the rules of an export. Where rules drop, it plays that it stands
/// in the way of the packets.
fn alerts(capture: &Path, export: &Path) -> anyhow::Result<Vec<Alert>> {
    let logs = capture.with_extension("logs");
    if logs.exists() {
        fs::remove_dir_all(&logs)?;
    }
    fs::create_dir_all(&logs)?;
    let mut suricata = Command::new("suricata");
    suricata.args(options(export, &logs)).arg("-r").arg(capture);
    process::run(suricata.args(["-k", "none", "--runmode", "single", "--simulate-ips"]))?;
    let mut alerts = Vec::new();
    for line in fs::read_to_string(logs.join("eve.json"))?.lines() {
        let event: Json = serde_json::from_str(line)?;
        if event["event_type"] != "alert" {
            continue;
        }
        let text = |name: &str| event["alert"][name].as_str().unwrap_or_default().to_owned();
        let packet = event["pcap_cnt"].as_u64().context("an alert for no packet")?;
        let packet = usize::try_from(packet)?;
        alerts.push(Alert { packet, message: text("signature"), action: text("action") });
    }
    Ok(alerts)
}

/// The rules of the export alone, and where to write.
fn options(export: &Path, logs: &Path) -> [PathBuf; 4] {
    ["-S".into(), export.join("miyaburi.rules"), "-l".into(), logs.to_owned()]
}

/// Messages by sender.
fn told<'a>(
    alerts: &[Alert],
    recording: &'a Recording,
) -> anyhow::Result<BTreeMap<&'a str, BTreeSet<String>>> {
    let mut told: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for alert in alerts {
        let sender = recording.sender(alert.packet).context("an alert for no packet of ours")?;
        told.entry(sender).or_default().insert(alert.message.clone());
    }
    Ok(told)
}
