//! A script for nftables: a table with sets of addresses, transports and ports.
//!
//! Loading it replaces the table as a whole (`nft -f`). Elements carry their own time-out and
//! counter. A program's transport that is not known stands for TCP and UDP, a port that is not
//! known for all. Names cannot be matched by it and are left out.

use std::collections::BTreeMap;
use std::io::{self, Write};

use core::net::IpAddr;

use miyaburi_model::Protocol;

use crate::indicators::{Host, Indicator, Timestamp, protocol_name};
use crate::list::{BlockList, ExportError, Folder, Stage, Written, file};
use crate::rules::{Condition, Conditions, protocol_number};

/// File of the script.
pub const FILE: &str = "miyaburi.nft";

/// File of the script that takes elements out of the loaded table, which keeps its counters.
pub const WITHDRAW: &str = "miyaburi.withdraw.nft";

/// The longest time-out of an element in seconds, three years: nft reads no more than eight digits.
const MAX_TIMEOUT: u64 = 99_999_999;

/// Sets of one address family.
struct Family {
    /// Word in the names of sets.
    name: &'static str,
    /// Type of an address.
    element: &'static str,
    /// Expression of the destination.
    destination: &'static str,
}

const V4: Family = Family { name: "v4", element: "ipv4_addr", destination: "ip daddr" };
const V6: Family = Family { name: "v6", element: "ipv6_addr", destination: "ip6 daddr" };

/// Elements with the time at which the last indicator behind them expires.
#[derive(Default)]
struct Elements {
    with_port: BTreeMap<(IpAddr, Protocol, u16), Timestamp>,
    whole: BTreeMap<IpAddr, Timestamp>,
}

impl Elements {
    fn len(&self) -> usize {
        self.with_port.len() + self.whole.len()
    }
}

/// Writes the script.
///
/// # Errors
/// When the file cannot be written.
pub fn write(list: &BlockList, folder: &mut dyn Folder) -> Result<Written, ExportError> {
    let of_list = list.blocks.iter().map(|block| (&block.indicator, block.expires));
    let (v4, v6, names) = elements(of_list);
    if list.withdrawn.is_some() {
        let withdrawn = list.to_withdraw().map(|it| (&it.indicator, it.in_force.until));
        let (old_v4, old_v6, _) = elements(withdrawn);
        file(folder, WITHDRAW, |writer| {
            for (family, old, elements) in [(V4, &old_v4, &v4), (V6, &old_v6, &v6)] {
                write_withdrawals(writer, &family, old, elements)?;
            }
            Ok(())
        })?;
    } else {
        folder.remove(WITHDRAW);
    }
    file(folder, FILE, |writer| {
        for line in list.head() {
            writeln!(writer, "# {line}")?;
        }
        writeln!(writer, "# {names} names left out: sets hold addresses")?;
        // The first line makes the second valid where there is no such table yet.
        writeln!(writer, "table inet miyaburi\ndelete table inet miyaburi\n")?;
        writeln!(writer, "table inet miyaburi {{")?;
        for (family, elements) in [(V4, &v4), (V6, &v6)] {
            write_sets(writer, &family, elements, list.stamp.now)?;
        }
        write_chains(writer, list.stage)?;
        writeln!(writer, "}}")
    })?;
    Ok(Written { entries: v4.len() + v6.len(), left_out: names })
}

/// What its sets look for; names are none of it.
#[must_use]
pub fn conditions(list: &BlockList) -> Conditions {
    let of_list = list.blocks.iter().map(|block| (&block.indicator, block.expires));
    let (v4, v6, _) = elements(of_list);
    let mut told = Vec::new();
    for Elements { with_port, whole } in [v4, v6] {
        told.extend(with_port.into_keys().map(|(address, protocol, port)| Condition::Flow {
            destination: address.into(),
            protocol: Some(protocol_number(protocol)),
            port: Some(port),
        }));
        told.extend(whole.into_keys().map(|address| Condition::Flow {
            destination: address.into(),
            protocol: None,
            port: None,
        }));
    }
    Conditions { told, untold: 0 }
}

