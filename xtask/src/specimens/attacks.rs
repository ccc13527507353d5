//! The attacks of the specimens: their handlers, the parameters that these read, the defaults.

use super::random::Random;

/// Value of a parameter that is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DefaultValue {
    Int(i64),
    Text(&'static str),
    /// A null pointer: the handler gives up without it.
    NoText,
    /// The address of the machine, known at run time only.
    LocalAddress,
}

/// One parameter: `OPTION_<macro_name>` in the C sources.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) option: &'static OptionKind,
    pub(super) key: u8,
    pub(super) default: DefaultValue,
}

/// A parameter's meaning; `leaked_key` is its number in the leaked program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OptionKind {
    pub(super) macro_name: &'static str,
    pub(super) leaked_key: u8,
    /// The report's name, by what the option changes.
    pub(super) effect: &'static str,
}

const fn option(macro_name: &'static str, leaked_key: u8, effect: &'static str) -> OptionKind {
    OptionKind { macro_name, leaked_key, effect }
}

/// Every parameter of the leaked program that a specimen's handler reads.
pub(super) static OPTIONS: [OptionKind; 24] = [
    option("PAYLOAD_SIZE", 0, "payload_size"),
    option("PAYLOAD_RANDOM", 1, "payload_random"),
    option("TOS", 2, "ip_tos"),
    option("IDENT", 3, "ip_ident"),
    option("TTL", 4, "ip_ttl"),
    option("DONT_FRAGMENT", 5, "ip_df"),
    option("SOURCE_PORT", 6, "source_port"),
    option("DESTINATION_PORT", 7, "destination_port"),
    option("DOMAIN", 8, "domain"),
    option("DNS_ID", 9, "dns_id"),
    option("URG", 11, "urg"),
    option("ACK", 12, "ack"),
    option("PSH", 13, "psh"),
    option("RST", 14, "rst"),
    option("SYN", 15, "syn"),
    option("FIN", 16, "fin"),
    option("SEQUENCE", 17, "seq"),
    option("ACKNOWLEDGEMENT", 18, "ack_seq"),
    option("GRE_CONSTANT", 19, "gre_constant_destination"),
    option("METHOD", 20, "method"),
    option("POST_DATA", 21, "post_data"),
    option("PATH", 22, "path"),
    option("CONNECTIONS", 24, "connections"),
    option("SOURCE_ADDRESS", 25, "source_address"),
];

/// One attack of one file.
#[derive(Clone, Debug)]
pub(super) struct Attack {
    /// The number that commands use; unused where commands are texts.
    pub(super) vector: u8,
    /// The word that commands use where they are texts.
    pub(super) command: String,
    pub(super) kind: &'static Kind,
    pub(super) parameters: Vec<Parameter>,
}

/// What an attack sends; `macro_name` in `DEFAULT_<macro_name>_<option>`.
#[derive(Debug)]
pub(super) struct Kind {
    /// The report's kind.
    pub(super) name: &'static str,
    /// The word that commands use where they are texts, in lower case.
    word: &'static str,
    pub(super) macro_name: &'static str,
    pub(super) handler: &'static str,
    leaked_vector: u8,
    defaults: &'static [(&'static str, DefaultValue)],
}

use DefaultValue::{Int, LocalAddress, NoText, Text};

