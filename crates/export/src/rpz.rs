//! A response policy zone: names that get NXDOMAIN, and addresses that no answer may hold.
//!
//! Owner names are relative, so that the zone can have any name of up to [`MAX_ZONE`] characters.
//! A name stands for itself alone: what is below it was not found. A second zone exempts
//! subscribers by their address and belongs before the first one. Zones do not say whether
//! answers are changed or only logged: `rpz.named.conf` and `rpz.unbound.conf` do, by stage.
//!
//! Unbound 1.17 exempts subscribers from the policy for an address only until it has the answer in
//! its cache; BIND does always.

use std::collections::BTreeSet;
use std::io::{self, Write};

use core::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use crate::indicators::{DomainName, Host};
use crate::list::{BlockList, ExportError, Folder, Stage, Written, file};
use crate::rules::{Condition, Conditions};

/// File of the zone.
pub const ZONE: &str = "rpz.zone";
/// File of the zone of exempted subscribers.
pub const OPT_OUT: &str = "rpz-optout.zone";
/// Lines for the configuration of BIND.
pub const BIND: &str = "rpz.named.conf";
/// Lines for the configuration of Unbound.
pub const UNBOUND: &str = "rpz.unbound.conf";

/// Characters left for the name of the zone: longer names in it are left out.
pub const MAX_ZONE: usize = 60;

/// Characters of a name with that of its zone (RFC 1035).
const MAX_NAME: usize = 253;

/// The names of the zones in the lines for configurations.
const ZONE_NAME: &str = "rpz.miyaburi.invalid";
const OPT_OUT_NAME: &str = "rpz-optout.miyaburi.invalid";

/// Writes the zone, the zone of exempted `subscribers`, and lines for configurations.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    list: &BlockList,
    subscribers: &[IpNet],
    folder: &mut dyn Folder,
) -> Result<Written, ExportError> {
    let hosts: BTreeSet<&Host> = list.blocks.iter().map(|block| &block.indicator.host).collect();
    let (hosts, too_long): (Vec<&Host>, Vec<&Host>) = hosts.into_iter().partition(|it| fits(it));
    file(folder, ZONE, |writer| {
        begin(writer, list)?;
        writeln!(writer, "; {} names left out: too long with the zone's own", too_long.len())?;
        hosts.iter().try_for_each(|host| match host {
            Host::Name(name) => writeln!(writer, "{name} CNAME ."),
            Host::Address(address) => {
                writeln!(writer, "{}.rpz-ip CNAME .", owner((*address).into()))
            }
        })
    })?;
    file(folder, OPT_OUT, |writer| {
        begin(writer, list)?;
        let exempt: BTreeSet<String> = subscribers.iter().map(|it| owner(*it)).collect();
        exempt.iter().try_for_each(|it| writeln!(writer, "{it}.rpz-client-ip CNAME rpz-passthru."))
    })?;
    file(folder, BIND, |writer| write_bind(writer, list.stage))?;
    file(folder, UNBOUND, |writer| write_unbound(writer, list.stage))?;
    Ok(Written { entries: hosts.len(), left_out: too_long.len() })
}

/// What the zone looks for: names. Addresses in answers are in no log of queries.
#[must_use]
pub fn conditions(list: &BlockList) -> Conditions {
    let hosts: BTreeSet<&Host> = list.blocks.iter().map(|block| &block.indicator.host).collect();
    let hosts: Vec<&Host> = hosts.into_iter().filter(|host| fits(host)).collect();
    let told: Vec<Condition> =
        hosts.iter().filter_map(|it| it.name().cloned()).map(Condition::Query).collect();
    let untold = hosts.len() - told.len();
    Conditions { told, untold }
}

fn fits(host: &Host) -> bool {
    host.name().map_or(0, |name: &DomainName| name.as_str().len()) + 1 + MAX_ZONE <= MAX_NAME
}

