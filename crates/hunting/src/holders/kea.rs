//! Kea's memfile (`kea-leases4.csv`, `kea-leases6.csv`), a table to which every change appends a row.
//!
//! A lease that is given back is written with a lifetime of 0, but not with the time at which that was: it
//! is taken to last until it would have run out.

use std::io::BufRead;

use ipnet::IpNet;

use super::{HolderError, Holders, Lease, network};
use crate::time::{Moment, SECOND};

/// The state of a declined address (Kea manual, "The lease file").
const DECLINED: &str = "1";

/// Whether a line is the head of such a table.
pub(super) fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"address,hwaddr,") || line.starts_with(b"address,duid,")
}

/// Reads the leases.
pub(super) fn read(
    reader: &mut impl BufRead,
    holders: &mut Holders,
    refused: &mut impl FnMut(HolderError),
) -> Result<(), HolderError> {
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let head = table.headers().map_err(into_read)?.clone();
    let place = |name: &str| head.iter().position(|column| column == name);
    let columns =
        ["address", "hwaddr", "duid", "valid_lifetime", "expire", "prefix_len", "state"].map(place);
    for record in table.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) if error.is_io_error() => return Err(into_read(error)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                refused(HolderError::Record { line, problem: "no row" });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let [address, device, id, lifetime, expire, length, state] =
            columns.map(|place| place.and_then(|place| record.get(place)).unwrap_or_default());
        if lifetime == "0" || state == DECLINED {
            continue;
        }
        let span = lifetime.parse::<i64>().ok().zip(expire.parse::<i64>().ok());
        let (Some((lifetime, expire)), Some(network)) = (span, leased(address, length)) else {
            refused(HolderError::Record { line, problem: "no address or time" });
            continue;
        };
        let holder = if device.is_empty() { id } else { device }.to_ascii_lowercase();
        if holder.is_empty() {
            continue;
        }
        let until = Moment::from_unix(expire);
        let from = Some(Moment(until.0.saturating_sub(lifetime.saturating_mul(SECOND))));
        holders.insert(Lease { network, from, until: Some(until), holder });
    }
    Ok(())
}

/// An address, or the prefix that was delegated.
fn leased(address: &str, length: &str) -> Option<IpNet> {
    let host = network(address)?;
    match length.parse::<u8>() {
        Ok(length) => IpNet::new(host.addr(), length).ok(),
        Err(_) => Some(host),
    }
}

fn into_read(error: csv::Error) -> HolderError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => HolderError::Read(error),
        _ => HolderError::Unknown,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::tests::of;
    use super::*;

    const FOUR: &str = "\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
192.0.2.100,02:00:5E:00:53:07,01:02,3600,7200,1,0,0,cam,0,,0
192.0.2.100,02:00:5e:00:53:07,01:02,3600,9000,1,0,0,cam,0,,0
192.0.2.100,02:00:5e:00:53:07,01:02,0,5400,1,0,0,cam,0,,0
192.0.2.101,02:00:5e:00:53:08,01:02,3600,7200,1,0,0,,1,,0
192.0.2.x,02:00:5e:00:53:08,01:02,3600,7200,1,0,0,,0,,0
";

    const SIX: &str = "\
address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id
2001:db8::7,00:01:02,3600,7200,1,1800,0,7,128,0,0,,,0,,,,0
2001:db8:1::,00:01:03,3600,7200,1,1800,2,7,48,0,0,,02:00:5e:00:53:09,0,,1,0,0
";

    fn at(holders: &Holders, address: &str, seconds: i64) -> Option<String> {
        let time = Some(Moment::from_unix(seconds));
        holders.holder(address.parse().unwrap(), time).map(str::to_owned)
    }

    #[test]
    fn leases() {
        let (holders, refused) = of(FOUR);
        let device = Some("02:00:5e:00:53:07".to_owned());
        for (seconds, holder) in
            [(3599, None), (3600, device.clone()), (8999, device), (9000, None)]
        {
            assert_eq!(at(&holders, "192.0.2.100", seconds), holder, "{seconds}");
        }
        assert_eq!(at(&holders, "192.0.2.101", 4000), None);
        assert_eq!(refused, ["line 6: no address or time"]);
        let (holders, refused) = of(SIX);
        assert_eq!(at(&holders, "2001:db8::7", 4000).as_deref(), Some("00:01:02"));
        assert_eq!(at(&holders, "2001:db8:1:2::9", 4000).as_deref(), Some("02:00:5e:00:53:09"));
        assert_eq!(at(&holders, "2001:db8:2::9", 4000), None);
        assert!(refused.is_empty());
    }
}
