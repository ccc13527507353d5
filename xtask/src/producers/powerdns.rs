//! PowerDNS' Authoritative Server and its Recursor, which log queries through syslog.

use anyhow::Context;

use super::{Site, daemons::serve, script::SYSLOGS};
use crate::namespace::Server;

/// Their addresses, and where they log queries.
pub(super) const SERVERS: [(&str, &[&str]); 2] = [("10.0.0.56", &SYSLOGS), ("10.0.0.57", &SYSLOGS)];

const ZONE: &str = "$TTL 300\n@ SOA localhost. nobody.invalid. 1 300 60 86400 60\n@ NS localhost.\n\
    * A 198.51.100.80\n* TXT none\n";

/// Neither asks the world for news of itself.
const QUIET: [&str; 3] = ["--daemon=no", "--write-pid=no", "--security-poll-suffix="];

pub(super) fn start(site: &Site) -> anyhow::Result<Vec<Server>> {
    let folder = site.make("powerdns")?;
    let zone = site.write("powerdns/example.zone", ZONE)?;
    let servers =
        vec![start_authoritative(site, &folder, &zone)?, start_recursor(site, &folder, &zone)?];
    for (address, _) in SERVERS {
        site.namespace.wait_for(address.parse().context("an address")?, 53)?;
    }
    Ok(servers)
}

fn start_authoritative(site: &Site, folder: &str, zone: &str) -> anyhow::Result<Server> {
    let zone = format!("zone \"example\" {{ type master; file \"{zone}\"; }};\n");
    let zones = format!("--bind-config={}", site.write("powerdns/zones", &zone)?);
    let [folder, sockets] = ["config", "socket"].map(|it| format!("--{it}-dir={folder}"));
    let address = format!("--local-address={}", SERVERS[0].0);
    let own = ["--guardian=no", "--launch=bind", "--log-dns-queries=yes", "--loglevel=6"];
    let arguments = [&QUIET[..], &own, &[&folder, &sockets, &address, &zones]].concat();
    serve(site, "pdns", "pdns_server", &arguments)
}

fn start_recursor(site: &Site, folder: &str, zone: &str) -> anyhow::Result<Server> {
    let zone = format!("--auth-zones=example={zone}");
    let [folder, sockets] = ["config", "socket"].map(|it| format!("--{it}-dir={folder}"));
    let address = format!("--local-address={}", SERVERS[1].0);
    let own = ["--quiet=no", "--threads=1", "--hint-file=no"];
    let arguments = [&QUIET[..], &own, &[&folder, &sockets, &address, &zone]].concat();
    serve(site, "recursor", "pdns_recursor", &arguments)
}
