//! Flows as routers export them: NetFlow 5 and 9, and IPFIX, message behind message in a file (for IPFIX: RFC
//! 5655), and as packets hold them.
//!
//! A flow goes one way: in that of an answer the client is who answers. An indicator is found on either side
//! of both; one with a port is not on that of an answer from another server's port. Flows are of the time at which they began, where the export says so, else of that of the export.
//! Those whose template has not been seen yet are passed over; templates are kept for each exporter.

mod counts;

use core::net::IpAddr;
use std::collections::HashMap;
use std::io;

use miyaburi_model::Protocol;
use netflow_parser::netflow_common::{
    IPFixFieldMapping, IPFixFieldMappingConfig, NetflowCommon, NetflowCommonFlowSet,
};
use netflow_parser::variable_versions::ipfix::lookup::{IANAIPFixField, IPFixField};
use netflow_parser::{NetflowPacket, NetflowParser};

use super::{Input, Reading, Records, Source, is_answer};
use crate::event::{Event, Kind, Traffic};
use crate::time::{Clock, Moment};

/// The format.
pub(super) struct Netflow;

/// Ports that exporters send to: those of NetFlow by habit, and of IPFIX (RFC 7011, section 10.3.4).
pub(super) const PORTS: [u16; 5] = [2055, 4739, 9555, 9995, 9996];

/// Exporters whose templates are kept.
const EXPORTERS: usize = 1024;

/// 2000-01-01: no export is older.
const OLDEST: u32 = 946_684_800;

/// Bytes of a message at most: those of a datagram.
const MESSAGE: usize = 1 << 16;

/// Sizes of headers, and of a flow of version 5.
const HEADER_5: usize = 24;
const FLOW_5: usize = 48;
const HEADER_9: usize = 20;
const HEADER_IPFIX: usize = 16;

/// Flows in a message of version 5 at most.
const FLOWS_5: u16 = 30;

/// Identifiers of sets in version 9: those in between are reserved, so that 9 begins another message.
const TEMPLATES: [u16; 2] = [0, 1];
const DATA: u16 = 256;

impl Source for Netflow {
    fn name(&self) -> &'static str {
        "netflow"
    }

    fn is_marked(&self, beginning: &[u8]) -> bool {
        let version = half(beginning, 0);
        let time = word(beginning, if version == Some(10) { 4 } else { 8 });
        let is_version = match (version, half(beginning, 2)) {
            (Some(5), Some(count)) => (1..=FLOWS_5).contains(&count),
            (Some(9), Some(count)) => count > 0,
            (Some(10), Some(length)) => usize::from(length) >= HEADER_IPFIX,
            _ => false,
        };
        is_version && time.is_some_and(|time| time >= OLDEST)
    }

    fn read_all(
        &self,
        input: &mut Input<'_>,
        clock: &Clock,
        records: &mut Records<'_>,
    ) -> io::Result<()> {
        let mut parser = NetflowParser::default();
        loop {
            let (offset, bytes) = input.ahead(MESSAGE)?;
            if bytes.is_empty() {
                return Ok(());
            }
            let message = length(bytes).and_then(|length| bytes.get(..length));
            let Some(message) = message else {
                let shown = bytes.get(..HEADER_5).unwrap_or(bytes);
                records.take(offset, shown, &Reading::Unread);
                return input.skip_all();
            };
            let length = message.len();
            tell(&mut parser, message, offset, clock, records);
            input.skip(length);
        }
    }
}

/// Exporters by their addresses.
#[derive(Default)]
pub(super) struct Exporters {
    parsers: HashMap<IpAddr, NetflowParser>,
}

impl Exporters {
    /// Tells of the flows of a datagram; false when it is none of an exporter.
    pub(super) fn tell(
        &mut self,
        exporter: IpAddr,
        message: &[u8],
        offset: u64,
        clock: &Clock,
        records: &mut Records<'_>,
    ) -> bool {
        if !Netflow.is_marked(message) {
            return false;
        }
        if self.parsers.len() >= EXPORTERS && !self.parsers.contains_key(&exporter) {
            self.parsers.clear();
        }
        tell(self.parsers.entry(exporter).or_default(), message, offset, clock, records);
        true
    }
}

