//! The specimens there and back: `export`'s files in the programs that they are for, which must
//! refuse exactly the C2s of the truth and nothing else.
//!
//! Everything runs in a network namespace of its own, which has no way out.
//!
//! ```text
//! truth.rs      what must be refused and what must not
//! resolvers.rs  rpz in BIND and Unbound, asked by dig
//! filter.rs     nftables, by connections
//! routes.rs     flowspec in GoBGP, BIRD and ExaBGP
//! queries.py    sigma, by the queries that pySigma makes of it
//! sharing.rs    stix, misp and yara, by stix_bundle.py, misp_events.py and yara_rules.py
//! withdrawals.rs  what a ledger withdraws, in the loaded programs
//! detection.rs  suricata, by captures: recording.rs, and ordinary traffic of benign/record.sh
//! ```

mod detection;
mod filter;
mod recording;
mod resolvers;
mod routes;
mod sharing;
mod truth;
mod withdrawals;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::{
    components,
    namespace::Namespace,
    toolchain::{process, workspace_root},
};
use truth::Truth;

/// The time of the exports.
const NOW: &str = "2026-11-23T00:00:00Z";

/// The time of those that withdraw something.
const LATER: &str = "2026-11-24T00:00:00Z";

/// The formats that consumers get.
const FORMATS: &str = "rpz,nftables,flowspec,sigma,suricata,stix,misp,yara";

/// The subscriber that is exempted from policies.
const EXEMPT: &str = "127.0.0.9";

/// Runs `cargo xtask exports`.
///
/// # Errors
/// When a program cannot be run, or refuses something else than it should; every such host is
/// printed first.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = workspace_root();
    let folder = root.join("target").join("exports");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let exporter = Exporter::new(&root, folder)?;
    let truth_file = root.join("specimens").join("examples.truth.ndjson");
    let truth = Truth::read(&truth_file)?;
    let (logging, enforcing) = (exporter.export("log")?, exporter.export("enforce")?);

    let namespace = Namespace::create("miyaburi-exports")?;
    let mut problems = resolvers::judge(&namespace, &truth, &logging, &enforcing)?;
    problems.extend(filter::judge(&namespace, &truth, &logging, &enforcing)?);
    for action in ["discard", "blackhole"] {
        routes::check(&exporter.export_flows(action)?)?;
    }
    routes::check(&logging)?;
    let empty = exporter.export_nothing()?;
    problems.extend(routes::judge(&namespace, &truth, &enforcing, &empty)?);
    problems.extend(withdrawals::judge(&namespace, &truth, &exporter)?);
    let queries = root.join("xtask/src/exports/queries.py");
    let python = components::sigma(&root)?;
    let queries = Command::new(python).arg(queries).args([&enforcing, &truth_file]).status()?;
    ensure!(queries.success(), "Sigma: {queries}");
    let withdrawn =
        [withdrawals::SECOND, withdrawals::REVOKED].map(|name| exporter.folder.join(name));
    sharing::judge(&root, &exporter, &logging, &truth_file, &withdrawn)?;
    let captures = exporter.captures();
    problems.extend(detection::judge(&truth, &truth_file, &captures, &logging, &enforcing)?);
    for problem in &problems {
        println!("{problem}");
    }
    ensure!(problems.is_empty(), "{} hosts are not treated as they should be", problems.len());
    Ok(())
}

/// Reports of the example specimens and what makes exports of them.
struct Exporter {
    program: PathBuf,
    specimens: PathBuf,
    folder: PathBuf,
}

impl Exporter {
    fn new(root: &Path, folder: PathBuf) -> anyhow::Result<Self> {
        let program = components::build_miyaburi(root)?;
        let specimens = root.join("specimens");
        let mut extract = Command::new(&program);
        extract.args(["extract", "--format", "ndjson", "--output"]);
        extract.arg(folder.join("reports.ndjson")).arg("--pcap").arg(folder.join("captures"));
        process::run(extract.arg(specimens.join("examples")))?;
        fs::write(folder.join("exempt"), EXEMPT)?;
        Ok(Self { program, specimens, folder })
    }

    /// What the attacks of the specimens would send.
    fn captures(&self) -> PathBuf {
        self.folder.join("captures")
    }

    /// An export of a stage; its folder. The lists are those that allow documentation values.
    fn export(&self, stage: &str) -> anyhow::Result<PathBuf> {
        self.export_to(stage, &["--stage", stage], "reports.ndjson")
    }

    /// An export of no reports; its folder.
    fn export_nothing(&self) -> anyhow::Result<PathBuf> {
        fs::write(self.folder.join("none.ndjson"), "")?;
        let ledger = self.folder.join("nothing.redb").display().to_string();
        let options = ["--stage", "enforce", "--state", &ledger];
        self.export_to("nothing", &options, "none.ndjson")
    }

    /// An export whose flow specifications do more than to limit; its folder.
    fn export_flows(&self, action: &str) -> anyhow::Result<PathBuf> {
        let options = ["--stage", "enforce", "--flowspec-action", action];
        self.export_to(action, &options, "reports.ndjson")
    }

    /// The roll back of the last export of a ledger; its folder.
    fn roll_back(&self, name: &str, ledger: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        let mut export = Command::new(&self.program);
        export.args(["export", "--rollback", "--now", LATER, "--state", ledger, "--output"]);
        process::run(export.arg(&folder))?;
        Ok(folder)
    }

    fn export_to(&self, name: &str, options: &[&str], reports: &str) -> anyhow::Result<PathBuf> {
        self.export_at(NOW, name, options, reports)
    }

    fn export_at(
        &self,
        now: &str,
        name: &str,
        options: &[&str],
        reports: &str,
    ) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        let mut export = Command::new(&self.program);
        export.args(["export", "--to", FORMATS, "--role", "c2"]);
        export.args(["--now", now, "--victim", routes::VICTIM]);
        export.args(options).arg("--warning-lists").arg(self.specimens.join("warning-lists"));
        export.arg("--opt-out").arg(self.folder.join("exempt")).arg("--output");
        process::run(export.arg(&folder).arg(self.folder.join(reports)))?;
        Ok(folder)
    }
}
