//! Messages of DNS as packets and servers' records hold them.

use simple_dns::{Packet, PacketFlag, RCODE};

use crate::event::Outcome;

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
}