fn tell(
    parser: &mut NetflowParser,
    message: &[u8],
    offset: u64,
    clock: &Clock,
    records: &mut Records<'_>,
) {
    let read = parser.parse_bytes(message);
    if read.packets.is_empty() {
        records.take(offset, message, &Reading::Unread);
    }
    for packet in &read.packets {
        let events = events(packet, clock);
        records.take_all(offset, message, events.iter());
    }
}

/// The length of the message that begins here; none when none does.
fn length(bytes: &[u8]) -> Option<usize> {
    if !Netflow.is_marked(bytes) {
        return None;
    }
    match half(bytes, 0)? {
        5 => Some(HEADER_5 + usize::from(half(bytes, 2)?) * FLOW_5),
        9 => {
            let mut end = HEADER_9;
            while let Some(set) = half(bytes, end)
                && (TEMPLATES.contains(&set) || set >= DATA)
            {
                end += usize::from(half(bytes, end + 2)?).max(4);
            }
            Some(end)
        }
        _ => Some(usize::from(half(bytes, 2)?)),
    }
}

fn events(packet: &NetflowPacket, clock: &Clock) -> Vec<Event<'static>> {
    let millis = |seconds: u32| i64::from(seconds) * 1000;
    let (common, exported, up) = match packet {
        NetflowPacket::V5(it) => {
            (it.into(), millis(it.header.unix_secs), Some(it.header.sys_up_time))
        }
        NetflowPacket::V7(it) => {
            (it.into(), millis(it.header.unix_secs), Some(it.header.sys_up_time))
        }
        NetflowPacket::V9(it) => {
            (it.into(), millis(it.header.unix_secs), Some(it.header.sys_up_time))
        }
        NetflowPacket::IPFix(it) => {
            let common = NetflowCommon::from_ipfix_with_config(it, &absolute());
            (common, millis(it.header.export_time), None)
        }
        _ => return Vec::new(),
    };
    let counted = counts::counts(packet).into_iter().chain(core::iter::repeat(None));
    let flows = common.flowsets.iter().zip(counted).filter(|(flow, _)| flow.src_addr.is_some());
    flows
        .map(|(flow, traffic)| {
            let traffic = traffic.map(|it| Traffic { lasted: lasted(flow), ..it });
            Event { traffic, ..event(flow, began(flow, exported, up, clock)) }
        })
        .collect()
}

/// Times of IPFIX since 1970; those since the exporter was started say nothing without its start.
fn absolute() -> IPFixFieldMappingConfig {
    let field = |field| IPFixField::IANA(field);
    IPFixFieldMappingConfig {
        first_seen: IPFixFieldMapping::with_fallback(
            field(IANAIPFixField::FlowStartMilliseconds),
            field(IANAIPFixField::FlowStartSeconds),
        ),
        last_seen: IPFixFieldMapping::with_fallback(
            field(IANAIPFixField::FlowEndMilliseconds),
            field(IANAIPFixField::FlowEndSeconds),
        ),
        ..IPFixFieldMappingConfig::default()
    }
}

/// Microseconds from a flow's first packet to its last, both of one clock in milliseconds; 0 where it does not
/// say.
fn lasted(flow: &NetflowCommonFlowSet) -> i64 {
    let span = flow.last_seen.zip(flow.first_seen).map(|(last, first)| last.saturating_sub(first));
    span.and_then(|millis| i64::try_from(millis).ok()).unwrap_or_default().saturating_mul(1000)
}

/// When a flow began, by what the exporter says since it was started, or since 1970.
fn began(flow: &NetflowCommonFlowSet, exported: i64, up: Option<u32>, clock: &Clock) -> Moment {
    let first = flow.first_seen.and_then(|first| i64::try_from(first).ok());
    let millis = match (first, up) {
        // What is younger than the export has wrapped around, or is not true.
        (Some(first), Some(up)) => exported - (i64::from(up) - first).max(0),
        (Some(first), None) => first,
        (None, _) => exported,
    };
    clock.zoned(millis.div_euclid(1000), millis.rem_euclid(1000) * 1000, 0)
}

