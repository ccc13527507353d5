//! The model of MACO (Canadian Centre for Cyber Security), version 1.3: one document a file, with
//! the members that what was found fits in; the rest stands in `other`, as that model wants.
//!
//! A file of no known family has no document, as the model demands one. Techniques of ATT&CK and
//! categories follow from findings alone: floods, logins, exploits, encodings, packing.

use miyaburi_model::{
    Cipher, Endpoint, EndpointRole, EntryValue, ExternalSource, Key, Level, Protocol, Report,
};
use serde::Serialize;

use crate::technique::techniques;
use serde_json::{Map, Value, json};

/// File of the document.
pub const FILE: &str = "maco.json";

/// Record types that the model knows among those that reports name.
const RECORDS: [&str; 3] = ["A", "AAAA", "TXT"];

/// A document: members of `ExtractorModel`, each left out when nothing was found for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Document {
    family: String,
    category: Vec<&'static str>,
    attack: Vec<&'static str>,
    capability_enabled: Vec<String>,
    decoded_strings: Vec<String>,
    password: Vec<String>,
    mutex: Vec<String>,
    http: Vec<Value>,
    dns: Vec<Value>,
    tcp: Vec<Value>,
    udp: Vec<Value>,
    encryption: Vec<Value>,
    warnings: Vec<Value>,
    other: Map<String, Value>,
}

impl Document {
    /// The document of a report, none without a family.
    #[must_use]
    pub fn new(report: &Report) -> Option<Self> {
        let mut document = Self { family: report.family.as_ref()?.name.clone(), ..Self::default() };
        for endpoint in &report.endpoints {
            document.add_endpoint(endpoint);
        }
        document.dns.extend(report.external.iter().map(external));
        document.add_texts(report);
        document.add_encryption(report);
        document.add_exploits(report);
        document.add_behaviour(report);
        document.warnings = report
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.level != Level::Info)
            .map(|told| json!({ "message": format!("{}: {}", told.stage, told.message) }))
            .collect();
        document.other = other(report);
        Some(document)
    }

    /// The document as indented JSON with a final line break.
    ///
    /// # Errors
    /// Never for what a report holds: no key of it is anything but text.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    fn add_endpoint(&mut self, endpoint: &Endpoint) {
        let is_address = endpoint.host.parse::<core::net::IpAddr>().is_ok();
        let usage = usage(endpoint.role);
        if let Some(url) = &endpoint.url {
            self.http.push(json!({ "uri": url, "usage": usage }));
            return;
        }
        match endpoint.role {
            EndpointRole::SingleInstance => {
                self.mutex.push(format!("{}:{}", endpoint.host, port_text(endpoint.port)));
                return;
            }
            EndpointRole::Resolver if is_address => {
                let server = json!({ "ip": endpoint.host, "port": endpoint.port, "usage": usage });
                self.dns.push(server);
                return;
            }
            _ => {}
        }
        let host = if is_address { "server_ip" } else { "server_domain" };
        let connection =
            json!({ host: endpoint.host, "server_port": endpoint.port, "usage": usage });
        match endpoint.protocol {
            Some(Protocol::Udp) => self.udp.push(connection),
            // The model has no place for a transport that is not known; these programs use TCP
            // wherever they do not look up names or flood.
            Some(Protocol::Tcp) | None => self.tcp.push(connection),
        }
    }

    fn add_texts(&mut self, report: &Report) {
        let entries = report.string_table.iter().flat_map(|table| &table.entries);
        let texts = entries.filter_map(|entry| match &entry.value {
            EntryValue::Text { text } => Some(text),
            EntryValue::Port { .. } | EntryValue::Bytes => None,
        });
        for text in texts.chain(report.strings.iter().map(|string| &string.text)) {
            push_new(&mut self.decoded_strings, text.clone());
        }
        for pair in report.credentials.iter().flat_map(|list| &list.entries) {
            push_new(&mut self.password, pair.password.clone());
        }
    }

    fn add_encryption(&mut self, report: &Report) {
        let table = report.string_table.as_ref();
        let of_table =
            table.map(|table| (table.cipher, table.effective_key.as_ref(), table.nonce.as_ref()));
        let of_pairs = report
            .credentials
            .as_ref()
            .map(|list| (list.cipher, list.effective_key.as_ref(), None));
        for (cipher, key, nonce) in of_table.into_iter().chain(of_pairs) {
            if cipher == Cipher::Plain {
                continue;
            }
            let text = |key: Option<&Key>| key.map(ToString::to_string);
            let algorithm = serde_json::to_value(cipher).unwrap_or(Value::Null);
            let used = json!({ "algorithm": algorithm, "key": text(key), "nonce": text(nonce), "usage": "config" });
            if !self.encryption.contains(&used) {
                self.encryption.push(used);
            }
        }
    }

    fn add_exploits(&mut self, report: &Report) {
        for exploit in report.scan.iter().flat_map(|scan| &scan.exploits) {
            self.http.push(json!({
                "method": exploit.method, "path": exploit.path, "port": exploit.port,
                "usage": "propagate",
            }));
            if let Some(loader) = &exploit.loader {
                let download = json!({ "uri": loader, "usage": "download" });
                if !self.http.contains(&download) {
                    self.http.push(download);
                }
            }
        }
    }

    fn add_behaviour(&mut self, report: &Report) {
        let scan = report.scan.as_ref();
        let has = |role| report.endpoints.iter().any(|endpoint| endpoint.role == role);
        let found = [
            (has(EndpointRole::C2), "bot"),
            (!report.attacks.is_empty(), "ddos"),
            (report.credentials.is_some(), "bruteforcer"),
            (scan.is_some_and(|scan| !scan.probes.is_empty()), "scanner"),
            (scan.is_some_and(|scan| !scan.exploits.is_empty()), "worm"),
        ];
        self.category = found.iter().filter(|(is, _)| *is).map(|(_, category)| *category).collect();
        self.attack = techniques(report).iter().map(|technique| technique.id).collect();
        for attack in &report.attacks {
            let kind = attack.kind.as_deref().unwrap_or("unknown");
            push_new(&mut self.capability_enabled, format!("flood_{kind}"));
        }
    }
}

