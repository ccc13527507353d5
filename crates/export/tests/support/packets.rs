//! Packets of attacks, field by field.

use miyaburi_model::{Attack, Constant, FieldDescriptor, FieldValue, Packet, Report};

use super::report;

pub(crate) fn number(number: i64) -> FieldDescriptor {
    FieldValue::Constant { constant: Constant::Number(number) }.into()
}

pub(crate) fn from(place: &str) -> FieldDescriptor {
    FieldValue::From { from: place.to_owned() }.into()
}

pub(crate) fn payload(bytes: &[u8]) -> FieldDescriptor {
    let (length, prefix_hex) = (bytes.len() as u64, bytes.into());
    FieldValue::Payload { length, prefix_hex, random: false }.into()
}

pub(crate) fn by_option(field: FieldDescriptor) -> FieldDescriptor {
    FieldDescriptor { option: Some(7), ..field }
}

pub(crate) fn packet(layers: &[&str], fields: &[(&str, FieldDescriptor)]) -> Packet {
    Packet {
        layers: layers.iter().map(|layer| (*layer).to_owned()).collect(),
        spoofable: true,
        per_loop: None,
        fields: fields.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect(),
    }
}

pub(crate) fn attack(kind: &str, packet: Packet) -> Attack {
    Attack {
        vector: Some(0),
        command: None,
        handler: 0x8048u64.into(),
        kind: Some(kind.to_owned()),
        kind_method: None,
        same_as: Vec::new(),
        options: Vec::new(),
        packets: vec![packet],
        evidence: Vec::new(),
    }
}

pub(crate) fn sending(digest: u8, kind: &str, packet: Packet) -> Report {
    let mut report = report(digest, Vec::new());
    report.attacks.push(attack(kind, packet));
    report
}
