//! The flow specifications: GoBGP announces them to BIRD and BIRD to GoBGP, both show exactly those of
//! the C2s and of the victim and none when they are withdrawn; ExaBGP finds no fault in them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use core::net::IpAddr;

use super::truth::Truth;
use crate::{
    namespace::{Namespace, Server},
    toolchain::process,
};

/// Whom attacks are to be limited for: an address for benchmarks (RFC 2544).
pub(super) const VICTIM: &str = "198.18.0.7";

/// How often a program is asked before what it has is not what it should, five times a second.
const PATIENCE: u32 = 150;

/// Destination and port of a flow.
pub(super) type Flows = BTreeSet<(IpAddr, Option<u16>)>;

const GOBGP: &str = r#"
[global.config]
as = 64512
router-id = "192.0.2.254"
port = 1790
local-address-list = ["127.0.0.1"]
[[neighbors]]
[neighbors.config]
neighbor-address = "127.0.0.1"
peer-as = 64513
[neighbors.transport.config]
passive-mode = true
[neighbors.ebgp-multihop.config]
enabled = true
multihop-ttl = 2
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv4-flowspec"
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv6-flowspec"
"#;

/// With what BIRD is told to include, which has the tables.
const BIRD: &str = r#"
router id 192.0.2.253;
protocol device {}
include "routes.conf";
protocol bgp gobgp {
  local 127.0.0.1 port 1791 as 64513;
  neighbor 127.0.0.1 port 1790 as 64512;
  multihop;
  connect delay time 1;
  connect retry time 1;
  flow4 { table miyaburi_flow4; import all; export all; };
  flow6 { table miyaburi_flow6; import all; export all; };
}
"#;

/// What is not as it should be; `empty` is an export of no reports.
pub(super) fn judge(
    namespace: &Namespace,
    truth: &Truth,
    export: &Path,
    empty: &Path,
) -> anyhow::Result<Vec<String>> {
    let expected = expected(truth)?;
    check(export)?;

    let folder = export.join("routes");
    fs::create_dir_all(&folder)?;
    let configuration = folder.join("gobgp.toml");
    fs::write(&configuration, GOBGP)?;
    let configuration = configuration.display().to_string();
    let _gobgp = namespace.serve("gobgpd", &["-f", &configuration], &folder.join("gobgp.log"))?;
    let bird = Bird { namespace, folder: folder.clone() };
    let _server = bird.start(empty)?;
    wait_for("GoBGP", || gobgp(namespace).is_ok())?;

    let mut problems = Vec::new();
    let nothing = Flows::new();
    for (verb, expected) in [("add", &expected), ("del", &nothing)] {
        let script = export.join("flowspec.gobgp.sh");
        process::run(namespace.command("sh").arg(script).arg(verb))?;
        let message = format!("BIRD, after GoBGP's {verb}");
        problems.extend(settled(&message, expected, || bird.flows())?);
    }
    for (routes, expected) in [(export, &expected), (empty, &nothing)] {
        bird.configure(routes)?;
        let message = format!("GoBGP, after BIRD included {}", routes.display());
        problems.extend(settled(&message, expected, || gobgp(namespace))?);
    }
    println!("GoBGP, BIRD: {} flows shown and withdrawn", expected.len());
    Ok(problems)
}

/// The flows of the C2s and of the victim.
pub(super) fn expected(truth: &Truth) -> anyhow::Result<Flows> {
    let mut expected: Flows =
        truth.bad_addresses.iter().map(|(address, port)| (*address, Some(*port))).collect();
    expected.insert((VICTIM.parse()?, None));
    Ok(expected)
}

