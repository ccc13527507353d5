//! The policy zone in BIND and Unbound. Behind both stands a server that knows an address for
//! every name, so that only a policy gives NXDOMAIN.
//!
//! Unbound 1.17 exempts subscribers from policies for names, but from those for addresses only until
//! it has the answer in its cache: that is not asked of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::Context;
use core::net::IpAddr;

use super::{EXEMPT, truth::Truth};
use crate::{
    namespace::{Namespace, Server, wait_until},
    toolchain::process,
};

/// Who answers, in the namespace.
const UPSTREAM: &str = "127.0.0.2";
const BIND: &str = "127.0.0.3";
const UNBOUND: &str = "127.0.0.4";

/// Whoever asks and is not exempted.
const SUBSCRIBER: &str = "127.0.0.8";

/// The zone of names for addresses: an answer holds the address.
const POINTERS: &str = "pointer.invalid";

/// A name of nobody, to see whether a server answers.
const STARTED: &str = "started.invalid";

/// An address that is no specimen's.
const ELSEWHERE: &str = "100.64.0.1";

/// How often a server is asked before it counts as one that does not start, ten times a second.
const PATIENCE: u32 = 100;

/// What is not as it should be.
pub(super) fn judge(
    namespace: &Namespace,
    truth: &Truth,
    logging: &Path,
    enforcing: &Path,
) -> anyhow::Result<Vec<String>> {
    let queries = queries(truth);
    let folder = enforcing.parent().context("no folder")?;
    let _upstream = start_upstream(namespace, truth, folder)?;
    let mut problems = Vec::new();
    for (stage, export) in [("log", logging), ("enforce", enforcing)] {
        let _bind = start_bind(namespace, export)?;
        let _unbound = start_unbound(namespace, export)?;
        for (server, name) in [(BIND, "BIND"), (UNBOUND, "Unbound")] {
            wait_for(namespace, server)?;
            for ((query, record), is_bad) in &queries {
                let is_forgotten = server == UNBOUND && query.ends_with(POINTERS);
                let exempt = Some(EXEMPT).filter(|_| !is_forgotten);
                for source in [SUBSCRIBER].into_iter().chain(exempt) {
                    let expected = *is_bad && stage == "enforce" && source == SUBSCRIBER;
                    let status = ask(namespace, server, source, query, record)?;
                    if status != if expected { "NXDOMAIN" } else { "NOERROR" } {
                        problems.push(format!("{name}, stage {stage}: {source} {query}: {status}"));
                    }
                }
            }
        }
    }
    let bad = queries.values().filter(|is_bad| **is_bad).count();
    println!("BIND, Unbound: {bad} names refused, {} not", queries.len() - bad);
    Ok(problems)
}