/// The records that every zone has.
fn begin(writer: &mut dyn Write, list: &BlockList) -> io::Result<()> {
    for line in list.head() {
        writeln!(writer, "; {line}")?;
    }
    let serial = list.stamp.serial;
    writeln!(writer, "$TTL 300\n@ SOA localhost. hostmaster.invalid. {serial} 300 60 86400 60")?;
    writeln!(writer, "@ NS localhost.")
}

/// A prefix as owner name: its length, then the address from its end.
fn owner(prefix: IpNet) -> String {
    let length = prefix.prefix_len();
    match prefix.network() {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{length}.{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(address) => format!("{length}.{}", words_from_end(address)),
    }
}

/// The words of an address from its end, `zz` for the longest run of at least two zeros, the first
/// of equal ones: BIND takes no other spelling.
fn words_from_end(address: Ipv6Addr) -> String {
    let words = address.segments();
    let zeros_from = |start: usize| words.iter().skip(start).take_while(|it| **it == 0).count();
    let (mut start, mut length) = (0, 0);
    for place in 0..words.len() {
        if zeros_from(place) > length {
            (start, length) = (place, zeros_from(place));
        }
    }
    let mut parts: Vec<String> = words.iter().map(|word| format!("{word:x}")).collect();
    if length > 1 {
        parts.splice(start..start + length, ["zz".to_owned()]);
    }
    parts.reverse();
    parts.join(".")
}

fn write_bind(writer: &mut dyn Write, stage: Stage) -> io::Result<()> {
    let policy = match stage {
        Stage::Report => "policy disabled log no",
        Stage::Log => "policy disabled log yes",
        Stage::Enforce => "policy given log yes",
    };
    writeln!(writer, "// In options {{ }}; exempted subscribers come first.")?;
    writeln!(writer, "response-policy {{")?;
    writeln!(writer, "\tzone \"{OPT_OUT_NAME}\" policy passthru log no;")?;
    writeln!(writer, "\tzone \"{ZONE_NAME}\" {policy};")?;
    writeln!(writer, "}} qname-wait-recurse no min-update-interval 1;")
}

fn write_unbound(writer: &mut dyn Write, stage: Stage) -> io::Result<()> {
    let rules = match stage {
        Stage::Report => "\trpz-action-override: disabled\n",
        Stage::Log => "\trpz-action-override: disabled\n\trpz-log: yes\n",
        Stage::Enforce => "\trpz-log: yes\n",
    };
    writeln!(writer, "# With module-config: \"respip validator iterator\".")?;
    writeln!(writer, "rpz:\n\tname: {OPT_OUT_NAME}\n\tzonefile: {OPT_OUT}")?;
    write!(writer, "rpz:\n\tname: {ZONE_NAME}\n\tzonefile: {ZONE}\n{rules}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn prefixes_become_owner_names_as_bind_spells_them() {
        let cases = [
            ("192.0.2.1/32", "32.1.2.0.192"),
            ("198.51.100.0/24", "24.0.100.51.198"),
            ("2001:db8::1/128", "128.1.zz.db8.2001"),
            ("2001:db8::/32", "32.zz.db8.2001"),
            ("2001:db8:0:1:0:0:0:2/128", "128.2.zz.1.0.db8.2001"),
            ("2001:db8:0:1:1:1:1:2/128", "128.2.1.1.1.1.0.db8.2001"),
        ];
        for (prefix, expected) in cases {
            assert_eq!(owner(prefix.parse().unwrap()), expected);
        }
    }

    #[test]
    fn a_name_that_leaves_no_room_for_the_zone_is_left_out() {
        let name = |length: usize| {
            let labels = "a.".repeat(length / 2 - 2);
            format!("{labels}test").parse::<Host>().unwrap()
        };
        assert!(fits(&name(192)));
        assert!(!fits(&name(194)));
        assert!(fits(&"192.0.2.1".parse().unwrap()));
    }
}
