//! What counts as a host: names and addresses as they stand in configurations.

use core::net::IpAddr;

/// The host that a decoded text is, in the spelling of a report; `None` when it is none.
///
/// False positives: file names whose extension looks like a top-level domain (`bin.sh`); a caller
/// asks who uses the text. False negatives: single-label names.
#[must_use]
pub fn parse(text: &[u8]) -> Option<String> {
    let text = text.strip_suffix(&[0]).unwrap_or(text);
    let text = core::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    is_domain_name(text).then(|| text.to_owned())
}

/// RFC 1035 length limits, letters, digits, hyphens and underscores, an alphabetic or punycode
/// last label.
fn is_domain_name(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let [.., _, last] = labels.as_slice() else { return false };
    text.len() <= 253
        && labels.iter().all(|label| is_label(label))
        && last.len() >= 2
        && (last.bytes().all(|byte| byte.is_ascii_alphabetic()) || last.starts_with("xn--"))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_hosts() {
        for host in ["cnc.example.com", "a-b.c_d.test", "192.0.2.7", "2001:db8::1", "x.xn--p1ai"] {
            assert_eq!(parse(host.as_bytes()).as_deref(), Some(host));
        }
        assert_eq!(parse(b"cnc.example.com\0").as_deref(), Some("cnc.example.com"));
    }

    #[test]
    fn other_strings_of_a_table_are_not() {
        for text in [
            "/etc/resolv.conf",
            "nameserver ",
            "dvrHelper",
            ".anime",
            "ncorrect",
            "1.2",
            "",
            "a..b",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(&[0xff, b'.', b'c', b'o']), None);
    }
}
