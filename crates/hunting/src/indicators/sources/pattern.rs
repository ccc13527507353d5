//! What a pattern of STIX 2.1 (part 9 of the specification) looks for, as far as one record of a log can
//! show it: values of `domain-name`, `ipv4-addr`, `ipv6-addr` and `url`, and `network-traffic` to or from
//! a host with port and transport. Each alternative stands for itself.
//!
//! Not understood, and told as such instead of being guessed: observations joined by `AND` or
//! `FOLLOWEDBY`, qualifiers (`WITHIN`, `REPEATS`, `START`), negation, comparisons other than `=`, `IN` and
//! `ISSUBSET`, and any other property of those objects. Traffic to an address is found on both sides of a
//! connection: which side began it, many logs do not say.

mod tokens;

use miyaburi_model::Protocol;

use super::super::Value;
use tokens::{Token, Tokens};

/// Alternatives of one pattern that are kept: conjunctions of alternatives multiply.
const MOST: usize = 4096;

/// Parentheses within each other.
const DEEPEST: usize = 32;

/// Objects that logs of a network tell of.
const OBJECTS: [&str; 5] = ["domain-name", "ipv4-addr", "ipv6-addr", "url", "network-traffic"];

/// What a pattern looks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sought {
    /// Values, with the transport that is meant.
    pub(super) values: Vec<(Value, Option<Protocol>)>,
    /// Alternatives about objects that no log of a network shows, such as files.
    pub(super) others: u64,
    /// Alternatives that are not understood, and why.
    pub(super) refused: Vec<String>,
}

/// `path operator 'value'`, or several values of which one is enough.
#[derive(Clone, Debug)]
struct Comparison {
    path: String,
    operator: &'static str,
    values: Vec<String>,
}

/// Comparisons that hold together.
type Conjunction = Vec<Comparison>;

/// Reads a pattern.
///
/// # Errors
/// Why it is not understood as a whole.
pub(super) fn read(pattern: &str) -> Result<Sought, String> {
    let mut reader = Reader { tokens: Tokens::new(pattern), depth: 0 };
    let alternatives = reader.observations()?;
    if let Some(token) = reader.tokens.next()? {
        return Err(format!("{token} is not understood"));
    }
    let mut sought = Sought::default();
    for conjunction in &alternatives {
        match values(conjunction) {
            Ok(values) if values.is_empty() => sought.others += 1,
            Ok(values) => sought.values.extend(values),
            Err(reason) => sought.refused.push(reason),
        }
    }
    Ok(sought)
}

struct Reader<'p> {
    tokens: Tokens<'p>,
    depth: usize,
}

impl Reader<'_> {
    /// Observations with `OR` between them.
    fn observations(&mut self) -> Result<Vec<Conjunction>, String> {
        let mut all = self.observation()?;
        while self.tokens.take(&Token::Word("OR"))? {
            all.extend(self.observation()?);
            bounded(&all)?;
        }
        Ok(all)
    }

    fn observation(&mut self) -> Result<Vec<Conjunction>, String> {
        match self.tokens.next()? {
            Some(Token::Sign("[")) => {
                let inner = self.alternatives()?;
                self.tokens.expect("]")?;
                Ok(inner)
            }
            Some(Token::Sign("(")) => self.within(Self::observations),
            other => Err(unexpected(other.as_ref())),
        }
    }

    /// Comparisons with `OR` between them, which binds less than `AND`.
    fn alternatives(&mut self) -> Result<Vec<Conjunction>, String> {
        let mut all = self.conjunction()?;
        while self.tokens.take(&Token::Word("OR"))? {
            all.extend(self.conjunction()?);
            bounded(&all)?;
        }
        Ok(all)
    }

    fn conjunction(&mut self) -> Result<Vec<Conjunction>, String> {
        let mut all = self.comparison()?;
        while self.tokens.take(&Token::Word("AND"))? {
            let more = self.comparison()?;
            if all.len().saturating_mul(more.len()) > MOST {
                return Err("too many alternatives".to_owned());
            }
            let joined = all.iter().flat_map(|one| {
                more.iter().map(|other| one.iter().chain(other).cloned().collect())
            });
            all = joined.collect();
        }
        Ok(all)
    }

    fn comparison(&mut self) -> Result<Vec<Conjunction>, String> {
        let path = match self.tokens.next()? {
            Some(Token::Sign("(")) => return self.within(Self::alternatives),
            Some(Token::Word(path)) if path.contains(':') => path.to_owned(),
            other => return Err(unexpected(other.as_ref())),
        };
        let operator = match self.tokens.next()? {
            Some(Token::Sign("=")) => "=",
            Some(Token::Word("ISSUBSET")) => "ISSUBSET",
            Some(Token::Word("IN")) => "IN",
            Some(other) => return Err(format!("{other} is not understood")),
            None => return Err(unexpected(None)),
        };
        let values = if operator == "IN" { self.set()? } else { vec![self.literal()?] };
        Ok(vec![vec![Comparison { path, operator, values }]])
    }

    fn set(&mut self) -> Result<Vec<String>, String> {
        self.tokens.expect("(")?;
        let mut values = vec![self.literal()?];
        while self.tokens.take(&Token::Sign(","))? {
            values.push(self.literal()?);
        }
        self.tokens.expect(")")?;
        Ok(values)
    }

    fn literal(&mut self) -> Result<String, String> {
        match self.tokens.next()? {
            Some(Token::Text(text)) => Ok(text),
            Some(Token::Word(word)) if !word.contains(':') => Ok(word.to_owned()),
            other => Err(unexpected(other.as_ref())),
        }
    }

    /// What is in parentheses, which were opened.
    fn within(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Vec<Conjunction>, String>,
    ) -> Result<Vec<Conjunction>, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("too deep".to_owned());
        }
        let inner = inner(self)?;
        self.tokens.expect(")")?;
        self.depth -= 1;
        Ok(inner)
    }
}

