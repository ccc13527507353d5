//! What an option does: which field of the packets it sets.
//!
//! False positives: a field that a handler draws and that happens to be the number that was tried.
//! False negatives: options that change what is not looked at, such as how long an attack goes on.

use super::options::OptionType;
use super::order::Given;
use super::packet::{Packet, Value};
use super::shape::{Payload, Shape, Source, shapes};

/// What the attack sends without the option, to compare with.
pub(super) struct Baseline<'b> {
    /// Options without which it sends nothing.
    pub(super) needed: &'b [Given],
    /// The packets of the run from the snapshot that options are tried in.
    pub(super) first: &'b [Packet],
    /// Every packet of all runs.
    pub(super) packets: &'b [Packet],
    /// What they have in common.
    pub(super) shapes: &'b [Shape],
}

/// Options by the field that they set. Those of packets within packets have the same.
const NAMES: [(&str, &str); 23] = [
    ("ip.dsfield", "ip_tos"),
    ("ip.id", "ip_ident"),
    ("ip.ttl", "ip_ttl"),
    ("ip.flags.df", "ip_df"),
    ("ip.src", "source_address"),
    ("udp.srcport", "source_port"),
    ("tcp.srcport", "source_port"),
    ("udp.dstport", "destination_port"),
    ("tcp.dstport", "destination_port"),
    ("dns.id", "dns_id"),
    ("tcp.flags.urg", "urg"),
    ("tcp.flags.ack", "ack"),
    ("tcp.flags.push", "psh"),
    ("tcp.flags.reset", "rst"),
    ("tcp.flags.syn", "syn"),
    ("tcp.flags.fin", "fin"),
    ("tcp.seq", "seq"),
    ("tcp.ack", "ack_seq"),
    ("http.request.method", "method"),
    ("http.request.uri", "path"),
    ("http.host", "domain"),
    ("http.file_data", "post_data"),
    ("dns.qry.name", "domain"),
];

