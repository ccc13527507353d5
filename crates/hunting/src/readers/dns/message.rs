//! A message of DNS as an event.

use simple_dns::{Packet, PacketFlag, RCODE};

use super::flows::Flow;
use crate::event::{Event, Kind, Outcome};
use crate::time::Moment;

/// What is asked for, or answered.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::readers) struct Message {
    /// The first name that is asked for.
    pub(in crate::readers) name: String,
    /// Of an answer, how it ended.
    pub(in crate::readers) outcome: Option<Outcome>,
}

impl Message {
    /// None when it is no message, or nothing is asked for in it.
    pub(in crate::readers) fn parse(message: &[u8]) -> Option<Self> {
        let packet = Packet::parse(message).ok()?;
        let name = packet.questions.first()?.qname.to_string();
        let outcome = packet.has_flags(PacketFlag::RESPONSE).then(|| match packet.rcode() {
            RCODE::NoError => Outcome::Success,
            _ => Outcome::Failure,
        });
        Some(Self { name, outcome })
    }

    pub(super) fn event(&self, flow: &Flow, time: Moment) -> Event<'_> {
        let flow = if self.outcome.is_some() { flow.turned() } else { *flow };
        Event {
            client: Some(flow.source),
            server: Some(flow.target),
            port: flow.ports.map(|(_, port)| port),
            protocol: flow.protocol,
            name: Some(self.name.as_bytes()),
            outcome: self.outcome,
            ..Event::new(Kind::DnsQuery, Some(time))
        }
    }
}
