//! What the ledger withdraws, in the programs that had it: nftables takes elements out of the loaded
//! table, BIND and Unbound reload the zone, GoBGP, ExaBGP and BIRD withdraw routes, Suricata has the
//! datasets without it; then they refuse exactly the rest. A roll back puts into force again what was before.

use std::{fs, path::PathBuf};

use anyhow::{Context, ensure};

use super::{Exporter, LATER, NOW, detection, filter, resolvers, routes, truth::Truth};
use crate::{namespace::Namespace, toolchain::process};

/// Folder of the export with which hosts are revoked, in that of all exports.
pub(super) const SECOND: &str = "second";

/// File of what it revokes, beside it.
pub(super) const REVOKED: &str = "revoked";

/// Exports with one ledger, one after the other.
struct Runs {
    /// Everything is in force.
    first: PathBuf,
    /// One name and one address are revoked.
    second: PathBuf,
    /// Nothing is dropped any more, by mistake.
    mistake: PathBuf,
    /// The mistake is rolled back.
    back: PathBuf,
}

impl Runs {
    fn make(exporter: &Exporter, revoked: &str) -> anyhow::Result<Self> {
        let file = |name: &str| exporter.folder.join(name).display().to_string();
        fs::write(exporter.folder.join(REVOKED), revoked)?;
        let (ledger, revoked) = (file("ledger.redb"), file(REVOKED));
        let run = |now: &str, name: &str, stage: &str, more: &[&str]| {
            let options = ["--stage", stage, "--state", ledger.as_str()];
            exporter.export_at(now, name, &[&options, more].concat(), "reports.ndjson")
        };
        let first = run(NOW, "first", "enforce", &[])?;
        let second = run(LATER, SECOND, "enforce", &["--revoked", &revoked])?;
        let mistake = run(LATER, "mistake", "log", &[])?;
        let back = exporter.roll_back("back", &ledger)?;
        Ok(Self { first, second, mistake, back })
    }
}

/// What is not as it should be.
pub(super) fn judge(
    namespace: &Namespace,
    truth: &Truth,
    exporter: &Exporter,
) -> anyhow::Result<Vec<String>> {
    let name = truth.bad_names.first().context("no name to revoke")?.clone();
    let (address, _) = *truth.bad_addresses.first().context("no address to revoke")?;
    let runs = Runs::make(exporter, &format!("{name}\n{address}\n"))?;
    let left = truth.without(&name, address);
    ensure!(left.bad_addresses.len() < truth.bad_addresses.len(), "nothing was revoked");

    filter::load(namespace, &runs.first)?;
    let mut problems = filter::drops(namespace, truth)?;
    let script = runs.second.join("miyaburi.withdraw.nft");
    for repetition in ["once", "again"] {
        // What is gone can be withdrawn again.
        process::run(namespace.command("nft").arg("--file").arg(&script))
            .with_context(|| repetition.to_owned())?;
    }
    problems.extend(filter::drops(namespace, &left)?);
    filter::load(namespace, &runs.mistake)?;
    let nothing = Truth { bad_addresses: Default::default(), ..left.clone() };
    problems.extend(filter::drops(namespace, &nothing)?);
    filter::load(namespace, &runs.back)?;
    problems.extend(filter::drops(namespace, &left)?);
    println!("nftables: withdrawn from the loaded table, and rolled back");

    problems.extend(resolvers::judge_reload(namespace, &left, &runs.first, &runs.second)?);
    problems.extend(detection::judge_left(&left, &runs.second)?);
    let flows = [&routes::expected(truth)?, &routes::expected(&left)?];
    problems.extend(routes::judge_withdrawal(namespace, flows, &runs.first, &runs.second)?);
    Ok(problems)
}
