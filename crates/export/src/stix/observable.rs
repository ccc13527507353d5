//! Observables: hosts, traffic, files, accounts, URLs, mutexes.

use core::net::IpAddr;
use std::io;

use serde_json::{Map, Value, json};

use super::bundle::Bundle;
use super::identifier;
use crate::configurations::{File, hex};
use crate::indicators::{Host, Indicator, protocol_name};

/// Kind of the object for a host.
pub(super) const fn host_kind(host: &Host) -> &'static str {
    match host {
        Host::Name(_) => "domain-name",
        Host::Address(IpAddr::V4(_)) => "ipv4-addr",
        Host::Address(IpAddr::V6(_)) => "ipv6-addr",
    }
}

/// Adds a name or an address.
pub(super) fn host(bundle: &mut Bundle<'_>, host: &Host) -> io::Result<String> {
    value(bundle, host_kind(host), &host.to_string())
}

/// Adds a URL, none when the text is not one.
pub(super) fn url(bundle: &mut Bundle<'_>, text: &str) -> io::Result<Option<String>> {
    is_url(text).then(|| value(bundle, "url", text)).transpose()
}

fn value(bundle: &mut Bundle<'_>, kind: &'static str, text: &str) -> io::Result<String> {
    let members = json!({ "value": text });
    bundle.observable(kind, identifier::observable(kind, &members), members)
}

/// Adds a host with its port, or the host alone where port or transport is not known.
pub(super) fn traffic(bundle: &mut Bundle<'_>, indicator: &Indicator) -> io::Result<String> {
    let host = host(bundle, &indicator.host)?;
    let (Some(port), Some(protocol)) = (indicator.port, indicator.protocol) else {
        return Ok(host);
    };
    let network = match indicator.host {
        Host::Name(_) => None,
        Host::Address(IpAddr::V4(_)) => Some("ipv4"),
        Host::Address(IpAddr::V6(_)) => Some("ipv6"),
    };
    let protocols: Vec<&str> = network.into_iter().chain([protocol_name(protocol)]).collect();
    let members = json!({ "dst_port": port, "dst_ref": host, "protocols": protocols });
    let id = identifier::observable("network-traffic", &members);
    bundle.observable("network-traffic", id, members)
}

/// Adds a file, without its name: that is the analyst's.
pub(super) fn file(bundle: &mut Bundle<'_>, sha256: &[u8], file: &File) -> io::Result<String> {
    let mut hashes = Map::new();
    let known = [("MD5", &file.md5), ("SHA-1", &file.sha1)];
    for (name, digest) in known {
        if let Some(digest) = digest {
            hashes.insert(name.to_owned(), Value::from(hex(&digest.0)));
        }
    }
    hashes.insert("SHA-256".to_owned(), Value::from(hex(sha256)));
    // Of several hashes, the first in this order is the one that counts.
    let first: Map<String, Value> = hashes.clone().into_iter().take(1).collect();
    let id = identifier::observable("file", &json!({ "hashes": first }));
    bundle.observable("file", id, json!({ "hashes": hashes, "size": file.size }))
}

/// Adds an account that is tried: any texts.
pub(super) fn login(bundle: &mut Bundle<'_>, user: &str, password: &str) -> io::Result<String> {
    let id = identifier::own("user-account", &json!([user, password]));
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let members = json!({
        "account_login": text(user), "credential": text(password), "account_type": "unix",
    });
    bundle.observable("user-account", id, members)
}

/// Adds the port by which a program keeps a second instance of itself away.
pub(super) fn single_instance(
    bundle: &mut Bundle<'_>,
    indicator: &Indicator,
) -> io::Result<String> {
    let port = indicator.port.map_or_else(|| "?".to_owned(), |port| port.to_string());
    let members = json!({ "name": format!("{}:{port}", indicator.host) });
    bundle.observable("mutex", identifier::observable("mutex", &members), members)
}

/// Whether a text is a URL of the schemes that devices fetch files by, made of the characters of
/// RFC 3986 alone. URLs with other characters are not told: they would not be what is asked for.
pub(super) fn is_url(text: &str) -> bool {
    let schemes = ["http://", "https://", "ftp://", "tftp://"];
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let is_allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && rest.bytes().all(is_allowed)
    })
}
