//! The options of `export`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use miyaburi_export::flowspec::{Enforcement, MAX_RULES};
use miyaburi_export::indicators::Timestamp;
use miyaburi_export::{Stage, Tlp};
use miyaburi_model::{Confidence, EndpointRole};

use super::ReadingArguments;
use crate::reports::FolderFormat;

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Report files, NDJSON or JSON, or directories of them; - is standard input
    #[arg(required_unless_present = "rollback", value_name = "REPORTS")]
    pub reports: Vec<PathBuf>,

    /// Formats to write
    #[arg(long, value_name = "FORMAT,...", value_delimiter = ',')]
    #[arg(required_unless_present = "rollback")]
    to: Vec<ExportFormat>,

    /// Directory to write into; it is made when it is not there
    #[arg(short, long, value_name = "DIR", required_unless_present = "dry_run")]
    #[arg(conflicts_with = "reading")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub dry_run: DryRunArguments,

    /// How far consumers go
    #[arg(long, value_name = "STAGE", default_value = "log")]
    pub stage: StageName,

    #[command(flatten)]
    pub selection: SelectionArguments,

    #[command(flatten)]
    pub gate: GateArguments,

    #[command(flatten)]
    pub state: StateArguments,

    #[command(flatten)]
    pub flowspec: FlowspecArguments,

    /// Who may see what stix and misp say, as a label of the Traffic Light Protocol 2.0
    #[arg(long, value_name = "LABEL", default_value = "amber")]
    pub tlp: TlpName,

    /// Subscribers whose answers rpz leaves alone: a file with a prefix or address a line
    #[arg(long, value_name = "FILE")]
    pub opt_out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Dry run")]
pub(crate) struct DryRunArguments {
    /// Write nothing: tell what the rules would have hit in logs
    #[arg(long, requires = "against", conflicts_with_all = ["output", "rollback"])]
    pub dry_run: bool,

    /// Logs of traffic to hold the rules against, in the formats of hunt: files or directories, plain
    /// or compressed; - is standard input. Can be repeated
    #[arg(long, value_name = "LOGS", requires = "dry_run")]
    pub against: Vec<PathBuf>,

    /// How to print [default: text on a terminal, ndjson elsewhere]
    #[arg(long, value_name = "FORMAT", requires = "dry_run")]
    pub format: Option<DryRunFormat>,

    #[command(flatten)]
    pub reading: ReadingArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRunFormat {
    /// One line for every rule that would have hit, for people
    Text,
    /// The same as one JSON object a line
    Ndjson,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionArguments {
    /// When files were seen: CSV with the header sha256,first_seen,last_seen
    #[arg(long, value_name = "FILE")]
    pub observed: Option<PathBuf>,

    /// The time of the export, such as 2026-11-23T00:00:00Z [default: the clock's]
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,

    /// Only what was seen since then; what has no time in --observed was not
    #[arg(long, value_name = "TIME", requires = "observed")]
    pub since: Option<Timestamp>,

    /// How long an indicator holds after its files were last seen, or after now where that is not
    /// known; s, m, h or d
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = duration)]
    pub ttl: Duration,

    /// Refuse what is less sure
    #[arg(long, value_name = "CONFIDENCE", default_value = "medium")]
    pub min_confidence: ConfidenceName,

