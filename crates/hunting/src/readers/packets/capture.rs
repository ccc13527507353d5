//! Packets out of pcap and pcapng.

use std::io;

use pcap_parser::pcapng::parse_block_be;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    Block, InterfaceDescriptionBlock, PcapHeader, parse_block_le, parse_pcap_frame,
    parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use crate::readers::Input;
use crate::sources::MAX_LINE;
use crate::time::SECOND;

/// A packet as it was captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'b> {
    /// Since 1970.
    pub(super) seconds: i64,
    pub(super) micros: i64,
    /// Type of the link, by the registry of tcpdump.
    pub(super) link: i32,
    pub(super) data: &'b [u8],
}

/// What comes out of a capture.
pub(super) enum Piece<'b> {
    Packet(Packet<'b>),
    /// The beginning of what cannot be read.
    Damaged(&'b [u8]),
}

type Seen<'s> = dyn FnMut(u64, Piece<'_>) + 's;

/// Bytes in front of the packets of a pcap file, and of each packet: more in the format of Kuznetzov.
const HEADER: usize = 24;
const RECORD: usize = 16;
const RECORD_MODIFIED: usize = 24;

/// Block types and byte orders of pcapng.
const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const LITTLE: [u8; 4] = [0x4d, 0x3c, 0x2b, 0x1a];
const BIG: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];

/// What each block of pcapng has at least.
const BLOCK: usize = 12;

/// Interfaces of a section; more are not told apart.
const INTERFACES: usize = 1 << 16;

/// Bytes of what is damaged that are shown.
const SHOWN: usize = 64;

/// Whether a source begins like a capture.
pub(super) fn is_marked(beginning: &[u8]) -> bool {
    let is_ng = beginning.starts_with(&SECTION)
        && beginning.get(8..BLOCK).is_some_and(|order| order == LITTLE || order == BIG);
    is_ng || parse_pcap_header(beginning).is_ok()
}

/// All packets, with the offsets of their data.
pub(super) fn read(input: &mut Input<'_>, seen: &mut Seen<'_>) -> io::Result<()> {
    let (_, beginning) = input.ahead(HEADER)?;
    match parse_pcap_header(beginning).map(|(_, header)| header) {
        Ok(header) => {
            input.skip(HEADER);
            pcap(input, &header, seen)
        }
        Err(_) => pcapng(input, seen),
    }
}

fn pcap(input: &mut Input<'_>, header: &PcapHeader, seen: &mut Seen<'_>) -> io::Result<()> {
    let size = if header.is_modified_format() { RECORD_MODIFIED } else { RECORD };
    loop {
        let (offset, start) = input.ahead(size)?;
        if start.is_empty() {
            return Ok(());
        }
        let length = number(start, 8, header.is_bigendian());
        let length = length.and_then(|length| whole(length, size));
        let Some(length) = length.filter(|_| start.len() == size) else {
            return damaged(input, offset, seen);
        };
        let (offset, bytes) = input.ahead(length)?;
        let record = match (header.is_bigendian(), header.is_modified_format()) {
            (true, _) => parse_pcap_frame_be(bytes),
            (false, true) => parse_pcap_frame_modified(bytes),
            (false, false) => parse_pcap_frame(bytes),
        };
        let Ok((_, record)) = record else { return damaged(input, offset, seen) };
        let fraction = i64::from(record.ts_usec);
        let micros = if header.is_nanosecond_precision() { fraction / 1000 } else { fraction };
        let packet = Packet {
            seconds: i64::from(record.ts_sec),
            micros,
            link: header.network.0,
            data: record.data,
        };
        seen(offset + size as u64, Piece::Packet(packet));
        input.skip(length);
    }
}

fn pcapng(input: &mut Input<'_>, seen: &mut Seen<'_>) -> io::Result<()> {
    let mut section = Section::default();
    loop {
        let (offset, start) = input.ahead(BLOCK)?;
        if start.is_empty() {
            return Ok(());
        }
        if start.starts_with(&SECTION) {
            section = Section { is_big: start.ends_with(&BIG), interfaces: Vec::new() };
        }
        let length = number(start, 4, section.is_big).and_then(|length| whole(length, 0));
        let Some(length) = length.filter(|length| *length >= BLOCK) else {
            return damaged(input, offset, seen);
        };
        let (offset, bytes) = input.ahead(length)?;
        let block = if section.is_big { parse_block_be(bytes) } else { parse_block_le(bytes) };
        let Ok((_, block)) = block else { return damaged(input, offset, seen) };
        section.take(&block, offset, bytes, seen);
        input.skip(length);
    }
}

/// What a section of pcapng says of the packets behind.
#[derive(Debug, Default)]
struct Section {
    is_big: bool,
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: i32,
    /// Units of its times in a second.
    resolution: u64,
    /// Seconds that are added to its times.
    ahead: i64,
}

impl Section {
    fn take(&mut self, block: &Block<'_>, offset: u64, bytes: &[u8], seen: &mut Seen<'_>) {
        let (interface, time, data) = match block {
            Block::InterfaceDescription(told) => {
                if self.interfaces.len() < INTERFACES {
                    self.interfaces.push(Interface::of(told));
                }
                return;
            }
            Block::EnhancedPacket(packet) => {
                let time = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                (packet.if_id as usize, time, packet.packet_data())
            }
            // It has no time: its packet is of 1970.
            Block::SimplePacket(packet) => (0, 0, packet.packet_data()),
            _ => return,
        };
        let Some(interface) = self.interfaces.get(interface) else {
            seen(offset, Piece::Damaged(shown(bytes)));
            return;
        };
        let Interface { link, resolution, ahead } = *interface;
        let resolution = resolution.max(1);
        let fraction = u128::from(time % resolution) * SECOND as u128 / u128::from(resolution);
        let seconds = i64::try_from(time / resolution).unwrap_or(i64::MAX).saturating_add(ahead);
        let place = (data.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
        let packet = Packet { seconds, micros: fraction as i64, link, data };
        seen(offset + place as u64, Piece::Packet(packet));
    }
}

impl Interface {
    fn of(told: &InterfaceDescriptionBlock<'_>) -> Self {
        let resolution = told.ts_resolution().unwrap_or(SECOND as u64);
        Self { link: told.linktype.0, resolution, ahead: told.ts_offset() }
    }
}

fn number(bytes: &[u8], at: usize, is_big: bool) -> Option<u32> {
    let bytes = *bytes.get(at..)?.first_chunk()?;
    Some(if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

/// The length of a record with its header; none when none is that long.
fn whole(length: u32, header: usize) -> Option<usize> {
    let length = usize::try_from(length).ok()?.checked_add(header)?;
    (length <= MAX_LINE).then_some(length)
}

fn shown(bytes: &[u8]) -> &[u8] {
    bytes.get(..SHOWN).unwrap_or(bytes)
}

/// Shows what comes next, and goes to the end.
fn damaged(input: &mut Input<'_>, offset: u64, seen: &mut Seen<'_>) -> io::Result<()> {
    let (_, bytes) = input.ahead(SHOWN)?;
    seen(offset, Piece::Damaged(bytes));
    input.skip_all()
}