/// The attacks in the leaked order, with the leaked defaults.
static KINDS: [Kind; 10] = [
    Kind {
        name: "udp",
        word: "udp",
        macro_name: "UDP",
        handler: "attack_udp_generic",
        leaked_vector: 0,
        defaults: &[
            ("TOS", Int(0)),
            ("IDENT", Int(0xffff)),
            ("TTL", Int(64)),
            ("DONT_FRAGMENT", Int(0)),
            ("SOURCE_PORT", Int(0xffff)),
            ("DESTINATION_PORT", Int(0xffff)),
            ("PAYLOAD_SIZE", Int(512)),
            ("PAYLOAD_RANDOM", Int(1)),
            ("SOURCE_ADDRESS", LocalAddress),
        ],
    },
    Kind {
        name: "vse",
        word: "vse",
        macro_name: "VSE",
        handler: "attack_udp_vse",
        leaked_vector: 1,
        defaults: &[
            ("TOS", Int(0)),
            ("IDENT", Int(0xffff)),
            ("TTL", Int(64)),
            ("DONT_FRAGMENT", Int(0)),
            ("SOURCE_PORT", Int(0xffff)),
            ("DESTINATION_PORT", Int(27015)),
        ],
    },
    Kind {
        name: "dns_query",
        word: "dns",
        macro_name: "DNS",
        handler: "attack_udp_dns",
        leaked_vector: 2,
        defaults: &[
            ("TOS", Int(0)),
            ("IDENT", Int(0xffff)),
            ("TTL", Int(64)),
            ("DONT_FRAGMENT", Int(0)),
            ("SOURCE_PORT", Int(0xffff)),
            ("DESTINATION_PORT", Int(53)),
            ("DNS_ID", Int(0xffff)),
            ("PAYLOAD_SIZE", Int(12)),
            ("DOMAIN", NoText),
        ],
    },
    Kind {
        name: "syn",
        word: "syn",
        macro_name: "SYN",
        handler: "attack_tcp_syn",
        leaked_vector: 3,
        defaults: &[
            ("TOS", Int(0)),
            ("IDENT", Int(0xffff)),
            ("TTL", Int(64)),
            ("DONT_FRAGMENT", Int(1)),
            ("SOURCE_PORT", Int(0xffff)),
            ("DESTINATION_PORT", Int(0xffff)),
            ("SEQUENCE", Int(0xffff)),
            ("ACKNOWLEDGEMENT", Int(0)),
            ("URG", Int(0)),
            ("ACK", Int(0)),
            ("PSH", Int(0)),
            ("RST", Int(0)),
            ("SYN", Int(1)),
            ("FIN", Int(0)),
            ("SOURCE_ADDRESS", LocalAddress),
        ],
    },
    Kind {
        name: "ack",
        word: "ack",
        macro_name: "ACK",
        handler: "attack_tcp_ack",
        leaked_vector: 4,
        defaults: &[
            ("TOS", Int(0)),
            ("IDENT", Int(0xffff)),
            ("TTL", Int(64)),
            ("DONT_FRAGMENT", Int(0)),
            ("SOURCE_PORT", Int(0xffff)),
            ("DESTINATION_PORT", Int(0xffff)),
            ("SEQUENCE", Int(0xffff)),
            ("ACKNOWLEDGEMENT", Int(0xffff)),
            ("URG", Int(0)),
            ("ACK", Int(1)),
            ("PSH", Int(0)),
            ("RST", Int(0)),
            ("SYN", Int(0)),
            ("FIN", Int(0)),
            ("PAYLOAD_SIZE", Int(512)),
            ("PAYLOAD_RANDOM", Int(1)),
            ("SOURCE_ADDRESS", LocalAddress),
        ],
    },
    Kind {
        name: "tcp_stomp",
        word: "stomp",
        macro_name: "STOMP",
        handler: "attack_tcp_stomp",
        leaked_vector: 5,
        defaults: &[
            ("TOS", Int(0)),
            ("IDENT", Int(0xffff)),
            ("TTL", Int(64)),
            ("DONT_FRAGMENT", Int(1)),
            ("DESTINATION_PORT", Int(0xffff)),
            ("URG", Int(0)),
            ("ACK", Int(1)),
            ("PSH", Int(1)),
            ("RST", Int(0)),
            ("SYN", Int(0)),
            ("FIN", Int(0)),
            ("PAYLOAD_SIZE", Int(768)),
            ("PAYLOAD_RANDOM", Int(1)),
        ],
    },
    Kind {
        name: "gre_ip",
        word: "greip",
        macro_name: "GREIP",
        handler: "attack_gre_ip",
        leaked_vector: 6,
        defaults: GRE_DEFAULTS,
    },
    Kind {
        name: "gre_eth",
        word: "greeth",
        macro_name: "GREETH",
        handler: "attack_gre_eth",
        leaked_vector: 7,
        defaults: GRE_DEFAULTS,
    },
    Kind {
        name: "udp_plain",
        word: "udpplain",
        macro_name: "UDPPLAIN",
        handler: "attack_udp_plain",
        leaked_vector: 9,
        defaults: &[
            ("DESTINATION_PORT", Int(0xffff)),
            ("SOURCE_PORT", Int(0xffff)),
            ("PAYLOAD_SIZE", Int(512)),
            ("PAYLOAD_RANDOM", Int(1)),
        ],
    },
    Kind {
        name: "http",
        word: "http",
        macro_name: "HTTP",
        handler: "attack_app_http",
        leaked_vector: 10,
        defaults: &[
            ("METHOD", Text("GET")),
            ("DOMAIN", NoText),
            ("PATH", Text("/")),
            ("POST_DATA", NoText),
            ("CONNECTIONS", Int(1)),
            ("DESTINATION_PORT", Int(80)),
        ],
    },
];

