//! Headers as they are drawn in RFCs: rows of 32 bits, one box a field.

use maud::{Markup, html};

use super::shape::{FieldUse, Origin, PacketShape};

/// Width of one bit and height of one row, in SVG units.
const BIT: usize = 20;
const ROW: usize = 26;

/// Bits in a row.
const BITS: usize = 32;

/// Bits a box needs to hold its label.
const LABELLED: usize = 2;

/// A field of a header: label, bits, and its name in reports without the layer.
type Field = (&'static str, usize, &'static str);

/// RFC 791.
const IP: &[Field] = &[
    ("version", 4, ""),
    ("IHL", 4, ""),
    ("TOS", 8, "dsfield"),
    ("total length", 16, "len"),
    ("identification", 16, "id"),
    ("", 1, ""),
    ("DF", 1, "flags.df"),
    ("MF", 1, "flags.mf"),
    ("fragment offset", 13, "frag_offset"),
    ("TTL", 8, "ttl"),
    ("protocol", 8, "proto"),
    ("checksum", 16, ""),
    ("source", 32, "src"),
    ("destination", 32, "dst"),
];

/// RFC 768.
const UDP: &[Field] = &[
    ("source port", 16, "srcport"),
    ("destination port", 16, "dstport"),
    ("length", 16, ""),
    ("checksum", 16, ""),
];

/// RFC 9293.
const TCP: &[Field] = &[
    ("source port", 16, "srcport"),
    ("destination port", 16, "dstport"),
    ("sequence number", 32, "seq"),
    ("acknowledgment number", 32, "ack"),
    ("offset", 4, ""),
    ("reserved", 6, ""),
    ("U", 1, "flags.urg"),
    ("A", 1, "flags.ack"),
    ("P", 1, "flags.push"),
    ("R", 1, "flags.reset"),
    ("S", 1, "flags.syn"),
    ("F", 1, "flags.fin"),
    ("window", 16, "window_size_value"),
    ("checksum", 16, ""),
    ("urgent pointer", 16, "urgent_pointer"),
];

/// RFC 2784.
const GRE: &[Field] = &[("flags and version", 16, "flags_and_version"), ("protocol", 16, "proto")];

/// RFC 792, echo.
const ICMP: &[Field] = &[
    ("type", 8, "type"),
    ("code", 8, "code"),
    ("checksum", 16, ""),
    ("identifier", 16, "ident"),
    ("sequence number", 16, "seq"),
];

/// Options of TCP, by RFC 9293 and RFC 7323: kind, length and value in one box. Reports do not say in which
/// order they are.
const TCP_OPTIONS: &[Field] = &[
    ("option: largest segment", 32, "options.mss_val"),
    ("option: window scale", 24, "options.wscale.shift"),
    ("option: timestamps", 80, "options.timestamp.tsval"),
];

/// RFC 1035, a query; a name is as long as it is.
const DNS: &[Field] = &[
    ("ID", 16, "id"),
    ("flags", 16, "flags"),
    ("questions", 16, ""),
    ("answers", 16, ""),
    ("authority", 16, ""),
    ("additional", 16, ""),
    ("name", 32, "qry.name"),
    ("type", 16, "qry.type"),
    ("class", 16, ""),
];

/// IEEE 802.3.
const ETHERNET: &[Field] =
    &[("destination", 48, "dst"), ("source", 48, "src"), ("type", 16, "type")];

fn header(layer: &str) -> &'static [Field] {
    match layer {
        "ip" => IP,
        "udp" => UDP,
        "tcp" => TCP,
        "gre" => GRE,
        "icmp" => ICMP,
        "dns" => DNS,
        "eth" => ETHERNET,
        _ => &[],
    }
}

/// A box, or the part of one that lies in a row.
struct Part<'a> {
    row: usize,
    bit: usize,
    bits: usize,
    label: String,
    field: Option<&'a FieldUse>,
}

/// The headers of a packet as an SVG drawing; empty when no layer of it is known.
pub(super) fn drawing(shape: &PacketShape) -> Markup {
    let parts = parts(shape);
    let Some(last) = parts.last() else { return html! {} };
    let (width, height) = (BITS * BIT, (last.row + 1) * ROW);
    html! {
        svg viewBox=(format!("0 0 {width} {height}")) role="img" aria-label="headers, 32 bits a row" {
            @for part in &parts {
                g class=(part.field.map_or("unknown", |field| origin(field.origin))) {
                    rect x=(part.bit * BIT) y=(part.row * ROW) width=(part.bits * BIT) height=(ROW) {
                        @if let Some(field) = part.field {
                            title { (field.name) ": " (summary(field)) }
                        }
                    }
                    @if part.bits >= LABELLED || part.label.len() <= 2 {
                        text x=(part.bit * BIT + part.bits * BIT / 2) y=(part.row * ROW + 17) { (part.label) }
                    }
                }
            }
        }
    }
}

fn parts(shape: &PacketShape) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut row = 0;
    for (index, layer) in shape.layers.iter().enumerate() {
        let earlier = shape.layers.iter().take(index).filter(|other| *other == layer).count();
        let suffix = if earlier == 0 { String::new() } else { format!("#{}", earlier + 1) };
        let mut bit = 0;
        let field_of = |name: &str| shape.field(&format!("{layer}.{name}{suffix}"));
        let options = if layer == "tcp" { TCP_OPTIONS } else { &[] };
        let options = options.iter().filter(|(_, _, name)| field_of(name).is_some());
        for (label, bits, name) in header(layer).iter().chain(options) {
            let field = field_of(name);
            let mut left = *bits;
            while left > 0 {
                let here = left.min(BITS - bit);
                let is_first = left == *bits;
                let label = if is_first { (*label).to_owned() } else { String::new() };
                parts.push(Part { row, bit, bits: here, label, field });
                left -= here;
                bit += here;
                if bit == BITS {
                    (row, bit) = (row + 1, 0);
                }
            }
        }
        row += usize::from(bit > 0);
    }
    let payload =
        shape.fields.iter().find(|field| field.name == "data" || field.name.ends_with(".payload"));
    if let Some(field) = payload.filter(|_| !parts.is_empty()) {
        parts.push(Part {
            row,
            bit: 0,
            bits: BITS,
            label: "payload".to_owned(),
            field: Some(field),
        });
    }
    parts
}

/// What the field holds, in words.
pub(super) fn summary(field: &FieldUse) -> String {
    let values = field.values.iter().map(|value| format!("{} ({})", value.value, value.handlers));
    let more = (field.more > 0).then(|| format!("others ({})", field.more));
    values.chain(more).collect::<Vec<_>>().join(", ")
}

/// The origin in one word.
pub(super) const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Fixed => "fixed",
        Origin::Default => "default",
        Origin::Given => "given",
        Origin::Random => "random",
    }
}
