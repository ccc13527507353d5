//! What BIRD 2 includes: tables `miyaburi_flow4` and `miyaburi_flow6`, which sessions with routers
//! export, and blackholes in the tables of all routes.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ipnet::IpNet;

use super::rule::{Action, Route, Rule};

/// Upper half of the extended communities of actions (RFC 8955, section 7).
const TRAFFIC_RATE: u32 = 0x8006_0000;
const TRAFFIC_ACTION: u32 = 0x8007_0000;

/// The bit that asks for samples (RFC 8955, section 7.3).
const SAMPLE: u32 = 2;

pub(super) fn write(writer: &mut dyn Write, routes: &BTreeSet<Route>) -> io::Result<()> {
    for (family, is_v6) in [("flow4", false), ("flow6", true)] {
        writeln!(writer, "{family} table miyaburi_{family};")?;
        writeln!(writer, "protocol static miyaburi_{family}_routes {{")?;
        writeln!(writer, "\t{family} {{ table miyaburi_{family}; }};")?;
        for route in routes {
            match route {
                Route::Flow(rule) if rule.is_v6() == is_v6 => {
                    writeln!(writer, "\troute {family} {}", flow(rule))?;
                }
                Route::Flow(_) | Route::Blackhole(_) => {}
            }
        }
        writeln!(writer, "}}")?;
    }
    for (family, is_v6) in [("ipv4", false), ("ipv6", true)] {
        writeln!(writer, "protocol static miyaburi_{family}_blackholes {{\n\t{family};")?;
        for route in routes {
            match route {
                Route::Blackhole(address) if address.is_ipv6() == is_v6 => {
                    // Blackhole and no-export (RFC 7999, section 3.2).
                    let communities =
                        "bgp_community.add((65535, 666)); bgp_community.add((65535, 65281));";
                    let prefix = IpNet::from(*address);
                    writeln!(writer, "\troute {prefix} blackhole {{ {communities} }};")?;
                }
                Route::Flow(_) | Route::Blackhole(_) => {}
            }
        }
        writeln!(writer, "}}")?;
    }
    Ok(())
}

fn flow(rule: &Rule) -> String {
    let Rule { destination, protocol, port, action } = rule;
    let header = if rule.is_v6() { "next header" } else { "proto" };
    let port = port.map(|port| format!(" dport = {port};")).unwrap_or_default();
    // A rate is a number in the form of IEEE 754, zero of them discards.
    let community = match action {
        Action::Accept => None,
        Action::Sample => Some((TRAFFIC_ACTION, SAMPLE)),
        Action::Limit(rate) => Some((TRAFFIC_RATE, (f64::from(*rate) as f32).to_bits())),
        Action::Discard => Some((TRAFFIC_RATE, 0)),
    };
    let community = community.map(|(kind, value)| {
        format!(" {{ bgp_ext_community.add((generic, {kind:#x}, {value:#x})); }}")
    });
    let community = community.unwrap_or_default();
    format!("{{ dst {destination}; {header} = {protocol};{port} }}{community};")
}