/// Attacks beyond the leaked ones.
static MORE_KINDS: [Kind; 5] = [
    Kind {
        // What the connected socket sends is what the other one does.
        name: "udp_plain",
        word: "udpconnected",
        macro_name: "UDPPLAIN",
        handler: "attack_udp_connected",
        leaked_vector: 0,
        defaults: &[
            ("DESTINATION_PORT", Int(0xffff)),
            ("SOURCE_PORT", Int(0xffff)),
            ("PAYLOAD_SIZE", Int(512)),
            ("PAYLOAD_RANDOM", Int(1)),
        ],
    },
    Kind {
        name: "tcp_connect",
        word: "connect",
        macro_name: "CONNECT",
        handler: "attack_tcp_connect",
        leaked_vector: 0,
        defaults: &[("DESTINATION_PORT", Int(80))],
    },
    Kind {
        name: "icmp",
        word: "icmp",
        macro_name: "ICMP",
        handler: "attack_icmp_echo",
        leaked_vector: 0,
        defaults: IP_DEFAULTS,
    },
    Kind {
        name: "raw_other",
        word: "ip",
        macro_name: "OTHER",
        handler: "attack_ip_other",
        leaked_vector: 0,
        defaults: IP_DEFAULTS,
    },
    Kind {
        name: "none_observed",
        word: "nothing",
        macro_name: "NOTHING",
        handler: "attack_nothing",
        leaked_vector: 0,
        defaults: &[("DESTINATION_PORT", Int(80)), ("PAYLOAD_SIZE", Int(512))],
    },
];

const IP_DEFAULTS: &[(&str, DefaultValue)] = &[
    ("TOS", Int(0)),
    ("IDENT", Int(0xffff)),
    ("TTL", Int(64)),
    ("DONT_FRAGMENT", Int(0)),
    ("PAYLOAD_SIZE", Int(512)),
    ("PAYLOAD_RANDOM", Int(1)),
    ("SOURCE_ADDRESS", LocalAddress),
];

const GRE_DEFAULTS: &[(&str, DefaultValue)] = &[
    ("TOS", Int(0)),
    ("IDENT", Int(0xffff)),
    ("TTL", Int(64)),
    ("DONT_FRAGMENT", Int(1)),
    ("SOURCE_PORT", Int(0xffff)),
    ("DESTINATION_PORT", Int(0xffff)),
    ("PAYLOAD_SIZE", Int(512)),
    ("PAYLOAD_RANDOM", Int(1)),
    ("GRE_CONSTANT", Int(0)),
    ("SOURCE_ADDRESS", LocalAddress),
];

