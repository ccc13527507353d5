//! What goes into one specimen: drawn from the seed, written into the sources and into the truth.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    attacks::{self, Attack, Departure},
    ciphers::Cipher,
    entries::{self, Entry},
    fork::Fork,
    random::Random,
    reach::Reach,
    style::Style,
    values::{self, Hosts, folded},
};

/// Where the program keeps its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strings {
    Table,
    Loose,
    Image,
    Stack,
}

/// In which shape table and credentials are kept; `TABLE_FORM` and `LOGINS_FROM` of the C sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One call for each entry and each pair.
    Calls,
    /// Loops over constant records.
    Loop,
    /// Constant arrays and one packed block, decoded by id and by length bytes.
    Static,
    /// Objects on the heap, to which several routines add.
    Object,
    /// Texts under [`Cipher`], decoded when `Style::decode` says.
    Cipher,
    /// One call for each entry and each pair, with its key.
    OwnKeys,
    /// One coded block.
    Block,
    /// Slots of one size.
    Slots,
}

impl Shape {
    fn of(fork: Fork) -> Shape {
        match fork {
            Fork::LoopTable => Shape::Loop,
            Fork::StaticPointers => Shape::Static,
            Fork::SplitTable => Shape::Object,
            Fork::Xxtea => Shape::Block,
            Fork::Hex => Shape::Slots,
            Fork::PerEntryKey => Shape::OwnKeys,
            _ if Fork::CIPHERS.contains(&fork) => Shape::Cipher,
            _ => Shape::Calls,
        }
    }
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
    Txt,
    Record,
    NextTable,
    NextDotted,
    NextImmediate,
    DeadDrop,
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
    /// The key byte that stands beside the pair.
    pub(super) own_key: Option<u8>,
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
pub(crate) struct Configuration {
    pub(super) fork: Fork,
    pub(super) style: Style,
    pub(super) key: u32,
    pub(super) credential_key: u32,
    pub(super) cipher: Cipher,
    /// That of the table, or XOR with the byte of `credential_key`.
    pub(super) credential_cipher: Cipher,
    pub(super) strings: Strings,
    pub(super) shape: Shape,
    pub(super) dispatch: Dispatch,
    /// In the order in which the code adds them.
    pub(super) entries: Vec<Entry>,
    pub(super) c2: C2,
    /// That of [`Fork::DESTINATIONS`].
    pub(super) reach: Option<Reach>,
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
            Fork::StackString => Strings::Stack,
            _ => Strings::Table,
        };
        let key = values::key(random, &[]);
        let credential_key = match fork {
            Fork::MixedKeys | Fork::StaticPointers => values::key(random, &[folded(key)]),
            _ => key,
        };
        let cipher = Cipher::draw(random, fork);
        let credential_cipher = match cipher {
            // A scanner of older code keeps the key that it had.
            Cipher::Xor | Cipher::OwnKeys | Cipher::Stack => cipher.clone(),
            _ if random.one_in(3) => Cipher::Xor,
            _ => cipher.clone(),
        };
        let c2 = draw_c2(random, &mut hosts, fork);
        let scan_receiver = (fork != Fork::NoScanner).then(|| {
            (hosts.name(random, &["report", "rep", "hits", "scan"]), values::port(random))
        });
        let mut configuration = Configuration {
            fork,
            style: Style::draw(random, fork, &cipher),
            key,
            credential_key,
            cipher,
            credential_cipher,
            strings,
            shape: Shape::of(fork),
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
            reach: None,
        };
        configuration.reach = Reach::draw(random, &mut hosts, fork);
        configuration.entries = entries::draw(random, &mut hosts, &configuration);
        if !configuration.adds_entries() {
            // Nothing adds them: they stand in the array by their ids.
            configuration.entries.sort_by_key(|entry| entry.id);
        }
        configuration
    }

    /// Whether code fills a table; where none does, entries stand by their ids.
    fn adds_entries(&self) -> bool {
        match self.shape {
            Shape::Static | Shape::Block | Shape::Slots => false,
            Shape::Cipher => self.style.decode != "DECODE_ON_GET",
            Shape::Calls | Shape::Loop | Shape::Object | Shape::OwnKeys => true,
        }
    }

    /// Whether the program has a scanner.
    pub(super) fn has_scanner(&self) -> bool {
        self.probes.is_some()
    }

    /// The bytes of `entry` as they stand in the file.
    pub(super) fn coded(&self, entry: &Entry) -> Vec<u8> {
        match entry.stale_key.or(entry.own_key) {
            Some(key) => entry.value.bytes().into_iter().map(|byte| byte ^ key).collect(),
            None if self.shape == Shape::Slots => {
                self.cipher.encode(&entry.value.bytes_without_end(), self.key)
            }
            None => self.cipher.encode(&entry.value.bytes(), self.key),
        }
    }

    /// A user name or password of `credential` as it stands in the file.
    pub(super) fn coded_login(&self, credential: &Credential, text: &str) -> Vec<u8> {
        match credential.own_key {
            Some(key) => text.bytes().map(|byte| byte ^ key).collect(),
            None => self.credential_cipher.encode(text.as_bytes(), self.credential_key),
        }
    }

    /// The bytes of `entry` as the running code decodes them.
    pub(super) fn seen_by_code(&self, entry: &Entry) -> Vec<u8> {
        match self.cipher {
            Cipher::Xor => {
                self.coded(entry).into_iter().map(|byte| byte ^ folded(self.key)).collect()
            }
            _ => entry.value.bytes(),
        }
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
        Fork::TrapGate | Fork::NameGate => {
            *random.pick(&[C2From::Table, C2From::Dotted, C2From::Immediate])
        }
        Fork::DnsTxt => C2From::Txt,
        Fork::DnsAddress => C2From::Record,
        Fork::Fallback => *random.pick(&[
            C2From::NextTable,
            C2From::NextTable,
            C2From::NextDotted,
            C2From::NextImmediate,
        ]),
        Fork::PeerList => *random.pick(&[C2From::Table, C2From::Dotted]),
        Fork::DeadDrop => C2From::DeadDrop,
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
        C2From::Argument | C2From::Txt | C2From::Record | C2From::DeadDrop => Vec::new(),
        // A name takes a packet more than an address, and there are three.
        C2From::NextTable if random.one_in(2) => {
            vec![
                Host::Name(hosts.name(random, &["cnc", "net", "c2"])),
                Host::V4(hosts.address(random)),
            ]
        }
        C2From::NextTable | C2From::NextDotted | C2From::NextImmediate => {
            (0..3).map(|_| Host::V4(hosts.address(random))).collect()
        }
        C2From::Ipv6Bytes | C2From::Ipv6Text | C2From::Ipv6Table => {
            vec![Host::V6(values::ipv6_address(random))]
        }
    };
    let port_in_table = match (fork, from) {
        (Fork::NoTable | Fork::WholeImage | Fork::StackString, _) => false,
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
        Fork::ObservedAttacks => return attacks::generate_observed(random),
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
        .map(|(user, password)| {
            let weight = random.between(1, 10) as u16;
            let own_key = (fork == Fork::PerEntryKey).then(|| own_key(random, &[&user, &password]));
            Credential { user, password, weight, own_key }
        })
        .collect()
}

/// A key byte that no letter of the texts is.
pub(super) fn own_key(random: &mut Random, texts: &[&str]) -> u8 {
    loop {
        let key = random.between(1, 255) as u8;
        if !texts.iter().any(|text| text.bytes().any(|byte| byte == key)) {
            return key;
        }
    }
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
