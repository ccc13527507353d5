//! What the packets of an attack have in common: which fields are constant, which are drawn, which
//! follow from something else.

use super::order::TARGET;
use super::packet::{Packet, Value};
use core::net::Ipv4Addr;
use miyaburi_linux::{NetworkEvent, OWN_PORT, OWN_PORTS, OWN_SEQUENCE, PEER_SEQUENCE, RESOLVER};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a payload's constant beginning that are kept.
const MAX_PREFIX: usize = 256;

/// Bytes by which a connection's numbers move on while it is watched.
const CONNECTION_BYTES: u64 = 1 << 16;

/// Where a field gets its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is always the same.
    Constant(Value),
    /// It is that of something else.
    From(Origin),
    /// It is drawn: the smallest and largest number seen.
    Random(u64, u64),
}

/// What a field follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The target of the order.
    Target,
    /// The machine's own address.
    Bot,
    /// The connection that was made first.
    Connection,
    /// The destination address.
    Destination,
    /// The machine's name server.
    Resolver,
    /// Texts that are drawn.
    Random,
}

impl Origin {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Bot => "bot",
            Self::Connection => "connection",
            Self::Destination => "ip.dst",
            Self::Resolver => "resolver",
            Self::Random => "random",
        }
    }
}

/// A payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The field that it is.
    pub name: &'static str,
    /// Its bytes; of payloads of different lengths those of the longest.
    pub length: u64,
    /// What it always begins with, the first 256 bytes of it.
    pub prefix: Vec<u8>,
    /// Whether the rest differs from packet to packet.
    pub is_random: bool,
    /// Whether all are of the same length.
    pub has_fixed_length: bool,
}

/// Packets of the same layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Protocols from the outside in.
    pub layers: Vec<&'static str>,
    /// Whether the program makes the headers itself.
    pub is_raw: bool,
    /// Whether the source address can be forged.
    pub is_spoofable: bool,
    /// Packets of this shape in one turn of the loop, when it takes turns.
    pub per_loop: Option<u32>,
    /// Fields by name.
    pub fields: BTreeMap<String, Source>,
    /// What they carry.
    pub payload: Option<Payload>,
}

impl Shape {
    /// Whether two shapes differ in nothing but numbers that are drawn.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let is_drawn = |source: &Source| matches!(source, Source::Random(..));
        let alike = |(name, source): (&String, &Source)| {
            other
                .fields
                .get(name)
                .is_some_and(|it| it == source || is_drawn(it) && is_drawn(source))
        };
        self.layers == other.layers
            && (self.is_raw, self.is_spoofable) == (other.is_raw, other.is_spoofable)
            && self.per_loop == other.per_loop
            && self.payload == other.payload
            && self.fields.len() == other.fields.len()
            && self.fields.iter().all(alike)
    }
}

/// What packets of one shape share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sort<'p> {
    layers: &'p [&'static str],
    is_raw: bool,
}

impl<'p> Sort<'p> {
    fn of(packet: &'p Packet) -> Self {
        Self { layers: &packet.layers, is_raw: packet.is_raw }
    }
}

/// The shapes of what several runs sent, in the order of their first packets.
pub(crate) fn shapes(runs: &[Vec<Packet>]) -> Vec<Shape> {
    let mut groups: Vec<(Sort<'_>, Vec<&Packet>)> = Vec::new();
    for packet in runs.iter().flatten() {
        match groups.iter_mut().find(|(sort, _)| *sort == Sort::of(packet)) {
            Some((_, group)) => group.push(packet),
            None => groups.push((Sort::of(packet), vec![packet])),
        }
    }
    let has_connection = runs.iter().flatten().any(Packet::is_connection);
    let turn = runs.iter().map(|run| turn(run)).max_by_key(|turn| turn.len()).unwrap_or_default();
    let per_loop = |sort: Sort<'_>| {
        let count = turn.iter().filter(|turn| **turn == sort).count();
        u32::try_from(count).ok().filter(|count| *count > 0)
    };
    let shape = |(sort, packets): (Sort<'_>, Vec<&Packet>)| Shape {
        is_spoofable: packets.iter().all(|packet| packet.has_own_address) && !has_connection,
        is_raw: sort.is_raw,
        per_loop: per_loop(sort),
        fields: fields(&packets),
        payload: payload(&packets),
        layers: sort.layers.to_vec(),
    };
    groups.into_iter().map(shape).collect()
}