    /// Only these roles
    #[arg(
        long,
        value_name = "ROLE,...",
        value_delimiter = ',',
        default_value = "c2,dead-drop-resolver"
    )]
    pub role: Vec<BlockableRole>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct GateArguments {
    /// Your own networks and names, which are never blocked: a file with a prefix, address or name
    /// a line
    #[arg(long, value_name = "FILE")]
    pub allow: Option<PathBuf>,

    /// Warning lists in MISP's format: every .json file below the directory. A list with the name
    /// of a built-in one stands in for it
    #[arg(long, value_name = "DIR")]
    pub warning_lists: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct StateArguments {
    /// Keep what is in force in this file, made when it is not there. What an earlier export has in
    /// force stays until it expires, is revoked, is not asked for (--role, --since) or does not pass the
    /// gate any more, whether the reports name it or not. A host that is a decoy or a resolver in one
    /// export is blocked by no later one, until its files, analysed again, no longer have it so. What
    /// changed is printed, and written to DIR/difference.json
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// What is not to be blocked any more: a file with a prefix, address or name a line. The ledger
    /// remembers it for later exports
    #[arg(long, value_name = "FILE", requires = "state")]
    pub revoked: Option<PathBuf>,

    /// What was revoked by mistake, the lines as they were told; and hosts that are to be blocked though
    /// they were decoys or resolvers in earlier exports
    #[arg(long, value_name = "FILE", requires = "state")]
    pub reinstate: Option<PathBuf>,

    /// Roll the last export of the ledger back: write the files of the one before it again, without what
    /// expired, was revoked or was found to be a decoy or a resolver since. Needs no reports and no formats
    #[arg(long, requires = "state")]
    #[arg(conflicts_with_all = [
        "reports", "to", "stage", "revoked", "reinstate", "observed", "since", "ttl",
        "min_confidence", "role", "allow", "warning_lists", "victim", "flowspec_action",
        "max_rules", "tlp", "opt_out",
    ])]
    pub rollback: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Flowspec")]
pub(crate) struct FlowspecArguments {
    /// An own address under attack: adds rules that limit what the attacks of the reports send to it.
    /// Can be repeated
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    pub victim: Vec<IpNet>,

    /// Let a victim be a network rather than one address
    #[arg(long, requires = "victim")]
    pub victim_networks: bool,

    /// Bytes a second that may reach a victim by one rule
    #[arg(long, value_name = "BYTES", default_value = "1000000", requires = "victim")]
    pub victim_rate: u32,

    /// What routers do to C2s at stage enforce
    #[arg(long, value_name = "ACTION", default_value = "limit")]
    pub flowspec_action: FlowspecAction,

    /// The most rules; the surest stay
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "100",
        value_parser = clap::value_parser!(u16).range(1..=MAX_RULES as i64)
    )]
    pub max_rules: u16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FlowspecAction {
    /// Let no more than a few packets through
    Limit,
    /// Discard what goes to their port
    Discard,
    /// Discard what goes to their address, by a route of its own
    Blackhole,
}

impl From<FlowspecAction> for Enforcement {
    fn from(action: FlowspecAction) -> Self {
        match action {
            FlowspecAction::Limit => Self::Limit,
            FlowspecAction::Discard => Self::Discard,
            FlowspecAction::Blackhole => Self::Blackhole,
        }
    }
}

impl ExportArguments {
    /// The formats to write, each once.
    pub(crate) fn formats(&self) -> Vec<ExportFormat> {
        let mut seen = BTreeSet::new();
        self.to.iter().copied().filter(|format| seen.insert(*format)).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Indicators in the columns of ThreatFox
    Csv,
    /// Routes of flow specifications, for GoBGP, ExaBGP and BIRD
    Flowspec,
    /// Names of functions and data for Ghidra, IDA and rizin, as scripts in DIR/labels/<sha256>/;
    /// written while reports are read
    Labels,
    /// The model of MACO 1.3 for every file of a known family, in DIR/maco/<sha256>/; written while
    /// reports are read
    Maco,
    /// Events of MISP, one a configuration, as a feed in DIR/misp/; what passed the gate is marked for
    /// detection, and with a ledger, what is withdrawn later is unmarked
    Misp,
    /// A script of sets of addresses and ports, for nft
    Nftables,
    /// A response policy zone, for BIND and Unbound
    Rpz,
    /// Rules for logs of resolvers, proxies and firewalls
    Sigma,
    /// A bundle of STIX 2.1: configurations, files, hosts, logins, techniques, and indicators of what
    /// passed the gate
    Stix,
    /// Rules and datasets, for Suricata 7; rules for what attacks and scanners send, too
    Suricata,
    /// Rules for files, one a configuration, of the texts that lie encoded in them
    Yara,
}

impl ExportFormat {
    /// Whether it tells what was found in files, beside what is blocked.
    pub(crate) const fn has_configurations(self) -> bool {
        matches!(self, Self::Misp | Self::Stix | Self::Yara)
    }