/// How far a fork departs from the leaked program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// Leaked vectors, parameters and defaults.
    None,
    /// Leaked vectors and parameters, other defaults.
    Defaults,
    /// Other vectors, parameter numbers, defaults and order; names are the file's own.
    Everything,
}

/// The attacks of one file, in the order in which the code adds them.
pub(super) fn generate(random: &mut Random, departure: Departure) -> Vec<Attack> {
    let keys = option_keys(random, departure);
    let mut vectors: Vec<u8> = (0..64).collect();
    random.shuffle(&mut vectors);
    let mut attacks: Vec<Attack> = KINDS
        .iter()
        .zip(vectors)
        .map(|(kind, vector)| Attack {
            vector: if departure == Departure::Everything { vector } else { kind.leaked_vector },
            command: kind.word.to_uppercase(),
            kind,
            parameters: parameters(random, kind, departure, &keys),
        })
        .collect();
    if departure == Departure::Everything {
        random.shuffle(&mut attacks);
    }
    attacks
}

/// All attacks that there are: under other numbers, one handler under two of them, and two handlers
/// that send the same.
pub(super) fn generate_observed(random: &mut Random) -> Vec<Attack> {
    let keys = option_keys(random, Departure::Everything);
    let mut vectors: Vec<u8> = (0..128).collect();
    random.shuffle(&mut vectors);
    let mut attacks: Vec<Attack> = Vec::new();
    for (kind, vector) in KINDS.iter().chain(&MORE_KINDS).zip(vectors.iter().skip(1)) {
        let twin = attacks.iter().find(|attack| attack.kind.macro_name == kind.macro_name);
        let parameters = match twin {
            Some(twin) => twin.parameters.clone(),
            None => parameters(random, kind, Departure::Everything, &keys),
        };
        let command = kind.word.to_uppercase();
        attacks.push(Attack { vector: *vector, command, kind, parameters });
    }
    let mut again = random.pick(&attacks).clone();
    again.vector = vectors[0];
    attacks.push(again);
    random.shuffle(&mut attacks);
    attacks
}

/// The number of every option of [`OPTIONS`].
fn option_keys(random: &mut Random, departure: Departure) -> Vec<u8> {
    let mut keys: Vec<u8> = OPTIONS.iter().map(|option| option.leaked_key).collect();
    if departure == Departure::Everything {
        random.shuffle(&mut keys);
    }
    keys
}

fn parameters(
    random: &mut Random,
    kind: &'static Kind,
    departure: Departure,
    keys: &[u8],
) -> Vec<Parameter> {
    kind.defaults
        .iter()
        .filter_map(|(macro_name, default)| {
            let index = OPTIONS.iter().position(|option| option.macro_name == *macro_name)?;
            let default = match departure {
                Departure::None => default.clone(),
                Departure::Defaults | Departure::Everything => changed(random, macro_name, default),
            };
            Some(Parameter { option: &OPTIONS[index], key: keys[index], default })
        })
        .collect()
}

/// Another default for the parameters that forks do change.
fn changed(random: &mut Random, macro_name: &str, default: &DefaultValue) -> DefaultValue {
    match (macro_name, default) {
        ("PAYLOAD_SIZE", Int(size)) if *size > 63 => {
            Int(*random.pick(&[256, 512, 900, 1024, 1400]))
        }
        ("PAYLOAD_SIZE", Int(_)) => Int(i64::from(random.between(8, 32))),
        ("TTL", Int(_)) => Int(*random.pick(&[64, 128, 255])),
        ("DESTINATION_PORT", Int(27015)) => Int(*random.pick(&[27015, 27005, 7777])),
        ("CONNECTIONS", Int(_)) => Int(i64::from(random.between(1, 64))),
        ("DONT_FRAGMENT", Int(_)) => Int(i64::from(random.below(2))),
        _ => default.clone(),
    }
}
