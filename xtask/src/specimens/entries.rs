//! The texts of one specimen: which there are, under which ids, in which order, who reads them.

use super::{
    configuration::{C2From, Configuration, Host, Shape, Strings, own_key},
    fork::Fork,
    purpose::{ADDITIONS, DROP, LEAKED, LITERALS, MORE_C2_HOSTS, Purpose, Reader, Role},
    random::Random,
    reach::Reach,
    values::{self, Hosts, folded},
};

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

    /// The bytes without a text's terminating zero.
    pub(super) fn bytes_without_end(&self) -> Vec<u8> {
        match self {
            Value::Text(text) => text.clone().into_bytes(),
            Value::Port(_) | Value::Bytes(_) => self.bytes(),
        }
    }
}

/// One text of the table, or one coded global.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// `ID_<name>` in the C sources.
    pub(super) name: String,
    /// Number, or offset in a block.
    pub(super) id: u32,
    pub(super) value: Value,
    pub(super) role: Role,
    /// The folded key it was left under, where that is not the program's.
    pub(super) stale_key: Option<u8>,
    /// The key byte that stands beside it.
    pub(super) own_key: Option<u8>,
}

/// Which texts the program has, under which ids, in which order.
pub(super) fn draw(
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
    if configuration.c2.from == C2From::NextTable {
        purposes.extend(MORE_C2_HOSTS.iter().take(configuration.c2.hosts.len().saturating_sub(1)));
    }
    if configuration.c2.from == C2From::DeadDrop {
        purposes.extend(DROP);
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
            id: u32::from(purpose.leaked_id),
            value: value(random, hosts, purpose, configuration),
            role: role(purpose, configuration),
            stale_key: None,
            own_key: None,
        })
        .collect();
    if fork == Fork::Renumbered {
        entries.push(binary_entry(random));
    }
    if configuration.strings == Strings::Image {
        entries.extend(LITERALS.iter().map(|literal| Entry {
            name: literal.name.to_owned(),
            id: 0,
            value: Value::Text(literal.text.to_owned()),
            role: role(literal, configuration),
            stale_key: None,
            own_key: None,
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
    match configuration.shape {
        Shape::OwnKeys => {
            for entry in &mut entries {
                let text = entry.value.bytes_without_end();
                entry.own_key = Some(own_key(random, &[&String::from_utf8_lossy(&text)]));
            }
        }
        Shape::Block => number_by_offsets(random, &mut entries),
        _ => {}
    }
    entries
}

fn is_present(purpose: &Purpose, configuration: &Configuration) -> bool {
    let c2 = &configuration.c2;
    let in_table = configuration.strings == Strings::Table;
    match purpose.name {
        "C2_HOST" => {
            configuration.fork == Fork::PlainC2
                || matches!(
                    c2.from,
                    C2From::Table
                        | C2From::ManyTable
                        | C2From::Ipv6Table
                        | C2From::Txt
                        | C2From::Record
                        | C2From::NextTable
                )
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
    let reach = |part: &dyn Fn(&Reach) -> String| {
        configuration.reach.as_ref().map(part).unwrap_or_default()
    };
    // One word per file, so that query and answer of the dialogue fit together.
    let applet = || configuration.own_name.trim_start_matches("./").to_uppercase();
    Value::Text(match purpose.name {
        "C2_HOST" if configuration.fork == Fork::PlainC2 => hosts.name(random, &["old", "cnc"]),
        "C2_HOST" if matches!(configuration.c2.from, C2From::Txt | C2From::Record) => {
            reach(&|reach| reach.asked.clone())
        }
        "DROP_HOST" => reach(&|reach| reach.drop_host.clone()),
        "DROP_PATH" => reach(&Reach::drop_path),
        "PROCESS_NAME" if configuration.fork == Fork::NameGate => configuration.own_name.clone(),
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
    let is_asked = matches!(configuration.c2.from, C2From::Txt | C2From::Record);
    if is_asked && purpose.role == Role::C2Host
        || configuration.fork == Fork::NameGate && purpose.name == "PROCESS_NAME"
    {
        return Role::Open;
    }
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
        own_key: None,
    }
}

/// Gives ids: the leaked ones and then the next, or any with gaps and in another order.
fn number(random: &mut Random, entries: &mut [Entry], renumbered: bool) {
    if renumbered {
        let mut ids: Vec<u32> = (0..entries.len() as u32 + 24).collect();
        random.shuffle(&mut ids);
        random.shuffle(entries);
        for (entry, id) in entries.iter_mut().zip(ids) {
            entry.id = id;
        }
    } else {
        let first_new = LEAKED.len() as u32 + 1;
        for (entry, id) in entries.iter_mut().filter(|entry| entry.id == 0).zip(first_new..) {
            entry.id = id;
        }
    }
}

/// Gives the offsets of fields that leave room, as fields of fixed size do.
fn number_by_offsets(random: &mut Random, entries: &mut [Entry]) {
    let mut offset = 0;
    for entry in entries {
        entry.id = offset;
        let length = entry.value.bytes().len() as u32;
        offset += (length + random.below(12)).next_multiple_of(8);
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
