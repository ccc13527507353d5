//! What watches the network: tcpdump and the packet filter, and what reads the capture afterwards: softflowd,
//! which sends flows in three versions, nfdump and Suricata.
//!
//! Flows that softflowd makes of a capture are of the time at which it sends them.

use std::{fs, path::Path};

use anyhow::Context;

use super::{Site, script::FLOW_LOGS};
use crate::{
    namespace::{Server, wait_for_text},
    toolchain::process,
};

/// Versions of flows, and the ports of their collectors by habit.
const EXPORTS: [(&str, u16); 3] = [("5", 2055), ("9", 9996), ("10", 4739)];

/// Connections to a port are logged and refused, so that nobody tries twice.
const RULES: &str = "table inet producers {\n chain input {\n  type filter hook input priority 0\n\
    \x20 tcp dport 23 log prefix \"telnet \" group 5 reject with tcp reset\n }\n}\n";

pub(super) fn start(site: &Site) -> anyhow::Result<Vec<Server>> {
    let rules = site.write("rules.nft", RULES)?;
    process::run(site.command("nft").args(["--file", &rules]))?;
    Ok(vec![start_ulogd(site)?, start_tcpdump(site, "capture.pcap", "not net 127.0.0.0/8")?])
}

fn start_tcpdump(site: &Site, log: &str, filter: &str) -> anyhow::Result<Server> {
    let path = site.log(log);
    // As root it may write there.
    let options = ["-i", "lo", "-U", "--immediate-mode", "-Z", "root", "-w", &path, filter];
    let server = site.serve(log, "tcpdump", &options)?;
    wait_for_text(&site.folder.join(format!("{log}.out")), "listening on")?;
    Ok(server)
}

fn start_ulogd(site: &Site) -> anyhow::Result<Server> {
    let own = site.folder.join("ulogd.own.log");
    let configuration = site.write(
        "ulogd.conf",
        &format!(
            "[global]\nlogfile=\"{}\"\n\
             stack=log1:NFLOG,base1:BASE,ifi1:IFINDEX,ip2str1:IP2STR,print1:PRINTPKT,emu1:LOGEMU\n\
             [log1]\ngroup=5\n[emu1]\nfile=\"{}\"\nsync=1\n",
            own.display(),
            site.log("firewall.log")
        ),
    )?;
    let server = site.serve("ulogd", "ulogd", &["--configfile", &configuration])?;
    wait_for_text(&own, "building new pluginstance stack")?;
    Ok(server)
}

/// What is made of the capture afterwards.
pub(super) fn read(site: &Site) -> anyhow::Result<()> {
    let capture = site.log("capture.pcap");
    for ((version, port), (log, _)) in EXPORTS.iter().zip(FLOW_LOGS) {
        let tcpdump = start_tcpdump(site, log, &format!("udp port {port}"))?;
        let to = format!("127.0.0.1:{port}");
        let mut softflowd = site.command("softflowd");
        process::run(softflowd.args(["-d", "-r", &capture, "-v", version, "-n", &to]))?;
        tcpdump.end()?;
    }
    let flows = site.make("flows")?;
    process::run(site.command("nfpcapd").args(["-r", &capture, "-l", &flows]))?;
    let table = process::run(site.command("nfdump").args(["-R", &flows, "-o", "csv"]))?;
    fs::write(site.log("nfdump.csv"), table)?;

    let logs = site.make("suricata")?;
    let rules = site.write("no.rules", "")?;
    let mut suricata = site.command("suricata");
    suricata.args(["-r", &capture, "-k", "none", "--runmode", "single"]);
    process::run(suricata.args(["-S", &rules, "-l", &logs]))?;
    let events = Path::new(&logs).join("eve.json");
    fs::copy(&events, site.log("eve.json")).with_context(|| format!("{}", events.display()))?;
    Ok(())
}