/// The packets of one turn: the shortest run of them that what follows repeats, what
/// comes before the loop left out.
fn turn(packets: &[Packet]) -> Vec<Sort<'_>> {
    let sorts: Vec<Sort<'_>> = packets.iter().map(Sort::of).collect();
    for start in 0..sorts.len() {
        let rest = sorts.get(start..).unwrap_or(&[]);
        for length in 1..=rest.len() / 2 {
            let repeats = rest.iter().zip(rest.iter().skip(length)).all(|(one, next)| one == next);
            if repeats {
                return rest.get(..length).unwrap_or(&[]).to_vec();
            }
        }
    }
    Vec::new()
}

fn fields(packets: &[&Packet]) -> BTreeMap<String, Source> {
    let names = packets.first().map(|packet| packet.fields.keys()).into_iter().flatten();
    names
        .filter_map(|name| {
            let values: Option<Vec<&Value>> =
                packets.iter().map(|packet| packet.fields.get(name)).collect();
            Some((name.clone(), source(name, &values?, packets)))
        })
        .collect()
}

fn source(name: &str, values: &[&Value], packets: &[&Packet]) -> Source {
    let field = name.split('#').next().unwrap_or(name);
    if let Some(origin) = origin(field, values, packets) {
        return Source::From(origin);
    }
    let first = values.first().copied();
    match first {
        Some(value) if values.iter().all(|other| *other == value) => {
            Source::Constant(value.clone())
        }
        _ => {
            let numbers: Option<Vec<u64>> = values
                .iter()
                .map(|value| match value {
                    Value::Number(number) => Some(*number),
                    Value::Text(text) => {
                        text.parse::<Ipv4Addr>().ok().map(|host| host.to_bits().into())
                    }
                })
                .collect();
            let numbers = numbers.unwrap_or_default();
            match (numbers.iter().min(), numbers.iter().max()) {
                (Some(min), Some(max)) => Source::Random(*min, *max),
                _ => Source::From(Origin::Random),
            }
        }
    }
}

fn origin(field: &str, values: &[&Value], packets: &[&Packet]) -> Option<Origin> {
    let all = |test: &dyn Fn(&Value) -> bool| values.iter().all(|value| test(value));
    let is_within = |value: &Value, start: u64, size: u64| matches!(value, Value::Number(number) if (start..start + size).contains(number));
    let host = |octets: [u8; 4]| Value::Text(Ipv4Addr::from(octets).to_string());
    let (target, resolver) = (host(TARGET), host(RESOLVER));
    match field {
        "ip.dst" if all(&|value| *value == target) => Some(Origin::Target),
        "ip.dst" if all(&|value| *value == resolver) => Some(Origin::Resolver),
        "ip.src" if all(&is_own) => Some(Origin::Bot),
        "tcp.seq" if is_destination(values, packets) => Some(Origin::Destination),
        "tcp.seq" if all(&|value| is_within(value, OWN_SEQUENCE.into(), CONNECTION_BYTES)) => {
            Some(Origin::Connection)
        }
        "tcp.ack" if all(&|value| is_within(value, PEER_SEQUENCE.into(), CONNECTION_BYTES)) => {
            Some(Origin::Connection)
        }
        "tcp.srcport" | "udp.srcport" if is_chosen_by_kernel(values, packets) => {
            Some(Origin::Connection)
        }
        _ => None,
    }
}

/// Whether ports are those that the kernel chooses. It takes others in every run: a program that writes
/// its headers itself and has such a port in all runs alike has chosen it.
fn is_chosen_by_kernel(values: &[&Value], packets: &[&Packet]) -> bool {
    let run = |value: &&Value| match value {
        Value::Number(number) => {
            let run = number.checked_sub(OWN_PORT.into())? / u64::from(OWN_PORTS);
            (run < u64::from(super::SEEDS)).then_some(run)
        }
        Value::Text(_) => None,
    };
    let runs: Option<BTreeSet<u64>> = values.iter().map(run).collect();
    let is_raw = packets.iter().any(|packet| packet.is_raw);
    runs.is_some_and(|runs| !is_raw || runs.len() > 1)
}

/// Whether an address is the machine's own, or one that the kernel replaces by it.
fn is_own(value: &Value) -> bool {
    let Value::Text(text) = value else { return false };
    text.parse::<Ipv4Addr>()
        .is_ok_and(|host| host.is_unspecified() || miyaburi_linux::is_own_address(host.into()))
}

/// Whether numbers are the destination addresses of their packets.
fn is_destination(values: &[&Value], packets: &[&Packet]) -> bool {
    let destination = |packet: &Packet| match packet.fields.get("ip.dst")? {
        Value::Text(text) => Some(u64::from(text.parse::<Ipv4Addr>().ok()?.to_bits())),
        Value::Number(_) => None,
    };
    values.iter().zip(packets).all(|(value, packet)| {
        matches!(value, Value::Number(number) if Some(*number) == destination(packet))
    })
}

