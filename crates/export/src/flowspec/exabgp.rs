//! What belongs into a `neighbor` of ExaBGP 4, and commands that a process of its writes to it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use core::net::IpAddr;
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
            writeln!(writer, "\troute {};", blackhole(*address))?;
        }
    }
    writeln!(writer, "}}")
}

/// Withdraws the routes, one command a line.
pub(super) fn withdraw(writer: &mut dyn Write, routes: &BTreeSet<Route>) -> io::Result<()> {
    routes.iter().try_for_each(|route| match route {
        Route::Flow(rule) => writeln!(writer, "withdraw flow route {{ {} }}", conditions(rule)),
        Route::Blackhole(address) => writeln!(writer, "withdraw route {}", blackhole(*address)),
    })
}

fn blackhole(address: IpAddr) -> String {
    let (prefix, next) = (IpNet::from(address), discard(address));
    // Blackhole and no-export (RFC 7999, section 3.2).
    format!("{prefix} next-hop {next} community [ 65535:666 65535:65281 ]")
}

fn flow(rule: &Rule) -> String {
    let Rule { destination, protocol, port, .. } = rule;
    let port_in_name = port.map(|port| format!("-{port}")).unwrap_or_default();
    let name = format!("to-{}-{protocol}{port_in_name}", destination.to_string().replace('/', "-"));
    format!("route {name} {{ {} }}", conditions(rule))
}

fn conditions(rule: &Rule) -> String {
    let Rule { destination, protocol, port, action } = rule;
    let header = if rule.is_v6() { "next-header" } else { "protocol" };
    let port = port.map(|port| format!(" destination-port ={port};")).unwrap_or_default();
    let action = match action {
        Action::Accept => "accept;".to_owned(),
        Action::Sample => "action sample;".to_owned(),
        Action::Limit(rate) => format!("rate-limit {rate};"),
        Action::Discard => "discard;".to_owned(),
    };
    format!(
        "match {{ destination {destination}; {header} ={protocol};{port} }} then {{ {action} }}"
    )
}
