//! What goes into one specimen: drawn from the seed, written into the sources and into the truth.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    attacks::{self, Attack, Departure},
    fork::Fork,
    purpose::{ADDITIONS, LEAKED, LITERALS, MORE_C2_HOSTS, Purpose, Reader, Role},
    random::Random,
    style::Style,
    values::{self, Hosts, folded},
};

/// Where the program keeps its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strings {
    Table,
    Loose,
    Image,
}

/// How the connect routine learns the C2; names follow `C2_FROM` of the C sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum C2From {
    Table,
    Name,
    Dotted,
    Immediate,
    Main,
    ManyTable,
    ManyDotted,
    ManyImmediate,
    Argument,
    Ipv6Bytes,
    Ipv6Text,
    Ipv6Table,
}

/// How an attack is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dispatch {
    Registry,
    Switch,
    Text,
}

/// A C2 as the program holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Host {
    /// The report's spelling.
    pub(super) fn text(&self) -> String {
        match self {
            Host::Name(name) => name.clone(),
            Host::V4(address) => address.to_string(),
            Host::V6(address) => address.to_string(),
        }
    }
}

/// The C2s; `hosts` is empty when they come from outside.
#[derive(Clone, Debug)]
pub(super) struct C2 {
    pub(super) from: C2From,
    pub(super) hosts: Vec<Host>,
    pub(super) port: u16,
    pub(super) port_in_table: bool,
}

/// The plain value of a table entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Stored with a terminating zero.
    Text(String),
    /// Stored as two bytes in network order.
    Port(u16),
    Bytes(Vec<u8>),
}

impl Value {
    /// The bytes as the program stores them, uncoded.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Value::Text(text) => text.bytes().chain([0]).collect(),
            Value::Port(port) => port.to_be_bytes().to_vec(),
            Value::Bytes(bytes) => bytes.clone(),
        }
    }
}

/// One text of the table, or one coded global.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// `ID_<name>` in the C sources.
    pub(super) name: String,
    pub(super) id: u8,
    pub(super) value: Value,
    pub(super) role: Role,
    /// The folded key it was left under, where that is not the program's.
    pub(super) stale_key: Option<u8>,
}

/// Whom the scanner probes: one port, and in one of `every` rounds another.
#[derive(Clone, Debug)]
pub(super) struct Probes {
    pub(super) port: u16,
    pub(super) other_port: u16,
    pub(super) every: u32,
}

/// One user name and password with its weight.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) weight: u16,
}

/// A request to a web interface: no command in it.
#[derive(Clone, Debug)]
pub(super) struct Exploit {
    pub(super) port: u16,
    pub(super) path: &'static str,
    pub(super) loader_host: Ipv4Addr,
    pub(super) loader: String,
}

/// Everything that differs between two specimens of one target.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    pub(super) fork: Fork,
    pub(super) style: Style,
    pub(super) key: u32,
    pub(super) credential_key: u32,
    pub(super) strings: Strings,
    pub(super) dispatch: Dispatch,
    /// In the order in which the code adds them.
    pub(super) entries: Vec<Entry>,
    pub(super) c2: C2,
    pub(super) decoy: (Ipv4Addr, u16),
    /// A constant address of `whole_image` that nothing connects to.
    pub(super) reference: (Ipv4Addr, u16),
    pub(super) resolver: Ipv4Addr,
    pub(super) scan_receiver: Option<(String, u16)>,
    pub(super) probes: Option<Probes>,
    pub(super) credentials: Vec<Credential>,
    pub(super) attacks: Vec<Attack>,
    pub(super) exploit: Option<Exploit>,
    pub(super) single_instance_port: u16,
    pub(super) killer_port: u16,
    /// The name that the program expects in argv[0].
    pub(super) own_name: String,
}

