//! Packets as pcap and pcapng hold them: connections, and what was asked of name servers.
//!
//! The first packet of a flow is a connection. Its client is who sent it, unless it answers: SYN and ACK, or
//! from a port below 1024 to one that is not. Flows end when they are idle for five minutes, or when too
//! many are known. A packet that opens a TCP connection tells its sequence number. Questions and answers of
//! DNS are an event each, of the first name that is asked for, requests of HTTP one, and so is the name that
//! TLS begins with. Exports of flows tell of theirs, too. Packets that follow the first the same way are counted,
//! in IPv4.
//!
//! Not read: what is within tunnels or encrypted, fragments behind the first, what is spread over several
//! segments of TCP. What is not IP is quiet. Where the capture itself is damaged, the next packet cannot be found:
//! the rest is unread.

mod capture;
mod flows;
mod streams;

use core::net::IpAddr;
use std::io;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TcpSlice, TransportSlice};
use miyaburi_model::Protocol;

use super::dns::Message;
use super::netflow::{self, Exporters};
use super::text::address;
use super::{Input, Reading, Records, Source};
use crate::event::{Event, Kind, Traffic};
use crate::time::{Clock, Moment};
use capture::{Packet, Piece};
use flows::{Flow, Flows, Place};
use streams::Request;

/// The format.
pub(super) struct Packets;

/// The port of name servers.
const DNS: u16 = 53;

impl Source for Packets {
    fn name(&self) -> &'static str {
        "pcap"
    }

    fn is_marked(&self, beginning: &[u8]) -> bool {
        capture::is_marked(beginning)
    }

    fn read_all(
        &self,
        input: &mut Input<'_>,
        clock: &Clock,
        records: &mut Records<'_>,
    ) -> io::Result<()> {
        let mut known = Known::default();
        capture::read(input, &mut |offset, piece| match piece {
            Piece::Packet(packet) => known.tell(&packet, offset, clock, records),
            Piece::Damaged(bytes) => records.take(offset, bytes, &Reading::Unread),
        })
    }
}

/// What packets before have told.
#[derive(Default)]
struct Known {
    flows: Flows,
    exporters: Exporters,
}

impl Known {
    fn tell(&mut self, packet: &Packet<'_>, offset: u64, clock: &Clock, records: &mut Records<'_>) {
        let data = packet.data;
        let Some(sent) = Sent::of(packet) else {
            records.take(offset, data, &Reading::Quiet);
            return;
        };
        let time = clock.zoned(packet.seconds, packet.micros, 0);
        let connection = match self.flows.place(sent.flow, time, sent.traffic) {
            Place::First => Some(sent.connection(time)),
            Place::Enough(traffic) => {
                Some(Event { traffic: Some(traffic), ..sent.sent(Kind::Traffic, time) })
            }
            Place::Later => None,
        };
        let message = sent.dns().and_then(Message::parse);
        let query = message.as_ref().map(|message| sent.query(message, time));
        let said = query.or_else(|| sent.request(time)).or_else(|| sent.handshake(time));
        records.take_all(offset, data, connection.iter().chain(&said));
        if let Some(export) = sent.of_port(|port| netflow::PORTS.contains(&port)) {
            let place = (export.as_ptr() as usize).saturating_sub(data.as_ptr() as usize);
            let offset = offset + place as u64;
            self.exporters.tell(sent.flow.source, export, offset, clock, records);
        }
    }
}

/// What a packet's headers say.
struct Sent<'p> {
    flow: Flow,
    /// Of one that opens a TCP connection, its sequence number.
    sequence: Option<u32>,
    is_accepting: bool,
    /// Itself, where its length is told.
    traffic: Option<Traffic>,
    /// Of UDP, what it holds.
    datagram: Option<&'p [u8]>,
    /// Of TCP, what it holds; empty for others.
    segment: &'p [u8],
}

impl<'p> Sent<'p> {
    fn of(packet: &Packet<'p>) -> Option<Self> {
        let sliced = sliced(packet)?;
        let mut traffic = None;
        let (source, target) = match sliced.net? {
            LaxNetSlice::Ipv4(ip) => {
                let header = ip.header();
                let (protocol, bytes) = (header.protocol().0, u64::from(header.total_len()));
                traffic = Some(Traffic {
                    protocol,
                    packets: 1,
                    bytes,
                    flags: None,
                    lasted: 0,
                    is_whole: false,
                });
                (IpAddr::V4(header.source_addr()), IpAddr::V4(header.destination_addr()))
            }
            LaxNetSlice::Ipv6(ip) => {
                let header = ip.header();
                (IpAddr::V6(header.source_addr()), IpAddr::V6(header.destination_addr()))
            }
            LaxNetSlice::Arp(_) => return None,
        };
        let flow = Flow { source, target, ports: None, protocol: None };
        let other = Self {
            flow,
            sequence: None,
            is_accepting: false,
            traffic,
            datagram: None,
            segment: &[],
        };
        Some(match sliced.transport {
            Some(TransportSlice::Tcp(tcp)) => {
                let ports = Some((tcp.source_port(), tcp.destination_port()));
                let sequence = (tcp.syn() && !tcp.ack()).then(|| tcp.sequence_number());
                let flow = Flow { ports, protocol: Some(Protocol::Tcp), ..flow };
                let (is_accepting, segment) = (tcp.syn() && tcp.ack(), tcp.payload());
                let traffic = traffic.map(|it| Traffic { flags: Some(flags(&tcp)), ..it });
                Self { flow, sequence, is_accepting, traffic, segment, ..other }
            }
            Some(TransportSlice::Udp(udp)) => {
                let ports = Some((udp.source_port(), udp.destination_port()));
                let flow = Flow { ports, protocol: Some(Protocol::Udp), ..flow };
                Self { flow, datagram: Some(udp.payload()), ..other }
            }
            _ => other,
        })
    }

