//! Where addresses are: in a country by a table of the user's, else in the network that one user's addresses
//! usually share.
//!
//! ```text
//! network,country          1.0.0.0,1.0.0.255,AU
//! 1.0.0.0/24,AU            1.0.1.0,1.0.3.255,CN
//! ```
//!
//! Both forms are read: networks under their header, and ranges of first and last address without one.

use std::io::Read;

use core::net::IpAddr;
use indexmap::IndexSet;
use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};
use prefix_trie::PrefixMap;

/// The header of a table of networks.
const HEADER: [&str; 2] = ["network", "country"];

/// The first of the numbers that stand for countries, which no network has: those of IPv4 are below 2^16,
/// and global ones of IPv6 begin with 2000::/3.
const COUNTRIES: u32 = 1 << 24;

/// Countries at most, unless a table is none.
const MOST: usize = 1 << 16;

/// Why a table of countries is none.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It cannot be read, or has rows of different lengths.
    #[error("{0}")]
    Table(#[from] csv::Error),
    /// A row is neither a network with its country nor a range with its.
    #[error("line {line}: neither \"network,country\" nor \"first,last,country\": {text:?}")]
    Row {
        /// Its line, counted from 1.
        line: u64,
        /// What it says.
        text: String,
    },
    /// More countries than there can be.
    #[error("more than {MOST} countries")]
    TooMany,
}

/// Knows where addresses are.
#[derive(Debug, Default)]
pub struct Places {
    networks_4: PrefixMap<Ipv4Net, u32>,
    networks_6: PrefixMap<Ipv6Net, u32>,
    countries: IndexSet<Box<str>>,
}

impl Places {
    /// Reads a table of countries.
    ///
    /// # Errors
    /// When a row says neither of both.
    pub fn read(reader: impl Read) -> Result<Self, PlaceError> {
        let mut table = csv::ReaderBuilder::new()
            .has_headers(false)
            .trim(csv::Trim::All)
            .comment(Some(b'#'))
            .from_reader(reader);
        let mut places = Self::default();
        for record in table.records() {
            let record = record?;
            if record.iter().eq(HEADER) {
                continue;
            }
            places.add(&record).ok_or_else(|| PlaceError::Row {
                line: record.position().map_or(0, csv::Position::line),
                text: record.iter().collect::<Vec<_>>().join(","),
            })?;
            if places.countries.len() > MOST {
                return Err(PlaceError::TooMany);
            }
        }
        Ok(places)
    }

    fn add(&mut self, record: &csv::StringRecord) -> Option<()> {
        let mut fields = record.iter();
        let (first, next) = (fields.next()?, fields.next()?);
        let networks: Vec<IpNet> = match fields.next() {
            None => vec![first.parse().ok()?],
            Some(_) => range(first.parse().ok()?, next.parse().ok()?)?,
        };
        let country = record.iter().next_back().filter(|country| !country.is_empty())?;
        let (index, _) = self.countries.insert_full(country.into());
        let number = COUNTRIES + u32::try_from(index).ok()?;
        for network in networks {
            match network.trunc() {
                IpNet::V4(network) => drop(self.networks_4.insert(network, number)),
                IpNet::V6(network) => drop(self.networks_6.insert(network, number)),
            }
        }
        Some(())
    }

    /// What stands for where an address is.
    pub(super) fn of(&self, address: IpAddr) -> u32 {
        self.known(address).unwrap_or_else(|| network_of(address))
    }

    /// The country of an address.
    pub(super) fn country(&self, address: IpAddr) -> Option<&str> {
        let index = usize::try_from(self.known(address)? - COUNTRIES).ok()?;
        self.countries.get_index(index).map(AsRef::as_ref)
    }

    fn known(&self, address: IpAddr) -> Option<u32> {
        match address {
            IpAddr::V4(address) => self.networks_4.get_lpm(&address.into()).map(|(_, it)| *it),
            IpAddr::V6(address) => self.networks_6.get_lpm(&address.into()).map(|(_, it)| *it),
        }
    }
}

/// The networks of a range; none when its ends are of different versions or the wrong way round.
fn range(first: IpAddr, last: IpAddr) -> Option<Vec<IpNet>> {
    match (first, last) {
        _ if first > last => None,
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Some(Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect())
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Some(Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect())
        }
        _ => None,
    }
}

/// The network of an address: /16, and /32 of IPv6, whose global addresses are none of the first.
fn network_of(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => address.to_bits() >> 16,
        IpAddr::V6(address) => (address.to_bits() >> 96) as u32,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn country<'p>(places: &'p Places, address: &str) -> Option<&'p str> {
        places.country(address.parse().unwrap())
    }

    #[test]
    fn both_forms_of_tables() {
        let networks =
            "network,country\n# ours\n192.0.2.0/24,JP\n192.0.2.128/25,KR\n2001:db8::/32,JP\n";
        let places = Places::read(networks.as_bytes()).unwrap();
        assert_eq!(country(&places, "192.0.2.1"), Some("JP"));
        assert_eq!(country(&places, "192.0.2.200"), Some("KR"));
        assert_eq!(country(&places, "198.51.100.1"), None);
        let of = |address: &str| places.of(address.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("2001:db8::7"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.200"));
        assert_eq!(of("198.51.100.1"), of("198.51.7.1"));

        let ranges = "192.0.2.0,192.0.2.99,JP\n2001:db8::,2001:db8::ff,KR\n";
        let places = Places::read(ranges.as_bytes()).unwrap();
        assert_eq!(country(&places, "192.0.2.99"), Some("JP"));
        assert_eq!(country(&places, "192.0.2.100"), None);
        assert_eq!(country(&places, "2001:db8::80"), Some("KR"));
    }

    #[test]
    fn what_is_no_row_is_told_with_its_line() {
        for row in ["x,JP", "192.0.2.0/24,", "192.0.2.9,192.0.2.1,JP", "192.0.2.1,2001:db8::,JP"] {
            let columns =
                if row.matches(',').count() == 1 { "192.0.2.0/24,JP" } else { "::,::1,JP" };
            let error = Places::read(format!("{columns}\n{row}\n").as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with("line 2: "), "{row}: {error}");
        }
    }
}