fn bounded(all: &[Conjunction]) -> Result<(), String> {
    if all.len() > MOST { Err("too many alternatives".to_owned()) } else { Ok(()) }
}

fn unexpected(token: Option<&Token<'_>>) -> String {
    token.map_or_else(|| "it is cut off".to_owned(), |token| format!("{token} is out of place"))
}

/// The values that a conjunction means; none when it is about other objects.
fn values(conjunction: &[Comparison]) -> Result<Vec<(Value, Option<Protocol>)>, String> {
    let object = |comparison: &Comparison| comparison.path.split(':').next().map(str::to_owned);
    let is_ours = |comparison: &Comparison| {
        object(comparison).is_some_and(|object| OBJECTS.contains(&object.as_str()))
    };
    if !conjunction.iter().any(is_ours) {
        return Ok(Vec::new());
    }
    if let [comparison] = conjunction
        && let Some((_, "value")) = comparison.path.split_once(':')
    {
        return hosts(comparison)?.into_iter().map(|value| Ok((value, None))).collect();
    }
    traffic(conjunction)
}

/// Values of one comparison, each as its operator means it.
fn hosts(comparison: &Comparison) -> Result<Vec<Value>, String> {
    let parsed = |text: &String| {
        let value = Value::parse(text).map_err(|error| format!("{text:?}: {error}"))?;
        match (&value, comparison.operator) {
            (Value::Address(..) | Value::Prefix(_), _) | (_, "=" | "IN") => Ok(value),
            _ => Err(format!("{text:?} is no network")),
        }
    };
    comparison.values.iter().map(parsed).collect()
}

/// A connection to or from a host.
fn traffic(conjunction: &[Comparison]) -> Result<Vec<(Value, Option<Protocol>)>, String> {
    let (mut sought, mut ports, mut transports) = (Vec::new(), vec![None], vec![None]);
    for comparison in conjunction {
        let Comparison { path, values, .. } = comparison;
        match path.as_str() {
            "network-traffic:dst_ref.value" | "network-traffic:src_ref.value"
                if sought.is_empty() =>
            {
                sought = hosts(comparison)?;
            }
            // The value says the same.
            "network-traffic:dst_ref.type" | "network-traffic:src_ref.type" => {}
            "network-traffic:dst_port" if comparison.operator != "ISSUBSET" => {
                let port = |text: &String| text.parse().map_err(|_| format!("{text:?} is no port"));
                ports = values.iter().map(|text| port(text).map(Some)).collect::<Result<_, _>>()?;
            }
            "network-traffic:protocols[*]" if comparison.operator != "ISSUBSET" => {
                if let Some(found) = transports_of(values)? {
                    transports = found;
                }
            }
            other => return Err(format!("{other} is not understood")),
        }
    }
    if sought.is_empty() {
        return Err("traffic of no host".to_owned());
    }
    let with_port = |value: &Value, port: Option<u16>| match value {
        Value::Address(address, None) => Ok(Value::Address(*address, port)),
        value if port.is_none() => Ok(value.clone()),
        Value::Name(_) => Ok(value.clone()),
        _ => Err("a network with a port".to_owned()),
    };
    let mut all = Vec::new();
    for value in &sought {
        for port in &ports {
            let value = with_port(value, *port)?;
            all.extend(transports.iter().map(|transport| (value.clone(), *transport)));
        }
    }
    if all.len() > MOST { Err("too many alternatives".to_owned()) } else { Ok(all) }
}

