//! The options of a handler: which it asks for, of what type, with which default, to which effect.
//!
//! How it works: the handler is given every key at once; whose text it takes is one that it asks
//! for. What the call returns that took the text tells the type; what the same call returns without
//! options is the default. An option's name is that of the field that it changes.
//!
//! False negatives: the default of an option that is read in the handler itself, unless a field of
//! its packets is that default or a place ([`places`]) holds it.

use super::effects::{Baseline, changes};
use super::order::Given;
use super::packet::Value;
use super::places;
use super::run::{Run, Trial, run};
use super::shape::{Source, packets};
use crate::subject::Subject;
use core::net::Ipv4Addr;
use miyaburi_image::Address;
use miyaburi_linux::Process;

/// Rounds of asking, each without the keys that are known: some end a handler.
const ROUNDS: usize = 5;

/// A text that is another thing as a number, as an address and as a text.
const ANYTHING: &[u8] = b"9.0.0.7";
const ANYTHING_AS_NUMBER: u64 = 9;
const ANYTHING_AS_ADDRESS: [u8; 4] = [9, 0, 0, 7];

/// What fields are set to, to see which of them an option sets: a number that no header has by
/// itself, and no number at all.
const NUMBER: u64 = 33;
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);
const TEXT: &str = "probe.example";

/// In the family it stands for a number that is drawn.
const DRAWN: u64 = 0xffff;

/// Numbers that are tried as the default of one option.
const MAX_CHOICES: usize = 8;

/// Packets that tell what an option does: a connection, and two to see what is drawn for each.
const PACKETS: usize = 3;

/// How an option's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionType {
    /// As a number.
    Number,
    /// As an IPv4 address.
    Address,
    /// As it is.
    Text,
}

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttackOption {
    /// Its key.
    pub key: u8,
    /// What it is by its effect.
    pub name: Option<&'static str>,
    /// How its text is read; `None` when neither a call nor an effect tells.
    pub kind: Option<OptionType>,
    /// What counts without it; `None` when there is nothing, or it is not known.
    pub default: Option<Value>,
    /// Fields that it sets, each with the number of the shape that has it.
    pub fields: Vec<(usize, String)>,
    /// The call that reads it, when it is read by one.
    pub site: Option<Address>,
    /// Whether that call is also made without the option: it returns the default then.
    pub(super) is_always_read: bool,
}

/// A key, with the call that took its text.
type Asked = (u8, Option<Address>);

/// The keys that the handler asks for, in the order in which it does.
pub(super) fn find<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
) -> Vec<AttackOption> {
    let mut known: Vec<(Asked, Option<OptionType>)> = Vec::new();
    for _ in 0..ROUNDS {
        let is_known = |key: &u8| known.iter().any(|((known, _), _)| known == key);
        let keys: Vec<u8> = (0..u8::MAX).filter(|key| !is_known(key)).collect();
        let given: Vec<_> = keys.iter().map(|key| (*key, ANYTHING.to_vec())).collect();
        let trial = Trial::new(&given, 1);
        let Some(run) = run(subject, begun, handler, trial) else { break };
        if run.asked.is_empty() {
            break;
        }
        // A call that reads several tells of none.
        let is_shared =
            |site| run.asked.iter().filter(|(_, other)| *other == Some(site)).count() > 1;
        let asked =
            run.asked.iter().map(|(key, site)| (*key, site.filter(|site| !is_shared(*site))));
        let types = asked.map(|asked| (asked, type_of(subject, &run, asked)));
        known.extend(types.collect::<Vec<_>>());
    }
    known
        .into_iter()
        .map(|((key, site), kind)| AttackOption {
            key,
            name: None,
            kind,
            default: None,
            fields: Vec::new(),
            site,
            is_always_read: false,
        })
        .collect()
}

/// Notes the defaults that calls return in runs in which options are not given: where all return the
/// same.
pub(super) fn add_defaults(options: &mut [AttackOption], runs: &[Run], given: &[Given]) {
    let is_given = |key: u8| given.iter().any(|(known, _)| *known == key);
    for option in options.iter_mut().filter(|option| !is_given(option.key)) {
        let Some((kind, site)) = option.kind.zip(option.site) else { continue };
        let mut defaults = runs
            .iter()
            .filter(|run| run.results.contains_key(&site))
            .map(|run| default_of(kind, run, site));
        if let Some(first) = defaults.next() {
            let is_same = defaults.all(|other| other == first);
            option.default = first.filter(|_| is_same);
            option.is_always_read = true;
        }
    }
}

/// What the call that took the text made of it.
fn type_of(subject: &Subject<'_>, run: &Run, (key, site): Asked) -> Option<OptionType> {
    let result = *run.results.get(&site?)?;
    let address = subject.emulator.arch().endian.read_uint(&ANYTHING_AS_ADDRESS);
    match result & 0xffff_ffff {
        _ if run.is_text_of(key, result) => Some(OptionType::Text),
        ANYTHING_AS_NUMBER if address != ANYTHING_AS_NUMBER => Some(OptionType::Number),
        result if result == address => Some(OptionType::Address),
        // What is no number is none, or an error.
        0 | 0xffff_ffff => Some(OptionType::Number),
        _ => None,
    }
}

