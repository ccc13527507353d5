//! What the truth of the specimens says must be refused, and what must not.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, ensure};
use core::net::IpAddr;
use serde_json::Value as Json;

/// Hosts of the specimens. A host that is a C2 in one file and something else in another is a C2.
#[derive(Clone, Debug, Default)]
pub(super) struct Truth {
    pub(super) bad_names: BTreeSet<String>,
    pub(super) good_names: BTreeSet<String>,
    pub(super) bad_addresses: BTreeSet<(IpAddr, u16)>,
    pub(super) good_addresses: BTreeSet<(IpAddr, u16)>,
}

impl Truth {
    /// Reads a truth file. Besides the other hosts of the specimens, what lies above, below and
    /// next to the C2s must not be refused.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        let mut truth = Self::default();
        for line in text.lines() {
            let line: Json = serde_json::from_str(line)?;
            for endpoint in line["endpoints"].as_array().into_iter().flatten() {
                truth.add(endpoint).with_context(|| endpoint.to_string())?;
            }
        }
        truth.add_neighbours();
        let Self { bad_names, good_names, bad_addresses, good_addresses } = &truth;
        ensure!(!bad_names.is_empty() && !bad_addresses.is_empty(), "no C2s in the truth");
        ensure!(!good_names.is_empty() && !good_addresses.is_empty(), "nothing else in the truth");
        Ok(truth)
    }

    fn add(&mut self, endpoint: &Json) -> anyhow::Result<()> {
        let host = endpoint["host"].as_str().context("no host")?;
        let is_bad = endpoint["role"] == "c2";
        let Ok(address) = host.parse::<IpAddr>() else {
            let names = if is_bad { &mut self.bad_names } else { &mut self.good_names };
            names.insert(host.to_owned());
            return Ok(());
        };
        let port = endpoint["port"].as_u64().context("no port")?;
        let place = (address, u16::try_from(port)?);
        let known = if is_bad { &mut self.bad_addresses } else { &mut self.good_addresses };
        known.insert(place);
        Ok(())
    }

    fn add_neighbours(&mut self) {
        for name in &self.bad_names {
            self.good_names.insert(format!("below.{name}"));
            self.good_names.extend(name.split_once('.').map(|(_, above)| above.to_owned()));
        }
        for (address, port) in &self.bad_addresses {
            self.good_addresses.insert((*address, port ^ 1));
        }
        self.good_names = &self.good_names - &self.bad_names;
        self.good_addresses = &self.good_addresses - &self.bad_addresses;
    }

    /// The truth where this name and this address are no longer refused.
    pub(super) fn without(&self, name: &str, address: IpAddr) -> Self {
        let mut truth = self.clone();
        let names = truth.bad_names.extract_if(.., |it| it == name);
        truth.good_names.extend(names);
        let addresses = truth.bad_addresses.extract_if(.., |(it, _)| *it == address);
        truth.good_addresses.extend(addresses);
        truth
    }

    /// Addresses whose host is a C2 at any port.
    pub(super) fn bad_hosts(&self) -> BTreeSet<IpAddr> {
        self.bad_addresses.iter().map(|(address, _)| *address).collect()
    }

    /// Addresses whose host is none.
    pub(super) fn good_hosts(&self) -> BTreeSet<IpAddr> {
        let hosts: BTreeSet<IpAddr> = self.good_addresses.iter().map(|(it, _)| *it).collect();
        &hosts - &self.bad_hosts()
    }
}
