//! Rules for Suricata 7: one for all names, one for all addresses, and one for every signature of
//! observed traffic.
//!
//! Names and addresses are datasets, which Suricata looks up in constant time, so that their number
//! costs no speed. A name is one that is asked for in DNS, for itself alone; an address is one at any
//! port, since datasets of addresses have none. Datasets do not expire: a later export withdraws.
//! Signatures hold bytes and numbers alone, written as hexadecimal digits. A tunnel of GRE like that
//! of an attack is as others build theirs, so no rule is made of it.
//!
//! The number of a rule follows from what it matches, and stays with it from export to export; in
//! `reports`, `sample` and `address` its metadata say what it rests on.

mod rule;

use std::collections::BTreeSet;
use std::io::{self, Write};

use data_encoding::BASE64;

use crate::indicators::Host;
use crate::list::{BlockList, ExportError, Folder, Written, file};
use crate::rules::{Condition, Conditions};
use crate::traffic::Traffic;
use rule::{Numbers, Rule};

/// File of the rules.
pub const RULES: &str = "miyaburi.rules";
/// File of the names, each in base64 as datasets of texts are.
pub const NAMES: &str = "miyaburi-names.lst";
/// File of the addresses.
pub const ADDRESSES: &str = "miyaburi-addresses.lst";

/// Writes the rules and their datasets, which belong into the directory of the rules.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    list: &BlockList,
    traffic: &Traffic,
    folder: &mut dyn Folder,
) -> Result<Written, ExportError> {
    let hosts: BTreeSet<&Host> = list.blocks.iter().map(|block| &block.indicator.host).collect();
    let count = hosts.len();
    let (names, addresses): (Vec<&Host>, Vec<&Host>) =
        hosts.into_iter().partition(|host| host.name().is_some());
    file(folder, NAMES, |writer| {
        let lines = names.iter().map(|host| BASE64.encode(host.to_string().as_bytes()));
        write_lines(writer, lines)
    })?;
    file(folder, ADDRESSES, |writer| write_lines(writer, addresses.iter()))?;

    let datasets = [Rule::names(names.len()), Rule::addresses(addresses.len())];
    let signatures = traffic.signatures().iter().map(|(it, senders)| Rule::signature(it, senders));
    let rules: Vec<Rule<'_>> = datasets.into_iter().flatten().chain(signatures).collect();
    file(folder, RULES, |writer| {
        for line in list.head() {
            writeln!(writer, "# {line}")?;
        }
        if let Some(expiry) = list.blocks.iter().map(|block| block.expires).min() {
            writeln!(
                writer,
                "# datasets do not expire by themselves; the first entry does {expiry}"
            )?;
        }
        let mut numbers = Numbers::default();
        rules.iter().try_for_each(|rule| {
            writeln!(writer, "{}", rule.text(list.stage, &mut numbers, list.stamp.now))
        })
    })?;
    Ok(Written { entries: count + traffic.signatures().len(), left_out: 0 })
}

/// What the datasets look for. Rules for what attacks send look into packets.
#[must_use]
pub fn conditions(list: &BlockList, traffic: &Traffic) -> Conditions {
    let hosts: BTreeSet<&Host> = list.blocks.iter().map(|block| &block.indicator.host).collect();
    let told = hosts.into_iter().map(|host| match host {
        Host::Name(name) => Condition::Query(name.clone()),
        Host::Address(address) => Condition::Packet(*address),
    });
    Conditions { told: told.collect(), untold: traffic.signatures().len() }
}

fn write_lines(
    writer: &mut dyn Write,
    mut lines: impl Iterator<Item = impl std::fmt::Display>,
) -> io::Result<()> {
    lines.try_for_each(|line| writeln!(writer, "{line}"))
}