/// What is not as it should be when GoBGP, and then BIRD and ExaBGP as its neighbours, announce the routes
/// of `before` and withdraw those that `after` has no more.
pub(super) fn judge_withdrawal(
    namespace: &Namespace,
    [all, left]: [&Flows; 2],
    before: &Path,
    after: &Path,
) -> anyhow::Result<Vec<String>> {
    let folder = before.join("routes");
    fs::create_dir_all(&folder)?;
    let file = |name: &str| folder.join(name).display().to_string();
    fs::write(file("gobgp.toml"), GOBGP)?;
    let log = folder.join("gobgp.log");
    let _gobgp = namespace.serve("gobgpd", &["-f", &file("gobgp.toml")], &log)?;
    wait_for("GoBGP", || gobgp(namespace).is_ok())?;
    let announced = before.join("flowspec.gobgp.sh");
    process::run(namespace.command("sh").arg(&announced).arg("add"))?;
    let mut problems = Vec::new();
    problems.extend(settled("GoBGP, announcing", all, || gobgp(namespace))?);
    process::run(namespace.command("sh").arg(after.join("flowspec.withdraw.gobgp.sh")))?;
    problems.extend(settled("GoBGP, withdrawing", left, || gobgp(namespace))?);
    process::run(namespace.command("sh").arg(&announced).arg("del"))?;

    let bird = Bird { namespace, folder: folder.clone() };
    let server = bird.start(before)?;
    problems.extend(settled("BIRD, announcing", all, || gobgp(namespace))?);
    bird.configure(after)?;
    problems.extend(settled("BIRD, withdrawing", left, || gobgp(namespace))?);
    drop(server);
    problems.extend(settled("GoBGP, without BIRD", &Flows::new(), || gobgp(namespace))?);

    // Its process hands on the commands when they are there.
    let process = format!(
        "#!/bin/sh\nuntil cat \"{0}\" 2>/dev/null; do sleep 0.1; done\nsleep 600\n",
        file("commands")
    );
    fs::write(file("process.sh"), process)?;
    let flows = fs::read_to_string(before.join("flowspec.exabgp.conf"))?;
    let configuration = format!(
        "process withdrawals {{ run /bin/sh {}; encoder text; }}\nneighbor 127.0.0.1 {{\n\
         router-id 192.0.2.253; local-address 127.0.0.1; local-as 64513; peer-as 64512;\n\
         family {{ ipv4 flow; ipv6 flow; }}\napi {{ processes [ withdrawals ]; }}\n{flows}\n}}\n",
        file("process.sh")
    );
    fs::write(file("exabgp.conf"), configuration)?;
    let settings = ["exabgp.tcp.port=1790", "exabgp.daemon.user=root", "exabgp.api.ack=false"];
    let configuration = file("exabgp.conf");
    let arguments = [&settings[..], &["exabgp", &configuration]].concat();
    let _exabgp = namespace.serve("env", &arguments, &folder.join("exabgp.log"))?;
    problems.extend(settled("ExaBGP, announcing", all, || gobgp(namespace))?);
    fs::copy(after.join("flowspec.withdraw.exabgp"), file("part"))?;
    fs::rename(file("part"), file("commands"))?;
    problems.extend(settled("ExaBGP, withdrawing", left, || gobgp(namespace))?);
    println!("GoBGP, BIRD, ExaBGP: {} of {} flows left after a withdrawal", left.len(), all.len());
    Ok(problems)
}

/// Has ExaBGP and BIRD check an export in a configuration.
pub(super) fn check(export: &Path) -> anyhow::Result<()> {
    let read = |name: &str| fs::read_to_string(export.join(name));
    let flows = read("flowspec.exabgp.conf")?;
    let text = format!(
        "neighbor 192.0.2.254 {{ router-id 192.0.2.253; local-address 192.0.2.253; local-as 64513;\n\
         peer-as 64512;\nfamily {{ ipv4 flow; ipv6 flow; ipv4 unicast; ipv6 unicast; }}\n{flows}\n}}\n"
    );
    let configuration = export.join("exabgp.conf");
    fs::write(&configuration, text)?;
    process::run(Command::new("exabgp").arg("--test").arg(configuration))?;

    let text =
        format!("router id 192.0.2.253;\nprotocol device {{}}\n{}", read("flowspec.bird.conf")?);
    let configuration = export.join("bird.conf");
    fs::write(&configuration, text)?;
    process::run(Command::new("bird").args(["-p", "-c"]).arg(configuration)).map(drop)
}

/// BIRD in the namespace.
struct Bird<'a> {
    namespace: &'a Namespace,
    folder: PathBuf,
}