/// The transports that are named; none when only the network protocol is.
fn transports_of(names: &[String]) -> Result<Option<Vec<Option<Protocol>>>, String> {
    let mut transports = Vec::new();
    for name in names {
        match name.as_str() {
            "tcp" => transports.push(Some(Protocol::Tcp)),
            "udp" => transports.push(Some(Protocol::Udp)),
            "ipv4" | "ipv6" => {}
            other => return Err(format!("protocol {other:?} is not understood")),
        }
    }
    Ok((!transports.is_empty()).then_some(transports))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    fn values(pattern: &str) -> Vec<(String, Option<Protocol>)> {
        let sought = read(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!((sought.others, sought.refused.as_slice()), (0, &[][..]), "{pattern}");
        sought.values.into_iter().map(|(value, protocol)| (value.to_string(), protocol)).collect()
    }

    fn are(pattern: &str, expected: &[&str]) {
        let found: Vec<String> = values(pattern).into_iter().map(|(value, _)| value).collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn hosts_networks_and_urls() {
        are("[domain-name:value = 'C2.example']", &["c2.example"]);
        are("[ipv4-addr:value = '192.0.2.1']", &["192.0.2.1"]);
        are("[ipv4-addr:value ISSUBSET '192.0.2.0/24']", &["192.0.2.0/24"]);
        are("[ipv6-addr:value = '2001:db8::/48']", &["2001:db8::/48"]);
        are("[url:value = 'http://c2.example/a\\'b']", &["c2.example/a'b"]);
        are("[domain-name:value IN ('a.example', 'b.example')]", &["a.example", "b.example"]);
        are(
            "([domain-name:value='a.example' OR ipv4-addr:value = '192.0.2.1'])OR[url:value='http://b.example/x']",
            &["a.example", "192.0.2.1", "b.example/x"],
        );
    }

    #[test]
    fn traffic_has_port_and_transport() {
        let pattern = "[network-traffic:dst_ref.type = 'ipv4-addr' AND \
             network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 23 AND \
             network-traffic:protocols[*] = 'tcp']";
        assert_eq!(values(pattern), [("192.0.2.1:23".to_owned(), Some(Protocol::Tcp))]);
        let pattern = "[network-traffic:dst_ref.value = '2001:db8::1' AND \
             (network-traffic:dst_port = 23 OR network-traffic:dst_port = 2323)]";
        are(pattern, &["[2001:db8::1]:23", "[2001:db8::1]:2323"]);
    }

    #[test]
    fn what_is_beyond_is_told() {
        for pattern in [
            "",
            "[domain-name:value = 'a.example'",
            "[domain-name:value = 'a.example]",
            "[domain-name:value != 'a.example']",
            "[NOT domain-name:value = 'a.example']",
            "[domain-name:value LIKE '%.example']",
            "[domain-name:value = 'a.example'] AND [ipv4-addr:value = '192.0.2.1']",
            "[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'http://b.example/x']",
            "[domain-name:value = 'a.example'] WITHIN 5 SECONDS",
        ] {
            assert!(read(pattern).is_err(), "{pattern}");
        }
        for pattern in [
            "[domain-name:value = 'a.example' AND ipv4-addr:value = '192.0.2.1']",
            "[domain-name:value = 'a.example' AND file:size = 5]",
            "[domain-name:resolves_to_refs[*].value = '192.0.2.1']",
            "[network-traffic:dst_port = 23]",
            "[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:src_port = 5]",
            "[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:protocols[*] = 'http']",
            "[domain-name:value = 'no host']",
            "[ipv4-addr:value ISSUBSET '0.0.0.0/0']",
        ] {
            let sought = read(pattern).unwrap();
            assert_eq!((sought.values.len(), sought.refused.len()), (0, 1), "{pattern}");
        }
    }

    #[test]
    fn an_alternative_that_is_not_understood_takes_no_other_along() {
        let sought =
            read("[domain-name:value = 'a.example' OR file:hashes.'SHA-256' = 'ff' OR network-traffic:dst_port = 1]")
                .unwrap();
        assert_eq!((sought.values.len(), sought.others, sought.refused.len()), (1, 1, 1));
    }

    #[test]
    fn nesting_and_products_are_bounded() {
        let deep = format!("[{}url:value = 'x'{}]", "(".repeat(50_000), ")".repeat(50_000));
        assert!(read(&deep).is_err());
        let either = "(a:b = 1 OR a:b = 2)";
        assert!(read(&format!("[{}]", [either; 40].join(" AND "))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]()=,' a-z:.*0-9A-Z\\\\]{0,60}") {
            let _ = read(&text);
        }
    }
}
