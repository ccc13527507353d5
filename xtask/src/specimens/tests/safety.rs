//! Nobody's host, address or machine stands in a configuration, and the sources keep their limits.

use std::{fs, net::Ipv4Addr, path::PathBuf};

use crate::{
    specimens::{
        build::source_folder,
        configuration::{Configuration, Host},
        entries::Value,
        header::exploit_body,
        plan,
        values::{DOCUMENTATION_NETWORKS, RESERVED_ENDINGS},
    },
    toolchain::Toolchain,
};

/// Seeds under which every configuration of the plan is looked at.
const SEEDS: [u64; 3] = [1, 2, crate::specimens::COMMITTED_SEED];

fn configurations() -> impl Iterator<Item = Configuration> {
    let plan = plan::all(&Toolchain::all());
    SEEDS.into_iter().flat_map(move |seed| {
        plan.clone()
            .into_iter()
            .filter(|specimen| !specimen.fork.is_lookalike())
            .map(move |specimen| Configuration::generate(specimen.fork, seed, &specimen.label()))
    })
}

pub(super) fn is_documentation(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    DOCUMENTATION_NETWORKS.contains(&[a, b, c])
}

fn is_reserved_host(host: &str) -> bool {
    host.parse().map_or_else(
        |_| RESERVED_ENDINGS.iter().any(|ending| host.ends_with(ending)),
        is_documentation,
    )
}

/// What stands behind `//` in the URLs of a text.
fn hosts_of_urls(text: &str) -> Vec<&str> {
    text.split("//").skip(1).filter_map(|rest| rest.split(['/', ':', '?']).next()).collect()
}

#[test]
fn every_address_is_one_of_rfc_5737_or_3849() {
    for configuration in configurations() {
        for address in [configuration.decoy.0, configuration.reference.0, configuration.resolver] {
            assert!(is_documentation(address), "{address}");
        }
        for host in &configuration.c2.hosts {
            match host {
                Host::Name(name) => assert!(is_reserved_host(name), "{name}"),
                Host::V4(address) => assert!(is_documentation(*address), "{address}"),
                Host::V6(address) => assert_eq!(address.segments()[..2], [0x2001, 0xdb8]),
            }
        }
        if let Some((host, _)) = &configuration.scan_receiver {
            assert!(is_reserved_host(host), "{host}");
        }
        if let Some(reach) = &configuration.reach {
            assert!(is_reserved_host(&reach.asked), "{}", reach.asked);
            assert!(is_reserved_host(&reach.drop_host), "{}", reach.drop_host);
            assert!(reach.peers.iter().all(|(host, _)| is_documentation(*host)));
        }
    }
}

#[test]
fn every_text_names_reserved_hosts_only() {
    for configuration in configurations() {
        for entry in &configuration.entries {
            let Value::Text(text) = &entry.value else { continue };
            for host in hosts_of_urls(text) {
                assert!(is_reserved_host(host), "{text}");
            }
            if entry.name.starts_with("C2_HOST") && !text.contains(':') {
                assert!(is_reserved_host(text), "{text}");
            }
            assert!(text.is_ascii() && text.len() < 512, "{text}");
        }
    }
}

#[test]
fn exploit_requests_hold_a_loader_address_and_no_command() {
    let mut seen = 0;
    for exploit in configurations().filter_map(|configuration| configuration.exploit) {
        let body = exploit_body(&exploit);
        assert!(is_documentation(exploit.loader_host));
        assert_eq!(hosts_of_urls(&exploit.loader), [exploit.loader_host.to_string()]);
        assert_eq!(body, format!("firmware={}", exploit.loader));
        assert!(!body.contains([';', '`', '$', '|', '&', '<', '\n']), "{body}");
        seen += 1;
    }
    assert!(seen > 0);
}

/// The C sources below a folder, with their names.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut files: Vec<(PathBuf, String)> = fs::read_dir(source_folder().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn packets_leave_through_the_bounded_routines_only() {
    for folder in ["bot", "bot/ciphers", "lookalike"] {
        for (path, text) in sources(folder) {
            if path.ends_with("inert.c") {
                continue;
            }
            assert!(!text.contains("sendto("), "{}", path.display());
            assert!(!text.contains("sendmsg("), "{}", path.display());
            assert!(!text.contains("packets_left ="), "{}", path.display());
            // Only the dialogue calls it, on a descriptor that is -1.
            let sends = text.matches(" send(").count();
            assert_eq!(
                sends,
                if path.ends_with("scanner.c") { 2 } else { 0 },
                "{}",
                path.display()
            );
            for line in text.lines().filter(|line| line.contains(" connect(")) {
                // The IPv6 connection counts by itself; a datagram socket's connect sends nothing.
                let counted = line.contains("server_address6") || path.ends_with("util.c");
                assert!(counted, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn nothing_opens_the_gate_and_nothing_starts_or_ends_programs() {
    for folder in ["bot", "bot/ciphers", "lookalike"] {
        for (path, text) in sources(folder) {
            for forbidden in
                ["network_enabled =", "network_enabled|", "execve(", "system(", "kill("]
            {
                assert!(!text.contains(forbidden), "{}: {forbidden}", path.display());
            }
        }
    }
    let gate = fs::read_to_string(source_folder().join("bot/inert.c")).unwrap();
    assert!(gate.contains("volatile int network_enabled;"));
    assert!(gate.contains("volatile int packets_left = 3;"));
}
