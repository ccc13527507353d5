//! What can be done against packets of a shape.
//!
//! Chosen by layers and flags, not by the name of the attack. A field is matched only where every
//! handler sends the same and no option changes it: a default that operators can override misses
//! the attack as soon as they do.

use core::net::Ipv4Addr;

use super::commands::{Match, fixed};
use super::{Cite, Measure, PacketShape, Statement, cite};

/// What a shape is, as far as defence goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Gre,
    Dns,
    Http,
    Udp,
    Syn,
    Segments,
    Connections,
    Icmp,
    Other,
}

fn class(shape: &PacketShape) -> Class {
    match () {
        () if shape.has("gre") => Class::Gre,
        () if shape.has("dns") => Class::Dns,
        () if shape.has("http") => Class::Http,
        () if shape.has("udp") => Class::Udp,
        () if shape.has("tcp") && !shape.spoofable => Class::Connections,
        () if shape.has("tcp") && shape.has_flag("tcp.flags.syn") => Class::Syn,
        () if shape.has("tcp") => Class::Segments,
        () if shape.has("icmp") => Class::Icmp,
        () => Class::Other,
    }
}

/// Whether the source address of the packets can be trusted.
pub(super) fn source(packets: &[PacketShape]) -> Statement {
    let fields = |shape: &PacketShape| shape.field("ip.src").map(|field| field.name.clone());
    let forged: Vec<_> = packets.iter().filter(|shape| shape.spoofable).collect();
    let options: Vec<String> = forged
        .iter()
        .filter_map(|shape| shape.field("ip.src"))
        .flat_map(|field| field.options.iter().cloned())
        .collect();
    let (text, cites) = match (forged.len(), options.is_empty()) {
        (0, _) => (
            "The packets leave through sockets of the system, so the source is the bot or the translator before it: limits and blocks by source work.",
            vec![cite::DENIAL, cite::SHARED_ADDRESSES],
        ),
        (_, true) => (
            "The program writes the IP header itself, so the source could be anything; no option of it was seen to change it. Do not block by source without other grounds.",
            vec![cite::INGRESS, cite::DENIAL],
        ),
        (_, false) => (
            "The program writes the IP header itself and an option sets the source: do not trust it, and do not block by it.",
            vec![cite::INGRESS, cite::DENIAL],
        ),
    };
    let mut fields: Vec<String> = forged.into_iter().filter_map(fields).collect();
    fields.dedup();
    Statement { text: text.to_owned(), fields, cites }
}

/// What can be done against the packets, the most exact first.
pub(super) fn measures(packets: &[PacketShape], victim: Option<Ipv4Addr>) -> Vec<Measure> {
    let mut measures: Vec<Measure> = Vec::new();
    for (index, shape) in packets.iter().enumerate() {
        let index = u32::try_from(index).unwrap_or_default();
        for measure in of_shape(shape, victim, index) {
            // Another shape of the same attack may be met by the same.
            if !measures
                .iter()
                .any(|known| known.name == measure.name && known.commands == measure.commands)
            {
                measures.push(measure);
            }
        }
    }
    measures
}

fn of_shape(shape: &PacketShape, victim: Option<Ipv4Addr>, index: u32) -> Vec<Measure> {
    let matched = matched(shape, victim);
    let class = class(shape);
    let mut measures = Vec::new();
    if let Some(rule) = matched.suricata(index) {
        measures.push(payload(shape, &matched, rule));
    }
    measures.extend(match class {
        Class::Gre => vec![tunnels(shape, &matched)],
        Class::Dns => vec![resolver_limits(shape)],
        Class::Http => vec![challenge(shape), per_source(&matched)],
        Class::Syn => vec![syn_cookies(shape)],
        Class::Segments => vec![stateful(shape, &matched)],
        Class::Connections => vec![per_source(&matched)],
        Class::Udp | Class::Icmp | Class::Other => Vec::new(),
    });
    if !matches!(class, Class::Http | Class::Connections) {
        measures.push(upstream(shape, &matched, class));
    }
    measures
}

