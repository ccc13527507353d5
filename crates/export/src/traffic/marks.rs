//! What tells a packet of an attack from those of others.
//!
//! Every mark is a constant in the program's code that no option of the attack changes, or a relation
//! between two fields. Each names what else may carry it, and what it misses.

use std::collections::{BTreeMap, BTreeSet};

use miyaburi_model::{Constant, FieldDescriptor, FieldValue};
use serde::{Deserialize, Serialize};

/// Bytes of a payload that are compared.
const COMPARED: usize = 64;

/// Bytes that a payload has to begin with to count: fewer occur in what others send.
const MIN_PREFIX: usize = 8;

/// Different bytes among them: a buffer that was only cleared or filled is no mark.
const MIN_DIFFERENT: usize = 4;

/// The first number of an IP protocol that is not assigned (IANA, Protocol Numbers: 148-252 are
/// unassigned, 253 and 254 for experiments, 255 is reserved).
const FIRST_UNASSIGNED: u8 = 148;

/// Something that others do not send. What is read from headers comes last: in rules that name a buffer,
/// what follows would be looked for in that buffer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mark {
    /// What the payload begins with, and its length when that is always the same. Shared with: clients
    /// of the service whose query it is. Misses: payloads that are drawn or set.
    Payload(Vec<u8>, Option<u16>),
    /// The end of a request's first line and its first header, which is not `Host`: browsers, which the
    /// header pretends to be, begin with that (RFC 9110, section 7.2). Shared with: scripts that
    /// pretend the same in the same order. Misses: requests that begin with `Host`, or whose first
    /// header is drawn.
    FirstHeader(Vec<u8>),
    /// An IP protocol that is not assigned. Shared with: experiments of the own network. Misses: what
    /// has a protocol of its own.
    Protocol(u8),
    /// A first packet of a connection that has no window, with this shift of it when that is
    /// constant. Shared with: nothing known; systems open connections with a window, and the answers of
    /// SYN proxies, which have none, acknowledge. Misses: attacks whose window is drawn, and those for
    /// which an option sets other flags.
    NoWindow(Option<u8>),
    /// The first packet of a connection has its destination's address as sequence number. Shared with:
    /// one in 2^32 of all connections. Misses: scanners that draw it.
    SequenceIsDestination,
}

/// Fields of a packet.
pub(super) type Fields = BTreeMap<String, FieldDescriptor>;

/// The number that a field always has; none where an option changes it.
pub(super) fn fixed(fields: &Fields, name: &str) -> Option<u64> {
    let field = fields.get(name).filter(|field| field.option.is_none())?;
    number(&field.value)
}

/// The number that a field has unless an option changes it.
pub(super) fn usual(fields: &Fields, name: &str) -> Option<u64> {
    number(&fields.get(name)?.value)
}

fn number(value: &FieldValue) -> Option<u64> {
    match value {
        FieldValue::Constant { constant: Constant::Number(number) } => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// Where a field is taken from.
pub(super) fn taken_from<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    match &fields.get(name)?.value {
        FieldValue::From { from } => Some(from),
        _ => None,
    }
}

/// The marks of a packet with these protocols and fields.
pub(super) fn marks(layers: &[String], fields: &Fields) -> BTreeSet<Mark> {
    let marks = [
        protocol(layers, fields),
        no_window(fields),
        sequence_is_destination(fields),
        first_header(layers, fields),
    ];
    let payloads = ["udp.payload", "tcp.payload", "data"];
    // A request's payload has the texts that options set; what follows a header that nobody knows is
    // not looked at by those who would match it.
    let is_looked_at = |name: &&str| *name != "data" || has(layers, "icmp");
    let payloads = payloads.into_iter().filter(|_| !has(layers, "http")).filter(is_looked_at);
    let payloads = payloads.filter_map(|name| payload(fields.get(name)?));
    marks.into_iter().flatten().chain(payloads).collect()
}

fn has(layers: &[String], name: &str) -> bool {
    layers.iter().any(|layer| layer == name)
}

fn protocol(layers: &[String], fields: &Fields) -> Option<Mark> {
    let number = u8::try_from(fixed(fields, "ip.proto")?).ok()?;
    (layers.len() == 1 && number >= FIRST_UNASSIGNED).then_some(Mark::Protocol(number))
}

fn no_window(fields: &Fields) -> Option<Mark> {
    // An option may change the flags; the attack is that of connections all the same.
    let begins = usual(fields, "tcp.flags.syn") == Some(1);
    let begins = begins && usual(fields, "tcp.flags.ack") == Some(0);
    let is_empty = fixed(fields, "tcp.window_size_value") == Some(0);
    let shift = fixed(fields, "tcp.options.wscale.shift");
    let shift = shift.and_then(|shift| u8::try_from(shift).ok());
    (begins && is_empty).then_some(Mark::NoWindow(shift))
}

/// Also asked of what is known of a scanner's first packet.
pub(super) fn sequence_is_destination(fields: &Fields) -> Option<Mark> {
    let is_given = fields.get("tcp.seq")?.option.is_none();
    let from = taken_from(fields, "tcp.seq")?;
    (is_given && from == "ip.dst").then_some(Mark::SequenceIsDestination)
}

fn payload(field: &FieldDescriptor) -> Option<Mark> {
    let FieldValue::Payload { length, prefix_hex, random } = &field.value else { return None };
    let prefix = prefix_hex.0.get(..COMPARED).unwrap_or(&prefix_hex.0);
    let different: BTreeSet<&u8> = prefix.iter().collect();
    let is_mark =
        field.option.is_none() && prefix.len() >= MIN_PREFIX && different.len() >= MIN_DIFFERENT;
    let length = u16::try_from(*length).ok().filter(|_| !random);
    is_mark.then(|| Mark::Payload(prefix.to_vec(), length))
}

/// The header is the part of the payload that options leave alone: method and path stand before it.
fn first_header(layers: &[String], fields: &Fields) -> Option<Mark> {
    let field = fields.get("tcp.payload").filter(|_| has(layers, "http"))?;
    let FieldValue::Payload { prefix_hex, .. } = &field.value else { return None };
    let request = &prefix_hex.0;
    let start = find(request, b" HTTP/1.")?;
    let line = start + find(request.get(start..)?, b"\r\n")? + 2;
    let rest = request.get(line..)?;
    let header = rest.get(..find(rest, b"\r\n").unwrap_or(rest.len()))?;
    let colon = find(header, b": ")?;
    let is_host = header.get(..colon)?.eq_ignore_ascii_case(b"host");
    let value = header.get(colon + 2..)?;
    let text = request.get(start..line + header.len())?;
    let text = text.get(..COMPARED).unwrap_or(text);
    (!is_host && value.len() >= MIN_PREFIX).then(|| Mark::FirstHeader(text.to_vec()))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
