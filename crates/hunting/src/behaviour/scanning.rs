//! A device looks for others to log in to: one client reaches for many hosts at ports that bots of the
//! family try, within an hour.
//!
//! Or, in packets: the sequence number that opens a connection is the address it goes to, for two hosts. The
//! family's scanner sends such probes, so that it knows answers without a memory of them.
//!
//! Reason: bots of the family probe random addresses for Telnet and known flaws, hundreds a second; no
//! ordinary device opens Telnet to dozens of hosts.
//!
//! False positives: monitoring and management systems, one's own vulnerability scanner, ports 80 and 8080
//! are therefore left out, as browsers do that all day. False negatives: scans slower than the threshold, of
//! few hosts, or of other ports; scans that the log has a sample of only; by another sequence; where network address translation
//! stands before the log, the device behind it is not told.

use rustc_hash::FxHashSet;

use super::Seen;
use super::kept::Kept;
use crate::event::{Event, Kind};
use crate::time::{Moment, SECOND};
use core::net::IpAddr;

/// Ports of Telnet, SSH, ADB, TR-069, UPnP and routers' services, as scanners of the family use them.
const PORTS: [u16; 12] = [22, 23, 2222, 2323, 5555, 7547, 9527, 23231, 26, 37215, 52869, 60001];

/// Hosts within [`WINDOW`].
const HOSTS: usize = 30;

/// Hosts whose address is the sequence number: by chance one of 2^32 connections has that.
const NUMBERED: usize = 2;

/// An hour.
const WINDOW: i64 = 3600 * SECOND;

/// What is kept of each client.
#[derive(Debug, Default)]
pub(super) struct Scanning {
    pub(super) clients: Kept<IpAddr, Probed>,
}

#[derive(Debug)]
pub(super) struct Probed {
    since: Moment,
    hosts: FxHashSet<IpAddr>,
    /// Of these, or at other ports, hosts whose address was the sequence number.
    numbered: FxHashSet<IpAddr>,
}

impl Scanning {
    pub(super) fn look(&mut self, event: &Event<'_>, time: Moment) -> Option<Seen> {
        let (client, server) = event.client.zip(event.server)?;
        let is_numbered = event.sequence.is_some_and(|number| is_address(number, server));
        let is_probe = is_numbered || event.port.is_some_and(|port| PORTS.contains(&port));
        if event.kind != Kind::Connection || !is_probe {
            return None;
        }
        let new =
            || Probed { since: time, hosts: FxHashSet::default(), numbered: FxHashSet::default() };
        let probed = self.clients.of(client, time, WINDOW, new)?;
        if time.0.saturating_sub(probed.since.0) > WINDOW {
            *probed = new();
        }
        // Hosts beyond the threshold say nothing more.
        if probed.hosts.len() < HOSTS {
            probed.hosts.insert(server);
        }
        if is_numbered && probed.numbered.len() < NUMBERED {
            probed.numbered.insert(server);
        }
        let since = probed.since;
        if probed.numbered.len() >= NUMBERED {
            let reason =
                format!("{NUMBERED} hosts since {since} whose address is the sequence number");
            return Some(Seen::of(client, reason));
        }
        (probed.hosts.len() >= HOSTS).then(|| {
            let port = event.port.unwrap_or_default();
            Seen::of(client, format!("{HOSTS} hosts since {since}, last at port {port}"))
        })
    }
}

fn is_address(number: u32, address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.to_bits() == number)
}

#[cfg(test)]
mod tests {
    use super::super::tests::connection;
    use super::*;

    fn probes(port: u16, hosts: u32, step: i64) -> Option<u32> {
        let mut scanning = Scanning::default();
        (0..hosts).find(|number| {
            let server = format!("203.0.113.{number}");
            let time = Moment(i64::from(*number) * step);
            scanning.look(&connection("192.0.2.7", &server, port), time).is_some()
        })
    }

    #[test]
    fn many_hosts_in_an_hour_are_a_scan() {
        assert_eq!(probes(23, 200, SECOND), Some(HOSTS as u32 - 1));
        assert_eq!(probes(37215, 200, SECOND), Some(HOSTS as u32 - 1));
    }

    #[test]
    fn other_ports_few_hosts_and_slow_ones_are_none() {
        assert_eq!(probes(443, 200, SECOND), None);
        assert_eq!(probes(23, HOSTS as u32 - 1, SECOND), None);
        assert_eq!(probes(23, 200, 300 * SECOND), None);
        let mut scanning = Scanning::default();
        for second in 0..500 {
            let event = connection("192.0.2.7", "203.0.113.1", 23);
            assert_eq!(scanning.look(&event, Moment::from_unix(second)), None);
        }
    }
    #[test]
    fn sequence_numbers_that_are_addresses_are_a_scan() {
        let probe = |host: u8, sequence: u32| Event {
            sequence: Some(sequence),
            ..connection("192.0.2.7", &format!("203.0.113.{host}"), 80)
        };
        let first = 0xcb00_7100;
        let mut scanning = Scanning::default();
        let mut look = |event: &Event<'_>| scanning.look(event, Moment(1));
        assert_eq!(look(&probe(1, first + 1)), None, "one may be chance");
        assert_eq!(look(&probe(1, first + 1)), None);
        assert_eq!(look(&probe(2, first + 9)), None);
        assert_eq!(look(&probe(3, 0)), None);
        assert!(look(&probe(4, first + 4)).is_some_and(|seen| seen.entity == "192.0.2.7"));
    }
}