impl Configuration {
    /// The configuration of the file `label` under `seed`.
    pub(super) fn generate(fork: Fork, seed: u64, label: &str) -> Configuration {
        let mut random = Random::new(seed, label);
        let random = &mut random;
        let mut hosts = Hosts::default();
        let strings = match fork {
            Fork::NoTable => Strings::Loose,
            Fork::WholeImage => Strings::Image,
            _ => Strings::Table,
        };
        let key = values::key(random, &[]);
        let credential_key = match fork {
            Fork::MixedKeys => values::key(random, &[folded(key)]),
            _ => key,
        };
        let c2 = draw_c2(random, &mut hosts, fork);
        let scan_receiver = (fork != Fork::NoScanner).then(|| {
            (hosts.name(random, &["report", "rep", "hits", "scan"]), values::port(random))
        });
        let mut configuration = Configuration {
            fork,
            style: Style::draw(random, fork),
            key,
            credential_key,
            strings,
            dispatch: draw_dispatch(random, fork),
            entries: Vec::new(),
            decoy: (hosts.address(random), *random.pick(&[80, 23, 80, 443, 8080])),
            reference: (hosts.address(random), values::port(random)),
            resolver: hosts.address(random),
            probes: (fork != Fork::NoScanner).then(|| draw_probes(random, fork)),
            credentials: draw_credentials(random, fork, folded(credential_key)),
            attacks: draw_attacks(random, fork),
            exploit: matches!(fork, Fork::Renumbered | Fork::PlainC2)
                .then(|| draw_exploit(random, &mut hosts)),
            single_instance_port: draw_single_instance_port(random, fork),
            killer_port: *random.pick(&[23, 22, 80]),
            own_name: format!("./{}", values::random_word(random, 5, 10)),
            scan_receiver,
            c2,
        };
        configuration.entries = draw_entries(random, &mut hosts, &configuration);
        configuration
    }

    /// Whether the program has a scanner.
    pub(super) fn has_scanner(&self) -> bool {
        self.probes.is_some()
    }

    /// The bytes of `entry` as they stand in the file.
    pub(super) fn coded(&self, entry: &Entry) -> Vec<u8> {
        let key = entry.stale_key.unwrap_or(folded(self.key));
        entry.value.bytes().into_iter().map(|byte| byte ^ key).collect()
    }

    /// The bytes of `entry` as the running code decodes them.
    pub(super) fn seen_by_code(&self, entry: &Entry) -> Vec<u8> {
        self.coded(entry).into_iter().map(|byte| byte ^ folded(self.key)).collect()
    }
}

fn draw_c2(random: &mut Random, hosts: &mut Hosts, fork: Fork) -> C2 {
    let from = match fork {
        Fork::PlainC2 => *random.pick(&[C2From::Name, C2From::Dotted]),
        Fork::Immediate => *random.pick(&[C2From::Immediate, C2From::Immediate, C2From::Main]),
        Fork::ManyC2 => {
            *random.pick(&[C2From::ManyTable, C2From::ManyDotted, C2From::ManyImmediate])
        }
        Fork::NoTable => *random.pick(&[C2From::Table, C2From::Immediate, C2From::Main]),
        Fork::External => C2From::Argument,
        Fork::Ipv6 => *random.pick(&[C2From::Ipv6Bytes, C2From::Ipv6Text, C2From::Ipv6Table]),
        _ => C2From::Table,
    };
    let mut name_or_address = |random: &mut Random| {
        if random.one_in(4) {
            Host::V4(hosts.address(random))
        } else {
            Host::Name(hosts.name(random, &["cnc", "net", "c2", "gate", "n"]))
        }
    };
    let c2_hosts = match from {
        C2From::Table => vec![name_or_address(random)],
        C2From::ManyTable => (0..4).map(|_| name_or_address(random)).collect(),
        C2From::Name => vec![Host::Name(hosts.name(random, &["cnc", "net", "c2", "gate", "n"]))],
        C2From::Dotted | C2From::Immediate | C2From::Main => vec![Host::V4(hosts.address(random))],
        C2From::ManyDotted | C2From::ManyImmediate => {
            (0..4).map(|_| Host::V4(hosts.address(random))).collect()
        }
        C2From::Argument => Vec::new(),
        C2From::Ipv6Bytes | C2From::Ipv6Text | C2From::Ipv6Table => {
            vec![Host::V6(values::ipv6_address(random))]
        }
    };
    let port_in_table = match (fork, from) {
        (Fork::NoTable | Fork::WholeImage, _) => false,
        // `main` stores it before it may read the table.
        (_, C2From::Main) => false,
        (_, C2From::Table | C2From::ManyTable | C2From::Ipv6Table) => true,
        _ => random.one_in(3),
    };
    C2 { from, hosts: c2_hosts, port: values::port(random), port_in_table }
}

fn draw_dispatch(random: &mut Random, fork: Fork) -> Dispatch {
    match fork {
        Fork::SwitchDispatch => *random.pick(&[Dispatch::Switch, Dispatch::Text]),
        _ => Dispatch::Registry,
    }
}

