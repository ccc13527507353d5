//! Whether what was found is what was expected.

use serde_json::Value;

use super::tally::{FieldMiss, Tally};

/// Members that hold hexadecimal digits, whose case says nothing.
const HEXADECIMAL: &[&str] = &[
    "address",
    "body_hex",
    "code_hex",
    "effective_key",
    "function",
    "handler",
    "hex",
    "key",
    "md5",
    "nonce",
    "prefix_hex",
    "sha1",
    "sha256",
    "unpacked_sha256",
];

/// Compares the items of one field as multisets.
pub(crate) fn compare(
    name: &'static str,
    expected: Vec<Value>,
    found: Vec<Value>,
) -> (Tally, Option<FieldMiss>) {
    let member = name.rsplit('.').next().unwrap_or(name);
    let partners = pair_up(&expected, &found, |expected, found| covers(member, expected, found));
    let correct = partners.iter().flatten().count();
    let exact = correct == expected.len() && correct == found.len();
    let tally = Tally {
        expected: expected.len(),
        found: found.len(),
        correct,
        files: 1,
        exact_files: usize::from(exact),
    };
    let missing = expected.into_iter().zip(&partners).filter(|(_, partner)| partner.is_none());
    let missing: Vec<Value> = missing.map(|(item, _)| item).collect();
    let extra = found.into_iter().enumerate();
    let extra: Vec<Value> = extra
        .filter(|(index, _)| !partners.contains(&Some(*index)))
        .map(|(_, item)| item)
        .collect();
    (tally, (!exact).then_some(FieldMiss { field: name, missing, extra }))
}

/// Whether `found` says everything that `expected` says. Members and list elements that
/// `expected` does not mention are not scored, but an empty list must be empty; lists of plain
/// values must be equal, in the same order unless they name other items.
pub(crate) fn covers(member: &str, expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .all(|(name, value)| covers(name, value, found.get(name).unwrap_or(&Value::Null))),
        (Value::Array(expected), Value::Array(found)) if expected.iter().all(Value::is_object) => {
            let partners = pair_up(expected, found, |expected, found| covers("", expected, found));
            partners.iter().all(Option::is_some) && (!expected.is_empty() || found.is_empty())
        }
        // Which others, in no order.
        (Value::Array(expected), Value::Array(found)) if member == "same_as" => {
            let partners = pair_up(expected, found, |expected, found| expected == found);
            partners.iter().all(Option::is_some) && expected.len() == found.len()
        }
        (Value::String(expected), Value::String(found)) if HEXADECIMAL.contains(&member) => {
            expected.eq_ignore_ascii_case(found)
        }
        _ => expected == found,
    }
}

/// Gives as many items of `left` as possible a partner of their own in `right`: a maximum
/// bipartite matching by augmenting paths, so that a vague item never takes the only partner of
/// a precise one.
fn pair_up(
    left: &[Value],
    right: &[Value],
    fits: impl Fn(&Value, &Value) -> bool,
) -> Vec<Option<usize>> {
    let edges: Vec<Vec<usize>> = left
        .iter()
        .map(|item| (0..right.len()).filter(|&other| fits(item, &right[other])).collect())
        .collect();
    let mut pairs = Pairs { partners: vec![None; left.len()], owners: vec![None; right.len()] };
    for item in 0..left.len() {
        pairs.add(item, &edges);
    }
    pairs.partners
}

/// Who belongs to whom.
struct Pairs {
    /// Of each item on the left.
    partners: Vec<Option<usize>>,
    /// Of each item on the right.
    owners: Vec<Option<usize>>,
}

impl Pairs {
    /// Finds `item` a partner, moving earlier items to others where needed.
    fn add(&mut self, item: usize, edges: &[Vec<usize>]) {
        let mut reached_from = vec![None; self.owners.len()];
        let mut open = vec![item];
        while let Some(current) = open.pop() {
            for &other in &edges[current] {
                if reached_from[other].is_some() {
                    continue;
                }
                reached_from[other] = Some(current);
                match self.owners[other] {
                    None => return self.move_along(other, &reached_from),
                    Some(owner) => open.push(owner),
                }
            }
        }
    }

