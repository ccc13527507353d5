//! Who is behind an address at a time: leases of DHCP servers, accounting of RADIUS, a table of one's own.
//!
//! What servers log about one address is put in order: a later record of the same holder that overlaps
//! replaces the end of the earlier one (a renewal, a release), a record of another holder ends it.
//!
//! What this gets wrong: a device that uses an address which it was not given is taken for the holder;
//! between the last renewal and a crash of the server, the lease as it was written counts; where several
//! people share an address (network address translation, a company's router), all are one holder.

mod dhcpd;
mod kea;
mod radius;
mod table;

use core::net::IpAddr;
use std::io::{self, BufRead, Read};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;
use rustc_hash::FxHashMap;

use crate::time::Moment;

/// Somebody who has an address, or all addresses of a network, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The network; of one address, the one with all bits.
    pub network: IpNet,
    /// Not before; none when that is not known.
    pub from: Option<Moment>,
    /// Not at and after; none while nothing ends it.
    pub until: Option<Moment>,
    /// Who: an account, a line, or the hardware address of a device.
    pub holder: String,
}

/// Why a file of leases or a record in it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HolderError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is none of the formats.
    #[error(
        "neither leases of ISC dhcpd or Kea, nor details of FreeRADIUS, nor a table \"address,holder\""
    )]
    Unknown,
    /// A record is not as its format says.
    #[error("line {line}: {problem}")]
    Record {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        problem: &'static str,
    },
}

/// All leases.
#[derive(Debug, Default)]
pub struct Holders {
    all: Vec<Lease>,
    addresses: FxHashMap<IpAddr, Vec<Span>>,
    networks_4: PrefixMap<Ipv4Net, Vec<Span>>,
    networks_6: PrefixMap<Ipv6Net, Vec<Span>>,
    /// Who has a device, by its hardware address in lower case with colons.
    devices: FxHashMap<String, String>,
}

/// Of one network, who has it when.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    from: Option<Moment>,
    until: Option<Moment>,
    holder: String,
}

impl Holders {
    /// Takes a lease.
    pub fn insert(&mut self, lease: Lease) {
        self.all.push(lease);
    }

    /// Takes who has a device; leases of its hardware address are then theirs.
    pub fn insert_device(&mut self, device: &str, holder: String) {
        self.devices.insert(device.to_ascii_lowercase(), holder);
    }

    /// How many leases were taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len() + self.addresses.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts the leases in order: to be called once all are in.
    pub fn seal(&mut self) {
        let mut all = core::mem::take(&mut self.all);
        // Stable: of one moment, the record that was written later comes later.
        all.sort_by_key(|lease| lease.from);
        for Lease { network, from, until, holder } in all {
            let holder = self.devices.get(&holder).cloned().unwrap_or(holder);
            let span = Span { from, until, holder };
            let is_host = network.prefix_len() == network.max_prefix_len();
            let spans = match network {
                _ if is_host => self.addresses.entry(network.addr()).or_default(),
                IpNet::V4(network) => self.networks_4.entry(network.trunc()).or_default(),
                IpNet::V6(network) => self.networks_6.entry(network.trunc()).or_default(),
            };
            succeed(spans, span);
        }
    }

    /// Who had the address then. Of a record without a time it is the last one.
    #[must_use]
    pub fn holder(&self, address: IpAddr, time: Option<Moment>) -> Option<&str> {
        let own = self.addresses.get(&address).and_then(|spans| at(spans, time));
        own.or_else(|| match address {
            IpAddr::V4(address) => {
                let host = Ipv4Net::from(address);
                self.networks_4.cover(&host).filter_map(|(_, spans)| at(spans, time)).last()
            }
            IpAddr::V6(address) => {
                let host = Ipv6Net::from(address);
                self.networks_6.cover(&host).filter_map(|(_, spans)| at(spans, time)).last()
            }
        })
    }
}

/// Puts a span behind those that began before it.
fn succeed(spans: &mut Vec<Span>, span: Span) {
    if let Some(last) = spans.last_mut() {
        let is_over = last.until.zip(span.from).is_some_and(|(until, from)| until < from);
        if !is_over && last.holder == span.holder {
            last.until = span.until;
            return;
        }
        if !is_over {
            last.until = span.from;
        }
    }
    spans.push(span);
}

