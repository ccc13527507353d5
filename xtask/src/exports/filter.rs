//! The script for nftables: connections that it lets through are refused at once, as nobody
//! listens; those that it drops get no answer.

use core::net::IpAddr;
use std::path::Path;

use anyhow::{bail, ensure};

use super::truth::Truth;
use crate::{namespace::Namespace, toolchain::process};

/// What `timeout` ends with when it was needed.
const TIMED_OUT: i32 = 124;

/// What is not as it should be when the scripts of both stages are loaded one after the other.
pub(super) fn judge(
    namespace: &Namespace,
    truth: &Truth,
    logging: &Path,
    enforcing: &Path,
) -> anyhow::Result<Vec<String>> {
    let (bad, good) = (&truth.bad_addresses, &truth.good_addresses);
    let mut problems = Vec::new();
    load(namespace, logging)?;
    for (address, port) in bad.iter().chain(good) {
        if is_dropped(namespace, *address, *port)? {
            problems.push(format!("nftables, stage log: {address} port {port} is dropped"));
        }
    }
    let counted =
        process::run(namespace.command("nft").args(["list", "table", "inet", "miyaburi"]))?;
    ensure!(counted.contains(" counter packets 1 "), "no connection was counted:\n{counted}");

    load(namespace, enforcing)?;
    problems.extend(drops(namespace, truth)?);
    println!("nftables: {} connections dropped, {} not", bad.len(), good.len());
    Ok(problems)
}

/// What is dropped though it should not be, and the other way round.
pub(super) fn drops(namespace: &Namespace, truth: &Truth) -> anyhow::Result<Vec<String>> {
    let bad = truth.bad_addresses.iter().map(|it| (it, true));
    let good = truth.good_addresses.iter().map(|it| (it, false));
    let mut problems = Vec::new();
    for ((address, port), expected) in bad.chain(good) {
        let is_dropped = is_dropped(namespace, *address, *port)?;
        if is_dropped != expected {
            problems.push(format!("nftables: {address} port {port}: dropped: {is_dropped}"));
        }
    }
    Ok(problems)
}

/// Checks a script and loads it, over what was loaded before.
pub(super) fn load(namespace: &Namespace, export: &Path) -> anyhow::Result<()> {
    let script = export.join("miyaburi.nft");
    process::run(namespace.command("nft").args(["--check", "--file"]).arg(&script))?;
    process::run(namespace.command("nft").arg("--file").arg(&script))?;
    Ok(())
}

fn is_dropped(namespace: &Namespace, address: IpAddr, port: u16) -> anyhow::Result<bool> {
    let connect = format!("< /dev/tcp/{address}/{port}");
    let output = namespace.command("timeout").args(["0.5", "bash", "-c", &connect]).output()?;
    if output.status.code() == Some(TIMED_OUT) {
        return Ok(true);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("Connection refused") {
        return Ok(false);
    }
    bail!("a connection to {address} port {port} was neither refused nor dropped: {error}")
}
