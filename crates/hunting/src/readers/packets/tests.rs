//! Captures that are built here, with what was put into them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use etherparse::PacketBuilder;
use simple_dns::{CLASS, Name, Packet as Sample, Question, RCODE, TYPE};

use super::*;
use crate::readers::Scanned;

const CLIENT: [u8; 4] = [192, 0, 2, 7];
const SERVER: [u8; 4] = [198, 51, 100, 9];

fn tcp(
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
    sequence: u32,
    is_syn: bool,
    is_ack: bool,
) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let builder = builder.ipv4(from.0, to.0, 64).tcp(from.1, to.1, sequence, 1024);
    let builder = if is_syn { builder.syn() } else { builder };
    let builder = if is_ack { builder.ack(1) } else { builder };
    let mut bytes = Vec::new();
    builder.write(&mut bytes, &[]).unwrap();
    bytes
}

fn dns(name: &str, answer: Option<RCODE>) -> Vec<u8> {
    let mut message = match answer {
        Some(_) => Sample::new_reply(7),
        None => Sample::new_query(7),
    };
    if let Some(code) = answer {
        *message.rcode_mut() = code;
    }
    let name = Name::new(name).unwrap();
    message.questions.push(Question::new(name, TYPE::A.into(), CLASS::IN.into(), false));
    let message = message.build_bytes_vec().unwrap();
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let builder = match answer {
        Some(_) => builder.ipv4(SERVER, CLIENT, 64).udp(53, 40_000),
        None => builder.ipv4(CLIENT, SERVER, 64).udp(40_000, 53),
    };
    let mut bytes = Vec::new();
    builder.write(&mut bytes, &message).unwrap();
    bytes
}

