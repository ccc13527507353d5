//! Maps of packets to senders as lists of pairs, since their keys are no texts.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Senders, is_word};

pub(super) fn serialize<K: Serialize, S: Serializer>(
    map: &BTreeMap<K, Senders>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map)
}

/// Reads pairs; kinds that could break out of a rule are an error.
pub(super) fn deserialize<'de, K: Deserialize<'de> + Ord, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<K, Senders>, D::Error> {
    let pairs = Vec::<(K, Senders)>::deserialize(deserializer)?;
    let are_words = |(_, senders): &(K, Senders)| senders.kinds.iter().all(|kind| is_word(kind));
    match pairs.iter().all(are_words) {
        true => Ok(pairs.into_iter().collect()),
        false => Err(D::Error::custom("a kind of attack that is no word")),
    }
}
