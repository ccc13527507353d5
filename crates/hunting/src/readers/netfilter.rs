//! The kernel's packet filter: the `LOG` target of iptables and `log` of nftables, as the kernel says it or
//! ulogd.
//!
//! ```text
//! [12.345] prefix IN=eth0 OUT=eth1 SRC=192.0.2.7 DST=198.51.100.1 LEN=60 PROTO=TCP SPT=40000 DPT=23 SYN
//! ```
//! The line does not say what the rule did besides.

use super::Reading;
use super::text::{address, number, value};
use crate::event::{Event, Kind};
use crate::time::Moment;
use miyaburi_model::Protocol;

/// A message of the kernel.
pub(super) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    packet(text, time).map_or(Reading::Quiet, Reading::Event)
}

/// Bytes of a rule's prefix at most (`NF_LOG_PREFIXLEN` of Linux).
const PREFIX: usize = 128;

/// The packet of a line that names no program, as ulogd writes it: behind the prefix of a rule.
///
/// False positives: lines without a program's name that hold the same words.
pub(super) fn behind_prefix(text: &[u8]) -> Option<&[u8]> {
    let start = memchr::memmem::find(text.get(..text.len().min(PREFIX + 3))?, b"IN=")?;
    let packet = text.get(start..)?;
    let mut words = packet.split(|byte| *byte == b' ').skip(1);
    let is_packet = words.next()?.starts_with(b"OUT=");
    is_packet.then_some(packet)
}

fn packet(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    // The prefix before it is the administrator's, and may end without a blank.
    let text = text.get(memchr::memmem::find(text, b"IN=")?..)?;
    let client = address(value(text, b"SRC=")?)?;
    let server = address(value(text, b"DST=")?)?;
    let protocol = match value(text, b"PROTO=") {
        Some(b"TCP") => Some(Protocol::Tcp),
        Some(b"UDP") => Some(Protocol::Udp),
        _ => None,
    };
    Some(Event {
        client: Some(client),
        server: Some(server),
        port: value(text, b"DPT=").and_then(number),
        protocol,
        ..Event::new(Kind::Connection, time)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn packets() {
        let text = b"[12.3] c2 IN=eth0 OUT=eth1 MAC=00:01 SRC=192.0.2.7 DST=198.51.100.1 LEN=60 \
            PROTO=TCP SPT=40000 DPT=23 WINDOW=1 SYN";
        let expected = Event {
            client: Some("192.0.2.7".parse().unwrap()),
            server: Some("198.51.100.1".parse().unwrap()),
            port: Some(23),
            protocol: Some(Protocol::Tcp),
            ..Event::new(Kind::Connection, None)
        };
        assert_eq!(message(text, None), Reading::Event(expected));
        for prefix in ["DROP:", "DROP"] {
            let text = format!(
                "[1.0] {prefix}IN=a OUT=b SRC=192.0.2.7 DST=198.51.100.1 PROTO=TCP SPT=4 DPT=23"
            );
            assert_eq!(message(text.as_bytes(), None), Reading::Event(expected), "{prefix}");
        }
        assert_eq!(message(b"usb 1-1: new device SRC=192.0.2.7", None), Reading::Quiet);
    }
}
