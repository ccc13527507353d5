//! Packets of one kind, whoever sends them.

use std::collections::{BTreeMap, BTreeSet};

use miyaburi_model::{Attack, Constant, FieldDescriptor, FieldValue, Packet};
use serde::Serialize;

/// Different values that are kept of a field: memory must not grow with reports.
const MAX_VALUES: usize = 64;

/// Where a field's values come from, over all files that send the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The same constant in every file, and no option changes it.
    Fixed,
    /// A constant that files differ in, or that an option changes.
    Default,
    /// Taken from the target, the connection or elsewhere.
    Given,
    /// Drawn anew.
    Random,
}

/// A value of a field and in how many handlers it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValueUse {
    /// The value in words.
    pub value: String,
    /// The number, when it is a constant one.
    pub number: Option<i64>,
    /// Handlers that send it.
    pub handlers: usize,
}

/// A field of a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldUse {
    /// Name, such as `ip.ttl`.
    pub name: String,
    /// Where its values come from.
    pub origin: Origin,
    /// Values, the most frequent first; of many different ones, those that were met first.
    pub values: Vec<ValueUse>,
    /// Handlers that send other values.
    pub more: usize,
    /// Options that change it.
    pub options: BTreeSet<String>,
    /// What a payload always begins with, when that is the same in every file and nothing changes it.
    #[serde(skip)]
    pub(super) prefix: Option<Vec<u8>>,
}

impl FieldUse {
    /// The number that it always is; none when an option or a file changes it.
    pub(super) fn fixed(&self) -> Option<i64> {
        let only = self.values.first().filter(|_| self.origin == Origin::Fixed)?;
        only.number
    }
}

/// A kind of packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PacketShape {
    /// Protocols from the outside in.
    pub layers: Vec<String>,
    /// Whether the source address can be forged.
    pub spoofable: bool,
    /// Handlers that send it.
    pub handlers: usize,
    /// Its fields.
    pub fields: Vec<FieldUse>,
}

impl PacketShape {
    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&FieldUse> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether this protocol is among its layers.
    pub(super) fn has(&self, layer: &str) -> bool {
        self.layers.iter().any(|other| other == layer)
    }

    /// Whether a flag is a constant one in most of the handlers.
    pub(super) fn has_flag(&self, name: &str) -> bool {
        let usual = self.field(name).and_then(|field| field.values.first());
        usual.is_some_and(|value| value.number == Some(1))
    }
}

/// `text` of a report with everything but visible ASCII written as `\u{..}`: what is invisible or
/// turns the line must not get into a document.
pub(super) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => visible.push(character),
            _ => visible.extend(character.escape_unicode()),
        }
    }
    visible
}

/// Counts packets of one shape.
#[derive(Default)]
pub(super) struct ShapeCount {
    handlers: usize,
    fields: BTreeMap<String, FieldCount>,
}

#[derive(Default)]
struct FieldCount {
    values: BTreeMap<Value, usize>,
    /// Handlers whose values are not among them.
    more: usize,
    options: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i64),
    Text(String),
    Given(String),
    Random,
    Payload { length: u64, prefix: Vec<u8>, random: bool },
}

impl Value {
    /// `field` without the bounds that were drawn in one observation.
    fn of(field: &FieldDescriptor) -> Self {
        match &field.value {
            FieldValue::Payload { length, prefix_hex, random } => {
                Self::Payload { length: *length, prefix: prefix_hex.0.clone(), random: *random }
            }
            FieldValue::Constant { constant: Constant::Number(number) } => Self::Number(*number),
            FieldValue::Constant { constant: Constant::Text(text) } => Self::Text(visible(text)),
            FieldValue::From { from } => Self::Given(visible(from)),
            FieldValue::Random { .. } => Self::Random,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("\"{text}\""),
            Self::Given(from) => format!("from {from}"),
            Self::Random => "random".to_owned(),
            Self::Payload { length, prefix, random } => {
                let filling = if *random { "random" } else { "always the same" };
                let digits: String =
                    prefix.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
                let prefix =
                    if digits.is_empty() { digits } else { format!(", begins with {digits}") };
                format!("{length} bytes, {filling}{prefix}")
            }
        }
    }

    const fn is_constant(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Text(_) | Self::Payload { random: false, .. })
    }
}

impl ShapeCount {
    pub(super) fn add(&mut self, attack: &Attack, packet: &Packet) {
        self.handlers += 1;
        for (name, field) in &packet.fields {
            let counted = self.fields.entry(visible(name)).or_default();
            counted.count(Value::of(field));
            if let Some(key) = field.option {
                let known = attack.options.iter().find(|option| option.key == key);
                let name = known.and_then(|option| option.name.as_deref()).map(visible);
                counted.options.insert(name.unwrap_or_else(|| format!("option {key}")));
            }
        }
    }

    pub(super) fn finish(self, layers: Vec<String>, spoofable: bool) -> PacketShape {
        let handlers = self.handlers;
        let fields =
            self.fields.into_iter().map(|(name, field)| field.finish(name, handlers)).collect();
        PacketShape { layers, spoofable, handlers, fields }
    }
}

impl FieldCount {
    fn count(&mut self, value: Value) {
        if self.values.len() < MAX_VALUES || self.values.contains_key(&value) {
            *self.values.entry(value).or_default() += 1;
        } else {
            self.more += 1;
        }
    }

    fn finish(self, name: String, handlers: usize) -> FieldUse {
        let more = self.more;
        let everywhere = self.values.values().sum::<usize>() + more == handlers;
        let can_change = !self.options.is_empty() || self.values.len() > 1 || !everywhere;
        let origin = match self.values.keys().next() {
            _ if self.values.keys().any(|value| matches!(value, Value::Given(_))) => Origin::Given,
            Some(value) if value.is_constant() && !can_change => Origin::Fixed,
            _ if self.values.keys().any(Value::is_constant) => Origin::Default,
            _ => Origin::Random,
        };
        let prefix = match self.values.keys().next() {
            Some(Value::Payload { prefix, .. }) if !can_change && !prefix.is_empty() => {
                Some(prefix.clone())
            }
            _ => None,
        };
        let mut values: Vec<(Value, usize)> = self.values.into_iter().collect();
        values.sort_by_key(|(_, handlers)| std::cmp::Reverse(*handlers));
        let values = values.into_iter().map(|(value, handlers)| ValueUse {
            value: value.words(),
            number: if let Value::Number(number) = value { Some(number) } else { None },
            handlers,
        });
        FieldUse { name, origin, values: values.collect(), more, options: self.options, prefix }
    }
}
