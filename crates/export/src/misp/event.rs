//! The event of a configuration.

use serde_json::{Value, json};
use uuid::Uuid;

use super::earlier::comment;
use super::object::{
    CREDENTIAL, DDOS_CONFIG, DOMAIN_IP, ELF, FILE, IP_PORT, Kind, MALWARE_CONFIG, MAX_VALUE, Object,
};
use crate::configurations::{Configuration, File, Request, hex};
use crate::identifier::identifier;
use crate::indicators::{Host, Indicator, protocol_name, role_name};
use crate::list::BlockList;
use crate::tlp::Tlp;

/// An event.
pub(super) struct Event {
    pub(super) uuid: Uuid,
    pub(super) document: Value,
    /// What the manifest says of it.
    pub(super) summary: Value,
    /// Values that MISP does not take.
    pub(super) left_out: usize,
}

impl Event {
    pub(super) fn new(
        name: &str,
        configuration: &Configuration,
        list: &BlockList,
        tlp: Tlp,
    ) -> Self {
        let uuid = identifier(&json!(["event", name]));
        let mut config = config(uuid, configuration);
        let (mut objects, mut left_out) = (Vec::new(), 0);
        for (sha256, file) in &configuration.files {
            let (elf, file) = file_objects(uuid, sha256, file);
            config.refer("extracted-from", file.uuid);
            objects.extend([file, elf]);
        }
        let hosts =
            configuration.hosts.keys().map(|it| ("communicates-with", host(uuid, it, list)));
        let logins = configuration.logins.iter().map(|it| ("contains", login(uuid, it)));
        let attacks = configuration.attacks.iter();
        let attacks = attacks.map(|kind| ("contains", attack(uuid, kind, configuration)));
        for (relation, object) in hosts.chain(logins).chain(attacks) {
            if object.has_values() {
                config.refer(relation, object.uuid);
                objects.push(object);
            } else {
                left_out += 1;
            }
        }
        objects.insert(0, config);
        left_out += objects.iter().map(|object| object.left_out).sum::<usize>();
        let requests: Vec<Value> =
            configuration.requests.iter().filter_map(|it| request(uuid, it)).collect();
        left_out += configuration.requests.len() - requests.len();
        let timestamp = list.stamp.now.unix().to_string();
        let objects: Vec<Value> = objects.into_iter().map(|it| it.document(&timestamp)).collect();
        let summary = summary(name, configuration, list, tlp);
        let mut event = summary.clone();
        event["uuid"] = json!(uuid);
        event["published"] = json!(false);
        event["distribution"] = json!("0");
        event["Attribute"] = Value::Array(requests);
        event["Object"] = Value::Array(objects);
        Self { uuid, document: json!({ "Event": event }), summary, left_out }
    }
}

/// What the manifest and the event say alike.
fn summary(name: &str, configuration: &Configuration, list: &BlockList, tlp: Tlp) -> Value {
    let now = list.stamp.now;
    let day = configuration.seen().map_or(now, |seen| seen.last).to_string();
    let family = configuration.family().map_or_else(String::new, |(name, _)| format!("{name}, "));
    json!({
        "info": format!("{family}configuration {name}"),
        "date": day.get(..10), "timestamp": now.unix().to_string(),
        "analysis": "2", "threat_level_id": "4",
        "Orgc": { "name": "miyaburi", "uuid": identifier(&json!("miyaburi")) },
        "Tag": tags(configuration, tlp),
    })
}

/// Tags of the label, of galaxies for the family where they have one of that name, and of ATT&CK.
fn tags(configuration: &Configuration, tlp: Tlp) -> Vec<Value> {
    let family: &[&str] = match configuration.family() {
        Some(("mirai", _)) => {
            &["misp-galaxy:botnet=\"Mirai\"", "misp-galaxy:malpedia=\"Mirai (ELF)\""]
        }
        _ => &[],
    };
    let techniques = configuration.techniques.iter().map(|technique| {
        format!("misp-galaxy:mitre-attack-pattern=\"{} - {}\"", technique.name, technique.id)
    });
    let label = std::iter::once(format!("tlp:{}", tlp.name()));
    let family = family.iter().map(|tag| (*tag).to_owned());
    label.chain(family).chain(techniques).map(|name| json!({ "name": name })).collect()
}

/// All that was found, as text.
fn config(event: Uuid, configuration: &Configuration) -> Object {
    let hash = |hash: Option<&miyaburi_model::HexBytes>| hash.map(ToString::to_string);
    let hosts: Vec<Value> = configuration
        .hosts
        .iter()
        .map(|(host, confidence)| {
            json!({ "host": host.host.to_string(), "port": host.port,
                    "protocol": host.protocol.map(protocol_name),
                    "role": role_name(host.role), "confidence": confidence })
        })
        .collect();
    let text = json!({
        "string_table_sha256": hash(configuration.table.as_ref()),
        "credentials_sha256": hash(configuration.credentials.as_ref()),
        "keys": configuration.keys, "endpoints": hosts, "urls": configuration.urls,
        "attacks": configuration.attacks, "probed_ports": configuration.probes,
    });
    let keys: Vec<&str> = configuration.keys.iter().map(String::as_str).collect();
    let seen = configuration.seen();
    Object::new(event, MALWARE_CONFIG, &json!(null))
        .with("config", Kind::Text, Some(text.to_string()))
        .with("format", Kind::Text, Some("JSON".to_owned()))
        .with("password", Kind::Text, Some(keys.join(", ")))
        .with("first-seen", Kind::Time, seen.map(|seen| seen.first.milliseconds()))
        .with("last-seen", Kind::Time, seen.map(|seen| seen.last.milliseconds()))
}