fn draw_attacks(random: &mut Random, fork: Fork) -> Vec<Attack> {
    let departure = match fork {
        Fork::NoAttacks => return Vec::new(),
        Fork::Classic | Fork::DebugLayout => Departure::None,
        Fork::PlainC2 | Fork::Immediate | Fork::NoTable | Fork::WholeImage => Departure::Defaults,
        _ => Departure::Everything,
    };
    attacks::generate(random, departure)
}

fn draw_probes(random: &mut Random, fork: Fork) -> Probes {
    match fork {
        Fork::Classic | Fork::DebugLayout => Probes { port: 23, other_port: 2323, every: 10 },
        _ => Probes {
            port: 23,
            other_port: *random.pick(&[2323, 2323, 26, 8023, 9000]),
            every: *random.pick(&[10, 10, 5, 4]),
        },
    }
}

fn draw_credentials(random: &mut Random, fork: Fork, key: u8) -> Vec<Credential> {
    if fork == Fork::NoScanner {
        return Vec::new();
    }
    let count = random.between(24, 62) as usize;
    values::credentials(random, count, key)
        .into_iter()
        .map(|(user, password)| Credential { user, password, weight: random.between(1, 10) as u16 })
        .collect()
}

/// Request paths named in public write-ups, with the port they are sent to.
const EXPLOIT_PATHS: [(&str, u16); 5] = [
    ("/ctrlt/DeviceUpgrade_1", 37215),
    ("/picsdesc.xml", 52869),
    ("/GponForm/diag_Form", 8080),
    ("/HNAP1/", 80),
    ("/cgi-bin/luci/locale", 80),
];

fn draw_exploit(random: &mut Random, hosts: &mut Hosts) -> Exploit {
    let (path, port) = *random.pick(&EXPLOIT_PATHS);
    let loader_host = hosts.address(random);
    let file = values::random_word(random, 3, 6);
    Exploit { port, path, loader_host, loader: format!("http://{loader_host}/bins/{file}.mips") }
}

fn draw_single_instance_port(random: &mut Random, fork: Fork) -> u16 {
    match fork {
        Fork::Classic | Fork::DebugLayout => 48101,
        _ => random.between(20000, 60000) as u16,
    }
}

/// Which texts the program has, under which ids, in which order.
fn draw_entries(
    random: &mut Random,
    hosts: &mut Hosts,
    configuration: &Configuration,
) -> Vec<Entry> {
    let fork = configuration.fork;
    let mut purposes: Vec<Purpose> =
        LEAKED.into_iter().filter(|purpose| is_present(purpose, configuration)).collect();
    if configuration.c2.from == C2From::ManyTable {
        purposes.extend(MORE_C2_HOSTS);
    }
    match fork {
        Fork::Classic | Fork::DebugLayout => {}
        Fork::Renumbered => purposes.extend(ADDITIONS),
        _ if random.one_in(2) => {
            purposes.extend(ADDITIONS.iter().skip(random.below(12) as usize & !1))
        }
        _ => {}
    }
    let mut entries: Vec<Entry> = purposes
        .iter()
        .map(|purpose| Entry {
            name: purpose.name.to_owned(),
            id: purpose.leaked_id,
            value: value(random, hosts, purpose, configuration),
            role: role(purpose, configuration),
            stale_key: None,
        })
        .collect();
    if fork == Fork::Renumbered {
        entries.push(binary_entry(random));
    }
    if configuration.strings == Strings::Image {
        entries.extend(LITERALS.iter().map(|(name, text)| Entry {
            name: (*name).to_owned(),
            id: 0,
            value: Value::Text((*text).to_owned()),
            role: Role::Unknown,
            stale_key: None,
        }));
    }
    let renumbered = match fork {
        Fork::Classic | Fork::DebugLayout => false,
        Fork::Renumbered => true,
        _ => random.one_in(2),
    };
    number(random, &mut entries, renumbered);
    if fork == Fork::MixedKeys {
        leave_some_stale(random, &mut entries, configuration);
    }
    entries
}

