//! Attack vectors and the scanner, for people.

use std::collections::BTreeMap;

use miyaburi_model::{
    Attack, AttackOption, Constant, Exploit, FieldDescriptor, FieldValue, Packet, Scan,
};

use super::escape;
use super::layout::Page;
use super::report::{count, seen, spelled};

pub(super) fn attacks(page: &mut Page, attacks: &[Attack]) {
    if attacks.is_empty() {
        return;
    }
    page.section(&format!("Attacks, {}", count(attacks.len(), "vector", "vectors")));
    for attack in attacks {
        page.line(&format!("  {}", headline(attack)));
        if !attack.options.is_empty() {
            let options: Vec<_> = attack.options.iter().map(option).collect();
            page.line(&format!("      options: {}", escape(&options.join(", "))));
        }
        for sent in &attack.packets {
            page.line(&format!("      sends: {}", escape(&packet(sent))));
        }
    }
}

fn headline(attack: &Attack) -> String {
    let kind = attack.kind.as_deref().unwrap_or("kind unknown");
    let method = attack.kind_method.map(|method| format!(" ({})", spelled(&method)));
    let same: Vec<_> = attack.same_as.iter().map(ToString::to_string).collect();
    let same =
        if same.is_empty() { String::new() } else { format!(", same as {}", same.join(" ")) };
    let method = method.unwrap_or_default();
    escape(&format!("{}  {kind}{method}, handler {}{same}", order(attack), attack.handler))
}

/// The number or text by which the C2 orders an attack.
pub(super) fn order(attack: &Attack) -> String {
    let text = attack.command.as_ref().map(|command| format!("\"{command}\""));
    let number = attack.vector.map(|vector| vector.to_string());
    format!("{:>3}", text.or(number).unwrap_or_default())
}

pub(super) fn option(option: &AttackOption) -> String {
    let name = option.name.as_deref().unwrap_or("unnamed");
    let default = option.default.as_ref().map(|default| format!(" = {}", constant(default)));
    format!("{} {name}{}", option.key, default.unwrap_or_default())
}

fn constant(value: &Constant) -> String {
    match value {
        Constant::Number(number) => number.to_string(),
        Constant::Text(text) => format!("\"{text}\""),
    }
}

pub(super) fn packet(packet: &Packet) -> String {
    let mut text = packet.layers.join("/");
    if packet.spoofable {
        text.push_str(", source can be forged");
    }
    if let Some(number) = packet.per_loop {
        text.push_str(&format!(", {number} a turn"));
    }
    for field in fields(&packet.fields) {
        text.push_str(&format!("; {field}"));
    }
    text
}

fn fields(fields: &BTreeMap<String, FieldDescriptor>) -> impl Iterator<Item = String> {
    fields.iter().map(|(name, field)| {
        let value = match &field.value {
            FieldValue::Payload { length, prefix_hex, random } => {
                let filling = if *random { "random" } else { "constant" };
                let prefix = match prefix_hex.0.is_empty() {
                    true => String::new(),
                    false => format!(" after {prefix_hex}"),
                };
                format!("{length} bytes {filling}{prefix}")
            }
            FieldValue::Constant { constant: value } => constant(value),
            FieldValue::From { from } => format!("from {from}"),
            FieldValue::Random { random: [low, high] } => format!("random {low}-{high}"),
        };
        let option = field.option.map(|key| format!(" (option {key})")).unwrap_or_default();
        format!("{name} {value}{option}")
    })
}

pub(super) fn scan(page: &mut Page, scan: &Scan) {
    page.section("Scanner");
    if !scan.probes.is_empty() {
        let probes: Vec<_> = scan
            .probes
            .iter()
            .map(|probe| match probe.weight {
                Some(weight) => format!("{} (weight {weight})", probe.port),
                None => probe.port.to_string(),
            })
            .collect();
        page.line(&format!("  probes ports {}", probes.join(", ")));
    }
    if let Some(excluded) = &scan.excluded {
        let networks = if excluded.is_empty() { "none".to_owned() } else { excluded.join(", ") };
        page.line(&format!("  spares {}", escape(&networks)));
    }
    // Nothing is what most fields of a packet hold.
    let is_nothing = |field: &FieldDescriptor| {
        matches!(field.value, FieldValue::Constant { constant: Constant::Number(0) })
    };
    let mut known = scan.syn.clone();
    known.retain(|_, field| !is_nothing(field));
    let syn: Vec<_> = fields(&known).collect();
    if !syn.is_empty() {
        page.line(&format!("  SYN: {}", escape(&syn.join("; "))));
    }
    page.rows(&scan.exploits.iter().map(exploit_row).collect::<Vec<_>>());
}

fn exploit_row(exploit: &Exploit) -> [String; 5] {
    [
        exploit.port.map(|port| format!("exploits port {port}")).unwrap_or("exploits".to_owned()),
        exploit.method.clone().unwrap_or_default(),
        exploit.path.clone().unwrap_or_default(),
        exploit.loader.as_ref().map(|loader| format!("loads {loader}")).unwrap_or_default(),
        seen(&exploit.evidence),
    ]
}