fn matched(shape: &PacketShape, victim: Option<Ipv4Addr>) -> Match<'_> {
    let number = |name: &str| shape.field(name).and_then(super::FieldUse::fixed);
    let layer = |name: &str| shape.has(name);
    let protocol = match () {
        () if layer("gre") => 47,
        () if layer("udp") => 17,
        () if layer("tcp") => 6,
        () if layer("icmp") => 1,
        () => number("ip.proto").and_then(|number| u8::try_from(number).ok()).unwrap_or_default(),
    };
    // Behind another header these fields are those of the inner packet.
    let is_outer = !layer("gre");
    let port = ["udp.dstport", "tcp.dstport"].into_iter().find_map(number);
    let prefix = shape.field("udp.payload").and_then(|field| field.prefix.as_deref());
    Match {
        victim,
        protocol,
        port: port.filter(|_| is_outer).and_then(|port| u16::try_from(port).ok()),
        prefix: prefix.filter(|_| is_outer),
    }
}

/// Options that change one of `fields`.
fn overridden(shape: &PacketShape, fields: &[&str]) -> Vec<String> {
    let used = fields.iter().filter_map(|name| shape.field(name));
    let mut options: Vec<String> = used.flat_map(|field| field.options.iter().cloned()).collect();
    options.sort();
    options.dedup();
    options
}

fn statement(text: &str, fields: &[&str], shape: &PacketShape, cites: &[Cite]) -> Statement {
    let there = fields.iter().filter(|name| shape.field(name).is_some());
    Statement {
        text: text.to_owned(),
        fields: there.map(|name| (*name).to_owned()).collect(),
        cites: cites.to_vec(),
    }
}

/// What a measure hits besides, and the documents that it follows from.
fn mistakes(text: &str, cites: &[Cite]) -> Statement {
    Statement { text: text.to_owned(), fields: Vec::new(), cites: cites.to_vec() }
}

fn payload(shape: &PacketShape, matched: &Match<'_>, rule: super::Command) -> Measure {
    Measure {
        name: "Rule on the payload",
        catches: statement(
            "Every handler begins its payload with the same bytes, and no option changes them.",
            &["udp.payload"],
            shape,
            &[cite::FLOWSPEC, cite::A2S],
        ),
        mistakes: mistakes(
            "Users of the service whose query these bytes are, where the victim runs it: there, limit the rate and let the server answer with its challenge.",
            &[cite::A2S],
        ),
        overridden_by: overridden(shape, &["udp.payload"]),
        commands: vec![rule, matched.nftables()],
    }
}

fn tunnels(shape: &PacketShape, matched: &Match<'_>) -> Measure {
    Measure {
        name: "No GRE but from tunnel peers",
        catches: statement(
            "The packets are GRE to an address that ends no tunnel.",
            &["ip.proto", "gre.proto", "ip.dst"],
            shape,
            &[cite::GRE],
        ),
        mistakes: mistakes(
            "Tunnels of the victim: permit their peers before this rule.",
            &[cite::GRE],
        ),
        overridden_by: Vec::new(),
        commands: vec![matched.nftables()],
    }
}

fn resolver_limits(shape: &PacketShape) -> Measure {
    Measure {
        name: "Limits at the resolvers",
        catches: statement(
            "Queries for names below the victim's domain, sent to resolvers: each is new, so caches do not help and the victim's name servers get them all.",
            &["ip.dst", "dns.qry.name", "udp.dstport"],
            shape,
            &[cite::AGGRESSIVE_NSEC, cite::DENIAL],
        ),
        mistakes: mistakes(
            "Users of the victim's domain while the limit is reached: answers from the cache still work.",
            &[cite::AGGRESSIVE_NSEC],
        ),
        overridden_by: overridden(shape, &["udp.dstport", "dns.qry.name"]),
        commands: vec![
            fixed(
                "BIND",
                "options { fetches-per-zone 200; fetches-per-server 200; synth-from-dnssec yes; };",
            ),
            fixed("Unbound", "server:\n    ratelimit: 1000\n    aggressive-nsec: yes"),
        ],
    }
}