/// The program and the file around it; the file refers to the program.
fn file_objects(event: Uuid, sha256: &[u8], file: &File) -> (Object, Object) {
    let digest = |digest: &Option<miyaburi_model::HexBytes>| digest.as_ref().map(|it| hex(&it.0));
    let key = json!(hex(sha256));
    let arch = file.arch.as_deref().map(machine);
    let about = file.packer.as_ref().map(|packer| format!("packed with {packer}"));
    let text = about.unwrap_or_else(|| "not packed".to_owned());
    let elf = Object::new(event, ELF, &key).with("arch", Kind::Text, arch.map(str::to_owned)).with(
        "text",
        Kind::Text,
        Some(text),
    );
    let mut file = Object::new(event, FILE, &key)
        .with("sha256", Kind::Sha256, Some(hex(sha256)))
        .with("sha1", Kind::Sha1, digest(&file.sha1))
        .with("md5", Kind::Md5, digest(&file.md5))
        .with("size-in-bytes", Kind::Size, file.size.map(|size| size.to_string()));
    file.refer("includes", elf.uuid);
    (elf, file)
}

/// The template's word for a CPU family, itself where it has none.
fn machine(arch: &str) -> &str {
    match arch {
        "arm" => "ARM",
        "aarch64" => "AARCH64",
        "mips" => "MIPS",
        "powerpc" => "PPC",
        "sparc" => "SPARC",
        "superh" => "SH",
        "m68k" => "ARCH_68K",
        "x86" => "i386",
        "arc" => "ARC_COMPACT",
        other => other,
    }
}

/// A host with its role, marked for detection when it passed the gate.
fn host(event: Uuid, host: &Indicator, list: &BlockList) -> Object {
    let role = role_name(host.role);
    let block = list.blocks.binary_search_by(|block| block.indicator.cmp(host)).ok();
    let block = block.and_then(|place| list.blocks.get(place));
    let port = host.port.map(|port| port.to_string());
    let protocol = host.protocol.map(|it| protocol_name(it).to_owned());
    let key = json!([host.host.to_string(), host.port, protocol, role]);
    let object = match &host.host {
        Host::Name(name) => Object::new(event, DOMAIN_IP, &key)
            .add("domain", Kind::Domain, Some(name.to_string()), block.is_some())
            .with("port", Kind::Port, port),
        Host::Address(address) => Object::new(event, IP_PORT, &key)
            .add("ip-dst", Kind::Address, Some(address.to_string()), block.is_some())
            .with("dst-port", Kind::Port, port)
            .with("protocol", Kind::Text, protocol),
    };
    object.with("text", Kind::Text, Some(role.to_owned())).comment(comment(block, role))
}

/// A pair; what the template could say besides is the same of all, and there are many.
fn login(event: Uuid, (user, password): &(String, String)) -> Object {
    Object::new(event, CREDENTIAL, &json!([user, password]))
        .with("username", Kind::Text, Some(user.clone()))
        .with("password", Kind::Text, Some(password.clone()))
}

/// A kind of attack; the template demands a name of the tool.
fn attack(event: Uuid, kind: &str, configuration: &Configuration) -> Object {
    let tool = configuration.family().map_or("unknown", |(name, _)| name);
    let tool = if tool.is_empty() { "unknown" } else { tool };
    Object::new(event, DDOS_CONFIG, &json!(kind))
        .with("ddos-tool", Kind::Text, Some(tool.to_owned()))
        .with("method", Kind::Text, Some(kind.to_owned()))
}

/// A request that exploits a device, as an attribute: MISP's object for requests is one to a server.
/// None without a path, or with one that MISP does not take: of several lines, or too long.
fn request(event: Uuid, request: &Request) -> Option<Value> {
    let Request { port, method, path } = request;
    let is_taken =
        |path: &&String| (1..=MAX_VALUE).contains(&path.len()) && !path.contains(char::is_control);
    let path = path.as_ref().filter(is_taken)?;
    let method = method.as_ref().map(|method| format!(" {method}"));
    let port = port.map(|port| format!(" at port {port}"));
    let comment = format!("exploit{}{}", method.unwrap_or_default(), port.unwrap_or_default());
    Some(json!({
        "uuid": identifier(&json!([event, "exploit", path, comment])),
        "type": "uri", "category": "Network activity", "value": path, "to_ids": false,
        "disable_correlation": false, "comment": comment,
    }))
}
