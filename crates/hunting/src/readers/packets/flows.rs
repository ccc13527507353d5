//! Which packets are the first of their flow.

use core::net::IpAddr;
use std::collections::HashMap;

use miyaburi_model::Protocol;

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

/// The flows that are known, each by the way it went first, with the time of its last packet. A hostile
/// capture chooses the keys, so that their hash is a keyed one.
#[derive(Debug, Default)]
pub(super) struct Flows {
    last: HashMap<Flow, Moment>,
}

impl Flows {
    /// Whether a packet is the first of its flow.
    pub(super) fn begins(&mut self, flow: Flow, time: Moment) -> bool {
        let is_idle = |last: Moment| time.0.saturating_sub(last.0) > IDLE;
        for flow in [flow, flow.turned()] {
            if let Some(last) = self.last.get_mut(&flow) {
                let has_ended = is_idle(*last);
                *last = time;
                return has_ended;
            }
        }
        if self.last.len() >= FLOWS {
            self.last.retain(|_, last| !is_idle(*last));
        }
        if self.last.len() >= FLOWS {
            self.last.clear();
        }
        self.last.insert(flow, time);
        true
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
        let mut begins = |flow, seconds| flows.begins(flow, Moment::from_unix(seconds));
        assert!(begins(flow(4000, 23), 0));
        assert!(!begins(flow(4000, 23).turned(), 200));
        assert!(!begins(flow(4000, 23), 400));
        assert!(begins(flow(4001, 23), 400));
        assert!(begins(flow(4000, 23), 701));
        assert!(!begins(flow(4000, 23), 600), "packets may be out of order");
    }

    #[test]
    fn memory_is_bounded() {
        let mut flows = Flows::default();
        for number in 0..FLOWS as u32 + 10 {
            let source = IpAddr::V4(core::net::Ipv4Addr::from_bits(number));
            assert!(flows.begins(Flow { source, ..flow(1, 23) }, Moment::from_unix(1)));
        }
        assert_eq!(flows.last.len(), 10);
    }
}
