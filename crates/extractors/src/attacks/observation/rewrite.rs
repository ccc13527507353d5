//! Changing addresses in IPv4 packets, with the checksums that cover them (RFC 791, 1071, 1624).

use core::net::Ipv4Addr;
use core::ops::Range;

/// Fields of the header.
pub(super) const TOTAL_LENGTH: Range<usize> = 2..4;
const FRAGMENT: Range<usize> = 6..8;
const PROTOCOL: usize = 9;
const CHECKSUM: Range<usize> = 10..12;
const SOURCE: Range<usize> = 12..16;
const DESTINATION: Range<usize> = 16..20;

/// The offset among a fragment's flags.
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// Protocols (IANA), and where in their headers the checksum lies that covers the addresses.
const TCP: u8 = 6;
const TCP_CHECKSUM: Range<usize> = 16..18;
const UDP: u8 = 17;
const UDP_CHECKSUM: Range<usize> = 6..8;
const GRE: u8 = 47;

/// What GRE and Ethernet carry.
const IPV4: [u8; 2] = [8, 0];
const ETHERNET: [u8; 2] = [0x65, 0x58];
const ETHERNET_TYPE: Range<usize> = 12..14;

/// Packets within packets that are looked into.
const MAX_NESTING: usize = 8;

/// Bytes of the header, if there is one.
pub(super) fn header_length(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let length = 4 * usize::from(first & 0xf);
    (first >> 4 == 4 && length >= 20 && packet.len() >= length).then_some(length)
}

/// Puts bytes into a field; a packet that is too short for it stays as it is.
pub(super) fn put(packet: &mut [u8], field: Range<usize>, bytes: &[u8]) {
    if let Some(place) = packet.get_mut(field)
        && place.len() == bytes.len()
    {
        place.copy_from_slice(bytes);
    }
}

/// The address in a field.
fn address(packet: &[u8], field: Range<usize>) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = packet.get(field)?.try_into().ok()?;
    Some(octets.into())
}

/// Makes the header's checksum right.
pub(super) fn renew_checksum(packet: &mut [u8]) {
    let Some(length) = header_length(packet) else { return };
    put(packet, CHECKSUM, &[0, 0]);
    let header = packet.get(..length).unwrap_or(&[]);
    let sum = folded(header.chunks(2).map(|word| match word {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }));
    put(packet, CHECKSUM, &(!sum).to_be_bytes());
}

/// Replaces the addresses of a packet and of those within it by what `replace` makes of them.
/// Checksums change as the addresses do, so that a right one stays right.
pub(super) fn replace_addresses(packet: &mut [u8], replace: impl Fn(Ipv4Addr) -> Ipv4Addr) {
    let mut start = Some(0);
    for _ in 0..MAX_NESTING {
        let Some(packet) = start.and_then(|start| packet.get_mut(start..)) else { return };
        let Some(within) = replace_outermost(packet, &replace) else { return };
        start = start.map(|start| start + within);
    }
}

/// As [`replace_addresses`], of the outermost packet alone; where the next one begins.
pub(super) fn replace_outermost(
    packet: &mut [u8],
    replace: &impl Fn(Ipv4Addr) -> Ipv4Addr,
) -> Option<usize> {
    let length = header_length(packet)?;
    let fragment = packet.get(FRAGMENT).and_then(|field| <[u8; 2]>::try_from(field).ok())?;
    let is_first = u16::from_be_bytes(fragment) & FRAGMENT_OFFSET == 0;
    let protocol = *packet.get(PROTOCOL)?;
    let transport = match protocol {
        TCP if is_first => Some(TCP_CHECKSUM),
        UDP if is_first => Some(UDP_CHECKSUM),
        _ => None,
    };
    let transport = transport.map(|field| length + field.start..length + field.end);
    for field in [SOURCE, DESTINATION] {
        let old = address(packet, field.clone())?;
        let new = replace(old);
        put(packet, field, &new.octets());
        adapt(packet, CHECKSUM, old, new);
        if let Some(field) = transport.clone() {
            let is_left_out = |packet: &[u8]| packet.get(field.clone()) == Some(&[0, 0]);
            if protocol == UDP && is_left_out(packet) {
                continue;
            }
            adapt(packet, field.clone(), old, new);
            if protocol == UDP && is_left_out(packet) {
                put(packet, field, &[0xff, 0xff]);
            }
        }
    }
    (protocol == GRE && is_first).then(|| within_gre(packet, length)).flatten()
}

/// Where the packet begins that stands behind GRE's header (RFC 2784, 2890).
fn within_gre(packet: &[u8], start: usize) -> Option<usize> {
    let [flags, _, kind @ ..] = packet.get(start..start + 4)? else { return None };
    let optional = (flags >> 7 & 1) + (flags >> 5 & 1) + (flags >> 4 & 1);
    let carried = start + 4 + 4 * usize::from(optional);
    if kind == IPV4 {
        return Some(carried);
    }
    let kind_within = packet.get(carried..)?.get(ETHERNET_TYPE)?;
    (kind == ETHERNET && kind_within == IPV4).then_some(carried + ETHERNET_TYPE.end)
}

/// Changes a checksum as the change of an address demands (RFC 1624, equation 3).
fn adapt(packet: &mut [u8], field: Range<usize>, old: Ipv4Addr, new: Ipv4Addr) {
    let Some([high, low]) = packet.get(field.clone()) else { return };
    let checksum = u16::from_be_bytes([*high, *low]);
    let words = |host: Ipv4Addr| {
        let [a, b, c, d] = host.octets();
        [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
    };
    let removed = words(old).map(|word| !word);
    let sum = folded([!checksum].into_iter().chain(removed).chain(words(new)));
    put(packet, field, &(!sum).to_be_bytes());
}

/// The sum in ones' complement (RFC 1071).
fn folded(words: impl Iterator<Item = u16>) -> u16 {
    words.fold(0, |sum: u16, word| {
        let (sum, carries) = sum.overflowing_add(word);
        sum + u16::from(carries)
    })
}