    /// A datagram to or from such a port.
    fn of_port(&self, is_meant: impl Fn(u16) -> bool) -> Option<&'p [u8]> {
        let (from, to) = self.flow.ports?;
        self.datagram.filter(|_| is_meant(from) || is_meant(to))
    }

    /// A message to a name server or from it.
    fn dns(&self) -> Option<&'p [u8]> {
        let (from, to) = self.flow.ports?;
        let over_tcp = || streams::dns(self.segment).filter(|_| from == DNS || to == DNS);
        self.of_port(|port| port == DNS).or_else(over_tcp)
    }

    fn request(&self, time: Moment) -> Option<Event<'p>> {
        let Request { host, target } = streams::request(self.segment)?;
        Some(Event {
            name: host.filter(|host| address(host).is_none()),
            url: Some(target),
            ..self.sent(Kind::WebRequest, time)
        })
    }

    fn handshake(&self, time: Moment) -> Option<Event<'p>> {
        let name = streams::server_name(self.segment)?;
        Some(Event { name: Some(name), ..self.sent(Kind::Connection, time) })
    }

    /// An event whose client sent the packet.
    fn sent(&self, kind: Kind, time: Moment) -> Event<'p> {
        Event {
            client: Some(self.flow.source),
            server: Some(self.flow.target),
            port: self.flow.ports.map(|(_, port)| port),
            protocol: self.flow.protocol,
            ..Event::new(kind, Some(time))
        }
    }

    fn query<'m>(&self, message: &'m Message, time: Moment) -> Event<'m> {
        let flow = if message.outcome.is_some() { self.flow.turned() } else { self.flow };
        Event {
            client: Some(flow.source),
            server: Some(flow.target),
            port: flow.ports.map(|(_, port)| port),
            protocol: flow.protocol,
            name: Some(message.name.as_bytes()),
            outcome: message.outcome,
            ..Event::new(Kind::DnsQuery, Some(time))
        }
    }

    fn connection(&self, time: Moment) -> Event<'static> {
        let is_answer = self.is_accepting || (self.sequence.is_none() && self.flow.is_answer());
        let flow = if is_answer { self.flow.turned() } else { self.flow };
        Event {
            client: Some(flow.source),
            server: Some(flow.target),
            port: flow.ports.map(|(_, port)| port),
            protocol: flow.protocol,
            sequence: self.sequence,
            traffic: self.traffic.filter(|_| !is_answer),
            ..Event::new(Kind::Connection, Some(time))
        }
    }
}

/// From the lowest bit on, as the header has them (RFC 9293, section 3.1).
fn flags(tcp: &TcpSlice<'_>) -> u8 {
    let flags = [tcp.fin(), tcp.syn(), tcp.rst(), tcp.psh(), tcp.ack(), tcp.urg()];
    (0..).zip(flags).fold(0, |all, (bit, is_set)| all | u8::from(is_set) << bit)
}

/// The headers behind that of the link, whose types are those of the registry of tcpdump.
fn sliced<'p>(packet: &Packet<'p>) -> Option<LaxSlicedPacket<'p>> {
    let of_type = |kind: usize, header: usize| {
        let kind = packet.data.get(kind..)?.first_chunk().map(|kind| u16::from_be_bytes(*kind))?;
        Some(LaxSlicedPacket::from_ether_type(kind.into(), packet.data.get(header..)?))
    };
    let ip = |header: usize| LaxSlicedPacket::from_ip(packet.data.get(header..)?).ok();
    match packet.link {
        // Ethernet.
        1 => LaxSlicedPacket::from_ethernet(packet.data).ok(),
        // BSD loopback, with the family in front.
        0 | 108 => ip(4),
        // Raw IP.
        12 | 14 | 101 | 228 | 229 => ip(0),
        // Linux "cooked" captures, of both versions.
        113 => of_type(14, 16),
        276 => of_type(0, 20),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