/// What the call returned without options.
fn default_of(kind: OptionType, without: &Run, site: Address) -> Option<Value> {
    let result = *without.results.get(&site)?;
    match kind {
        OptionType::Number => Some(Value::Number(u64::from(result as u32))),
        OptionType::Text => {
            let text = without.text_at(result).filter(|_| result != 0)?;
            Some(Value::Text(String::from_utf8_lossy(text).into_owned()))
        }
        // The machine's own address, which nobody knows before it runs.
        OptionType::Address => None,
    }
}

/// Finds what an option does by setting it to what it may be.
pub(super) fn try_out<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    baseline: &Baseline<'_>,
    option: &mut AttackOption,
) {
    for (kind, text) in trials(option.kind) {
        let others = baseline.needed.iter().filter(|(key, _)| *key != option.key).cloned();
        let given: Vec<_> = others.chain([(option.key, text.as_bytes().to_vec())]).collect();
        let trial = Trial::new(&given, PACKETS);
        let Some(run) = run(subject, begun, handler, trial) else { return };
        let sent = packets(&run.events);
        let changed = changes(baseline, &sent, kind, &text);
        if let Some((name, _)) = changed.first() {
            option.name = Some(*name);
            option.kind = Some(kind);
            option.fields = changed.into_iter().filter_map(|(_, field)| field).collect();
            break;
        }
    }
    if option.default.is_none() {
        option.default = match option.kind {
            Some(OptionType::Number) if !option.is_always_read => {
                default_number(subject, begun, handler, baseline, option)
            }
            Some(OptionType::Text) => default_by_field(baseline, option),
            _ => None,
        };
    }
}

/// Finds the default of what changes nothing that is sent, where no call reads it.
pub(super) fn add_unseen_default<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    needed: &[Given],
    option: &mut AttackOption,
) {
    let is_number = option.kind.is_none_or(|kind| kind == OptionType::Number);
    if is_number && option.default.is_none() && !option.is_always_read && option.name.is_none() {
        let number = places::at_last_branch(subject, begun, handler, needed, option.key);
        option.default = number.map(Value::Number);
    }
}

/// The default of a number that no call reads: of those that it may be the one that makes no
/// difference.
fn default_number<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    baseline: &Baseline<'_>,
    option: &AttackOption,
) -> Option<Value> {
    let makes_no_difference = |subject: &mut Subject<'a>, value: &Value| {
        let Value::Number(number) = value else { return false };
        let others = baseline.needed.iter().filter(|(key, _)| *key != option.key).cloned();
        let given: Vec<_> = others.chain([(option.key, number.to_string().into_bytes())]).collect();
        let run = run(subject, begun, handler, Trial::new(&given, PACKETS));
        run.is_some_and(|run| {
            let sent = packets(&run.events);
            !sent.is_empty() && baseline.first.starts_with(&sent)
        })
    };
    if let Some(value) = default_by_field(baseline, option)
        && makes_no_difference(subject, &value)
    {
        return Some(value);
    }
    let drawn = Value::Number(DRAWN);
    let places = places::where_sending(subject, begun, handler, baseline.needed, option.key);
    let places = places.into_iter().map(Value::Number);
    // Where a field is drawn, the number that says so comes first.
    let is_drawn = option.fields.first().is_some_and(|(shape, field)| {
        let source = baseline.shapes.get(*shape).and_then(|shape| shape.fields.get(field));
        matches!(source, Some(Source::Random(..)))
    });
    let mut choices = is_drawn.then_some(drawn).into_iter().chain(places).take(MAX_CHOICES);
    choices.find(|value| makes_no_difference(subject, value))
}

/// What an option is set to, one after the other, and as what that is meant.
fn trials(kind: Option<OptionType>) -> Vec<(OptionType, String)> {
    let numbers = [NUMBER.to_string(), "0".to_owned(), "1".to_owned()];
    let of = |kind| match kind {
        OptionType::Number => numbers.iter().map(|text| (kind, text.clone())).collect(),
        OptionType::Address => vec![(kind, ADDRESS.to_string())],
        OptionType::Text => vec![(kind, TEXT.to_owned())],
    };
    match kind {
        Some(kind) => of(kind),
        None => [OptionType::Text, OptionType::Address, OptionType::Number].map(of).concat(),
    }
}

/// The default of an option that no call reads: what the field is that it sets.
fn default_by_field(baseline: &Baseline<'_>, option: &AttackOption) -> Option<Value> {
    if baseline.needed.iter().any(|(key, _)| *key == option.key) {
        return None;
    }
    let (shape, field) = option.fields.first()?;
    let shape = baseline.shapes.get(*shape)?;
    let number = |number: u64| Some(Value::Number(number));
    match (option.name?, shape.fields.get(field)) {
        ("payload_size", _) if shape.layers.contains(&"dns") => None,
        ("payload_size", _) => {
            let payload = shape.payload.as_ref().filter(|payload| payload.has_fixed_length);
            number(payload?.length)
        }
        ("payload_random", _) => {
            number(shape.payload.as_ref().is_some_and(|it| it.is_random).into())
        }
        ("gre_constant_destination", source) => {
            number(u64::from(!matches!(source, Some(Source::Random(..)))))
        }
        (_, Some(Source::Constant(value))) => Some(value.clone()),
        _ => None,
    }
}
