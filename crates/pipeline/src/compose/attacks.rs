//! Attacks in the terms of the report.

use super::at;
use miyaburi_extractors::attacks::Registry;
use miyaburi_extractors::attacks::dispatch::{Dispatcher, Order};
use miyaburi_extractors::attacks::observation::{self, Behaviour, Payload, Shape, Source, Value};
use miyaburi_model::{
    Attack, AttackOption, Constant, Evidence, FieldDescriptor, FieldValue, HexBytes, KindMethod,
    OptionType, Packet,
};

/// What is registered.
pub(super) fn attacks_of(registry: &Registry) -> Vec<Attack> {
    registry
        .vectors
        .iter()
        .map(|vector| Attack {
            vector: Some(vector.number),
            command: None,
            handler: at(vector.handler),
            kind: None,
            kind_method: None,
            same_as: registry
                .vectors
                .iter()
                .filter(|other| other.number != vector.number && other.handler == vector.handler)
                .map(|other| other.number)
                .collect(),
            options: Vec::new(),
            packets: Vec::new(),
            evidence: vec![Evidence::new(
                at(vector.registered_at.unwrap_or(vector.handler)),
                Some(at(registry.initialiser)),
                "registered here",
            )],
        })
        .collect()
}

/// What commands lead to.
pub(super) fn dispatched(dispatcher: &Dispatcher) -> Vec<Attack> {
    let number = |order: &Order| match order {
        Order::Vector(vector) => Some(u32::from(*vector)),
        Order::Command(_) => None,
    };
    let text = |order: &Order| match order {
        Order::Vector(_) => None,
        Order::Command(text) => Some(text.clone()),
    };
    let attacks = dispatcher.attacks.iter();
    attacks
        .clone()
        .map(|attack| Attack {
            vector: number(&attack.order),
            command: text(&attack.order),
            handler: at(attack.handler),
            kind: None,
            kind_method: None,
            same_as: attacks
                .clone()
                .filter(|other| other.order != attack.order && other.handler == attack.handler)
                .filter_map(|other| number(&other.order))
                .collect(),
            options: Vec::new(),
            packets: Vec::new(),
            evidence: vec![Evidence::new(
                at(attack.site),
                Some(at(dispatcher.parser)),
                "called when the command is handed over",
            )],
        })
        .collect()
}

/// Adds what was seen of each handler, and which attacks are the same.
pub(super) fn add_behaviours(attacks: &mut [Attack], behaviours: &[Behaviour]) {
    for attack in attacks.iter_mut() {
        let Some(behaviour) = behaviours.iter().find(|it| at(it.handler) == attack.handler) else {
            continue;
        };
        attack.kind = behaviour.kind.map(|kind| kind.name().to_owned());
        attack.kind_method = behaviour.kind.map(|_| KindMethod::Observed);
        attack.options = behaviour.options.iter().map(option_of).collect();
        attack.packets =
            behaviour.shapes.iter().enumerate().map(|it| packet_of(behaviour, it)).collect();
        attack.evidence.extend(evidence_of(behaviour));
    }
    let behaviour = |attack: &Attack| behaviours.iter().find(|it| at(it.handler) == attack.handler);
    let vectors: Vec<(Option<u32>, Option<&Behaviour>)> =
        attacks.iter().map(|attack| (attack.vector, behaviour(attack))).collect();
    for attack in attacks.iter_mut() {
        let Some(own) = behaviour(attack) else { continue };
        let is_like = |other: &Option<&Behaviour>| other.is_some_and(|other| own.is_like(other));
        let same =
            vectors.iter().filter(|(_, other)| is_like(other)).filter_map(|(vector, _)| *vector);
        attack.same_as.extend(same);
        attack.same_as.sort_unstable();
        attack.same_as.dedup();
        attack.same_as.retain(|vector| Some(*vector) != attack.vector);
    }
}

fn option_of(option: &observation::AttackOption) -> AttackOption {
    AttackOption {
        key: option.key.into(),
        name: option.name.map(str::to_owned),
        value_type: match option.kind {
            Some(observation::OptionType::Number) | None => OptionType::Int,
            Some(observation::OptionType::Address) => OptionType::Ip,
            Some(observation::OptionType::Text) => OptionType::Str,
        },
        default: option.default.as_ref().map(constant),
    }
}

fn constant(value: &Value) -> Constant {
    match value {
        Value::Number(number) => Constant::Number(i64::try_from(*number).unwrap_or(i64::MAX)),
        Value::Text(text) => Constant::Text(text.clone()),
    }
}

fn packet_of(behaviour: &Behaviour, (number, shape): (usize, &Shape)) -> Packet {
    let described = |name: &str, value| {
        let sets = |option: &&observation::AttackOption| {
            option.fields.iter().any(|(shape, field)| *shape == number && field == name)
        };
        let option = behaviour.options.iter().find(sets).map(|option| option.key);
        let is_given = behaviour.needed.iter().any(|(key, _)| Some(*key) == option);
        let value = match is_given {
            true => FieldValue::From { from: "option".to_owned() },
            false => value,
        };
        (name.to_owned(), FieldDescriptor { value, option: option.map(u32::from) })
    };
    let fields = shape.fields.iter().map(|(name, source)| described(name, field_value(source)));
    let payload = shape.payload.as_ref();
    Packet {
        layers: shape.layers.iter().map(|layer| (*layer).to_owned()).collect(),
        spoofable: shape.is_spoofable,
        per_loop: shape.per_loop,
        fields: fields.chain(payload.map(|it| described(it.name, payload_value(it)))).collect(),
    }
}

/// Where a field comes from.
pub(super) fn field_value(source: &Source) -> FieldValue {
    match source {
        Source::Constant(value) => FieldValue::Constant { constant: constant(value) },
        Source::From(origin) => FieldValue::From { from: origin.name().to_owned() },
        Source::Random(min, max) => FieldValue::Random { random: [*min, *max] },
    }
}

fn payload_value(payload: &Payload) -> FieldValue {
    FieldValue::Payload {
        length: payload.length,
        prefix_hex: HexBytes(payload.prefix.clone()),
        random: payload.is_random,
    }
}

fn evidence_of(behaviour: &Behaviour) -> Vec<Evidence> {
    let handler = at(behaviour.handler);
    let mut evidence = vec![Evidence::new(
        handler,
        Some(handler),
        "called with one target: what it sent was recorded",
    )];
    let calls = behaviour.options.iter().filter_map(|option| Some((option.key, option.site?)));
    evidence.extend(calls.map(|(key, site)| {
        Evidence::new(at(site), Some(handler), format!("asks for option {key}"))
    }));
    evidence
}
