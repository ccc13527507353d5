//! Which packets are the first of their flow, and how many follow.

use core::net::IpAddr;
use std::collections::HashMap;

use miyaburi_model::Protocol;

use crate::event::Traffic;
use crate::readers::is_answer;
use crate::time::{Moment, SECOND};

/// A flow that was idle for so long has ended.
const IDLE: i64 = 300 * SECOND;

/// Flows that are known at once.
const FLOWS: usize = 1 << 18;

/// Between whom a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flow {
    pub(super) source: IpAddr,
    pub(super) target: IpAddr,
    /// Of the source, then of the target.
    pub(super) ports: Option<(u16, u16)>,
    pub(super) protocol: Option<Protocol>,
}

impl Flow {
    /// The other way.
    pub(super) fn turned(self) -> Self {
        let ports = self.ports.map(|(from, to)| (to, from));
        Self { source: self.target, target: self.source, ports, ..self }
    }

    /// Whether its ports are those of an answer.
    pub(super) fn is_answer(&self) -> bool {
        self.ports.is_some_and(|(from, to)| is_answer(from, to))
    }
}

/// Packets of a flow that are told of together.
pub(super) const TOGETHER: u64 = 256;

/// What is known of a flow.
#[derive(Debug)]
struct Known {
    last: Moment,
    /// Packets the way it went first that were not told of yet, and since when.
    since: Moment,
    sent: Option<Traffic>,
}

/// What a packet is to its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The first.
    First,
    /// A later one, with which there are enough the same way to tell of.
    Enough(Traffic),
    /// Any other.
    Later,
}

/// The flows that are known, each by the way it went first. A hostile capture chooses the keys, so that their
/// hash is a keyed one.
#[derive(Debug, Default)]
pub(super) struct Flows {
    all: HashMap<Flow, Known>,
}

impl Flows {
    /// What a packet is to its flow, with its own traffic where that counts.
    pub(super) fn place(&mut self, flow: Flow, time: Moment, packet: Option<Traffic>) -> Place {
        let is_idle = |last: Moment| time.0.saturating_sub(last.0) > IDLE;
        for (way, packet) in [(flow, packet), (flow.turned(), None)] {
            if let Some(known) = self.all.get_mut(&way) {
                let has_ended = is_idle(known.last);
                known.last = time;
                if has_ended {
                    known.sent = None;
                    return Place::First;
                }
                return packet.map_or(Place::Later, |packet| known.count(packet, time));
            }
        }
        if self.all.len() >= FLOWS {
            self.all.retain(|_, known| !is_idle(known.last));
        }
        if self.all.len() >= FLOWS {
            self.all.clear();
        }
        self.all.insert(flow, Known { last: time, since: time, sent: None });
        Place::First
    }
}

impl Known {
    fn count(&mut self, packet: Traffic, time: Moment) -> Place {
        let sent = match &mut self.sent {
            Some(sent) => {
                sent.packets += packet.packets;
                sent.bytes += packet.bytes;
                sent.flags = sent.flags.zip(packet.flags).map(|(one, other)| one | other);
                sent
            }
            None => {
                self.since = time;
                self.sent.insert(packet)
            }
        };
        if sent.packets < TOGETHER {
            return Place::Later;
        }
        let lasted = time.0.saturating_sub(self.since.0).max(0);
        self.sent.take().map_or(Place::Later, |sent| Place::Enough(Traffic { lasted, ..sent }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn flow(from: u16, to: u16) -> Flow {
        let address = |text: &str| text.parse().unwrap();
        let (source, target) = (address("192.0.2.7"), address("198.51.100.9"));
        Flow { source, target, ports: Some((from, to)), protocol: Some(Protocol::Tcp) }
    }

    #[test]
    fn a_flow_begins_once_until_it_is_idle() {
        let mut flows = Flows::default();
        let mut begins =
            |flow, seconds| flows.place(flow, Moment::from_unix(seconds), None) == Place::First;
        assert!(begins(flow(4000, 23), 0));
        assert!(!begins(flow(4000, 23).turned(), 200));
        assert!(!begins(flow(4000, 23), 400));
        assert!(begins(flow(4001, 23), 400));
        assert!(begins(flow(4000, 23), 701));
        assert!(!begins(flow(4000, 23), 600), "packets may be out of order");
    }

    #[test]
    fn packets_that_follow_are_told_of_together() {
        let mut flows = Flows::default();
        let packet = |flags| Traffic {
            protocol: 6,
            packets: 1,
            bytes: 60,
            flags,
            lasted: 0,
            is_whole: false,
        };
        let mut place = |flow, seconds, flags| {
            flows.place(flow, Moment::from_unix(seconds), Some(packet(Some(flags))))
        };
        assert_eq!(place(flow(4000, 23), 0, 2), Place::First);
        for number in 1..TOGETHER as i64 {
            // What comes back does not count.
            assert_eq!(place(flow(4000, 23).turned(), number, 4), Place::Later);
            assert_eq!(place(flow(4000, 23), number, 16), Place::Later);
        }
        let lasted = (TOGETHER as i64 - 1) * SECOND;
        let flags = Some(24);
        let sent =
            Traffic { protocol: 6, packets: 256, bytes: 256 * 60, flags, lasted, is_whole: false };
        assert_eq!(place(flow(4000, 23), 256, 8), Place::Enough(sent));
        assert_eq!(place(flow(4000, 23), 257, 8), Place::Later);
    }

    #[test]
    fn memory_is_bounded() {
        let mut flows = Flows::default();
        for number in 0..FLOWS as u32 + 10 {
            let source = IpAddr::V4(core::net::Ipv4Addr::from_bits(number));
            let flow = Flow { source, ..flow(1, 23) };
            assert_eq!(flows.place(flow, Moment::from_unix(1), None), Place::First);
        }
        assert_eq!(flows.all.len(), 10);
    }
}
