//! What is true of a specimen, written from the configuration that went into it.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::toolchain::Target;

use super::{
    attacks::{Attack, DefaultValue},
    ciphers::Cipher,
    configuration::{C2From, Configuration, Dispatch, Shape, Strings},
    entries::{Entry, Value},
    fork::Fork,
    header::exploit_body,
    packets,
    purpose::Role,
    values::folded,
};

/// The truth of a specimen of the family: the part of a report that its configuration fixes.
pub(super) fn of_family(configuration: &Configuration, target: Target) -> Map<String, Json> {
    let external = external(configuration);
    let mut truth = Map::new();
    truth.insert("sample".into(), sample(target));
    truth.insert(
        "verdict".into(),
        if external.is_empty() { "config" } else { "external_c2" }.into(),
    );
    truth.insert("endpoints".into(), endpoints(configuration).into());
    truth.insert("external".into(), external.into());
    truth.insert("string_table".into(), string_table(configuration));
    if configuration.strings != Strings::Table {
        truth.insert("strings".into(), loose_strings(configuration).into());
    }
    truth.insert("credentials".into(), credentials(configuration));
    let attacks: Vec<Json> =
        configuration.attacks.iter().map(|attack| attack_json(attack, configuration)).collect();
    truth.insert("attacks".into(), attacks.into());
    truth.insert("scan".into(), scan(configuration));
    truth
}

/// The truth of a benign program: nothing of the family.
pub(super) fn of_lookalike(target: Target) -> Map<String, Json> {
    let mut truth = Map::new();
    truth.insert("sample".into(), sample(target));
    truth.insert("verdict".into(), "no_config".into());
    truth.insert("endpoints".into(), json!([]));
    truth.insert("external".into(), json!([]));
    truth.insert("string_table".into(), json!({"entries": []}));
    truth.insert("credentials".into(), json!({"entries": []}));
    truth.insert("attacks".into(), json!([]));
    truth.insert("scan".into(), json!({"probes": [], "exploits": []}));
    truth
}

fn sample(target: Target) -> Json {
    json!({
        "arch": target.arch(),
        "cpu": target.cpu(),
        "bits": target.bits(),
        "endian": target.endian().name(),
    })
}

/// Where a C2 comes from that is not in the file.
fn external(configuration: &Configuration) -> Vec<Json> {
    let asked = |source: &str, record: &str| {
        let reach = configuration.reach.as_ref();
        vec![json!({
            "source": source,
            "name": reach.map(|reach| &reach.asked),
            "record": record,
            "transform": reach.and_then(|reach| reach.transform.name()),
        })]
    };
    match configuration.c2.from {
        C2From::Argument => vec![json!({"source": "argv"})],
        C2From::Txt => asked("dns_txt", "TXT"),
        C2From::Record => asked("dns_a", "A"),
        C2From::DeadDrop => asked("doh", "TXT"),
        _ => Vec::new(),
    }
}

fn endpoints(configuration: &Configuration) -> Vec<Json> {
    let mut endpoints: Vec<Json> = configuration
        .c2
        .hosts
        .iter()
        .zip(1..)
        .map(|(host, order)| {
            json!({"host": host.text(), "port": configuration.c2.port, "protocol": "tcp",
                   "role": "c2", "order": order})
        })
        .collect();
    let mut add = |host: String, port: u16, protocol: &str, role: &str| {
        endpoints.push(json!({"host": host, "port": port, "protocol": protocol, "role": role}));
    };
    add(configuration.decoy.0.to_string(), configuration.decoy.1, "tcp", "decoy");
    if let Some((host, port)) = &configuration.scan_receiver {
        add(host.clone(), *port, "tcp", "scan_receiver");
    }
    add(configuration.resolver.to_string(), 53, "udp", "resolver");
    add("127.0.0.1".to_owned(), configuration.single_instance_port, "tcp", "single_instance");
    if let Some(reach) = &configuration.reach {
        for (host, port) in &reach.peers {
            add(host.to_string(), *port, "udp", "peer");
        }
        if configuration.c2.from == C2From::DeadDrop {
            add(reach.drop_host.clone(), 443, "tcp", "dead_drop_resolver");
        }
    }
    if let Some(exploit) = &configuration.exploit {
        endpoints.push(json!({"host": exploit.loader_host.to_string(), "port": 80,
            "protocol": "tcp", "url": exploit.loader, "role": "loader"}));
    }
    endpoints
}