/// What is not as it should be when servers have the zone of `before` and reload it with that of `after`;
/// `truth` is what is to be refused then.
pub(super) fn judge_reload(
    namespace: &Namespace,
    truth: &Truth,
    before: &Path,
    after: &Path,
) -> anyhow::Result<Vec<String>> {
    let queries = queries(truth);
    let folder = before.parent().context("no folder")?;
    let _upstream = start_upstream(namespace, truth, folder)?;
    let bind = start_bind(namespace, before)?;
    let unbound = start_unbound(namespace, before)?;
    let mut problems = Vec::new();
    for (server, address, name, zones) in [
        (bind, BIND, "BIND", before.to_owned()),
        (unbound, UNBOUND, "Unbound", before.join("unbound")),
    ] {
        wait_for(namespace, address)?;
        fs::copy(after.join("rpz.zone"), zones.join("rpz.zone"))?;
        server.reload()?;
        let mut wrong = None;
        for _ in 0..PATIENCE {
            wrong = first_wrong(namespace, address, &queries);
            if wrong.is_none() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        problems.extend(wrong.map(|wrong| format!("{name}, after a reload: {wrong}")));
        println!("{name}: the zone reloaded without what was withdrawn");
    }
    Ok(problems)
}

/// The first name that a server refuses or answers though it should not.
fn first_wrong(
    namespace: &Namespace,
    server: &str,
    queries: &BTreeMap<(String, &'static str), bool>,
) -> Option<String> {
    for ((query, record), is_bad) in queries {
        // A server that reads its configuration again may not answer.
        let status = ask(namespace, server, SUBSCRIBER, query, record)
            .unwrap_or_else(|error| error.to_string());
        if status != if *is_bad { "NXDOMAIN" } else { "NOERROR" } {
            return Some(format!("{query}: {status}"));
        }
    }
    None
}

/// Names to ask for with the type of the record, and whether the policy is to refuse them.
fn queries(truth: &Truth) -> BTreeMap<(String, &'static str), bool> {
    let named = |name: &String| (name.clone(), "A");
    let pointing = |address: IpAddr| (pointer(address), record_type(address));
    let names = truth.good_names.iter().map(|name| (named(name), false));
    let names = names.chain(truth.bad_names.iter().map(|name| (named(name), true)));
    let good = truth.good_hosts().into_iter().map(|address| (pointing(address), false));
    let bad = truth.bad_hosts().into_iter().map(|address| (pointing(address), true));
    names.chain(good).chain(bad).collect()
}

const fn record_type(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "A" } else { "AAAA" }
}

fn pointer(address: IpAddr) -> String {
    format!("{}.{POINTERS}", address.to_string().replace(['.', ':'], "-"))
}

/// The server behind, which knows every name that is asked for.
fn start_upstream(namespace: &Namespace, truth: &Truth, folder: &Path) -> anyhow::Result<Server> {
    let folder = folder.join("upstream");
    fs::create_dir_all(&folder)?;
    let head = "$TTL 300\n@ SOA localhost. nobody.invalid. 1 300 60 86400 60\n@ NS localhost.\n\
                localhost. A 127.0.0.1\n";
    let pointers = truth.bad_hosts().into_iter().chain(truth.good_hosts());
    let pointers: String = pointers
        .map(|address| format!("{}. {} {address}\n", pointer(address), record_type(address)))
        .collect();
    // Names above others exist, so that no wildcard covers them: whatever is asked for is named.
    let names = truth.good_names.iter().chain(&truth.bad_names).map(String::as_str);
    let names: String =
        names.chain([STARTED]).map(|name| format!("{name}. A {ELSEWHERE}\n")).collect();
    fs::write(folder.join("root.zone"), format!("{head}{names}{pointers}"))?;
    let zones = "zone \".\" { type primary; file \"root.zone\"; check-names ignore; };";
    let server = start_named(namespace, &folder, UPSTREAM, "recursion no;", zones)?;
    wait_for(namespace, UPSTREAM)?;
    Ok(server)
}

/// BIND with the lines that the export has for it.
fn start_bind(namespace: &Namespace, export: &Path) -> anyhow::Result<Server> {
    let zone = |name: &str, file: &str| {
        let file = export.join(file);
        process::run(Command::new("named-checkzone").args(["-i", "none", name]).arg(&file))?;
        Ok(format!("zone \"{name}\" {{ type primary; file \"{}\"; }};\n", file.display()))
    };
    let zones: anyhow::Result<Vec<String>> =
        [("rpz.miyaburi.invalid", "rpz.zone"), ("rpz-optout.miyaburi.invalid", "rpz-optout.zone")]
            .map(|(name, file)| zone(name, file))
            .into_iter()
            .collect();
    let options = format!(
        "recursion yes; dnssec-validation no; forward only; forwarders {{ {UPSTREAM}; }};\n\
         include \"{}\";",
        export.join("rpz.named.conf").display()
    );
    start_named(namespace, &export.join("bind"), BIND, &options, &zones?.concat())
}

fn start_named(
    namespace: &Namespace,
    folder: &Path,
    address: &str,
    options: &str,
    zones: &str,
) -> anyhow::Result<Server> {
    fs::create_dir_all(folder)?;
    // It listens on addresses of interfaces alone.
    namespace.add_address(address)?;
    let place = folder.display();
    let configuration = format!(
        "options {{ directory \"{place}\"; pid-file none; session-keyfile none; listen-on {{ {address}; }};\n\
         listen-on-v6 {{ none; }}; allow-query {{ any; }}; {options}\n}};\ncontrols {{ }};\n{zones}\n"
    );
    let path = folder.join("named.conf");
    fs::write(&path, configuration)?;
    let path = path.display().to_string();
    namespace.serve("named", &["-g", "-n", "1", "-c", &path], &folder.join("log"))
}

/// Unbound with the lines that the export has for it.
fn start_unbound(namespace: &Namespace, export: &Path) -> anyhow::Result<Server> {
    let folder = export.join("unbound");
    fs::create_dir_all(&folder)?;
    // It may write the zones that it reads.
    for file in ["rpz.zone", "rpz-optout.zone"] {
        fs::copy(export.join(file), folder.join(file))?;
    }
    let configuration = format!(
        "server:\n directory: \"{0}\"\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n\
         \x20interface: {UNBOUND}\n access-control: 127.0.0.0/8 allow\n do-not-query-localhost: no\n\
         \x20module-config: \"respip iterator\"\n use-syslog: no\n logfile: \"\"\n\
         \x20local-zone: \"test.\" nodefault\n local-zone: \"invalid.\" nodefault\n\
         forward-zone:\n name: \".\"\n forward-addr: {UPSTREAM}\nremote-control:\n control-enable: no\n\
         include: \"{1}\"\n",
        folder.display(),
        export.join("rpz.unbound.conf").display()
    );
    let path: PathBuf = folder.join("unbound.conf");
    fs::write(&path, configuration)?;
    process::run(Command::new("unbound-checkconf").arg(&path).current_dir(&folder))?;
    let path = path.display().to_string();
    namespace.serve("unbound", &["-d", "-p", "-c", &path], &folder.join("log"))
}

fn wait_for(namespace: &Namespace, server: &str) -> anyhow::Result<()> {
    let answers = || ask(namespace, server, EXEMPT, STARTED, "A").is_ok_and(|it| it == "NOERROR");
    wait_until(&format!("an answer of {server}"), || Ok(answers()))
}

/// The status of the answer for a record of `name`.
fn ask(
    namespace: &Namespace,
    server: &str,
    source: &str,
    name: &str,
    record: &str,
) -> anyhow::Result<String> {
    let server = format!("@{server}");
    let query = ["-b", source, &server, name, record, "+tries=2", "+time=2", "+noall", "+comments"];
    let answer = process::run(namespace.command("dig").args(query))?;
    let status = answer.split("status: ").nth(1).and_then(|rest| rest.split(',').next());
    status.map(str::to_owned).with_context(|| format!("no answer for {name}: {answer}"))
}
