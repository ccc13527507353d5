//! Pseudonyms for what outputs say of people: who was there stays countable, who it was does not show.
//!
//! The same address, account, holder, contract, name or file has the same pseudonym everywhere and, with
//! the same key, in every run; without the key none can be computed, not even by trying all addresses.
//! Replaced are addresses of both sides, accounts, holders, contracts, names, URLs and files; of evidence,
//! the line is left out and its hash is one that needs the key. What stays: times, counts, ports, kinds,
//! and the indicators' own values, which come from the user's list and not from the logs.
//!
//! Times and counts may still tell an insider who somebody is.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use sha2::{Digest, Sha256};

use crate::behaviour::Alert;
use crate::count::Line;
use crate::coverage::Gap;
use crate::hunt::{Evidence, Hit};
use crate::scope::{Lists, Row};
use crate::table;
use crate::timeline::Entry;

/// Bytes that a key has at least: 128 bits cannot be tried.
const SHORTEST: usize = 16;

/// Bytes of a text's pseudonym: among a million, two are the same once in 40 million runs.
const TEXT: usize = 8;

/// The beginning of the pseudonyms of addresses, by version: 2001:db8::/32 is reserved for documentation
/// (RFC 3849), so that none is anybody's address.
const ADDRESSES: [[u16; 3]; 2] = [[0x2001, 0xdb8, 4], [0x2001, 0xdb8, 6]];

/// The beginning of the pseudonyms of networks.
const NETWORKS: [u16; 3] = [0x2001, 0xdb8, 0xff];

/// A key that is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of {0} bytes, at least {SHORTEST} are needed")]
pub struct ShortKey(usize);

/// Gives pseudonyms under one key.
#[derive(Clone)]
pub struct Pseudonyms {
    keyed: Hmac<Sha256>,
}

impl core::fmt::Debug for Pseudonyms {
    /// The key is not shown.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    /// Under this key, any bytes of no known structure.
    ///
    /// # Errors
    /// When the key is so short that it could be found by trying.
    pub fn new(key: &[u8]) -> Result<Self, ShortKey> {
        if key.len() < SHORTEST {
            return Err(ShortKey(key.len()));
        }
        // HMAC takes a block, and fills shorter keys with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&Sha256::digest(key));
        Ok(Self { keyed: Hmac::new(&block.into()) })
    }

    fn mac(&self, kind: u8, bytes: &[u8]) -> [u8; 32] {
        let mut keyed = self.keyed.clone();
        keyed.update(&[kind]);
        keyed.update(bytes);
        keyed.finalize().into_bytes().into()
    }