fn is_present(purpose: &Purpose, configuration: &Configuration) -> bool {
    let c2 = &configuration.c2;
    let in_table = configuration.strings == Strings::Table;
    match purpose.name {
        "C2_HOST" => {
            configuration.fork == Fork::PlainC2
                || matches!(c2.from, C2From::Table | C2From::ManyTable | C2From::Ipv6Table)
        }
        "C2_PORT" => in_table && (configuration.fork == Fork::PlainC2 || c2.port_in_table),
        "SCAN_RECEIVER_PORT" => in_table && configuration.has_scanner(),
        "SCAN_RECEIVER_HOST" => configuration.has_scanner(),
        _ => true,
    }
}

fn value(
    random: &mut Random,
    hosts: &mut Hosts,
    purpose: &Purpose,
    configuration: &Configuration,
) -> Value {
    let c2_host =
        |index: usize| configuration.c2.hosts.get(index).map(Host::text).unwrap_or_default();
    let receiver = configuration.scan_receiver.clone().unwrap_or_default();
    // One word per file, so that query and answer of the dialogue fit together.
    let applet = || configuration.own_name.trim_start_matches("./").to_uppercase();
    Value::Text(match purpose.name {
        "C2_HOST" if configuration.fork == Fork::PlainC2 => hosts.name(random, &["old", "cnc"]),
        "C2_HOST" => c2_host(0),
        "C2_HOST_2" => c2_host(1),
        "C2_HOST_3" => c2_host(2),
        "C2_HOST_4" => c2_host(3),
        "C2_PORT" if configuration.c2.port_in_table => return Value::Port(configuration.c2.port),
        "C2_PORT" => return Value::Port(values::port(random)),
        "SCAN_RECEIVER_HOST" => receiver.0,
        "SCAN_RECEIVER_PORT" => return Value::Port(receiver.1),
        "EXECUTION_MESSAGE" => {
            (*random.pick(&["listening tun0", "device started", "connected to peer", "done"]))
                .to_owned()
        }
        "DIALOGUE_QUERY" => format!("/bin/busybox {}", applet()),
        "DIALOGUE_RESPONSE" => format!("{}: applet not found", applet()),
        _ => purpose.text.to_owned(),
    })
}

/// The role of an entry, or none where the code that would read it is not built.
fn role(purpose: &Purpose, configuration: &Configuration) -> Role {
    let read = match purpose.reader {
        Reader::Nobody => false,
        Reader::Scanner => configuration.has_scanner(),
        Reader::Attacks => !configuration.attacks.is_empty(),
        Reader::Killer => true,
        Reader::Main => match purpose.role {
            Role::C2Host => configuration.fork != Fork::PlainC2,
            Role::C2Port => configuration.c2.port_in_table,
            _ => true,
        },
    };
    if read { purpose.role } else { Role::Unknown }
}

/// A value that is no text: a request of eight bytes that nothing sends.
fn binary_entry(random: &mut Random) -> Entry {
    let tail = (0..4).map(|_| 0x80 | random.below(128) as u8);
    Entry {
        name: "UNUSED_BYTES".to_owned(),
        id: 0,
        value: Value::Bytes([0, 1, 0xff, 0].into_iter().chain(tail).collect()),
        role: Role::Unknown,
        stale_key: None,
    }
}

/// Gives ids: the leaked ones and then the next, or any with gaps and in another order.
fn number(random: &mut Random, entries: &mut [Entry], renumbered: bool) {
    if renumbered {
        let mut ids: Vec<u8> = (0..entries.len() as u8 + 24).collect();
        random.shuffle(&mut ids);
        random.shuffle(entries);
        for (entry, id) in entries.iter_mut().zip(ids) {
            entry.id = id;
        }
    } else {
        let first_new = LEAKED.len() as u8 + 1;
        for (entry, id) in entries.iter_mut().filter(|entry| entry.id == 0).zip(first_new..) {
            entry.id = id;
        }
    }
}

/// Leaves some texts under a third key. The program would decode them wrongly, as in the field.
fn leave_some_stale(random: &mut Random, entries: &mut [Entry], configuration: &Configuration) {
    let taken = [folded(configuration.key), folded(configuration.credential_key)];
    let third = folded(values::key(random, &taken));
    let mut candidates: Vec<&mut Entry> = entries
        .iter_mut()
        .filter(|entry| {
            matches!(&entry.value, Value::Text(text) if text.len() >= 6)
                && matches!(entry.role, Role::Killer | Role::HttpFragment | Role::UserAgent)
        })
        .collect();
    random.shuffle(&mut candidates);
    let count = random.between(3, 7) as usize;
    for entry in candidates.into_iter().take(count) {
        entry.stale_key = Some(third);
    }
}
