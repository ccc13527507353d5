//! C2s that the file does not hold: where they are asked for, and what is done to the answer.
//!
//! False positives: a program that asks for a record for another purpose, and connects to what it
//! says. False negatives: records of which the answer is not decoded by one of the transforms known.

use crate::endpoints::experiments::answers::Answers;
use crate::endpoints::experiments::outcome::{Contact, Host, Outcome};
use crate::endpoints::experiments::session::Session;
use crate::endpoints::experiments::transform::{Transform, xor_keys};
use crate::endpoints::experiments::watch::Deed;
use crate::endpoints::experiments::ways::Ways;
use crate::endpoints::experiments::{Destination, Place};
use crate::endpoints::external::{External, Outside};
use crate::subject::Subject;
use core::net::{IpAddr, Ipv4Addr};
use miyaburi_emulator::PAGE_SIZE;
use miyaburi_image::Address;

/// Types of records (RFC 1035).
const A: u16 = 1;
const TXT: u16 = 16;

/// Keys under which a text is tried.
const MAX_KEYS: usize = 4;

/// An argument of the program that it connects to.
pub(super) fn from_argument(argument: &Destination) -> External {
    External {
        source: Outside::Argument,
        name: None,
        record: None,
        transform: None,
        site: argument.handover.site,
        function: argument.function,
        place: None,
        handovers: vec![argument.handover.clone()],
        forced: argument.forced.clone(),
    }
}

/// Whether a name is asked over HTTP.
pub(super) fn is_dead_drop(outcome: &Outcome<'_>, contact: &Contact) -> bool {
    let request = outcome.request_to(contact.address);
    let is_named = matches!(contact.host, Host::Named(_));
    let has_answer = || outcome.contacts.iter().any(|other| other.host == Host::InPage);
    is_named && request.is_some_and(|it| question(it).is_some() || has_answer() && is_get(it))
}

fn is_get(request: &[u8]) -> bool {
    request.starts_with(b"GET /")
}

/// The name and the type of record that an HTTP request asks for (`application/dns-json`).
fn question(request: &[u8]) -> Option<(String, String)> {
    let line = request.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("GET /")?;
    let (_, query) = line.split(' ').next()?.split_once('?')?;
    let value = |key: &str| {
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == key))
    };
    let (_, name) = value("name")?;
    let (_, record) = value("type").unwrap_or(("type", "A"));
    let record = match record {
        "1" => "A",
        "16" => "TXT",
        "28" => "AAAA",
        other => other,
    };
    Some((name.to_owned(), record.to_ascii_uppercase()))
}

/// Where the C2 comes from, when it is none of the program's own.
pub(super) fn find<'a>(
    subject: &mut Subject<'a>,
    ways: &Ways,
    session: &Session<'a>,
    outcomes: &[Outcome<'a>],
) -> Option<External> {
    for outcome in outcomes {
        let found = over_http(subject, ways, outcome)
            .or_else(|| in_text(subject, ways, session, outcome))
            .or_else(|| transformed(subject, ways, session, outcome));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// How an outside source is proven.
struct Source<'s> {
    kind: Outside,
    name: &'s str,
    record: &'s str,
    transform: Option<Transform>,
    deed: &'s Deed,
}

impl Source<'_> {
    fn external(
        self,
        subject: &Subject<'_>,
        ways: &Ways,
        outcome: &Outcome<'_>,
    ) -> Option<External> {
        let place = Place { subject, ways };
        let at = place.of(&outcome.visit, self.deed, self.name.to_owned(), 0)?;
        Some(External {
            source: self.kind,
            name: Some(self.name.to_owned()),
            record: Some(self.record.to_owned()),
            transform: self.transform,
            site: at.handover.site,
            function: at.function,
            place: None,
            handovers: vec![at.handover],
            forced: at.forced,
        })
    }
}

/// A name that is asked for over HTTP.
fn over_http(subject: &Subject<'_>, ways: &Ways, outcome: &Outcome<'_>) -> Option<External> {
    let contacts = outcome.contacts.iter();
    let mut asking = contacts
        .filter_map(|contact| Some((contact, question(outcome.request_to(contact.address)?)?)));
    let (contact, (name, record)) = asking.next()?;
    let (kind, deed) = (Outside::DnsOverHttps, &contact.deed);
    Source { kind, name: &name, record: &record, transform: None, deed }
        .external(subject, ways, outcome)
}

