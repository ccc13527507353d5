//! Reads with tshark, for which they are meant, the captures that `extract --pcap` writes of the
//! example specimens: layers by the kind of attack as the specimens' truth has it, ports and times to
//! live by its defaults, checksums, and addresses, which all are of documentation.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde_json::Value as Json;

use crate::{components, toolchain::workspace_root};

/// Fields asked of tshark, in the order of [`Packet`]'s.
const FIELDS: [&str; 9] = [
    "frame.protocols",
    "ip.src",
    "ip.dst",
    "ip.ttl",
    "tcp.flags.syn",
    "tcp.flags.ack",
    "udp.dstport",
    "tcp.dstport",
    "_ws.expert.message",
];

/// Checksums are looked at only when asked for.
const OPTIONS: [&str; 6] = [
    "-o",
    "ip.check_checksum:TRUE",
    "-o",
    "udp.check_checksum:TRUE",
    "-o",
    "tcp.check_checksum:TRUE",
];

/// The fork whose options have the keys of the leaked program; others number theirs as they like.
const USUAL_KEYS: &str = "classic";
const TTL: u64 = 4;
const DESTINATION_PORT: u64 = 7;

/// The default that stands for a number that is drawn.
const DRAWN: u64 = 0xffff;

/// Runs `cargo xtask captures`.
///
/// # Errors
/// When tshark or the command cannot be run, or a capture does not hold what the truth says; every
/// such packet is printed first.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = workspace_root();
    let folder = root.join("target").join("captures");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    }
    let program = components::build_miyaburi(&root)?;
    let specimens = root.join("specimens");
    let status = Command::new(program)
        .args(["extract", "--format", "ndjson", "--output"])
        .arg(folder.with_extension("ndjson"))
        .arg("--pcap")
        .args([&folder, &specimens.join("examples")])
        .status()?;
    ensure!(status.success(), "extract: {status}");

    let mut problems = 0;
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (path, attack) in captures(&folder, &specimens.join("examples.truth.ndjson"))? {
        let packets = read(&path)?;
        for problem in judge(&attack, &packets) {
            println!("{}: {problem}", path.display());
            problems += 1;
        }
        let (files, count) = seen.entry(attack.kind).or_default();
        *files += 1;
        *count += packets.len();
    }
    for (kind, (files, packets)) in &seen {
        println!("{kind}: {files} captures, {packets} packets");
    }
    ensure!(problems == 0, "{problems} packets are not as they should be");
    ensure!(seen.len() >= 10, "only {} kinds were captured", seen.len());
    Ok(())
}

/// An attack as the truth has it.
#[derive(Clone, Debug, Default)]
struct Attack {
    kind: String,
    /// Defaults of options by key, those left out that are drawn.
    defaults: BTreeMap<u64, u64>,
}

/// Captures with the attacks that they should hold.
fn captures(folder: &Path, truth: &Path) -> anyhow::Result<Vec<(PathBuf, Attack)>> {
    let text = fs::read_to_string(truth).with_context(|| format!("{}", truth.display()))?;
    let mut captures = Vec::new();
    for line in text.lines() {
        let truth: Json = serde_json::from_str(line)?;
        let folder = folder.join(truth["sha256"].as_str().context("no sha256")?);
        for attack in truth["attacks"].as_array().into_iter().flatten() {
            let (Some(vector), Some(kind)) = (attack["vector"].as_u64(), attack["kind"].as_str())
            else {
                continue;
            };
            let has_usual_keys = truth["labels"]["fork"] == USUAL_KEYS;
            let options = attack["options"].as_array().filter(|_| has_usual_keys);
            let options = options.into_iter().flatten();
            let defaults = options
                .filter_map(|option| Some((option["key"].as_u64()?, option["default"].as_u64()?)))
                .filter(|(_, default)| *default != DRAWN)
                .collect();
            let path = folder.join(format!("{vector}.pcap"));
            captures.push((path, Attack { kind: kind.to_owned(), defaults }));
        }
    }
    Ok(captures)
}

/// A packet in tshark's words: of fields that occur more than once the values in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Packet {
    layers: String,
    addresses: Vec<String>,
    ttl: Option<u64>,
    syn: bool,
    ack: bool,
    port: Option<u64>,
    complaints: String,
}

fn read(path: &Path) -> anyhow::Result<Vec<Packet>> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-n").arg("-r").arg(path).args(OPTIONS).args(["-T", "fields"]);
    tshark.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = tshark.output().context("tshark")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {errors}", path.display());
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(packet).collect())
}