    /// Of an account, a holder, a contract, a name, a URL or a file; the case of ASCII letters and the
    /// last dot of a name make no difference.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let mac = self.mac(b't', text.as_bytes());
        format!("redacted-{}", hex::encode(mac.get(..TEXT).unwrap_or(&mac)))
    }

    /// Of an address, as an address that is nobody's.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> IpAddr {
        let address = address.to_canonical();
        let begins = ADDRESSES[usize::from(address.is_ipv6())];
        let mac = match address {
            IpAddr::V4(address) => self.mac(b'4', &address.octets()),
            IpAddr::V6(address) => self.mac(b'6', &address.octets()),
        };
        IpAddr::V6(beginning_with(begins, mac))
    }

    /// Of a network, as a network of one address that is nobody's.
    #[must_use]
    pub fn network(&self, network: IpNet) -> IpNet {
        let mac = self.mac(b'n', network.to_string().as_bytes());
        IpAddr::V6(beginning_with(NETWORKS, mac)).into()
    }

    /// Of a text that may be an address, one with a port, or a network: as of that.
    #[must_use]
    pub fn entity(&self, text: &str) -> String {
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return SocketAddr::new(self.address(socket.ip()), socket.port()).to_string();
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return self.address(address).to_string();
        }
        match text.parse::<IpNet>() {
            Ok(network) => self.network(network).to_string(),
            Err(_) => self.text(text),
        }
    }

    /// Of evidence: where it is and what proves it, for whoever has the logs and the key.
    pub fn evidence(&self, evidence: &mut Evidence) {
        evidence.file = self.text(&evidence.file);
        evidence.line_sha256 = self.line(&evidence.line_sha256);
        evidence.line.clear();
    }

    /// Of the hash of a line: short lines could be found by trying.
    #[must_use]
    pub fn line(&self, sha256: &str) -> String {
        hex::encode(self.mac(b'l', sha256.as_bytes()))
    }

    /// Of a hit.
    pub fn hit(&self, hit: &mut Hit) {
        hit.entity = self.entity(&hit.entity);
        hit.address = hit.address.map(|address| self.address(address));
        self.texts([&mut hit.name, &mut hit.account]);
        self.evidence(&mut hit.evidence);
    }

    /// Of an alert.
    pub fn alert(&self, alert: &mut Alert) {
        alert.entity = self.entity(&alert.entity);
        alert.other = alert.other.as_deref().map(|other| self.entity(other));
        self.evidence(&mut alert.evidence);
    }

    /// Of a record of a time line.
    pub fn entry(&self, entry: &mut Entry) {
        entry.client = entry.client.map(|address| self.address(address));
        entry.server = entry.server.map(|address| self.address(address));
        self.texts([&mut entry.name, &mut entry.url, &mut entry.account]);
        self.evidence(&mut entry.evidence);
    }

    /// Of an event's row.
    pub fn row_of_events(&self, row: &mut table::Row) {
        row.client = row.client.map(|address| self.address(address));
        row.server = row.server.map(|address| self.address(address));
        self.texts([&mut row.name, &mut row.url, &mut row.account, &mut row.host]);
        row.file = self.text(&row.file);
    }

    /// Of a count: devices and source networks.
    pub fn count(&self, line: &mut Line) {
        match line {
            Line::Device { device, .. } => *device = self.address(*device),
            Line::Network { network, .. } => *network = self.network(*network),
            _ => {}
        }
    }

    /// Of what became of an account; its reason names sources by pseudonyms already.
    #[must_use]
    pub fn row(&self, mut row: Row) -> Row {
        row.account = self.entity(&row.account);
        row.contract = self.text(&row.contract);
        if !row.file.is_empty() {
            row.file = self.text(&row.file);
            row.line_sha256 = self.line(&row.line_sha256);
        }
        row
    }

    /// Of sums, in an order of their own: that of the contracts would tell of their names.
    pub fn lists(&self, lists: &mut Lists) {
        for line in &mut lists.contracts {
            line.contract = self.text(&line.contract);
        }
        lists.contracts.sort_by(|one, other| {
            (&one.contract, &one.data_class).cmp(&(&other.contract, &other.data_class))
        });
    }

    /// Of a gap.
    pub fn gap(&self, gap: &mut Gap) {
        gap.source = self.text(&gap.source);
    }

    fn texts<const COUNT: usize>(&self, texts: [&mut Option<String>; COUNT]) {
        for text in texts.into_iter().flatten() {
            *text = self.text(text);
        }
    }
}

fn beginning_with([a, b, c]: [u16; 3], mac: [u8; 32]) -> Ipv6Addr {
    let rest = mac.iter().take(10).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let begins = u128::from(a) << 112 | u128::from(b) << 96 | u128::from(c) << 80;
    Ipv6Addr::from_bits(begins | rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn under(key: &[u8]) -> Pseudonyms {
        Pseudonyms::new(key).unwrap()
    }

    #[test]
    fn the_same_is_the_same_under_one_key_only() {
        let (one, other) = (under(&[1; 16]), under(&[2; 16]));
        assert_eq!(one.text("Alice@a.example"), under(&[1; 16]).text("alice@a.example"));
        assert_eq!(one.text("a.example."), one.text("a.example"));
        assert_ne!(one.text("alice"), one.text("bob"));
        assert_ne!(one.text("alice"), other.text("alice"));
        let address: IpAddr = "192.0.2.7".parse().unwrap();
        let mapped: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
        assert_eq!(one.address(address), one.address(mapped));
        assert_ne!(one.address(address), other.address(address));
        assert_eq!(one.entity("192.0.2.7"), one.address(address).to_string());
    }

    #[test]
    fn pseudonyms_are_nobodys_addresses() {
        let reserved: IpNet = "2001:db8::/32".parse().unwrap();
        let pseudonyms = under(&[7; 40]);
        for address in ["192.0.2.7", "2001:4860::1", "::1"] {
            let address: IpAddr = address.parse().unwrap();
            assert!(reserved.contains(&pseudonyms.address(address)));
        }
        assert!(reserved.contains(&pseudonyms.network("192.0.2.0/24".parse().unwrap())));
    }

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(Pseudonyms::new(&[0; 15]).unwrap_err(), ShortKey(15));
        assert!(!format!("{:?}", under(b"0123456789abcdef")).contains("0123"));
    }
}
