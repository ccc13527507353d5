//! What belongs into a `neighbor` of ExaBGP 4.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ipnet::IpNet;

use super::rule::{Action, Route, Rule, discard};

pub(super) fn write(writer: &mut dyn Write, routes: &BTreeSet<Route>) -> io::Result<()> {
    writeln!(writer, "flow {{")?;
    for route in routes {
        if let Route::Flow(rule) = route {
            writeln!(writer, "\t{}", flow(rule))?;
        }
    }
    writeln!(writer, "}}\nstatic {{")?;
    for route in routes {
        if let Route::Blackhole(address) = route {
            let (prefix, next) = (IpNet::from(*address), discard(*address));
            // Blackhole and no-export (RFC 7999, section 3.2).
            writeln!(
                writer,
                "\troute {prefix} next-hop {next} community [ 65535:666 65535:65281 ];"
            )?;
        }
    }
    writeln!(writer, "}}")
}

fn flow(rule: &Rule) -> String {
    let Rule { destination, protocol, port, action } = rule;
    let port_in_name = port.map(|port| format!("-{port}")).unwrap_or_default();
    let name = format!("to-{}-{protocol}{port_in_name}", destination.to_string().replace('/', "-"));
    let header = if rule.is_v6() { "next-header" } else { "protocol" };
    let port = port.map(|port| format!(" destination-port ={port};")).unwrap_or_default();
    let action = match action {
        Action::Accept => "accept;".to_owned(),
        Action::Sample => "action sample;".to_owned(),
        Action::Limit(rate) => format!("rate-limit {rate};"),
        Action::Discard => "discard;".to_owned(),
    };
    format!(
        "route {name} {{ match {{ destination {destination}; {header} ={protocol};{port} }} then {{ {action} }} }}"
    )
}