fn packet(line: &str) -> Packet {
    let fields: Vec<&str> = line.split('\t').collect();
    let field = |index: usize| fields.get(index).copied().unwrap_or("");
    let first = |index: usize| field(index).split(',').next().unwrap_or("");
    let number = |index: usize| first(index).parse().ok();
    Packet {
        layers: field(0).to_owned(),
        addresses: [1, 2]
            .iter()
            .flat_map(|index| field(*index).split(','))
            .map(str::to_owned)
            .collect(),
        ttl: number(3),
        syn: first(4) == "1",
        ack: first(5) == "1",
        port: number(6).or(number(7)),
        complaints: field(8).to_owned(),
    }
}

/// What is wrong with the packets of an attack.
fn judge(attack: &Attack, packets: &[Packet]) -> Vec<String> {
    let mut problems = Vec::new();
    if packets.is_empty() {
        problems.push("no packets".to_owned());
    }
    let layers = match attack.kind.as_str() {
        "udp" | "vse" | "udp_plain" => "raw:ip:udp",
        "dns_query" => "raw:ip:udp:dns",
        "syn" | "ack" | "tcp_stomp" | "tcp_connect" | "http" => "raw:ip:tcp",
        "gre_ip" => "raw:ip:gre:ip:udp",
        "gre_eth" => "raw:ip:gre:eth:ethertype:ip:udp",
        "icmp" => "raw:ip:icmp",
        _ => "raw:ip",
    };
    for packet in packets {
        let is_documentation = |host: &&String| {
            ["192.0.2.", "198.51.100.", "203.0.113."].iter().any(|net| host.starts_with(net))
        };
        let default = |key: u64| attack.defaults.get(&key).copied();
        let differs =
            |value: Option<u64>, default: Option<u64>| default.is_some_and(|it| value != Some(it));
        let is_raw =
            !matches!(attack.kind.as_str(), "udp_plain" | "http" | "tcp_stomp" | "tcp_connect");
        let is_wrong = !packet.layers.starts_with(layers)
            || !packet.addresses.iter().all(|host| is_documentation(&host))
            || packet.complaints.to_lowercase().contains("checksum")
            || is_raw && differs(packet.ttl, default(TTL))
            || !attack.kind.starts_with("gre") && differs(packet.port, default(DESTINATION_PORT))
            || attack.kind == "syn" && (!packet.syn || packet.ack)
            || attack.kind == "ack" && (packet.syn || !packet.ack);
        if is_wrong {
            problems.push(format!("{}: {packet:?}", attack.kind));
        }
    }
    let has_request = packets.iter().any(|packet| packet.layers.contains(":http"));
    if attack.kind == "http" && !has_request {
        problems.push("http: no request".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: &str =
        "raw:ip:tcp\t198.51.100.2\t203.0.113.77\t64\t1\t0\t\t80\tConnection establish";

    fn attack(kind: &str) -> Attack {
        Attack {
            kind: kind.to_owned(),
            defaults: BTreeMap::from([(TTL, 64), (DESTINATION_PORT, 80)]),
        }
    }

    fn is_right(kind: &str, line: &str) -> bool {
        judge(&attack(kind), &[packet(line)]).is_empty()
    }

    #[test]
    fn packets_are_as_the_kind_and_the_defaults_say() {
        assert!(is_right("syn", SYN));
        assert!(!is_right("ack", SYN));
        assert!(!is_right("udp", SYN));
        assert!(!is_right("http", SYN));
        assert!(!is_right("syn", &SYN.replace("\t80\t", "\t81\t")));
        assert!(!is_right("syn", &SYN.replace("\t64\t", "\t63\t")));
        assert!(!is_right("syn", &SYN.replace("Connection", "Bad checksum")));
        assert!(!judge(&attack("syn"), &[]).is_empty());
    }

    #[test]
    fn every_address_is_of_documentation_inner_ones_too() {
        let gre = "raw:ip:gre:ip:udp:data\t198.51.100.2,192.0.2.1\t203.0.113.77,192.0.2.3\t64,64\t\t\t9\t\t";
        assert!(is_right("gre_ip", gre));
        assert!(!is_right("gre_eth", gre));
        assert!(!is_right("gre_ip", &gre.replace("192.0.2.3", "10.0.0.3")));
    }
}