/// A TXT record, whose text is an address in one of the encodings that are tried.
fn in_text<'a>(
    subject: &mut Subject<'a>,
    ways: &Ways,
    session: &Session<'a>,
    outcome: &Outcome<'a>,
) -> Option<External> {
    let asked = outcome.visit.asked();
    let (deed, name, _) = asked.iter().find(|(_, _, record)| *record == TXT)?;
    let kind = Outside::DnsText;
    let source = |transform| Source { kind, name, record: "TXT", transform, deed };
    if outcome.contacts.iter().any(|contact| contact.host == Host::InText) {
        return source(None).external(subject, ways, outcome);
    }
    let plain = Answers::PLAIN.text.to_string().into_bytes();
    let mut transforms = vec![Transform::Base64, Transform::Hex];
    let keys = keys(session.visit(subject, &Answers::PLAIN.script()), &plain);
    transforms.extend(keys.into_iter().take(MAX_KEYS).map(Transform::XorText));
    for transform in transforms {
        let Some(text) = transform.encoded(&plain) else { continue };
        let script = Answers::PLAIN.script_with_text(text);
        let visit = session.visit(subject, &script);
        let is_used = |(_, to): (_, core::net::SocketAddr)| Answers::PLAIN.is_text(to.ip());
        if visit.connections().into_iter().any(is_used) {
            return source(Some(transform)).external(subject, ways, outcome);
        }
    }
    None
}

/// The keys under which the text of a record stands in the memory of a process.
fn keys(mut visit: super::session::Visit<'_>, plain: &[u8]) -> Vec<u8> {
    let memory = &mut visit.process.state.memory;
    let mut keys = Vec::new();
    // The last bytes of the page before, where that is the one below: a text may lie across.
    let mut end: (Option<Address>, Vec<u8>) = (None, Vec::new());
    for page in memory.touched(Address(0), u64::MAX) {
        let Some(bytes) = memory.bytes(page, PAGE_SIZE as usize) else { continue };
        let before = if end.0 == Some(page) { end.1 } else { Vec::new() };
        keys.extend(xor_keys(plain, &[before.as_slice(), &bytes].concat()));
        let kept = bytes.len().saturating_sub(plain.len().saturating_sub(1));
        end = (Some(page.offset(PAGE_SIZE)), bytes.get(kept..).unwrap_or(&[]).to_vec());
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// An address record of which the answer is not connected to as it is.
fn transformed<'a>(
    subject: &mut Subject<'a>,
    ways: &Ways,
    session: &Session<'a>,
    outcome: &Outcome<'a>,
) -> Option<External> {
    let derived = outcome.contacts.iter().find(|it| matches!(it.host, Host::Derived(_)))?;
    let port = derived.address.port();
    let asked = outcome.visit.asked();
    // Names have numbers in the order in which they are first asked for, whatever is asked of them.
    let mut names: Vec<&str> = Vec::new();
    for (_, name, _) in &asked {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let of_addresses = |name: &&str| asked.iter().any(|(_, it, kind)| it == name && *kind == A);
    let mut numbered = (0..=u8::MAX).zip(&names);
    let (number, name) = numbered.rfind(|(_, name)| of_addresses(name))?;
    let firsts = [Answers::PLAIN.first, Answers::OTHER.first];
    let mut pairs: Vec<(Ipv4Addr, Ipv4Addr)> = Vec::new();
    for first in firsts.into_iter().chain(Answers::TRANSFORMED) {
        let answers = Answers { first, ..Answers::PLAIN };
        let script = answers.script();
        let answer = script.names.address_of(number);
        let visit = session.visit(subject, &script);
        let used = visit.connections().into_iter().find(|(_, to)| to.port() == port);
        if let Some((_, to)) = used
            && let IpAddr::V4(used) = to.ip()
        {
            pairs.push((answer, used));
        }
    }
    let transform = Transform::between(&pairs)?;
    let (deed, kind) = (&derived.deed, Outside::DnsAddress);
    Source { kind, name, record: "A", transform: Some(transform), deed }
        .external(subject, ways, outcome)
}

#[cfg(test)]
mod tests {
    use super::question;

    #[test]
    fn questions_over_http_have_a_name_and_a_type() {
        let asked = |request: &[u8]| question(request);
        let pair = |name: &str, record: &str| Some((name.to_owned(), record.to_owned()));
        assert_eq!(asked(b"GET /q?name=a.example&type=TXT HTTP/1.1\r\n"), pair("a.example", "TXT"));
        assert_eq!(asked(b"GET /q?type=16&name=a.example HTTP/1.1\r\n"), pair("a.example", "TXT"));
        assert_eq!(asked(b"GET /q?name=a.example HTTP/1.1\r\n"), pair("a.example", "A"));
        assert_eq!(asked(b"GET /index.html HTTP/1.1\r\n"), None);
        assert_eq!(asked(b"\0\0\0\x01"), None);
    }
}