    /// Whether a roll back concerns it: what others tell was found all the same; a bundle of STIX and
    /// events of MISP tell what is in force, besides.
    pub(crate) const fn is_rolled_back(self) -> bool {
        match self {
            Self::Labels | Self::Maco | Self::Yara => false,
            Self::Csv | Self::Flowspec | Self::Misp | Self::Nftables | Self::Rpz => true,
            Self::Sigma | Self::Stix | Self::Suricata => true,
        }
    }

    /// The format with this spelling.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|format| format.name() == name)
    }

    /// What it has of every single file, if that is all.
    pub(crate) const fn folders(self) -> Option<FolderFormat> {
        match self {
            Self::Labels => Some(FolderFormat::Labels),
            Self::Maco => Some(FolderFormat::Maco),
            _ => None,
        }
    }

    /// The spelling on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Flowspec => "flowspec",
            Self::Labels => "labels",
            Self::Maco => "maco",
            Self::Misp => "misp",
            Self::Nftables => "nftables",
            Self::Rpz => "rpz",
            Self::Sigma => "sigma",
            Self::Stix => "stix",
            Self::Suricata => "suricata",
            Self::Yara => "yara",
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TlpName {
    /// Everybody
    Clear,
    /// The community
    Green,
    /// The recipient's organisation and its clients
    Amber,
    /// The recipient's organisation
    #[value(name = "amber+strict")]
    AmberStrict,
    /// The recipient
    Red,
}

impl From<TlpName> for Tlp {
    fn from(name: TlpName) -> Self {
        match name {
            TlpName::Clear => Self::Clear,
            TlpName::Green => Self::Green,
            TlpName::Amber => Self::Amber,
            TlpName::AmberStrict => Self::AmberStrict,
            TlpName::Red => Self::Red,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StageName {
    /// Count what would be blocked
    Report,
    /// Count and log it
    Log,
    /// Block it
    Enforce,
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Self {
        match name {
            StageName::Report => Self::Report,
            StageName::Log => Self::Log,
            StageName::Enforce => Self::Enforce,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ConfidenceName {
    Low,
    Medium,
    High,
}

impl From<ConfidenceName> for Confidence {
    fn from(name: ConfidenceName) -> Self {
        match name {
            ConfidenceName::Low => Self::Low,
            ConfidenceName::Medium => Self::Medium,
            ConfidenceName::High => Self::High,
        }
    }
}

/// The roles of `miyaburi_export::gate::BLOCKABLE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BlockableRole {
    /// Command and control
    C2,
    /// Takes the scanner's hits
    ScanReceiver,
    /// Serves the binaries
    Loader,
    /// A place where the C2 is published
    DeadDropResolver,
}

impl From<BlockableRole> for EndpointRole {
    fn from(role: BlockableRole) -> Self {
        match role {
            BlockableRole::C2 => Self::C2,
            BlockableRole::ScanReceiver => Self::ScanReceiver,
            BlockableRole::Loader => Self::Loader,
            BlockableRole::DeadDropResolver => Self::DeadDropResolver,
        }
    }
}

/// A prefix, or an address that stands for itself.
fn prefix(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<core::net::IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "not a prefix or an address".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds: Option<u64> = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86400),
        _ => None,
    };
    let number: Option<u64> = number.parse().ok();
    let product = number.zip(seconds).and_then(|(number, seconds)| number.checked_mul(seconds));
    product
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
        .ok_or_else(|| "not a number of seconds, minutes, hours or days such as 30d".to_owned())
}

#[cfg(test)]
mod tests {
    use miyaburi_export::gate;

    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("30d"), Ok(Duration::from_secs(30 * 86400)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        for text in ["30", "d", "0h", "-1d", "1.5h", "99999999999999999999d", "1w"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_blockable_role_can_be_asked_for() {
        let roles = BlockableRole::value_variants().iter().map(|role| EndpointRole::from(*role));
        assert!(roles.eq(gate::BLOCKABLE));
    }
}
