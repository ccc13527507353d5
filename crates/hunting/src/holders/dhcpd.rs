//! ISC dhcpd's lease file (dhcpd.leases(5)), in which a later declaration of a lease replaces earlier ones.
//!
//! ```text
//! lease 192.0.2.100 {
//!   starts 1 2026/11/23 04:29:09;
//!   ends 1 2026/11/23 05:29:09;
//!   binding state active;
//!   hardware ethernet 02:00:5e:00:53:07;
//! }
//! ```
//! Times are in UTC, or `epoch SECONDS`. Declarations without a device (free, abandoned) are passed over,
//! and so is everything that is no lease of IPv4.

use std::io::BufRead;

use super::{HolderError, Holders, Lease, network};
use crate::time::{Clock, Moment, rfc3339};

/// Whether a line begins a lease file.
pub(super) fn is_statement(line: &[u8]) -> bool {
    const STARTS: [&[u8]; 4] = [b"lease ", b"authoring-byte-order ", b"server-duid ", b"failover "];
    STARTS.iter().any(|start| line.starts_with(start))
        && line.ends_with(if line.starts_with(b"lease") { b"{" } else { b"" })
}

/// A declaration that is being read.
#[derive(Default)]
struct Declared {
    address: String,
    from: Option<Moment>,
    until: Option<Moment>,
    device: Option<String>,
}

/// Reads the leases.
pub(super) fn read(
    reader: &mut impl BufRead,
    holders: &mut Holders,
    refused: &mut impl FnMut(HolderError),
) -> Result<(), HolderError> {
    let mut open: Option<Declared> = None;
    for (number, line) in (1..).zip(reader.split(b'\n')) {
        let line = line?;
        let line = String::from_utf8_lossy(line.trim_ascii());
        if let Some(rest) = line.strip_prefix("lease ") {
            let address = rest.trim_end_matches('{').trim().to_owned();
            open = Some(Declared { address, ..Declared::default() });
        } else if line == "}" {
            let Some(Declared { address, from, until, device }) = open.take() else { continue };
            let Some(network) = network(&address) else {
                refused(HolderError::Record { line: number, problem: "no address" });
                continue;
            };
            if let Some(holder) = device {
                holders.insert(Lease { network, from, until, holder });
            }
        } else if let Some(open) = &mut open
            && statement(open, &line).is_none()
        {
            refused(HolderError::Record { line: number, problem: "no time" });
        }
    }
    Ok(())
}

/// Takes a statement of a declaration; `None` when its time is none.
fn statement(open: &mut Declared, line: &str) -> Option<()> {
    // Behind it a comment may stand.
    let statement = line.split_once(';').map_or(line, |(statement, _)| statement);
    if let Some(text) = statement.strip_prefix("starts ") {
        open.from = Some(time(text)?);
    } else if let Some(text) = statement.strip_prefix("ends ") {
        open.until = if text == "never" { None } else { Some(time(text)?) };
    } else if let Some(device) = statement.strip_prefix("hardware ethernet ") {
        open.device = Some(device.trim().to_ascii_lowercase());
    }
    Some(())
}

/// `1 2026/11/23 04:29:09`, with the day of the week, or `epoch 1795408149`.
fn time(text: &str) -> Option<Moment> {
    if let Some(seconds) = text.strip_prefix("epoch ") {
        return seconds.trim().parse().ok().map(Moment::from_unix);
    }
    let (_, date) = text.split_once(' ')?;
    let spelled = date.replace('/', "-");
    let (moment, rest) = rfc3339(spelled.as_bytes(), &Clock::utc(Moment(0)))?;
    rest.is_empty().then_some(moment)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::tests::of;
    use super::*;

    /// As the manual shows it, with a renewal, a release and what is no lease.
    const FILE: &str = "\
# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;

lease 192.0.2.100 {
  starts 1 2026/11/23 04:00:00;
  ends 1 2026/11/23 05:00:00;
  cltt 1 2026/11/23 04:00:00;
  binding state active;
  next binding state free;
  hardware ethernet 02:00:5E:00:53:07;
  uid \"\\001\\002}\";
  client-hostname \"cam {\";
}
lease 192.0.2.100 {
  starts 1 2026/11/23 04:30:00;
  ends 1 2026/11/23 04:45:00;
  binding state free;
  hardware ethernet 02:00:5e:00:53:07;
}
lease 192.0.2.101 {
  starts epoch 1795406400; # Mon Nov 23 04:00:00 2026
  ends never;
  binding state active;
  hardware ethernet 02:00:5e:00:53:08;
}
lease 192.0.2.102 {
  starts 1 2026/11/23 04:00:00;
  binding state backup;
}
lease 192.0.2.103 {
  starts 1 2026/13/23 04:00:00;
}
";

    fn at(holders: &Holders, address: &str, time: &str) -> Option<String> {
        let (time, _) = rfc3339(time.as_bytes(), &Clock::utc(Moment(0))).unwrap();
        holders.holder(address.parse().unwrap(), Some(time)).map(str::to_owned)
    }

    #[test]
    fn leases() {
        let (holders, refused) = of(FILE);
        let device = Some("02:00:5e:00:53:07".to_owned());
        assert_eq!(at(&holders, "192.0.2.100", "2026-11-23T03:59:59Z"), None);
        assert_eq!(at(&holders, "192.0.2.100", "2026-11-23T04:00:00Z"), device);
        assert_eq!(at(&holders, "192.0.2.100", "2026-11-23T04:44:59Z"), device);
        assert_eq!(at(&holders, "192.0.2.100", "2026-11-23T04:45:00Z"), None);
        assert!(at(&holders, "192.0.2.101", "2030-01-01T00:00:00Z").is_some());
        assert_eq!(at(&holders, "192.0.2.101", "2026-11-23T03:59:59Z"), None);
        assert_eq!(at(&holders, "192.0.2.102", "2026-11-23T04:44:59Z"), None);
        assert_eq!(refused, ["line 31: no time"]);
    }
}