/// Elements of both families, and how many indicators are names.
fn elements<'a>(
    indicators: impl Iterator<Item = (&'a Indicator, Timestamp)>,
) -> (Elements, Elements, usize) {
    let (mut v4, mut v6, mut names) = (Elements::default(), Elements::default(), 0);
    for (indicator, expires) in indicators {
        let Host::Address(address) = indicator.host else {
            names += 1;
            continue;
        };
        let elements = if address.is_ipv4() { &mut v4 } else { &mut v6 };
        let Some(port) = indicator.port else {
            later(elements.whole.entry(address).or_insert(expires), expires);
            continue;
        };
        let known = indicator.protocol;
        let protocols = [Protocol::Tcp, Protocol::Udp];
        for protocol in protocols.into_iter().filter(|one| known.is_none_or(|it| it == *one)) {
            let key = (address, protocol, port);
            later(elements.with_port.entry(key).or_insert(expires), expires);
        }
    }
    (v4, v6, names)
}

fn later(known: &mut Timestamp, new: Timestamp) {
    *known = new.max(*known);
}

fn write_sets(
    writer: &mut dyn Write,
    family: &Family,
    elements: &Elements,
    now: Timestamp,
) -> io::Result<()> {
    let Family { name, element, .. } = family;
    begin_set(writer, &format!("{name}_port"), &format!("{element} . inet_proto . inet_service"))?;
    let with_port = elements.with_port.iter().map(|((address, protocol, port), expires)| {
        (format!("{address} . {} . {port}", protocol_name(*protocol)), *expires)
    });
    end_set(writer, with_port, now)?;
    begin_set(writer, &format!("{name}_whole"), element)?;
    let whole = elements.whole.iter().map(|(address, expires)| (address.to_string(), *expires));
    end_set(writer, whole, now)
}

/// Takes out what is in `old` alone. An element that is not there, or no more, is added first: taking
/// it out would fail the script otherwise.
fn write_withdrawals(
    writer: &mut dyn Write,
    family: &Family,
    old: &Elements,
    new: &Elements,
) -> io::Result<()> {
    let name = family.name;
    let with_port = old.with_port.keys().filter(|key| !new.with_port.contains_key(key));
    let with_port = with_port.map(|(address, protocol, port)| {
        (format!("{name}_port"), format!("{address} . {} . {port}", protocol_name(*protocol)))
    });
    let whole = old.whole.keys().filter(|key| !new.whole.contains_key(key));
    let whole = whole.map(|address| (format!("{name}_whole"), address.to_string()));
    with_port.chain(whole).try_for_each(|(set, element)| {
        for verb in ["add", "delete"] {
            writeln!(writer, "{verb} element inet miyaburi {set} {{ {element} }}")?;
        }
        Ok(())
    })
}

fn begin_set(writer: &mut dyn Write, name: &str, element: &str) -> io::Result<()> {
    writeln!(writer, "\tset {name} {{\n\t\ttype {element}\n\t\tflags timeout\n\t\tcounter")
}

fn end_set(
    writer: &mut dyn Write,
    elements: impl Iterator<Item = (String, Timestamp)>,
    now: Timestamp,
) -> io::Result<()> {
    let mut is_first = true;
    for (element, expires) in elements {
        let timeout = expires.since(now).as_secs().clamp(1, MAX_TIMEOUT);
        let before = if is_first { "\t\telements = {\n" } else { ",\n" };
        write!(writer, "{before}\t\t\t{element} timeout {timeout}s")?;
        is_first = false;
    }
    // An empty list of elements is an error of syntax.
    let end = if is_first { "\t}" } else { "\n\t\t}\n\t}" };
    writeln!(writer, "{end}")
}

/// One chain that judges, called for what this host forwards and what it sends itself.
fn write_chains(writer: &mut dyn Write, stage: Stage) -> io::Result<()> {
    writeln!(writer, "\tchain judge {{")?;
    for Family { name, destination, .. } in [V4, V6] {
        let matches = [
            format!("{destination} . meta l4proto . th dport @{name}_port"),
            format!("{destination} @{name}_whole"),
        ];
        for condition in matches {
            if stage != Stage::Report {
                let log = "limit rate 10/second log prefix \"miyaburi: \"";
                writeln!(writer, "\t\t{condition} {log}")?;
            }
            let verdict = if stage == Stage::Enforce { " drop" } else { "" };
            writeln!(writer, "\t\t{condition} counter{verdict}")?;
        }
    }
    writeln!(writer, "\t}}")?;
    for hook in ["forward", "output"] {
        writeln!(
            writer,
            "\tchain {hook} {{\n\t\ttype filter hook {hook} priority filter; policy accept;\n\
             \t\tjump judge\n\t}}"
        )?;
    }
    Ok(())
}
