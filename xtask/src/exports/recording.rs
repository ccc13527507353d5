//! Packets of several senders in one capture, so that a program starts once to read them all.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use core::net::{IpAddr, SocketAddr};
use etherparse::PacketBuilder;
use simple_dns::{CLASS, Name, Packet as Query, Question, TYPE};

/// Length of a capture's header and of that before each packet (pcap-savefile(5)).
const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;

/// Packets begin with their IP header (`LINKTYPE_RAW` of the registry at tcpdump.org).
const RAW_IP: u32 = 101;

/// Seconds from one sender to the next: longer than rules wait before they tell of the same again.
const PAUSE: u32 = 100;

/// Who sends, where it matters to nobody.
const SENDER: [u8; 4] = [198, 18, 0, 1];
const SENDER_V6: &str = "2001:db8:ffff::1";
const RESOLVER: [u8; 4] = [198, 18, 0, 53];

/// A capture in memory.
pub(super) struct Recording {
    bytes: Vec<u8>,
    /// The sender of every packet, an index of `senders`.
    senders_of: Vec<usize>,
    senders: Vec<String>,
}

impl Recording {
    pub(super) fn new() -> Self {
        let header = [0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 0xffff, RAW_IP];
        Self {
            bytes: header.map(u32::to_le_bytes).concat(),
            senders_of: Vec::new(),
            senders: Vec::new(),
        }
    }

    /// Adds packets of a sender, a while after those before.
    pub(super) fn add(&mut self, sender: String, packets: &[Vec<u8>]) -> anyhow::Result<()> {
        let second = u32::try_from(self.senders.len() + 1)? * PAUSE;
        for (number, packet) in (0_u32..).zip(packets) {
            let length = u32::try_from(packet.len())?;
            let header = [second, number, length, length];
            self.bytes.extend(header.map(u32::to_le_bytes).concat());
            self.bytes.extend(packet);
            self.senders_of.push(self.senders.len());
        }
        self.senders.push(sender);
        Ok(())
    }

    /// Everybody who sent something.
    pub(super) fn senders(&self) -> &[String] {
        &self.senders
    }

    /// Who sent a packet, counted from 1 as consumers do.
    pub(super) fn sender(&self, packet: usize) -> Option<&str> {
        let sender = self.senders_of.get(packet.checked_sub(1)?)?;
        self.senders.get(*sender).map(String::as_str)
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        fs::write(path, &self.bytes).with_context(|| format!("{}", path.display()))
    }
}

/// The packets of a capture that `extract --pcap` wrote.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let bytes = fs::read(path).with_context(|| format!("{}", path.display()))?;
    let mut rest = bytes.get(FILE_HEADER..).context("no header of a capture")?;
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let length = rest.get(8..12).context("half a header")?;
        let end = PACKET_HEADER + u32::from_le_bytes(length.try_into()?) as usize;
        packets.push(rest.get(PACKET_HEADER..end).context("half a packet")?.to_vec());
        rest = &rest[end..];
    }
    ensure!(!packets.is_empty(), "{}: no packets", path.display());
    Ok(packets)
}

/// The first packet of a connection.
pub(super) fn syn(to: SocketAddr, sequence: u32) -> anyhow::Result<Vec<u8>> {
    let ip = match to.ip() {
        IpAddr::V4(address) => PacketBuilder::ipv4(SENDER, address.octets(), 64),
        IpAddr::V6(address) => {
            let sender: core::net::Ipv6Addr = SENDER_V6.parse()?;
            PacketBuilder::ipv6(sender.octets(), address.octets(), 64)
        }
    };
    let mut packet = Vec::new();
    ip.tcp(40_000, to.port(), sequence, 64_240).syn().write(&mut packet, &[])?;
    Ok(packet)
}

/// A query for a name.
pub(super) fn query(name: &str, port: u16) -> anyhow::Result<Vec<u8>> {
    let mut query = Query::new_query(port);
    let name = Name::new(name)?;
    query.questions.push(Question::new(name, TYPE::A.into(), CLASS::IN.into(), false));
    let mut packet = Vec::new();
    PacketBuilder::ipv4(SENDER, RESOLVER, 64)
        .udp(port, 53)
        .write(&mut packet, &query.build_bytes_vec()?)?;
    Ok(packet)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn packets_keep_their_senders_and_come_back() {
        let mut recording = Recording::new();
        recording.add("one".to_owned(), &[vec![0x45, 1], vec![0x45, 2]]).unwrap();
        recording.add("two".to_owned(), &[vec![0x45, 3]]).unwrap();
        let senders = [0, 1, 2, 3, 4].map(|packet| recording.sender(packet));
        assert_eq!(senders, [None, Some("one"), Some("one"), Some("two"), None]);
        let file = tempfile::NamedTempFile::new().unwrap();
        recording.write(file.path()).unwrap();
        assert_eq!(read(file.path()).unwrap(), [vec![0x45, 1], vec![0x45, 2], vec![0x45, 3]]);
    }
}
