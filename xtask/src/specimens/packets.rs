//! What the handlers send when they are given a target and no option, as far as the configuration
//! fixes it: constants, and which option or the target decides about a field. Fields have the names of
//! Wireshark's display filters. A field that is drawn has no value here; one of a second header of the
//! same kind is left out.

use serde_json::{Map, Value as Json, json};

use super::attacks::{Attack, DefaultValue, Parameter};

/// A number that stands for one that is drawn.
const DRAWN: i64 = 0xffff;

/// The largest payload that a handler sends, `MAXIMUM_PAYLOAD` of the C sources.
const MAXIMUM_PAYLOAD: i64 = 1460;

/// What the Source engine is asked, four bytes of ones and the terminating zero included.
const VSE_PAYLOAD: &[u8] = b"\xff\xff\xff\xffTSource Engine Query\0";

/// Options with the field that each decides about.
type FieldsOfOptions = [(&'static str, &'static str)];

/// Fields that a number decides about: of all kinds, and of those over UDP and TCP.
const IP_FIELDS: [(&str, &str); 4] = [
    ("TOS", "ip.dsfield"),
    ("IDENT", "ip.id"),
    ("TTL", "ip.ttl"),
    ("DONT_FRAGMENT", "ip.flags.df"),
];
const UDP_FIELDS: [(&str, &str); 3] =
    [("SOURCE_PORT", "udp.srcport"), ("DESTINATION_PORT", "udp.dstport"), ("DNS_ID", "dns.id")];
const TCP_FIELDS: [(&str, &str); 10] = [
    ("SOURCE_PORT", "tcp.srcport"),
    ("DESTINATION_PORT", "tcp.dstport"),
    ("SEQUENCE", "tcp.seq"),
    ("ACKNOWLEDGEMENT", "tcp.ack"),
    ("URG", "tcp.flags.urg"),
    ("ACK", "tcp.flags.ack"),
    ("PSH", "tcp.flags.push"),
    ("RST", "tcp.flags.reset"),
    ("SYN", "tcp.flags.syn"),
    ("FIN", "tcp.flags.fin"),
];

/// The report's name of a parameter: what it changes in what this attack sends, whose
/// handler may not return.
pub(super) fn effect(attack: &Attack, parameter: &Parameter, spins: bool) -> Option<&'static str> {
    match (attack.kind.name, parameter.option.macro_name) {
        // One round of so many follows the other.
        ("http", "CONNECTIONS") if spins => None,
        // Nothing is sent that it could change.
        ("none_observed", _) => None,
        // The length of a label, not of a payload.
        ("dns_query", "PAYLOAD_SIZE") => None,
        _ => Some(parameter.option.effect),
    }
}

/// The packets of an attack; none for one that sends nothing.
pub(super) fn packets(attack: &Attack) -> Vec<Json> {
    let (layers, fields): (&[&str], &[&FieldsOfOptions]) = match attack.kind.name {
        "udp" | "vse" => (&["ip", "udp"], &[&IP_FIELDS, &UDP_FIELDS]),
        "dns_query" => (&["ip", "udp", "dns"], &[&IP_FIELDS, &UDP_FIELDS]),
        "udp_plain" => (&["ip", "udp"], &[&UDP_FIELDS]),
        "syn" | "ack" | "tcp_stomp" => (&["ip", "tcp"], &[&IP_FIELDS, &TCP_FIELDS]),
        "tcp_connect" => (&["ip", "tcp"], &[&TCP_FIELDS]),
        "gre_ip" => (&["ip", "gre", "ip", "udp"], &[&IP_FIELDS, &UDP_FIELDS]),
        "gre_eth" => (&["ip", "gre", "eth", "ip", "udp"], &[&IP_FIELDS, &UDP_FIELDS]),
        "icmp" => (&["ip", "icmp"], &[&IP_FIELDS]),
        "raw_other" => (&["ip"], &[&IP_FIELDS]),
        "http" => (&["ip", "tcp", "http"], &[&TCP_FIELDS]),
        _ => return Vec::new(),
    };
    let mut described = Map::new();
    for (option, field) in fields.iter().copied().flatten() {
        if let Some(parameter) = parameter(attack, option) {
            described.insert((*field).to_owned(), number(parameter));
        }
    }
    described.extend(further_fields(attack));
    let mut packet = json!({"layers": layers, "fields": described});
    // After a handshake of the kernel's it cannot be forged; what a report says of it is its own.
    if attack.kind.name != "tcp_stomp" {
        packet["spoofable"] = (!is_ordinary(attack)).into();
    }
    vec![packet]
}

/// Whether the kernel makes the headers.
fn is_ordinary(attack: &Attack) -> bool {
    ["udp_plain", "tcp_connect", "http"].contains(&attack.kind.name)
}

fn parameter<'a>(attack: &'a Attack, option: &str) -> Option<&'a Parameter> {
    attack.parameters.iter().find(|parameter| parameter.option.macro_name == option)
}

fn default_number(parameter: &Parameter) -> Option<i64> {
    match parameter.default {
        DefaultValue::Int(value) => Some(value),
        DefaultValue::Text(_) | DefaultValue::NoText | DefaultValue::LocalAddress => None,
    }
}

/// A field that a number decides about, which is constant unless it is drawn.
fn number(parameter: &Parameter) -> Json {
    let mut field = json!({"option": parameter.key});
    if let Some(value) = default_number(parameter).filter(|value| *value != DRAWN) {
        field["constant"] = value.into();
    }
    field
}

/// Addresses, what identifies the kind, and the payload.
fn further_fields(attack: &Attack) -> Vec<(String, Json)> {
    let mut fields = Vec::new();
    let mut add = |name: &str, value: Json| fields.push((name.to_owned(), value));
    let constant = |value: i64| json!({"constant": value});
    // Queries go to a resolver.
    if attack.kind.name != "dns_query" {
        add("ip.dst", json!({"from": "target"}));
    }
    if let Some(parameter) = parameter(attack, "SOURCE_ADDRESS") {
        add("ip.src", json!({"option": parameter.key}));
    }
    match attack.kind.name {
        "dns_query" => add("dns.qry.type", constant(1)),
        "gre_ip" => add("gre.proto", constant(0x0800)),
        "gre_eth" => add("gre.proto", constant(0x6558)),
        "icmp" => {
            add("icmp.type", constant(8));
            add("icmp.code", constant(0));
        }
        "raw_other" => add("ip.proto", constant(253)),
        "vse" => {
            let prefix = hex::encode(VSE_PAYLOAD);
            let payload =
                json!({"length": VSE_PAYLOAD.len(), "prefix_hex": prefix, "random": false});
            add("udp.payload", payload);
        }
        "http" => {
            if let Some(method) = parameter(attack, "METHOD") {
                add("http.request.method", json!({"constant": "GET", "option": method.key}));
            }
            if let Some(path) = parameter(attack, "PATH") {
                add("http.request.uri", json!({"constant": "/", "option": path.key}));
            }
        }
        _ => {}
    }
    let payload = match attack.kind.name {
        "udp" | "udp_plain" | "gre_ip" | "gre_eth" => "udp.payload",
        "ack" | "tcp_stomp" => "tcp.payload",
        "icmp" | "raw_other" => "data",
        _ => return fields,
    };
    if let Some(length) = parameter(attack, "PAYLOAD_SIZE").and_then(default_number) {
        let length = length.min(MAXIMUM_PAYLOAD);
        fields.push((payload.to_owned(), json!({"length": length, "random": true})));
    }
    fields
}
