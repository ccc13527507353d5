//! Scripts of commands for GoBGP 3.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ipnet::IpNet;

use super::rule::{Action, Route, Rule, discard};

/// `add` announces the routes, `del` withdraws them.
pub(super) fn write(writer: &mut dyn Write, routes: &BTreeSet<Route>) -> io::Result<()> {
    writeln!(writer, "# add announces the routes, del withdraws them")?;
    writeln!(writer, "set -eu\nverb=${{1:?add or del}}")?;
    routes.iter().try_for_each(|it| writeln!(writer, "gobgp global rib \"$verb\" {}", route(it)))
}

/// Withdraws the routes; one that is not there is no error to GoBGP.
pub(super) fn withdraw(writer: &mut dyn Write, routes: &BTreeSet<Route>) -> io::Result<()> {
    writeln!(writer, "set -eu")?;
    routes.iter().try_for_each(|it| writeln!(writer, "gobgp global rib del {}", route(it)))
}

fn route(route: &Route) -> String {
    match route {
        Route::Flow(rule) => flow(rule),
        Route::Blackhole(address) => {
            let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
            // Blackhole and no-export (RFC 7999, section 3.2).
            format!(
                "-a {family} {} nexthop {} community 65535:666,65535:65281",
                IpNet::from(*address),
                discard(*address)
            )
        }
    }
}

fn flow(rule: &Rule) -> String {
    let Rule { destination, protocol, port, action } = rule;
    let family = if rule.is_v6() { "ipv6-flowspec" } else { "ipv4-flowspec" };
    let port = port.map(|port| format!(" destination-port '=={port}'")).unwrap_or_default();
    let action = match action {
        Action::Accept => "accept".to_owned(),
        Action::Sample => "action sample".to_owned(),
        Action::Limit(rate) => format!("rate-limit {rate}"),
        Action::Discard => "discard".to_owned(),
    };
    format!(
        "-a {family} match destination {destination} protocol '=={protocol}'{port} then {action}"
    )
}