impl Bird<'_> {
    fn socket(&self) -> String {
        self.folder.join("bird.ctl").display().to_string()
    }

    fn start(&self, routes: &Path) -> anyhow::Result<Server> {
        let configuration = self.folder.join("bird.conf");
        fs::write(&configuration, BIRD)?;
        self.include(routes)?;
        let (configuration, socket) = (configuration.display().to_string(), self.socket());
        let arguments = ["-f", "-c", &configuration, "-s", &socket];
        let server = self.namespace.serve("bird", &arguments, &self.folder.join("bird.log"))?;
        wait_for("BIRD", || self.flows().is_ok())?;
        Ok(server)
    }

    fn include(&self, routes: &Path) -> anyhow::Result<()> {
        let from = routes.join("flowspec.bird.conf");
        fs::copy(&from, self.folder.join("routes.conf"))
            .with_context(|| format!("{}", from.display()))?;
        Ok(())
    }

    fn configure(&self, routes: &Path) -> anyhow::Result<()> {
        self.include(routes)?;
        self.ask(&["configure"]).map(drop)
    }

    fn ask(&self, command: &[&str]) -> anyhow::Result<String> {
        process::run(self.namespace.command("birdc").args(["-s", &self.socket()]).args(command))
    }

    fn flows(&self) -> anyhow::Result<Flows> {
        let mut flows = Flows::new();
        for table in ["miyaburi_flow4", "miyaburi_flow6"] {
            let routes = self.ask(&["show", "route", "table", table])?;
            for route in routes.lines().filter(|line| line.contains("{ dst ")) {
                flows.insert(flow(route, "dst ", "dport ").with_context(|| route.to_owned())?);
            }
        }
        Ok(flows)
    }
}

/// What GoBGP has.
fn gobgp(namespace: &Namespace) -> anyhow::Result<Flows> {
    let mut flows = Flows::new();
    for family in ["ipv4-flowspec", "ipv6-flowspec"] {
        let rib = ["global", "rib", "-a", family];
        let routes = process::run(namespace.command("gobgp").args(rib))?;
        for route in routes.lines().filter(|line| line.contains("[destination: ")) {
            let flow = flow(route, "destination: ", "destination-port: ==");
            flows.insert(flow.with_context(|| route.to_owned())?);
        }
    }
    Ok(flows)
}

/// Destination and port of a route, which follow these words.
fn flow(route: &str, destination: &str, port: &str) -> Option<(IpAddr, Option<u16>)> {
    let (address, _) = route.split_once(destination)?.1.split_once('/')?;
    let port = match route.split_once(port) {
        Some((_, rest)) => Some(rest.split([';', ']']).next()?.parse().ok()?),
        None => None,
    };
    Some((address.parse().ok()?, port))
}

/// Asks until it has what it should; else what it has instead.
fn settled(
    what: &str,
    expected: &Flows,
    ask: impl Fn() -> anyhow::Result<Flows>,
) -> anyhow::Result<Option<String>> {
    let mut flows = Flows::new();
    for _ in 0..PATIENCE {
        flows = ask()?;
        if flows == *expected {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(Some(format!("{what}: {flows:?} instead of {expected:?}")))
}

fn wait_for(what: &str, answers: impl Fn() -> bool) -> anyhow::Result<()> {
    for _ in 0..PATIENCE {
        if answers() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
    bail!("{what} does not start")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_of_both_programs_are_read() {
        let bird = "flow4 { dst 192.0.2.1/32; proto 6; dport 23; }  [gobgp 05:44] * (100)";
        let expected = Some((IpAddr::from([192, 0, 2, 1]), Some(23)));
        assert_eq!(flow(bird, "dst ", "dport "), expected);
        let gobgp =
            "*> [destination: 192.0.2.1/32][protocol: ==tcp][destination-port: ==23] fictitious";
        assert_eq!(flow(gobgp, "destination: ", "destination-port: =="), expected);
        let whole = "*> [destination: 192.0.2.1/32][protocol: ==gre] fictitious";
        let expected = Some((IpAddr::from([192, 0, 2, 1]), None));
        assert_eq!(flow(whole, "destination: ", "destination-port: =="), expected);
        assert_eq!(flow("flow4 { dst x; }", "dst ", "dport "), None);
    }
}
