//! What name servers tell of every message (dnstap), in frames as they write them to files.
//!
//! Questions and answers are an event each; which of them there are is the server's configuration. Between a
//! resolver and other servers, the client is the resolver.
//!
//! Sources: the frame streams' specification of fstrm, and `dnstap.proto` of dnstap.info, whose numbers of
//! fields are those here.

use core::net::IpAddr;
use std::io;

use miyaburi_model::Protocol;
use prost::Message as _;

use super::dns::Message;
use super::{Input, Reading, Records, Source};
use crate::event::{Event, Kind};
use crate::sources::MAX_LINE;
use crate::time::Clock;

/// The format.
pub(super) struct Dnstap;

/// In front of each frame stands its length; 0 says that a control frame with its own follows.
const LENGTH: usize = 4;

/// How a stream begins: a control frame, whose length is behind, that says START.
const CONTROL: [u8; 4] = [0; 4];
const START: [u8; 4] = [0, 0, 0, 2];

/// What the stream says that it holds.
const CONTENT: &[u8] = b"protobuf:dnstap.Dnstap";

/// Numbers of the transports.
const UDP: i32 = 1;
const TCP: i32 = 2;

#[derive(Clone, PartialEq, prost::Message)]
struct Tapped {
    #[prost(message, optional, tag = "14")]
    message: Option<Exchange>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Exchange {
    #[prost(int32, optional, tag = "3")]
    transport: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    query_address: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    response_address: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "7")]
    response_port: Option<u32>,
    #[prost(uint64, optional, tag = "8")]
    query_seconds: Option<u64>,
    #[prost(fixed32, optional, tag = "9")]
    query_nanos: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "10")]
    query: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "12")]
    response_seconds: Option<u64>,
    #[prost(fixed32, optional, tag = "13")]
    response_nanos: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "14")]
    response: Option<Vec<u8>>,
}

impl Source for Dnstap {
    fn name(&self) -> &'static str {
        "dnstap"
    }

    fn is_marked(&self, beginning: &[u8]) -> bool {
        beginning.starts_with(&CONTROL)
            && beginning.get(8..12).is_some_and(|kind| kind == START)
            && memchr::memmem::find(beginning, CONTENT).is_some()
    }

    fn read_all(
        &self,
        input: &mut Input<'_>,
        clock: &Clock,
        records: &mut Records<'_>,
    ) -> io::Result<()> {
        loop {
            let (offset, start) = input.ahead(LENGTH)?;
            if start.is_empty() {
                return Ok(());
            }
            let is_control = start == CONTROL;
            let skipped = if is_control { LENGTH } else { 0 };
            let (_, start) = input.ahead(skipped + LENGTH)?;
            let length = start.get(skipped..).and_then(|length| length.first_chunk());
            let length =
                length.and_then(|length| usize::try_from(u32::from_be_bytes(*length)).ok());
            let before = skipped + LENGTH;
            let whole = length.map_or(usize::MAX, |length| length.saturating_add(before));
            let (_, frame) = input.ahead(whole)?;
            let Some(data) = frame.get(before..whole).filter(|_| whole <= MAX_LINE) else {
                // The next frame cannot be found.
                records.take(offset, frame, &Reading::Unread);
                return input.skip_all();
            };
            if !is_control {
                tell(data, offset + before as u64, clock, records);
            }
            input.skip(whole);
        }
    }
}

fn tell(data: &[u8], offset: u64, clock: &Clock, records: &mut Records<'_>) {
    let Ok(tapped) = Tapped::decode(data) else {
        records.take(offset, data, &Reading::Unread);
        return;
    };
    let exchange = tapped.message.unwrap_or_default();
    let (bytes, seconds, nanos) = match (&exchange.response, &exchange.query) {
        (Some(answer), _) => (answer, exchange.response_seconds, exchange.response_nanos),
        (None, Some(query)) => (query, exchange.query_seconds, exchange.query_nanos),
        (None, None) => return records.take(offset, data, &Reading::Quiet),
    };
    let Some(message) = Message::parse(bytes) else {
        return records.take(offset, data, &Reading::Quiet);
    };
    let seconds = seconds.and_then(|seconds| i64::try_from(seconds).ok());
    let micros = i64::from(nanos.unwrap_or_default()) / 1000;
    let event = Event {
        client: exchange.query_address.as_deref().and_then(address),
        server: exchange.response_address.as_deref().and_then(address),
        port: exchange.response_port.and_then(|port| u16::try_from(port).ok()),
        protocol: exchange.transport.and_then(|transport| match transport {
            UDP => Some(Protocol::Udp),
            TCP => Some(Protocol::Tcp),
            _ => None,
        }),
        name: Some(message.name.as_bytes()),
        outcome: message.outcome,
        ..Event::new(Kind::DnsQuery, seconds.map(|seconds| clock.zoned(seconds, micros, 0)))
    };
    records.take(offset, data, &Reading::Event(event));
}