    /// Gives `free` to the item it was reached from, that one's partner to the item before, and so
    /// on.
    fn move_along(&mut self, mut free: usize, reached_from: &[Option<usize>]) {
        while let Some(taker) = reached_from[free] {
            self.owners[free] = Some(taker);
            match self.partners[taker].replace(free) {
                Some(given_up) => free = given_up,
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn counts(expected: Value, found: Value) -> (usize, usize, usize, usize) {
        let list = |value: Value| value.as_array().unwrap().clone();
        let (tally, _) = compare("endpoints", list(expected), list(found));
        (tally.expected, tally.found, tally.correct, tally.exact_files)
    }

    #[test]
    fn duplicates_count_as_often_as_they_stand() {
        let a = json!({"host": "a", "port": 1});
        assert_eq!(counts(json!([a]), json!([a, a])), (1, 2, 1, 0));
        assert_eq!(counts(json!([a, a]), json!([a])), (2, 1, 1, 0));
        assert_eq!(counts(json!([a, a]), json!([a, a])), (2, 2, 2, 1));
    }

    #[test]
    fn a_vague_item_leaves_the_precise_one_its_partner() {
        let expected = json!([{"host": "a"}, {"host": "a", "port": 1}]);
        let found = json!([{"host": "a", "port": 1}, {"host": "a", "port": 2}]);
        assert_eq!(counts(expected, found), (2, 2, 2, 1));
    }

    #[test]
    fn members_of_the_truth_alone_decide() {
        let found = json!([{"host": "a", "port": null, "method": "table", "evidence": [{}]}]);
        assert_eq!(counts(json!([{"host": "a"}]), found.clone()), (1, 1, 1, 1));
        assert_eq!(counts(json!([{"host": "a", "port": null}]), found.clone()), (1, 1, 1, 1));
        assert_eq!(counts(json!([{"host": "a", "url": null}]), found.clone()), (1, 1, 1, 1));
        assert_eq!(counts(json!([{"host": "a", "method": "string"}]), found), (1, 1, 0, 0));
    }

    #[test]
    fn inner_lists_hold_at_least_what_is_expected_and_an_empty_one_nothing() {
        let option = |key: u8, default: u32| json!({"key": key, "default": default});
        let found = json!([{"vector": 0, "options": [option(0, 512), option(4, 64)]}]);
        let attack = |options: Value| json!([{"vector": 0, "options": options}]);
        assert_eq!(counts(attack(json!([option(4, 64)])), found.clone()).2, 1);
        assert_eq!(counts(attack(json!([option(4, 65)])), found.clone()).2, 0);
        assert_eq!(counts(attack(json!([])), found).2, 0);
        assert_eq!(counts(json!([{"same_as": [1, 2]}]), json!([{"same_as": [1, 2]}])).2, 1);
        assert_eq!(counts(json!([{"same_as": [1]}]), json!([{"same_as": [1, 2]}])).2, 0);
        assert_eq!(counts(json!([{"same_as": [2, 1]}]), json!([{"same_as": [1, 2]}])).2, 1);
        assert_eq!(counts(json!([{"parts": [2, 1]}]), json!([{"parts": [1, 2]}])).2, 0);
    }

    #[test]
    fn case_matters_in_text_and_not_in_hexadecimal() {
        assert_eq!(counts(json!([{"hex": "0A"}]), json!([{"hex": "0a"}])).2, 1);
        assert_eq!(counts(json!([{"text": "A"}]), json!([{"text": "a"}])).2, 0);
    }

    #[test]
    fn missing_and_extra_items_are_named() {
        let (_, miss) =
            compare("endpoints", vec![json!({"host": "a"})], vec![json!({"host": "b"})]);
        let miss = miss.unwrap();
        assert_eq!(miss.missing, [json!({"host": "a"})]);
        assert_eq!(miss.extra, [json!({"host": "b"})]);
    }
}