fn event(flow: &NetflowCommonFlowSet, time: Moment) -> Event<'static> {
    Event {
        client: flow.src_addr.map(|address| address.to_canonical()),
        server: flow.dst_addr.map(|address| address.to_canonical()),
        port: flow.dst_port,
        client_port: flow
            .src_port
            .filter(|from| flow.dst_port.is_some_and(|to| is_answer(*from, to))),
        protocol: flow.protocol_number.and_then(|number| match number {
            6 => Some(Protocol::Tcp),
            17 => Some(Protocol::Udp),
            _ => None,
        }),
        ..Event::new(Kind::Connection, Some(time))
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::readers::Scanned;

    const CLIENT: [u8; 4] = [192, 0, 2, 7];
    const SERVER: [u8; 4] = [198, 51, 100, 9];

    fn halves(numbers: &[u16]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    fn words(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// Two flows that began 750 ms before the export.
    fn version_5() -> Vec<u8> {
        let header = [halves(&[5, 2]), words(&[10_000, 1_700_000_001, 0, 0, 0])].concat();
        let flow = |port: u16| {
            let mut flow = [&CLIENT[..], &SERVER, &[0; 8]].concat();
            flow.extend(words(&[1, 60, 9250, 9300]));
            flow.extend(halves(&[4321, port]));
            // Padding, flags, protocol, and what is not read.
            flow.extend([0, 2, 6, 0]);
            flow.resize(FLOW_5, 0);
            flow
        };
        [header, flow(23), flow(2323)].concat()
    }

    fn set(id: u16, body: &[u8]) -> Vec<u8> {
        [&halves(&[id, body.len() as u16 + 4])[..], body].concat()
    }

    fn version_9() -> Vec<u8> {
        let template = halves(&[256, 9, 8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 22, 4, 2, 4, 1, 4, 21, 4]);
        let flow =
            [&CLIENT[..], &SERVER, &halves(&[4321, 53]), &[17], &words(&[9250, 2, 150, 9260])]
                .concat();
        let header = [halves(&[9, 2]), words(&[10_000, 1_700_000_001, 1, 7])].concat();
        [header, set(0, &template), set(256, &[&flow[..], &[0; 3]].concat())].concat()
    }

    fn ipfix() -> Vec<u8> {
        let fields = [8, 4, 12, 4, 11, 2, 4, 1, 152, 8, 2, 8, 1, 8, 6, 2, 153, 8];
        let template = [halves(&[256, 9]), halves(&fields)].concat();
        let time = 1_700_000_000_250_u64.to_be_bytes();
        let counts = [0_u64, 3, 0, 180].map(|it| it as u32);
        let counts = [words(&counts), halves(&[0x12])].concat();
        let flow = [&CLIENT[..], &SERVER, &halves(&[443]), &[6], &time, &counts, &time].concat();
        let sets = [set(2, &template), set(256, &flow)].concat();
        let length = (sets.len() + HEADER_IPFIX) as u16;
        [halves(&[10, length]), words(&[1_700_000_009, 1, 7]), sets].concat()
    }

    fn read(bytes: &[u8]) -> (Scanned, Vec<String>) {
        let (scanned, told, _) = read_all(bytes);
        (scanned, told)
    }

    fn read_all(mut bytes: &[u8]) -> (Scanned, Vec<String>, Vec<Traffic>) {
        let (mut scanned, mut told, whole) = (Scanned::default(), Vec::new(), bytes);
        let mut traffic = Vec::new();
        let mut seen = |event: &Event<'_>, at: crate::Sighted<'_>| {
            assert_eq!(&whole[at.offset as usize..][..at.line.len()], at.line, "evidence");
            let (client, server) = (event.client.unwrap(), event.server.unwrap());
            let (time, port) = (event.time.unwrap(), event.port.unwrap());
            told.push(format!("{time} {client}>{server}:{port} {:?}", event.protocol.unwrap()));
            traffic.extend(event.traffic);
        };
        let mut records = Records::new("x", &mut scanned, &mut seen);
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        Netflow.read_all(&mut Input::new(&mut bytes), &clock, &mut records).unwrap();
        (scanned, told, traffic)
    }

    const TOLD: [&str; 4] = [
        "2023-11-14T22:13:20.25Z 192.0.2.7>198.51.100.9:23 Tcp",
        "2023-11-14T22:13:20.25Z 192.0.2.7>198.51.100.9:2323 Tcp",
        "2023-11-14T22:13:20.25Z 192.0.2.7>198.51.100.9:53 Udp",
        "2023-11-14T22:13:20.25Z 192.0.2.7>198.51.100.9:443 Tcp",
    ];

    #[test]
    fn all_versions() {
        for message in [version_5(), version_9(), ipfix()] {
            assert!(Netflow.is_marked(&message));
        }
        let (scanned, told) = read(&[version_5(), version_9(), ipfix()].concat());
        assert_eq!(told, TOLD);
        assert_eq!((scanned.lines, scanned.events, scanned.unread), (3, 4, 0));
        let (_, told) = read(&[version_9(), version_9(), version_5()].concat());
        assert_eq!(told, [TOLD[2], TOLD[2], TOLD[0], TOLD[1]], "messages of version 9 end");
    }

    #[test]
    fn packets_of_flows_are_counted() {
        let (_, _, traffic) = read_all(&[version_5(), version_9(), ipfix()].concat());
        let one = Traffic {
            protocol: 6,
            packets: 1,
            bytes: 60,
            flags: Some(2),
            lasted: 50_000,
            is_whole: true,
        };
        let two = Traffic {
            protocol: 17,
            packets: 2,
            bytes: 150,
            flags: None,
            lasted: 10_000,
            is_whole: true,
        };
        let three = Traffic {
            protocol: 6,
            packets: 3,
            bytes: 180,
            flags: Some(0x12),
            lasted: 0,
            is_whole: true,
        };
        assert_eq!(traffic, [one, one, two, three]);
    }

    #[test]
    fn flows_without_their_template_are_passed_over() {
        let message = ipfix();
        // The template is 44 bytes.
        let cut = [&message[..HEADER_IPFIX], &message[HEADER_IPFIX + 44..]].concat();
        let cut = [&halves(&[10, cut.len() as u16])[..], &cut[4..]].concat();
        let (scanned, told) = read(&[cut, message].concat());
        assert_eq!((scanned.lines, scanned.quiet, told.len()), (2, 1, 1));
    }

    #[test]
    fn exporters_have_their_own_templates() {
        let mut exporters = Exporters::default();
        let (mut scanned, mut seen) =
            (Scanned::default(), |_: &Event<'_>, _: crate::Sighted<'_>| {});
        let mut records = Records::new("x", &mut scanned, &mut seen);
        let clock = Clock::utc(Moment(0));
        let mut tell = |exporter: [u8; 4], message: &[u8]| {
            exporters.tell(exporter.into(), message, 0, &clock, &mut records)
        };
        let message = version_9();
        let flows = [&message[..HEADER_9], &message[HEADER_9 + 44..]].concat();
        assert!(tell(CLIENT, &message));
        assert!(tell(CLIENT, &flows));
        assert!(tell(SERVER, &flows), "without a template");
        assert!(!tell(CLIENT, b"\0\x09\0\x01\0\0\0\0\0\0\0\x01 of 1970, so none"));
        assert_eq!((scanned.events, scanned.quiet), (2, 1));
    }

    #[test]
    fn other_bytes() {
        for other in
            [&b""[..], b"\0\x05", b"\0\x05\0\0aaaaaaaaaaaaaaaaaaaaaaaa", &[0; 64], &[9; 64]]
        {
            assert!(!Netflow.is_marked(other), "{other:?}");
        }
        let message = version_5();
        let (scanned, told) = read(&message[..message.len() - 1]);
        assert_eq!((scanned.unread, told.len()), (1, 0));
        let (scanned, told) = read(&[&message[..], &[0xff; 30]].concat());
        assert_eq!((scanned.unread, told.len()), (1, 2));
    }
}
