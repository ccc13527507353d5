//! Real servers and probes, driven by a script that knows what it does: what hunting finds in their logs must
//! be exactly that.
//!
//! Everything runs in a network namespace of its own, which has no way out, and nine hours ahead of UTC.
//!
//! ```text
//! script.rs   who does what, and what is to be found of it
//! names.rs    BIND, with its dnstap, Unbound and dnsmasq
//! web.rs      nginx and Apache
//! powerdns.rs PowerDNS, both servers
//! holders.rs  FreeRADIUS, ISC dhcpd and Kea, which know who has an address
//! exim.rs     Exim, with a log of its own
//! daemons.rs  OpenSSH, Dovecot and Postfix, which log through rsyslog; own-dev.sh
//! probes.rs   tcpdump, nftables with ulogd, softflowd, nfdump, Suricata
//! ```

mod daemons;
mod exim;
mod holders;
mod names;
mod powerdns;
mod probes;
mod script;
mod web;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::{
    components,
    namespace::{Namespace, Server},
    toolchain::{process, workspace_root},
};
use script::{Finding, Findings, INDICATORS, LEASES, Script};

/// Local time of the servers, as POSIX and as the command have it.
const LOCAL_TIME: (&str, &str) = ("JST-9", "+09:00");

/// Hits are of the time of the script, to so many seconds: logs tell whole ones, and flows begin later.
const TOLERANCE: i64 = 2;

/// Where servers run and log.
struct Site {
    namespace: Namespace,
    folder: PathBuf,
}

impl Site {
    /// A command in the namespace, in local time.
    fn command(&self, program: &str) -> Command {
        let mut command = self.namespace.command(program);
        command.env("TZ", LOCAL_TIME.0);
        command
    }

    /// Writes a file that servers read.
    fn write(&self, name: &str, content: &str) -> anyhow::Result<String> {
        let path = self.folder.join(name);
        fs::write(&path, content).with_context(|| format!("{}", path.display()))?;
        Ok(path.display().to_string())
    }

    /// Makes a folder that servers use.
    fn make(&self, name: &str) -> anyhow::Result<String> {
        let path = self.folder.join(name);
        fs::create_dir_all(&path).with_context(|| format!("{}", path.display()))?;
        Ok(path.display().to_string())
    }

    /// Starts a server, in local time.
    fn serve(&self, name: &str, program: &str, arguments: &[&str]) -> anyhow::Result<Server> {
        let zone = format!("TZ={}", LOCAL_TIME.0);
        let log = self.folder.join(format!("{name}.out"));
        self.namespace.serve("env", &[&[&zone, program], arguments].concat(), &log)
    }

    /// What servers log there.
    fn log(&self, name: &str) -> String {
        self.logs().join(name).display().to_string()
    }

    fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }
}

/// Runs `cargo xtask producers`.
///
/// # Errors
/// When a program cannot be run, or what is found is not what was done; the difference is printed first.
pub(crate) fn run() -> anyhow::Result<()> {
    let miyaburi = components::build_miyaburi(&workspace_root())?;
    // Servers give up their rights, but still have to reach it.
    let folder = tempfile::Builder::new()
        .prefix("miyaburi-producers")
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir()?;
    let namespace = Namespace::create("miyaburi-producers")?;
    let site = Site { namespace, folder: folder.path().to_owned() };
    site.make("logs")?;
    let began = now()?;
    let leases = holders::lease(&site)?;
    let expected = act(&site)?;
    let ended = now()?;
    for empty in expected.keys().map(|it| site.logs().join(&it.log)).filter(|it| !it.is_file()) {
        println!("{}: was not written", empty.display());
    }
    let found = hunt(&miyaburi, &site, &leases, (began - TOLERANCE)..=(ended + TOLERANCE))?;
    let mut wrong = 0;
    for finding in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        let [is, should] = [&found, &expected].map(|it| it.get(finding).copied().unwrap_or(0));
        if is != should {
            println!("found {is} times, not {should}: {finding:?}");
            wrong += 1;
        }
    }
    if wrong > 0 {
        println!("what was logged is in {}", folder.keep().display());
    }
    ensure!(wrong == 0, "{wrong} findings are not what was done");
    let logs: BTreeSet<&str> = found.keys().map(|it| it.log.as_str()).collect();
    println!("{} hits in {} logs, as was done", found.values().sum::<usize>(), logs.len());
    Ok(())
}

/// Starts everything, does what the script says and ends it; what is to be found.
fn act(site: &Site) -> anyhow::Result<Findings> {
    let script = Script::new(site)?;
    let mut servers = names::start(site)?;
    servers.extend(web::start(site)?);
    servers.extend(daemons::start(site)?);
    servers.extend(powerdns::start(site)?);
    servers.push(exim::start(site)?);
    let probes = probes::start(site)?;
    let expected = script.run()?;
    // Those that hear others end after them.
    for server in servers.into_iter().rev().chain(probes) {
        server.end()?;
    }
    probes::read(site)?;
    Ok(expected)
}

/// Seconds since 1970.
fn now() -> anyhow::Result<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_secs())?)
}

/// One line of `hunt`.
#[derive(Deserialize)]
struct Hit {
    file: String,
    time: Option<String>,
    event: String,
    indicator: String,
    field: String,
    entity: String,
    #[serde(default)]
    outcome: String,
}

/// What is found in all logs, and how often.
fn hunt(
    miyaburi: &Path,
    site: &Site,
    leases: &[String],
    times: std::ops::RangeInclusive<i64>,
) -> anyhow::Result<Findings> {
    let mut hunt = Command::new(miyaburi);
    hunt.args(["hunt", "--format", "ndjson", "--timezone", LOCAL_TIME.1, "--indicators"]);
    hunt.arg(site.write("indicators", INDICATORS)?);
    for leases in leases.iter().chain([&site.write("leases.csv", LEASES)?]) {
        hunt.args(["--leases", leases]);
    }
    hunt.arg(site.logs());
    let mut found = BTreeMap::new();
    for line in process::run(&mut hunt)?.lines() {
        let hit: Hit = serde_json::from_str(line)?;
        let time = hit.time.as_deref().and_then(seconds);
        ensure!(time.is_some_and(|it| times.contains(&it)), "not of the time {times:?}: {line}");
        let log = hit.file.rsplit('/').next().unwrap_or_default().to_owned();
        let Hit { event, indicator, field, entity, outcome, .. } = hit;
        *found.entry(Finding { log, event, indicator, field, entity, outcome }).or_default() += 1;
    }
    Ok(found)
}

/// Seconds since 1970 of a time in UTC.
fn seconds(time: &str) -> Option<i64> {
    let time: jiff::Timestamp = time.parse().ok()?;
    Some(time.as_second())
}
