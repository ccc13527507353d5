//! Attacks in the terms of the report.

use super::at;
use miyaburi_extractors::attacks::Registry;
use miyaburi_extractors::attacks::dispatch::{Dispatcher, Order};
use miyaburi_model::{Attack, Evidence};

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