fn payload(packets: &[&Packet]) -> Option<Payload> {
    let payloads: Vec<&[u8]> =
        packets.iter().filter_map(|packet| packet.payload.as_ref()).map(|it| &*it.1).collect();
    let (name, first) = packets.iter().find_map(|packet| packet.payload.as_ref())?;
    let length = payloads.iter().map(|payload| payload.len()).max()?;
    let is_common = |end: usize| {
        let start = first.get(..end);
        start.is_some() && payloads.iter().all(|payload| payload.get(..end) == start)
    };
    let common = (1..=first.len()).take_while(|end| is_common(*end)).last().unwrap_or(0);
    let prefix = first.get(..common.min(MAX_PREFIX)).unwrap_or(&[]).to_vec();
    Some(Payload {
        name,
        length: length as u64,
        prefix,
        is_random: common < length,
        has_fixed_length: payloads.iter().all(|payload| payload.len() == length),
    })
}

/// The packets among what happened on the network.
pub(crate) fn packets(events: &[NetworkEvent]) -> Vec<Packet> {
    events.iter().filter_map(Packet::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;
    use miyaburi_image::Address;
    use miyaburi_linux::{NetworkAction, Transport};

    /// A UDP packet of the program's own making.
    fn sent(source: [u8; 4], ident: u16, payload: &[u8]) -> Packet {
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ipv4(source, TARGET, 64).udp(1000, 53);
        builder.write(&mut bytes, payload).unwrap_or_default();
        bytes.splice(4..6, ident.to_be_bytes());
        let transport = Transport::Raw { protocol: 17, has_header: true };
        let address = (TARGET, 0).into();
        let own = ([0; 4], 0).into();
        let action = NetworkAction::Sent(bytes);
        let event = NetworkEvent { site: Address(0), transport, own, address, action };
        Packet::of(&event).unwrap_or_default()
    }

    #[test]
    fn a_port_that_is_the_same_in_all_runs_is_the_programs_own() {
        let ports = |ports: [u16; 3], is_raw: bool| {
            let packets = ports.map(|_| Packet { is_raw, ..Packet::default() });
            let values = ports.map(|port| Value::Number(port.into()));
            is_chosen_by_kernel(&values.each_ref()[..], &packets.each_ref()[..])
        };
        let [first, second, third] = [0, 1, 2].map(|run| OWN_PORT + run * OWN_PORTS + 3);
        assert!(ports([first, second, third], true));
        assert!(!ports([first; 3], true));
        assert!(ports([first; 3], false));
        assert!(!ports([first, 48_101, third], true));
        assert!(!ports([53; 3], false));
    }

    #[test]
    fn fields_are_constant_drawn_or_follow_from_the_target() {
        let runs = [
            vec![sent([0; 4], 7, b"abcd"), sent([0; 4], 900, b"abXY")],
            vec![sent([0; 4], 55, b"abcd")],
        ];
        let shapes = shapes(&runs);
        assert_eq!(shapes.len(), 1);
        let shape = &shapes[0];
        assert_eq!(shape.layers, ["ip", "udp"]);
        assert!(shape.is_spoofable);
        assert_eq!(shape.per_loop, Some(1));
        assert_eq!(shape.fields.get("ip.dst"), Some(&Source::From(Origin::Target)));
        assert_eq!(shape.fields.get("ip.src"), Some(&Source::From(Origin::Bot)));
        assert_eq!(shape.fields.get("ip.ttl"), Some(&Source::Constant(Value::Number(64))));
        assert_eq!(shape.fields.get("ip.id"), Some(&Source::Random(7, 900)));
        let payload = shape.payload.as_ref();
        assert_eq!(
            payload.map(|it| (it.length, &*it.prefix, it.is_random)),
            Some((4, &b"ab"[..], true))
        );
    }

    #[test]
    fn another_source_address_is_no_address_of_the_machine() {
        let shapes = shapes(&[vec![sent([192, 0, 2, 1], 7, b"x"), sent([192, 0, 2, 9], 7, b"x")]]);
        let source = shapes.first().and_then(|shape| shape.fields.get("ip.src"));
        assert_eq!(source, Some(&Source::Random(0xc000_0201, 0xc000_0209)));
    }

    #[test]
    fn turns_are_counted_behind_what_comes_once() {
        let [one, other] = [sent([0; 4], 1, b"x"), Packet::default()];
        let layers = |packets: &[Packet]| turn(packets).len();
        assert_eq!(layers(&[one.clone(), other.clone(), one.clone(), other.clone()]), 2);
        assert_eq!(layers(&[other.clone(), one.clone(), one.clone(), one.clone()]), 1);
        assert_eq!(layers(&[other, one]), 0);
    }
}