/// Of four bytes or sixteen.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let short = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    let long = || <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from);
    short.or_else(long).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use simple_dns::{CLASS, Name, Packet, Question, RCODE, TYPE};

    use super::*;
    use crate::event::Outcome;
    use crate::readers::Scanned;
    use crate::time::Moment;

    fn message(is_answer: bool) -> Vec<u8> {
        let mut packet = if is_answer { Packet::new_reply(7) } else { Packet::new_query(7) };
        *packet.rcode_mut() = if is_answer { RCODE::NameError } else { RCODE::NoError };
        let name = Name::new("c2.example").unwrap();
        packet.questions.push(Question::new(name, TYPE::A.into(), CLASS::IN.into(), false));
        packet.build_bytes_vec().unwrap()
    }

    fn tapped(query: Option<Vec<u8>>, response: Option<Vec<u8>>) -> Vec<u8> {
        let exchange = Exchange {
            transport: Some(UDP),
            query_address: Some(vec![192, 0, 2, 7]),
            response_address: Some([&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[9]].concat()),
            response_port: Some(53),
            query_seconds: Some(1_700_000_000),
            query_nanos: Some(250_000_000),
            query,
            response_seconds: Some(1_700_000_001),
            response_nanos: Some(0),
            response,
        };
        Tapped { message: Some(exchange) }.encode_to_vec()
    }

    fn stream(frames: &[Vec<u8>]) -> Vec<u8> {
        let length = |bytes: &[u8]| (bytes.len() as u32).to_be_bytes().to_vec();
        let start = [&START[..], &[0, 0, 0, 1, 0, 0, 0, 22], CONTENT].concat();
        let mut stream = [&CONTROL[..], &length(&start), &start].concat();
        for frame in frames {
            stream.extend([length(frame), frame.clone()].concat());
        }
        stream.extend([0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3]);
        stream
    }

    fn read(mut bytes: &[u8]) -> (Scanned, Vec<String>) {
        assert!(Dnstap.is_marked(bytes.get(..64).unwrap_or(bytes)));
        let (mut scanned, mut told, whole) = (Scanned::default(), Vec::new(), bytes);
        let mut seen = |event: &Event<'_>, at: crate::Sighted<'_>| {
            assert_eq!(&whole[at.offset as usize..][..at.line.len()], at.line, "evidence");
            let name = String::from_utf8_lossy(event.name.unwrap());
            let (client, server) = (event.client.unwrap(), event.server.unwrap());
            let (time, port) = (event.time.unwrap(), event.port.unwrap());
            told.push(format!("{time} {client}>{server} {port} {name} {:?}", event.outcome));
        };
        let mut records = Records::new("x", &mut scanned, &mut seen);
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        Dnstap.read_all(&mut Input::new(&mut bytes), &clock, &mut records).unwrap();
        (scanned, told)
    }

    #[test]
    fn questions_and_answers() {
        let frames = [tapped(Some(message(false)), None), tapped(None, Some(message(true)))];
        let (scanned, told) = read(&stream(&frames));
        let question = "2023-11-14T22:13:20.25Z 192.0.2.7>2001:db8::9 53 c2.example None";
        let answer = format!(
            "2023-11-14T22:13:21Z 192.0.2.7>2001:db8::9 53 c2.example {:?}",
            Some(Outcome::Failure)
        );
        assert_eq!(told, [question, answer.as_str()]);
        assert_eq!((scanned.lines, scanned.quiet, scanned.unread), (2, 0, 0));
    }

    #[test]
    fn what_is_no_message_is_counted() {
        let frames =
            [tapped(None, None), tapped(Some(b"c2.example".to_vec()), None), vec![0xff; 9]];
        let (scanned, told) = read(&stream(&frames));
        assert_eq!((scanned.lines, scanned.quiet, scanned.unread), (3, 2, 1));
        assert!(told.is_empty());
    }

    #[test]
    fn what_is_behind_damage_is_unread() {
        let whole = stream(&[tapped(Some(message(false)), None)]);
        let (scanned, told) = read(&[&whole[..], &[0xff; 40]].concat());
        assert_eq!((scanned.unread, told.len()), (1, 1));
        let (scanned, told) = read(&whole[..60]);
        assert_eq!((scanned.unread, told.len()), (1, 0));
        assert!(!Dnstap.is_marked(&[0; 64]));
        assert!(!Dnstap.is_marked(CONTENT));
    }
}