fn at(spans: &[Span], time: Option<Moment>) -> Option<&str> {
    let Some(time) = time else { return spans.last().map(|span| span.holder.as_str()) };
    let behind = spans.partition_point(|span| span.from.is_none_or(|from| from <= time));
    let span = spans.get(behind.checked_sub(1)?)?;
    span.until.is_none_or(|until| time < until).then_some(span.holder.as_str())
}

/// Bytes by which a format is recognised.
const RECOGNISED_BY: u64 = 4096;

/// Reads a file of leases, recognised by its content. What of it cannot be used is handed to `refused`.
///
/// # Errors
/// When the file cannot be read or is none of the formats.
pub fn read(
    reader: &mut impl BufRead,
    holders: &mut Holders,
    refused: &mut impl FnMut(HolderError),
) -> Result<(), HolderError> {
    let mut beginning = Vec::new();
    reader.by_ref().take(RECOGNISED_BY).read_to_end(&mut beginning)?;
    let mark = "\u{feff}".as_bytes();
    let beginning = beginning.strip_prefix(mark).unwrap_or(&beginning);
    let reader = &mut beginning.chain(reader);
    let lines = beginning.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let first = lines.next().unwrap_or_default();
    let second = lines.next().unwrap_or_default();
    if kea::is_header(first) {
        kea::read(reader, holders, refused)
    } else if table::is_header(first) {
        table::read(reader, holders, refused)
    } else if dhcpd::is_statement(first) {
        dhcpd::read(reader, holders, refused)
    } else if radius::is_attribute(second) {
        radius::read(reader, holders, refused)
    } else {
        Err(HolderError::Unknown)
    }
}

/// A network, or an address as one.
fn network(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    address.or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    pub(super) fn of(text: &str) -> (Holders, Vec<String>) {
        let (mut holders, mut refused) = (Holders::default(), Vec::new());
        read(&mut text.as_bytes(), &mut holders, &mut |error| refused.push(error.to_string()))
            .unwrap();
        holders.seal();
        (holders, refused)
    }

    fn lease(network: &str, from: i64, until: Option<i64>, holder: &str) -> Lease {
        Lease {
            network: super::network(network).unwrap(),
            from: Some(Moment::from_unix(from)),
            until: until.map(Moment::from_unix),
            holder: holder.to_owned(),
        }
    }

    fn who(holders: &Holders, address: &str, seconds: i64) -> Option<String> {
        let time = Some(Moment::from_unix(seconds));
        holders.holder(address.parse().unwrap(), time).map(str::to_owned)
    }

    #[test]
    fn an_address_changes_hands() {
        let mut holders = Holders::default();
        holders.insert(lease("192.0.2.7", 100, Some(200), "a"));
        holders.insert(lease("192.0.2.7", 150, Some(300), "a"));
        holders.insert(lease("192.0.2.7", 260, Some(400), "b"));
        holders.insert(lease("192.0.2.7", 310, Some(350), "b"));
        holders.insert(lease("192.0.2.7", 500, None, "a"));
        holders.seal();
        let at = |seconds| who(&holders, "192.0.2.7", seconds);
        for (seconds, holder) in [
            (99, None),
            (100, Some("a")),
            (259, Some("a")),
            (260, Some("b")),
            (349, Some("b")),
            // The lease of b was given back at 350.
            (350, None),
            (499, None),
            (9999, Some("a")),
        ] {
            assert_eq!(at(seconds).as_deref(), holder, "{seconds}");
        }
        assert_eq!(holders.holder("192.0.2.7".parse().unwrap(), None), Some("a"));
        assert_eq!(who(&holders, "192.0.2.8", 100), None);
    }

    #[test]
    fn an_address_goes_before_its_network_and_the_longest_network_before_others() {
        let mut holders = Holders::default();
        holders.insert(lease("2001:db8::/32", 0, None, "carrier"));
        holders.insert(lease("2001:db8:1::/48", 0, Some(10), "line"));
        holders.insert(lease("2001:db8:1::7", 0, Some(5), "device"));
        holders.seal();
        let at = |seconds| who(&holders, "2001:db8:1::7", seconds).unwrap();
        assert_eq!([at(4), at(5), at(10)], ["device", "line", "carrier"]);
    }

    #[test]
    fn what_is_no_file_of_leases() {
        for text in ["", "a,b\n1,2\n", "\u{1}\u{2}", "lease\n"] {
            let (mut holders, mut refused) = (Holders::default(), |_| {});
            let error = read(&mut text.as_bytes(), &mut holders, &mut refused).unwrap_err();
            assert!(matches!(error, HolderError::Unknown), "{text:?}");
        }
    }
}
