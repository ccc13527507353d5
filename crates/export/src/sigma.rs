//! Sigma rules for logs of resolvers, proxies and firewalls.
//!
//! Field names are those of Sigma's taxonomy; `query` is that of its rules for `category: dns`, and the
//! user's pipeline translates them. Names stand for themselves alone. An address with a known port is
//! looked for with that port, by the firewall's log alone; one without at any. Rules say that
//! something was seen, not that it was blocked: stages make no difference to them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use core::net::IpAddr;

use crate::indicators::Host;
use crate::list::{BlockList, ExportError, Folder, VERSION, Written, file};
use crate::rules::{Condition, Conditions};

/// File of the rules, one YAML document each.
pub const FILE: &str = "miyaburi.sigma.yml";

/// What the rules share.
struct Rule {
    /// Chosen once; a rule keeps its identifier from export to export.
    id: &'static str,
    title: &'static str,
    category: &'static str,
    /// What else matches.
    mistakes: &'static str,
}

const DNS: Rule = Rule {
    id: "6d2c4b0e-0f64-4c8e-9a53-3b1d8f0c7a11",
    title: "DNS Query For A Mirai C2",
    category: "dns",
    mistakes: "People who look at the name, and their tools",
};

const PROXY: Rule = Rule {
    id: "6d2c4b0e-0f64-4c8e-9a53-3b1d8f0c7a12",
    title: "Request To A Mirai C2",
    category: "proxy",
    mistakes: "Sites that share the name or address with it",
};

const FIREWALL: Rule = Rule {
    id: "6d2c4b0e-0f64-4c8e-9a53-3b1d8f0c7a13",
    title: "Connection To A Mirai C2",
    category: "firewall",
    mistakes: "Whoever has the address after it; sites that share it",
};

/// What rules look for.
#[derive(Default)]
struct Hosts<'a> {
    names: BTreeSet<&'a str>,
    /// Addresses at any port.
    whole: BTreeSet<IpAddr>,
    with_port: BTreeMap<u16, BTreeSet<IpAddr>>,
}

/// What the rules look for, in the logs that they are for.
#[must_use]
pub fn conditions(list: &BlockList) -> Conditions {
    let mut told = BTreeSet::new();
    for block in &list.blocks {
        match &block.indicator.host {
            Host::Name(name) => {
                told.extend([Condition::Query(name.clone()), Condition::Request(name.clone())]);
            }
            Host::Address(address) => {
                let (destination, port) = ((*address).into(), block.indicator.port);
                told.insert(Condition::Flow { destination, protocol: None, port });
            }
        }
    }
    Conditions { told: told.into_iter().collect(), untold: 0 }
}

/// Writes a rule for each kind of log that can show one of the hosts.
///
/// # Errors
/// When the file cannot be written.
pub fn write(list: &BlockList, folder: &mut dyn Folder) -> Result<Written, ExportError> {
    let mut hosts = Hosts::default();
    for block in &list.blocks {
        match (&block.indicator.host, block.indicator.port) {
            (Host::Name(name), _) => drop(hosts.names.insert(name.as_str())),
            (Host::Address(address), None) => drop(hosts.whole.insert(*address)),
            (Host::Address(address), Some(port)) => {
                hosts.with_port.entry(port).or_default().insert(*address);
            }
        }
    }
    file(folder, FILE, |writer| write_rules(writer, list, &hosts))?;
    let with_port: usize = hosts.with_port.values().map(BTreeSet::len).sum();
    Ok(Written { entries: hosts.names.len() + hosts.whole.len() + with_port, left_out: 0 })
}

fn write_rules(writer: &mut dyn Write, list: &BlockList, hosts: &Hosts<'_>) -> io::Result<()> {
    for line in list.head() {
        writeln!(writer, "# {line}")?;
    }
    let Hosts { names, whole, with_port } = hosts;
    if !names.is_empty() {
        begin(writer, list, &DNS)?;
        selection(writer, "names", None, "query", names)?;
        end(writer, &DNS)?;
    }
    if !names.is_empty() || !whole.is_empty() {
        begin(writer, list, &PROXY)?;
        selection(writer, "names", None, "cs-host", names)?;
        selection(writer, "addresses", None, "dst_ip", whole)?;
        end(writer, &PROXY)?;
    }
    if !whole.is_empty() || !with_port.is_empty() {
        begin(writer, list, &FIREWALL)?;
        selection(writer, "addresses", None, "dst_ip", whole)?;
        for (port, addresses) in with_port {
            selection(writer, &format!("port_{port}"), Some(*port), "dst_ip", addresses)?;
        }
        end(writer, &FIREWALL)?;
    }
    Ok(())
}

fn begin(writer: &mut dyn Write, list: &BlockList, rule: &Rule) -> io::Result<()> {
    let Rule { id, title, category, .. } = rule;
    let now = list.stamp.now.to_string();
    let date = now.get(..10).unwrap_or(&now);
    let digest = &list.stamp.input_sha256;
    writeln!(writer, "---\ntitle: {title}\nid: {id}\nstatus: experimental")?;
    writeln!(writer, "description: Hosts of reports with SHA-256 {digest}")?;
    writeln!(writer, "author: miyaburi {VERSION}\ndate: {date}\nmodified: {date}")?;
    writeln!(writer, "tags:\n    - attack.command-and-control")?;
    writeln!(writer, "logsource:\n    category: {category}\ndetection:")
}

/// A selection, nothing without values. Hosts have no character that YAML or Sigma reads in quotes.
fn selection<T: std::fmt::Display>(
    writer: &mut dyn Write,
    name: &str,
    port: Option<u16>,
    field: &str,
    values: &BTreeSet<T>,
) -> io::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    writeln!(writer, "    selection_{name}:")?;
    if let Some(port) = port {
        writeln!(writer, "        dst_port: {port}")?;
    }
    writeln!(writer, "        {field}:")?;
    values.iter().try_for_each(|value| writeln!(writer, "            - '{value}'"))
}

fn end(writer: &mut dyn Write, rule: &Rule) -> io::Result<()> {
    let Rule { mistakes, .. } = rule;
    writeln!(writer, "    condition: 1 of selection_*")?;
    writeln!(writer, "falsepositives:\n    - {mistakes}\nlevel: high")
}