/// A pcap file of Ethernet frames, one a second and a quarter.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for number in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(number.to_le_bytes());
    }
    for (second, packet) in (1_700_000_000_u32..).zip(packets) {
        let length = packet.len() as u32;
        for number in [second, 250_000, length, length] {
            file.extend(number.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

/// The same as pcapng in big-endian order, with times in nanoseconds.
fn pcapng(packets: &[Vec<u8>]) -> Vec<u8> {
    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u32 + 12).to_be_bytes();
        [&kind.to_be_bytes(), length.as_slice(), body, &length].concat()
    }
    let section = [&BYTE_ORDER.to_be_bytes()[..], &[0, 1, 0, 0], &[0xff; 8]].concat();
    // Ethernet, no limit, if_tsresol 9, end of options.
    let interface = [0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0];
    let mut file = [block(0x0a0d_0d0a, &section), block(1, &interface)].concat();
    for (second, packet) in (1_700_000_000_u64..).zip(packets) {
        let time = second * 1_000_000_000 + 250_000_000;
        let length = packet.len() as u32;
        let mut body = Vec::new();
        for number in [0, (time >> 32) as u32, time as u32, length, length] {
            body.extend(number.to_be_bytes());
        }
        body.extend(packet);
        body.resize(body.len().next_multiple_of(4), 0);
        file.extend(block(6, &body));
    }
    file
}

const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// What is read of a capture, as lines.
fn read(mut file: &[u8]) -> (Scanned, Vec<String>) {
    let mut scanned = Scanned::default();
    let mut told = Vec::new();
    let whole = file;
    let mut seen = |event: &Event<'_>, at: crate::Sighted<'_>| {
        assert_eq!(&whole[at.offset as usize..][..at.line.len()], at.line, "evidence");
        told.push(format!(
            "{} {:?} {}>{}:{} {} {:?} {:?}",
            event.time.unwrap(),
            event.kind,
            event.client.unwrap(),
            event.server.unwrap(),
            event.port.unwrap_or_default(),
            String::from_utf8_lossy(event.name.unwrap_or(b"-")),
            event.outcome,
            event.sequence,
        ));
    };
    let mut records = Records::new("x", &mut scanned, &mut seen);
    let clock = Clock::utc(Moment::from_unix(1_795_435_200));
    assert!(Packets.is_marked(file));
    Packets.read_all(&mut Input::new(&mut file), &clock, &mut records).unwrap();
    (scanned, told)
}

/// A segment from the client to the server.
fn segment(port: u16, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let builder = builder.ipv4(CLIENT, SERVER, 64).tcp(4003, port, 7, 1024).ack(1);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

#[test]
fn what_segments_say() {
    let query = dns("c2.example", None);
    // Behind the headers of Ethernet, IP and UDP.
    let message = &query[14 + 20 + 8..];
    let over_tcp = [&(message.len() as u16).to_be_bytes(), message].concat();
    let hosts = ["c2.example", "198.51.100.9"];
    let [named, unnamed] = hosts.map(|host| format!("GET /a HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    let (_, told) = read(&pcap(&[
        segment(53, &over_tcp),
        segment(54, &over_tcp),
        segment(8080, named.as_bytes()),
        segment(8080, unnamed.as_bytes()),
    ]));
    let told: Vec<&str> = told.iter().filter_map(|it| Some(it.split_once("Z ")?.1)).collect();
    assert_eq!(
        told,
        [
            "Connection 192.0.2.7>198.51.100.9:53 - None None",
            "DnsQuery 192.0.2.7>198.51.100.9:53 c2.example None None",
            "Connection 192.0.2.7>198.51.100.9:54 - None None",
            "Connection 192.0.2.7>198.51.100.9:8080 - None None",
            "WebRequest 192.0.2.7>198.51.100.9:8080 c2.example None None",
            "WebRequest 192.0.2.7>198.51.100.9:8080 - None None",
        ]
    );
}

fn packets() -> Vec<Vec<u8>> {
    vec![
        tcp((CLIENT, 4000), (SERVER, 23), 0xc633_6409, true, false),
        tcp((SERVER, 23), (CLIENT, 4000), 5, true, true),
        tcp((CLIENT, 4000), (SERVER, 23), 6, false, true),
        dns("c2.example", None),
        dns("c2.example", Some(RCODE::NameError)),
        tcp((SERVER, 80), (CLIENT, 4001), 5, true, true),
        tcp((SERVER, 443), (CLIENT, 4002), 5, false, true),
    ]
}

const TOLD: [&str; 6] = [
    "2023-11-14T22:13:20.25Z Connection 192.0.2.7>198.51.100.9:23 - None Some(3325256713)",
    "2023-11-14T22:13:23.25Z Connection 192.0.2.7>198.51.100.9:53 - None None",
    "2023-11-14T22:13:23.25Z DnsQuery 192.0.2.7>198.51.100.9:53 c2.example None None",
    "2023-11-14T22:13:24.25Z DnsQuery 192.0.2.7>198.51.100.9:53 c2.example Some(Failure) None",
    "2023-11-14T22:13:25.25Z Connection 192.0.2.7>198.51.100.9:80 - None None",
    "2023-11-14T22:13:26.25Z Connection 192.0.2.7>198.51.100.9:443 - None None",
];

#[test]
fn connections_and_queries() {
    for file in [pcap(&packets()), pcapng(&packets())] {
        let (scanned, told) = read(&file);
        assert_eq!(told, TOLD);
        assert_eq!((scanned.lines, scanned.events), (7, 6));
        assert_eq!((scanned.quiet, scanned.unread), (2, 0));
    }
}

#[test]
fn exports_of_flows_tell_of_theirs() {
    let mut flow =
        [&[0, 5, 0, 1, 0, 0, 0, 0], &1_700_000_000_u32.to_be_bytes()[..], &[0; 12]].concat();
    flow.extend([203, 0, 113, 5, 192, 0, 2, 9]);
    flow.extend([0; 24]);
    flow.extend([0, 1, 0, 23, 0, 2, 6]);
    flow.resize(72, 0);
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let mut bytes = Vec::new();
    builder.ipv4(CLIENT, SERVER, 64).udp(40_000, 2055).write(&mut bytes, &flow).unwrap();
    let (scanned, told) = read(&pcap(&[bytes]));
    assert_eq!(told.len(), 2);
    assert_eq!(told[1], "2023-11-14T22:13:20Z Connection 203.0.113.5>192.0.2.9:23 - None None");
    assert_eq!((scanned.lines, scanned.unread), (2, 0));
}

#[test]
fn what_is_no_ip_is_quiet() {
    let arp = [&[2; 12][..], &[8, 6], &[0; 28]].concat();
    let junk = vec![0; 3];
    let (scanned, told) = read(&pcap(&[arp, junk]));
    assert_eq!((scanned.quiet, told.len()), (2, 0));
}

#[test]
fn damage_is_told_and_what_was_before_it_read() {
    let packet = [packets()[0].clone()];
    for whole in [pcap(&packet), pcapng(&packet)] {
        let (scanned, told) = read(&whole[..whole.len() - 1]);
        assert_eq!((scanned.unread, told.len()), (1, 0));
        let (scanned, told) = read(&[&whole[..], &[0xff; 100]].concat());
        assert_eq!((scanned.unread, told.len()), (1, 1));
        assert_eq!(scanned.samples[0].0, whole.len() as u64);
    }
    // A packet of an interface that nothing describes.
    let file = pcapng(&packet);
    let (scanned, told) = read(&[&file[..28], &file[60..]].concat());
    assert_eq!((scanned.unread, told.len()), (1, 0));
}

#[test]
fn a_name_without_its_message_is_none() {
    assert!(!Packets.is_marked(b"\x0a\x0d\x0d\x0a and a text"));
    assert!(!Packets.is_marked(b""));
    assert_eq!(super::Message::parse(b"\0\0c2.example"), None);
    // A name that points to itself.
    assert_eq!(
        super::Message::parse(&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]),
        None
    );
}