fn challenge(shape: &PacketShape) -> Measure {
    Measure {
        name: "Challenge or limit of requests",
        catches: statement(
            "Whole requests over real connections: a client that does not keep a cookie or run a script does not come back with it. The program may keep cookies, so use one that needs a script.",
            &["http.request.method", "http.request.uri", "http.user_agent"],
            shape,
            &[cite::HTTP_LIMITS],
        ),
        mistakes: mistakes(
            "Programs that use the site without a browser, and users behind one translated address.",
            &[cite::HTTP_LIMITS, cite::SHARED_ADDRESSES],
        ),
        overridden_by: overridden(
            shape,
            &["http.request.method", "http.request.uri", "http.host", "tcp.dstport"],
        ),
        commands: vec![fixed(
            "nginx",
            "limit_req_zone $binary_remote_addr zone=flood:10m rate=10r/s;\nlimit_req_status 429;\nlimit_req zone=flood burst=20 nodelay;",
        )],
    }
}

fn per_source(matched: &Match<'_>) -> Measure {
    Measure {
        name: "Limit of new connections by source",
        catches: Statement {
            text: "The handshake is completed, so the source is real and can be counted."
                .to_owned(),
            fields: Vec::new(),
            cites: vec![cite::TCP],
        },
        mistakes: mistakes("Many users behind one translated address.", &[cite::SHARED_ADDRESSES]),
        overridden_by: Vec::new(),
        commands: vec![matched.connections()],
    }
}

fn syn_cookies(shape: &PacketShape) -> Measure {
    Measure {
        name: "SYN cookies",
        catches: statement(
            "Connections that are begun and never completed: with cookies the victim keeps nothing for them.",
            &["tcp.flags.syn", "ip.src"],
            shape,
            &[cite::SYN_FLOODING],
        ),
        mistakes: mistakes(
            "None is refused; options of the handshake may be lost while cookies are sent.",
            &[cite::SYN_FLOODING],
        ),
        overridden_by: overridden(shape, &["tcp.flags.syn", "tcp.flags.ack"]),
        commands: vec![
            fixed("sysctl", "sysctl -w net.ipv4.tcp_syncookies=1"),
            fixed("sysctl", "sysctl -w net.ipv4.tcp_max_syn_backlog=8192"),
        ],
    }
}

fn stateful(shape: &PacketShape, matched: &Match<'_>) -> Measure {
    Measure {
        name: "Drop of segments without a connection",
        catches: statement(
            "Segments that belong to no connection that a stateful filter saw begin.",
            &["tcp.flags.syn", "tcp.flags.ack", "tcp.seq", "tcp.ack"],
            shape,
            &[cite::TCP],
        ),
        mistakes: mistakes(
            "Connections that began before the filter, or on another path than its own. Segments in a connection that the bot did open pass, as do SYNs when an option sets that flag.",
            &[cite::TCP],
        ),
        overridden_by: overridden(shape, &["tcp.flags.syn", "tcp.flags.ack"]),
        commands: matched.stateful(),
    }
}

fn upstream(shape: &PacketShape, matched: &Match<'_>, class: Class) -> Measure {
    let (hit, cites) = match class {
        Class::Icmp => (
            "Echo requests of others; path MTU discovery when the limit is on all of ICMP.",
            vec![cite::FLOWSPEC, cite::PATH_MTU],
        ),
        Class::Dns => (
            "Other queries to the same resolver or name server.",
            vec![cite::FLOWSPEC, cite::DENIAL],
        ),
        _ if matched.port.is_some() => (
            "Other traffic of the same protocol to the same port of the victim.",
            vec![cite::FLOWSPEC],
        ),
        _ => (
            "Everything of the same protocol to the victim: exempt what it serves.",
            vec![cite::FLOWSPEC],
        ),
    };
    let fields = ["ip.dst", "ip.proto", "udp.dstport", "tcp.dstport"];
    Measure {
        name: "Rate limit upstream",
        catches: statement(
            "What routers can match before the victim's line is full: protocol and, where it never changes, port. FlowSpec matches no payload.",
            &fields,
            shape,
            &cites,
        ),
        mistakes: mistakes(hit, &cites),
        overridden_by: overridden(shape, &["udp.dstport", "tcp.dstport"]),
        commands: vec![matched.flowspec(), matched.nftables()],
    }
}