fn hex_key(key: u8) -> String {
    format!("0x{key:02x}")
}

fn string_table(configuration: &Configuration) -> Json {
    if configuration.strings != Strings::Table {
        return json!({"entries": []});
    }
    let entries: Vec<Json> =
        configuration.entries.iter().map(|entry| entry_json(entry, configuration)).collect();
    let cipher = &configuration.cipher;
    let mut table = json!({
        "effective_key": effective_key(cipher, configuration.key),
        "cipher": cipher.name(),
        "entries": entries,
        "sha256": table_hash(configuration),
    });
    let keeps_word = match cipher {
        // An object is given its key as a constant of each call.
        Cipher::Xor => configuration.style.keeps_key_word() && configuration.shape != Shape::Object,
        Cipher::RotXor => true,
        _ => false,
    };
    if keeps_word {
        table["key"] = format!("0x{:08x}", configuration.key).into();
    } else if let Some(key) = cipher.key_bytes() {
        table["key"] = format!("0x{}", hex::encode(key)).into();
    }
    if let Some(nonce) = cipher.nonce() {
        table["nonce"] = format!("0x{}", hex::encode(nonce)).into();
    }
    table
}

/// The byte that acts on each byte of a text, where there is one for all.
fn effective_key(cipher: &Cipher, word: u32) -> Json {
    match cipher {
        Cipher::Xor | Cipher::RotXor => hex_key(folded(word)).into(),
        _ => Json::Null,
    }
}

fn entry_json(entry: &Entry, configuration: &Configuration) -> Json {
    let mut json = json!({"id": entry.id});
    if entry.role != Role::Open {
        json["role"] = entry.role.name().into();
    }
    match &entry.value {
        Value::Text(text) => {
            json["kind"] = "text".into();
            json["text"] = printable(text.as_bytes()).into();
        }
        Value::Port(port) => {
            json["kind"] = "port".into();
            json["port"] = (*port).into();
        }
        Value::Bytes(bytes) => {
            json["kind"] = "bytes".into();
            json["hex"] = hex::encode(bytes).into();
        }
    }
    if let Some(key) = entry.own_key {
        json["effective_key"] = hex_key(key).into();
    }
    if let Some(key) = entry.stale_key {
        json["stale"] = true.into();
        json["effective_key"] = hex_key(key).into();
        json["code_hex"] = hex::encode(configuration.seen_by_code(entry)).into();
    }
    json
}

fn loose_strings(configuration: &Configuration) -> Vec<Json> {
    let cipher = &configuration.cipher;
    let key = effective_key(cipher, configuration.key);
    configuration
        .entries
        .iter()
        .filter_map(|entry| {
            let Value::Text(text) = &entry.value else { return None };
            let role = (entry.role != Role::Unknown).then(|| entry.role.name());
            Some(json!({"text": printable(text.as_bytes()), "cipher": cipher.name(), "effective_key": key,
                        "role": role}))
        })
        .collect()
}

fn credentials(configuration: &Configuration) -> Json {
    if configuration.credentials.is_empty() {
        return json!({"entries": []});
    }
    let entries: Vec<Json> = configuration
        .credentials
        .iter()
        .map(|pair| json!({"user": pair.user, "password": pair.password, "weight": pair.weight}))
        .collect();
    json!({
        "effective_key": effective_key(&configuration.credential_cipher, configuration.credential_key),
        "cipher": configuration.credential_cipher.name(),
        "entries": entries,
        "sha256": credential_hash(configuration),
    })
}

