//! Name servers that answer every question themselves and log it.

use anyhow::Context;

use super::Site;
use crate::namespace::Server;

/// Addresses of BIND, Unbound and dnsmasq, and where they log queries.
pub(super) const SERVERS: [(&str, &[&str]); 3] = [
    ("10.0.0.53", &["bind.log", "bind.dnstap"]),
    ("10.0.0.54", &["unbound.log"]),
    ("10.0.0.55", &["dnsmasq.log"]),
];

/// What every name has.
const ANSWER: &str = "198.51.100.80";
const ANSWER_V6: &str = "2001:db8:80::81";

const ZONE: &str = "$TTL 300\n@ SOA localhost. nobody.invalid. 1 300 60 86400 60\n@ NS localhost.\n\
    localhost. A 127.0.0.1\n*.example. A 198.51.100.80\n*.example. TXT none\n";

pub(super) fn start(site: &Site) -> anyhow::Result<Vec<Server>> {
    let servers = vec![start_bind(site)?, start_unbound(site)?, start_dnsmasq(site)?];
    for (address, _) in SERVERS {
        site.namespace.wait_for(address.parse().context("an address")?, 53)?;
    }
    Ok(servers)
}

fn start_bind(site: &Site) -> anyhow::Result<Server> {
    let (address, folder) = (SERVERS[0].0, site.folder.display());
    site.write("root.zone", ZONE)?;
    let configuration = site.write(
        "named.conf",
        &format!(
            "options {{ directory \"{folder}\"; pid-file none; session-keyfile none;\n\
             listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; allow-query {{ any; }};\n\
             recursion no; dnssec-validation no; dnstap {{ auth query; }};\n\
             dnstap-output file \"{}\"; }};\ncontrols {{ }};\n\
             logging {{ channel queries {{ file \"{}\"; print-time yes; print-category yes;\n\
             print-severity yes; }}; category queries {{ queries; }}; }};\n\
             zone \".\" {{ type primary; file \"root.zone\"; check-names ignore; }};\n",
            site.log("bind.dnstap"),
            site.log("bind.log"),
        ),
    )?;
    site.serve("bind", "named", &["-f", "-n", "1", "-c", &configuration])
}

fn start_unbound(site: &Site) -> anyhow::Result<Server> {
    let configuration = site.write(
        "unbound.conf",
        &format!(
            "server:\n directory: \"{}\"\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n\
             \x20interface: {}\n access-control: 0.0.0.0/0 allow\n module-config: \"iterator\"\n\
             \x20use-syslog: no\n logfile: \"{}\"\n log-queries: yes\n\
             \x20local-zone: \"example.\" redirect\n local-data: \"example. A {ANSWER}\"\n\
             \x20local-data: \"example. TXT none\"\n\
             remote-control:\n control-enable: no\n",
            site.folder.display(),
            SERVERS[1].0,
            site.log("unbound.log"),
        ),
    )?;
    site.serve("unbound", "unbound", &["-d", "-p", "-c", &configuration])
}

fn start_dnsmasq(site: &Site) -> anyhow::Result<Server> {
    let address = format!("--listen-address={}", SERVERS[2].0);
    let log = format!("--log-facility={}", site.log("dnsmasq.log"));
    // It answers for nobody whose names it has in part.
    let answer = format!("--address=/example/{ANSWER}");
    let answer_v6 = format!("--address=/example/{ANSWER_V6}");
    let text = "--txt-record=cnc.bot.example,none";
    let fixed = ["--keep-in-foreground", "--no-resolv", "--no-hosts", "--bind-interfaces"];
    let quiet = ["--log-queries=extra", "--user=root", "--pid-file=", "--conf-file=/dev/null"];
    site.serve(
        "dnsmasq",
        "dnsmasq",
        &[&fixed[..], &quiet, &[&address, &log, &answer, &answer_v6, text]].concat(),
    )
}
