//! A table of one's own: `address,holder` with, where they are known, `from` and `until`. An address is one,
//! a network, or the hardware address of a device, of which leases are then its holder's.

use std::io::BufRead;

use super::{HolderError, Holders, Lease, network};
use crate::time::{Clock, Moment, rfc3339};

/// Whether a line is the head of such a table.
pub(super) fn is_header(line: &[u8]) -> bool {
    line.strip_prefix(b"address,holder")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b","))
}

/// Reads the table.
pub(super) fn read(
    reader: &mut impl BufRead,
    holders: &mut Holders,
    refused: &mut impl FnMut(HolderError),
) -> Result<(), HolderError> {
    let mut table = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(reader);
    let head = table.headers().map_err(|_| HolderError::Unknown)?.clone();
    let place = |name: &str| head.iter().position(|column| column == name);
    let (from, until) = (place("from"), place("until"));
    for record in table.records() {
        let record = match record
            .map_err(|error| (error.position().map_or(0, csv::Position::line), error.into_kind()))
        {
            Ok(record) => record,
            Err((_, csv::ErrorKind::Io(error))) => return Err(HolderError::Read(error)),
            Err((line, _)) => {
                refused(HolderError::Record { line, problem: "no row" });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let (Some(address), Some(holder)) =
            (record.get(0), record.get(1).filter(|it| !it.is_empty()))
        else {
            refused(HolderError::Record { line, problem: "no holder" });
            continue;
        };
        let time = |place: Option<usize>| match place.and_then(|place| record.get(place)) {
            None | Some("") => Ok(None),
            Some(text) => moment(text).map(Some).ok_or(()),
        };
        let (Ok(from), Ok(until)) = (time(from), time(until)) else {
            refused(HolderError::Record { line, problem: "no time" });
            continue;
        };
        if let Some(network) = network(address) {
            holders.insert(Lease { network, from, until, holder: holder.to_owned() });
        } else if is_device(address) {
            holders.insert_device(address, holder.to_owned());
        } else {
            refused(HolderError::Record { line, problem: "no address" });
        }
    }
    Ok(())
}

/// A time as RFC 3339 spells it, or a day, which begins at midnight in UTC.
fn moment(text: &str) -> Option<Moment> {
    let clock = Clock::utc(Moment(0));
    let day = || {
        rfc3339(format!("{text}T00:00:00Z").as_bytes(), &clock)
            .map(|(time, rest)| (time, rest.is_empty()))
    };
    let time = rfc3339(text.as_bytes(), &clock).map(|(time, rest)| (time, rest.is_empty()));
    time.or_else(day).filter(|(_, is_whole)| *is_whole).map(|(time, _)| time)
}

/// Whether it is a hardware address: six octets in hexadecimal with colons.
fn is_device(text: &str) -> bool {
    let octets: Vec<&str> = text.split(':').collect();
    octets.len() == 6
        && octets
            .iter()
            .all(|octet| octet.len() == 2 && octet.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::tests::of;
    use super::*;

    #[test]
    fn addresses_networks_and_devices() {
        let (mut holders, refused) = of("address,holder,from,until\n\
            # A camera\n\
            192.0.2.7,line 7,,\n\
            192.0.2.8,line 8,2026-11-23,2026-11-24T12:00:00Z\n\
            198.51.100.0/24,company\n\
            02:00:5E:00:53:07,line 9\n\
            nonsense,x\n\
            192.0.2.9,x,someday\n");
        let at = |address: &str, time: &str| {
            holders.holder(address.parse().unwrap(), moment(time)).map(str::to_owned)
        };
        assert_eq!(at("192.0.2.7", "1999-01-01").as_deref(), Some("line 7"));
        assert_eq!(at("192.0.2.8", "2026-11-22"), None);
        assert_eq!(at("192.0.2.8", "2026-11-23").as_deref(), Some("line 8"));
        assert_eq!(at("192.0.2.8", "2026-11-24T12:00:00Z"), None);
        assert_eq!(at("198.51.100.77", "2026-11-22").as_deref(), Some("company"));
        assert_eq!(refused, ["line 7: no address", "line 8: no time"]);
        let network = network("192.0.2.100").unwrap();
        let holder = "02:00:5e:00:53:07".to_owned();
        holders.insert(Lease { network, from: None, until: None, holder });
        holders.seal();
        assert_eq!(holders.holder("192.0.2.100".parse().unwrap(), None), Some("line 9"));
    }
}
