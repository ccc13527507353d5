//! What flows count: packets, their bytes, and flags of TCP.

use netflow_parser::variable_versions::ipfix::lookup::{IANAIPFixField, IPFixField};
use netflow_parser::variable_versions::{ipfix, v9};
use netflow_parser::{FieldValue, NetflowPacket, V9Field};

use crate::event::Traffic;

/// Number of TCP (IANA, Protocol Numbers).
const TCP: u8 = 6;

/// What each flow of a message counts, in the message's order; times are not known here. A flow that
/// counts nothing has none.
pub(super) fn counts(packet: &NetflowPacket) -> Vec<Option<Traffic>> {
    match packet {
        NetflowPacket::V5(it) => {
            let flows = it.flowsets.iter();
            flows
                .map(|it| fixed(it.protocol_number, it.d_pkts, it.d_octets, it.tcp_flags))
                .collect()
        }
        NetflowPacket::V7(it) => {
            let flows = it.flowsets.iter();
            flows
                .map(|it| fixed(it.protocol_number, it.d_pkts, it.d_octets, it.tcp_flags))
                .collect()
        }
        NetflowPacket::V9(it) => it.flowsets.iter().flat_map(|set| of_9(&set.body)).collect(),
        NetflowPacket::IPFix(it) => it.flowsets.iter().flat_map(|set| of_10(&set.body)).collect(),
        _ => Vec::new(),
    }
}

fn fixed(protocol: u8, packets: u32, bytes: u32, flags: u8) -> Option<Traffic> {
    let flags = (protocol == TCP).then_some(flags & 0x3f);
    let (packets, bytes) = (u64::from(packets), u64::from(bytes));
    (packets > 0).then_some(Traffic { protocol, packets, bytes, flags, lasted: 0, is_whole: true })
}

fn of_9(body: &v9::FlowSetBody) -> Vec<Option<Traffic>> {
    let of = |fields: &[(V9Field, FieldValue)]| {
        traffic(fields, |field| match field {
            V9Field::Protocol => Some(Part::Protocol),
            V9Field::InPkts => Some(Part::Packets),
            V9Field::InBytes => Some(Part::Bytes),
            V9Field::TcpFlags => Some(Part::Flags),
            _ => None,
        })
    };
    match body {
        v9::FlowSetBody::Data(data) => data.fields.iter().map(|it| of(it)).collect(),
        v9::FlowSetBody::OptionsData(data) => {
            data.fields.iter().map(|it| of(&it.options_fields)).collect()
        }
        _ => Vec::new(),
    }
}

fn of_10(body: &ipfix::FlowSetBody) -> Vec<Option<Traffic>> {
    let of = |fields: &[(IPFixField, FieldValue)]| {
        traffic(fields, |field| match field {
            IPFixField::IANA(IANAIPFixField::ProtocolIdentifier) => Some(Part::Protocol),
            IPFixField::IANA(IANAIPFixField::PacketDeltaCount) => Some(Part::Packets),
            IPFixField::IANA(IANAIPFixField::OctetDeltaCount) => Some(Part::Bytes),
            IPFixField::IANA(IANAIPFixField::TcpControlBits) => Some(Part::Flags),
            _ => None,
        })
    };
    match body {
        ipfix::FlowSetBody::Data(data) => data.fields.iter().map(|it| of(it)).collect(),
        ipfix::FlowSetBody::OptionsData(data) => data.fields.iter().map(|it| of(it)).collect(),
        ipfix::FlowSetBody::V9Data(data) => of_9(&v9::FlowSetBody::Data(data.clone())),
        ipfix::FlowSetBody::V9OptionsData(data) => {
            of_9(&v9::FlowSetBody::OptionsData(data.clone()))
        }
        _ => Vec::new(),
    }
}

/// What a field says of a flow's packets.
#[derive(Clone, Copy)]
enum Part {
    Protocol,
    Packets,
    Bytes,
    Flags,
}

fn traffic<F>(fields: &[(F, FieldValue)], part: impl Fn(&F) -> Option<Part>) -> Option<Traffic> {
    let mut traffic =
        Traffic { protocol: 0, packets: 0, bytes: 0, flags: None, lasted: 0, is_whole: true };
    for (field, value) in fields {
        match part(field) {
            Some(Part::Protocol) => traffic.protocol = value.as_u8().unwrap_or_default(),
            Some(Part::Packets) => traffic.packets = value.as_u64().unwrap_or_default(),
            Some(Part::Bytes) => traffic.bytes = value.as_u64().unwrap_or_default(),
            Some(Part::Flags) => traffic.flags = flags(value),
            None => {}
        }
    }
    traffic.flags = traffic.flags.filter(|_| traffic.protocol == TCP);
    (traffic.packets > 0).then_some(traffic)
}

fn flags(value: &FieldValue) -> Option<u8> {
    let bits = match value {
        FieldValue::TcpControlBits(bits, _) => u16::from(*bits),
        other => other.as_u16()?,
    };
    u8::try_from(bits & 0x3f).ok()
}