/// An option's name, and the field that tells: the number of the shape that has it, and its name.
pub(super) type Change = (&'static str, Option<(usize, String)>);

/// What `sent` has that the baseline has not, as an option of this type may bring about: names with
/// the fields that are set, if any.
pub(super) fn changes(
    baseline: &Baseline<'_>,
    sent: &[Packet],
    kind: OptionType,
    text: &str,
) -> Vec<Change> {
    let has_any = |packets: &[Packet]| packets.iter().any(|packet| !packet.is_lookup());
    if kind == OptionType::Number && text == "0" && !has_any(sent) {
        let had_any = has_any(baseline.packets);
        return had_any.then_some(("connections", None)).into_iter().collect();
    }
    // As many packets of the same start: what is drawn is the same there.
    let same = baseline.first.get(..sent.len()).unwrap_or(baseline.first);
    if same == sent {
        return Vec::new();
    }
    let own = shapes(&[same.to_vec()]);
    let with = shapes(&[sent.to_vec()]);
    let mut found = Vec::new();
    for shape in &with {
        let mut alike = baseline.shapes.iter().enumerate();
        let Some((number, before)) = alike.find(|(_, before)| is_alike(before, shape)) else {
            continue;
        };
        let own = own.iter().find(|own| is_alike(own, shape)).unwrap_or(before);
        for (field, name) in NAMES {
            for field in [field.to_owned(), format!("{field}#2")] {
                let is_set = match kind {
                    OptionType::Number => {
                        is_number_set(&field, text, before, shape)
                            && is_number_set(&field, text, own, shape)
                    }
                    OptionType::Address | OptionType::Text => {
                        shape.fields.contains_key(&field)
                            && is_text_set(&field, text, baseline.packets, sent)
                    }
                };
                if is_set {
                    found.push((name, Some((number, field))));
                }
            }
        }
        // An inner destination that is drawn unless it is to be the target.
        if kind == OptionType::Number
            && matches!(shape.fields.get("ip.dst#2"), Some(Source::From(_)))
            && before.fields.get("ip.dst#2") != shape.fields.get("ip.dst#2")
        {
            found.push(("gre_constant_destination", Some((number, "ip.dst#2".to_owned()))));
        }
        if kind == OptionType::Number {
            let change = payload_change(text, own, shape);
            found.extend(change.map(|(name, field)| (name, Some((number, field)))));
        }
    }
    // With text in a body there are headers that tell its type and length.
    let has_body = sent.iter().any(|packet| packet.fields.contains_key("http.file_data"));
    let had_body = baseline.packets.iter().any(|it| it.fields.contains_key("http.file_data"));
    if found.is_empty() && has_body && !had_body {
        found.push(("post_data", None));
    }
    found
}

/// Whether two shapes are of the same attack: what is carried decides about the innermost layers.
fn is_alike(one: &Shape, other: &Shape) -> bool {
    let headers = |shape: &Shape| {
        let is_header = |layer: &&str| !["dns", "http"].contains(layer);
        shape.layers.iter().copied().filter(is_header).collect::<Vec<&str>>()
    };
    one.is_raw == other.is_raw
        && one.payload.is_some() == other.payload.is_some()
        && headers(one) == headers(other)
}

/// Whether the option set a field to a number.
fn is_number_set(field: &str, text: &str, before: &Shape, with: &Shape) -> bool {
    let Some(Source::Constant(Value::Number(number))) = with.fields.get(field) else {
        return false;
    };
    let is_new = before.fields.get(field) != with.fields.get(field);
    let is_given = match field.contains("flags") {
        true => *number == u64::from(text != "0"),
        false => number.to_string() == text,
    };
    is_new && is_given
}

/// Whether every packet has the text in a field, and none had it before.
fn is_text_set(field: &str, text: &str, before: &[Packet], with: &[Packet]) -> bool {
    let has = |packet: &Packet| packet.text(field).is_some_and(|value| value.contains(text));
    let mut with = with.iter().filter(|packet| packet.fields.contains_key(field)).peekable();
    with.peek().is_some() && with.all(has) && !before.iter().any(has)
}

/// Whether the option set what packets carry. Where lengths differ by themselves, a length means
/// nothing.
fn payload_change(text: &str, before: &Shape, with: &Shape) -> Option<(&'static str, String)> {
    let (before, with) = (before.payload.as_ref(), with.payload.as_ref());
    let length = |payload: Option<&Payload>| payload.map_or(0, |it| it.length);
    let name = with.or(before)?.name.to_owned();
    if length(with) != length(before) {
        let is_fixed = [before, with].into_iter().flatten().all(|it| it.has_fixed_length);
        let is_size = is_fixed || length(with).to_string() == text;
        return is_size.then_some(("payload_size", name));
    }
    let is_random = |payload: Option<&Payload>| payload.is_some_and(|it| it.is_random);
    (is_random(before) != is_random(with)).then_some(("payload_random", name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn packet(ttl: u64, ident: u64, payload: &[u8]) -> Packet {
        let field = |name: &str, value| (name.to_owned(), Value::Number(value));
        Packet {
            layers: vec!["ip", "udp"],
            fields: BTreeMap::from([field("ip.ttl", ttl), field("ip.id", ident)]),
            payload: Some(("udp.payload", payload.to_vec())),
            is_raw: true,
            has_own_address: true,
        }
    }

    /// What setting an option of a handler is found to do that draws identification and payload once
    /// for each start.
    fn found(sent: &[Packet], text: &str) -> Vec<Change> {
        let starts = [[7, 7], [900, 901]].map(|idents| {
            let payload = if idents[0] == 7 { b"abcd" } else { b"wxyz" };
            idents.map(|ident| packet(64, ident, payload)).to_vec()
        });
        let baseline = Baseline {
            needed: &[],
            first: &starts[0],
            packets: &starts.concat(),
            shapes: &shapes(&starts),
        };
        changes(&baseline, sent, OptionType::Number, text)
    }

    #[test]
    fn a_field_that_takes_the_number_is_set() {
        let sent = [packet(33, 7, b"abcd"), packet(33, 7, b"abcd")];
        assert_eq!(found(&sent, "33"), [("ip_ttl", Some((0, "ip.ttl".to_owned())))]);
        let sent = [packet(64, 33, b"abcd"), packet(64, 33, b"abcd")];
        assert_eq!(found(&sent, "33"), [("ip_ident", Some((0, "ip.id".to_owned())))]);
    }

    #[test]
    fn what_is_drawn_once_for_each_start_is_set_by_nothing() {
        let same = [packet(64, 7, b"abcd"), packet(64, 7, b"abcd")];
        assert_eq!(found(&same, "33"), []);
        assert_eq!(found(&same, "7"), [], "it was so before");
        let other = [packet(64, 8, b"abcd"), packet(64, 9, b"abcd")];
        assert_eq!(found(&other, "33"), []);
    }

    #[test]
    fn a_payload_of_another_length_has_its_size_set() {
        let sent = [packet(64, 7, b"ab"), packet(64, 7, b"ab")];
        assert_eq!(found(&sent, "2"), [("payload_size", Some((0, "udp.payload".to_owned())))]);
    }

    #[test]
    fn a_text_is_set_in_the_packet_that_has_it_and_in_no_other() {
        let request = |method: &str| {
            let text = Value::Text(method.to_owned());
            let fields = BTreeMap::from([("http.request.method".to_owned(), text)]);
            let payload = Some(("tcp.payload", method.as_bytes().to_vec()));
            let layers = vec!["ip", "tcp", "http"];
            Packet { layers, fields, payload, is_raw: false, has_own_address: false }
        };
        let handshake = Packet {
            layers: vec!["ip", "tcp"],
            payload: None,
            fields: BTreeMap::new(),
            ..request("")
        };
        let runs = [vec![handshake.clone(), request("GET")]];
        let baseline =
            Baseline { needed: &[], first: &runs[0], packets: &runs[0], shapes: &shapes(&runs) };
        let found = changes(&baseline, &[handshake, request("probe")], OptionType::Text, "probe");
        assert_eq!(found, [("method", Some((1, "http.request.method".to_owned())))]);
    }
}