fn usage(role: EndpointRole) -> &'static str {
    match role {
        EndpointRole::C2 => "c2",
        EndpointRole::ScanReceiver => "upload",
        EndpointRole::Loader => "download",
        EndpointRole::DeadDropResolver => "dead_drop_resolver",
        EndpointRole::Decoy => "decoy",
        EndpointRole::Resolver
        | EndpointRole::SingleInstance
        | EndpointRole::Peer
        | EndpointRole::Unknown => "other",
    }
}

fn external(source: &ExternalSource) -> Value {
    let record = source.record.as_deref().filter(|record| RECORDS.contains(record));
    json!({ "hostname": source.name, "record_type": record, "usage": "dead_drop_resolver" })
}

fn port_text(port: Option<u16>) -> String {
    port.map_or("?".to_owned(), |port| port.to_string())
}

fn push_new(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// What the model has no member for.
fn other(report: &Report) -> Map<String, Value> {
    let sample = &report.sample;
    let credentials: Vec<Value> = report
        .credentials
        .iter()
        .flat_map(|list| &list.entries)
        .map(|pair| json!({ "user": pair.user, "password": pair.password, "weight": pair.weight }))
        .collect();
    let attacks: Vec<Value> = report
        .attacks
        .iter()
        .map(|attack| {
            json!({ "vector": attack.vector, "command": attack.command, "kind": attack.kind,
                    "handler": attack.handler.to_string() })
        })
        .collect();
    let probes: Vec<u16> =
        report.scan.iter().flat_map(|scan| &scan.probes).map(|probe| probe.port).collect();
    let hash = |hash: Option<&miyaburi_model::HexBytes>| hash.map(ToString::to_string);
    let table = report.string_table.as_ref().and_then(|table| table.sha256.as_ref());
    let pairs = report.credentials.as_ref().and_then(|list| list.sha256.as_ref());
    let members = [
        ("sha256", json!(hash(sample.sha256.as_ref()))),
        ("cpu", json!(sample.cpu)),
        ("verdict", json!(report.verdict.name())),
        ("string_table_sha256", json!(hash(table))),
        ("credentials_sha256", json!(hash(pairs))),
        ("credentials", json!(credentials)),
        ("attacks", json!(attacks)),
        ("probed_ports", json!(probes)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