/// An attack; without a number where commands are words, since then it has none.
fn attack_json(attack: &Attack, configuration: &Configuration) -> Json {
    let options: Vec<Json> = attack
        .parameters
        .iter()
        .map(|parameter| {
            let (kind, default) = match &parameter.default {
                DefaultValue::Int(value) => ("int", json!(value)),
                DefaultValue::Text(text) => ("str", json!(text)),
                DefaultValue::NoText => ("str", Json::Null),
                DefaultValue::LocalAddress => ("ip", Json::Null),
            };
            let mut option = json!({"key": parameter.key, "type": kind, "default": default});
            let spins = configuration.fork == Fork::ObservedAttacks;
            let name = packets::effect(attack, parameter, spins);
            if let Some(name) = name.filter(|_| configuration.fork.must_run()) {
                option["name"] = name.into();
            }
            option
        })
        .collect();
    let mut json = json!({"kind": attack.kind.name, "options": options});
    if configuration.fork == Fork::ObservedAttacks {
        let same: Vec<u8> = configuration
            .attacks
            .iter()
            .filter(|other| other.kind.name == attack.kind.name && other.vector != attack.vector)
            .map(|other| other.vector)
            .collect();
        json["same_as"] = same.into();
        json["packets"] = packets::packets(attack).into();
    }
    if configuration.dispatch == Dispatch::Text {
        json["command"] = attack.command.as_str().into();
    } else {
        json["vector"] = attack.vector.into();
    }
    json
}

/// What the scanner's condition in `scanner.c` excludes, as the fewest prefixes.
const SPARED: [&str; 27] = [
    "0.0.0.0/8",
    "3.0.0.0/8",
    "6.0.0.0/7",
    "10.0.0.0/7",
    "15.0.0.0/8",
    "16.0.0.0/8",
    "21.0.0.0/8",
    "22.0.0.0/8",
    "26.0.0.0/8",
    "28.0.0.0/7",
    "30.0.0.0/8",
    "33.0.0.0/8",
    "55.0.0.0/8",
    "56.0.0.0/8",
    "100.64.0.0/11",
    "100.96.0.0/12",
    "100.112.0.0/13",
    "100.120.0.0/14",
    "100.124.0.0/15",
    "100.126.0.0/16",
    "127.0.0.0/8",
    "169.255.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "214.0.0.0/7",
    "224.0.0.0/3",
];

fn scan(configuration: &Configuration) -> Json {
    let mut scan = json!({"probes": [], "exploits": []});
    if let Some(probes) = &configuration.probes {
        scan["probes"] = json!([
            {"port": probes.port, "weight": probes.every - 1},
            {"port": probes.other_port, "weight": 1},
        ]);
        scan["syn"] = json!({"tcp.seq": {"from": "ip.dst"}});
        scan["excluded"] = json!(SPARED);
    }
    if let Some(exploit) = &configuration.exploit {
        scan["exploits"] = json!([{
            "port": exploit.port,
            "method": "POST",
            "path": exploit.path,
            "body_hex": hex::encode(exploit_body(exploit)),
            "loader": exploit.loader,
        }]);
    }
    scan
}

/// A text as reports spell it: zero bytes dropped, bytes outside 0x20-0x7e as `\xNN`.
fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            0 => {}
            0x20..=0x7e => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

/// The hash of the configuration's table, over what the running code would see.
fn table_hash(configuration: &Configuration) -> String {
    let seen: Vec<(Vec<u8>, Option<u16>)> = configuration
        .entries
        .iter()
        .map(|entry| match entry.value {
            Value::Port(port) => (Vec::new(), Some(port)),
            Value::Text(_) | Value::Bytes(_) => (configuration.seen_by_code(entry), None),
        })
        .collect();
    table_hash_of(seen.iter().map(|(bytes, port)| (bytes.as_slice(), *port)))
}

/// The table hash that users of mirai-toushi compare: entry by entry `int` and the port, or `str`
/// and the bytes as [`printable`] text.
pub(super) fn table_hash_of<'a>(entries: impl Iterator<Item = (&'a [u8], Option<u16>)>) -> String {
    let hashed: String = entries
        .map(|(bytes, port)| match port {
            Some(port) => format!("int{port}"),
            None => format!("str{}", printable(bytes)),
        })
        .collect();
    hex::encode(Sha256::digest(hashed))
}

/// The hash of the configuration's credentials.
fn credential_hash(configuration: &Configuration) -> String {
    credential_hash_of(
        configuration
            .credentials
            .iter()
            .map(|pair| (pair.user.as_str(), pair.password.as_str(), pair.weight)),
    )
}

/// The credentials' hash: user, password, decimal weight.
pub(super) fn credential_hash_of<'a>(
    credentials: impl Iterator<Item = (&'a str, &'a str, u16)>,
) -> String {
    let hashed: String =
        credentials.map(|(user, password, weight)| format!("{user}{password}{weight}")).collect();
    hex::encode(Sha256::digest(hashed))
}
