//! FreeRADIUS' detail files: accounting requests, each a time and its attributes, indented by a tabulator.
//!
//! ```text
//! Mon Nov 23 04:29:09 2026
//!     User-Name = "alice"
//!     Acct-Status-Type = Start
//!     Framed-IP-Address = 198.51.100.7
//!     Timestamp = 1795408149
//! ```
//! A session that was begun lasts until its end is told or the address is somebody else's: where an access
//! server loses power and no `Stop` comes, that is too long.

use std::io::BufRead;

use super::{HolderError, Holders, Lease, network};
use crate::time::Moment;

/// Attributes that name what a session has (RFC 2865, 3162, 4818, 6911).
const LEASED: [&str; 4] =
    ["Framed-IP-Address", "Framed-IPv6-Address", "Framed-IPv6-Prefix", "Delegated-IPv6-Prefix"];

/// Whether a line is an attribute.
pub(super) fn is_attribute(line: &[u8]) -> bool {
    line.starts_with(b"\t") && memchr::memmem::find(line, b" = ").is_some()
}

/// A request that is being read.
#[derive(Default)]
struct Request {
    line: u64,
    status: String,
    user: Option<String>,
    leased: Vec<String>,
    time: Option<i64>,
    delay: i64,
    session: i64,
}

/// Reads the sessions.
pub(super) fn read(
    reader: &mut impl BufRead,
    holders: &mut Holders,
    refused: &mut impl FnMut(HolderError),
) -> Result<(), HolderError> {
    let mut request = Request::default();
    for (number, line) in (1..).zip(reader.split(b'\n')) {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        let attribute = line.strip_prefix('\t').and_then(|line| line.trim_end().split_once(" = "));
        match attribute {
            Some((name, value)) => take(&mut request, name, value),
            None => {
                finish(core::mem::take(&mut request), holders, refused);
                request.line = number;
            }
        }
    }
    finish(request, holders, refused);
    Ok(())
}

fn take(request: &mut Request, name: &str, value: &str) {
    let text = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    match name {
        "User-Name" => request.user = Some(text.to_owned()),
        "Acct-Status-Type" => text.clone_into(&mut request.status),
        "Timestamp" => request.time = text.parse().ok(),
        "Acct-Delay-Time" => request.delay = text.parse().unwrap_or_default(),
        "Acct-Session-Time" => request.session = text.parse().unwrap_or_default(),
        name if LEASED.contains(&name) => request.leased.push(text.to_owned()),
        _ => {}
    }
}

fn finish(request: Request, holders: &mut Holders, refused: &mut impl FnMut(HolderError)) {
    let Request { line, status, user, leased, time, delay, session } = request;
    let Some(user) = user.filter(|_| !leased.is_empty()) else { return };
    let Some(time) = time else {
        refused(HolderError::Record { line, problem: "no Timestamp" });
        return;
    };
    let time = time.saturating_sub(delay);
    let began = Some(Moment::from_unix(time.saturating_sub(session)));
    let (from, until) = match status.as_str() {
        "Start" => (Some(Moment::from_unix(time)), None),
        "Interim-Update" | "Alive" => (began, None),
        "Stop" => (began, Some(Moment::from_unix(time))),
        _ => return,
    };
    for text in leased {
        match network(&text) {
            Some(network) => {
                holders.insert(Lease { network, from, until, holder: user.clone() });
            }
            None => refused(HolderError::Record { line, problem: "no address" }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::tests::of;
    use super::*;

    const FILE: &str = "\
Mon Nov 23 04:29:09 2026
\tUser-Name = \"alice\"
\tAcct-Status-Type = Start
\tNAS-IP-Address = 192.0.2.254
\tFramed-IP-Address = 198.51.100.7
\tDelegated-IPv6-Prefix = 2001:db8:7::/48
\tAcct-Delay-Time = 5
\tTimestamp = 1005

Mon Nov 23 04:29:09 2026
\tUser-Name = \"alice\"
\tAcct-Status-Type = Stop
\tFramed-IP-Address = 198.51.100.7
\tAcct-Session-Time = 1000
\tTimestamp = 2000

Mon Nov 23 04:29:09 2026
\tUser-Name = \"bob\"
\tAcct-Status-Type = Stop
\tFramed-IP-Address = 198.51.100.8
\tAcct-Session-Time = 500
\tTimestamp = 3000

Mon Nov 23 04:29:09 2026
\tUser-Name = \"eve\"
\tAcct-Status-Type = Start
\tFramed-IP-Address = 198.51.100.9

Mon Nov 23 04:29:09 2026
\tAcct-Status-Type = Accounting-On
\tNAS-IP-Address = 192.0.2.254
\tTimestamp = 4000
";

    #[test]
    fn sessions() {
        let (holders, refused) = of(FILE);
        let at = |address: &str, seconds| {
            holders.holder(address.parse().unwrap(), Some(Moment::from_unix(seconds)))
        };
        assert_eq!(at("198.51.100.7", 999), None);
        assert_eq!(at("198.51.100.7", 1000), Some("alice"));
        assert_eq!(at("198.51.100.7", 1999), Some("alice"));
        assert_eq!(at("198.51.100.7", 2000), None);
        assert_eq!(at("2001:db8:7::1", 5000), Some("alice"));
        // The beginning was lost and follows from the end.
        assert_eq!((at("198.51.100.8", 2499), at("198.51.100.8", 2500)), (None, Some("bob")));
        assert_eq!(refused, ["line 24: no Timestamp"]);
    }
}
