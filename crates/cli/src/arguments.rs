//! The command line: commands and their options, the source of help, completions and manual.

mod behaviour;
mod count;
mod devices;
mod events;
mod export;
mod hunt;
mod ledger;
mod logs;
mod plan;
mod raw;
mod redact;
mod scope;
mod timeline;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use miyaburi_image::Address;

pub(crate) use self::behaviour::BehaviourArguments;
pub(crate) use self::count::{CountArguments, CountFormat};
pub(crate) use self::devices::{DevicesArguments, DevicesFormat};
pub(crate) use self::events::{EventsArguments, EventsFormat};
pub(crate) use self::export::{
    DryRunFormat, ExportArguments, ExportFormat, FlowspecArguments, SelectionArguments,
    StateArguments,
};
pub(crate) use self::hunt::{HuntArguments, HuntFormat};
pub(crate) use self::ledger::{LedgerArguments, LedgerFormat};
pub(crate) use self::logs::{LogArguments, ReadingArguments};
pub(crate) use self::plan::{PlanArguments, PlanFormat};
use self::raw::RawArguments;
pub(crate) use self::redact::RedactArguments;
pub(crate) use self::scope::ScopeArguments;
pub(crate) use self::timeline::{TimelineArguments, TimelineFormat};

/// Extracts what Mirai-family files are configured to do: C2s, string table, credentials, attack
/// vectors.
///
/// Files are never executed natively: their own routines run in an emulator that has no outside.
///
/// Exit codes: 0 nothing failed, 1 something failed, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "miyaburi", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Analyse files and print a report for each
    Extract(ExtractArguments),
    /// Compare reports with what is known about the files
    Score(ScoreArguments),
    /// Tell what changed between reports
    ///
    /// Compared is what a program is configured to do: verdict, endpoints, string table, loose
    /// strings, credentials, attack vectors, scanner. What describes the file (path, digests, CPU,
    /// packer), addresses and evidence are not. Against a file that was not analysed (failed,
    /// unsupported) only the verdict is.
    ///
    /// When there are several reports, each is paired with at most one other by the first of these
    /// that fits: sample.sha256 is equal; the name is equal, which is that of the report file below
    /// the directory when it holds one report, else sample.path as it stands, else sample.path
    /// below the directory that all samples of its side share; string_table.sha256 and
    /// credentials.sha256 are equal, else the first of them, else the second, of the same CPU
    /// before others. Reports with the same claim to a counterpart are paired in their order. The
    /// rest is only in A or only in B. One report on each side is always a pair.
    ///
    /// Exit codes: 0 compared, with --exit-code 1 unless all is the same; 1 when a report cannot be
    /// read, and then nothing is compared; 2 wrong usage.
    Diff(DiffArguments),
    /// List the devices that reports target, and which of one's own are next
    ///
    /// Logins and exploit requests are looked up in tables that name their public sources. Files
    /// with equal comparison hashes count as one configuration. With --inventory the own devices at
    /// risk are listed, the most urgent first: now (a way in that is tried is open), soon (it may be
    /// open) and check (a port that is probed is open).
    ///
    /// Exit codes: 0 listed; 1 when a report or table cannot be read, and then nothing is listed;
    /// 2 wrong usage.
    Devices(DevicesArguments),
    /// Write what to prepare against the attacks that reports describe
    ///
    /// For each kind of attack: the files that send it, its packets, whether the source can be
    /// trusted, what catches it, what that hits by mistake, what operators can override, and ready
    /// commands. Nothing is matched that an option of the program changes.
    ///
    /// Exit codes: 0 written; 1 when a report cannot be read, and then nothing is written; 2 wrong
    /// usage.
    Plan(PlanArguments),
    /// Look for indicators in logs: who was touched, since when, how often
    ///
    /// Logs are recognised by content: query logs of BIND, Unbound and dnsmasq, dnstap, web servers' common
    /// and combined format and JSON, Suricata's EVE, Zeek's tables and JSON, flows (NetFlow 5 and 9, IPFIX,
    /// nfdump -o csv), packets (pcap, pcapng), Exim's log, and syslog around DNS servers (PowerDNS, too),
    /// OpenSSH, Postfix, Dovecot, PAM and the kernel's packet filter; plain or under gzip, xz, Zstandard or
    /// bzip2. A name matches itself and the names below it, an address itself, with a port that port, a
    /// network its addresses, a URL host and path. Nothing is searched for as text. Of reports, the
    /// endpoints that are the attackers' own are looked for: decoys and resolvers are not.
    ///
    /// Exit codes: 0 all read, whether something was found or not; 1 when a file or an indicator
    /// could not be read or no format fits, and the rest goes on; 2 wrong usage.
    Hunt(HuntArguments),
    /// Tell what logs say of an address, network, account or name, in order
    ///
    /// Every record that names the entity, with its evidence, and every gap: a source, which is a log
    /// with its rotated parts, that fell silent for longer than its own habits explain. What is not
    /// told within a gap may have happened. Logs are read as by hunt.
    ///
    /// Exit codes: 0 all read, whether something was found or not; 1 when a file could not be read or
    /// no format fits, and the rest goes on; 2 wrong usage.
    Timeline(TimelineArguments),
    /// Tell which accounts were touched, which were not, and of which that cannot be said
    ///
    /// For every account and class of data: confirmed, when a record shows an indicator accessing the
    /// account in a way that reads the class; excluded, when all logs that would show it are there
    /// without a gap and do not; else possible, with the reason. By contract and class in
    /// contracts.csv, in short in scope.md and on standard output.
    ///
    /// Exit codes: 0 all read; 1 when a log, an indicator or a lease could not be read, and the rest
    /// goes on, or when a table could not, and then nothing is written; 2 wrong usage.
    Scope(ScopeArguments),
    /// Tell what in logs behaves like an attacker or a bot, on a list or not
    ///
    /// Devices that look for others to log in to or come back to one destination by a timer; sources
    /// that log in to many accounts or guess; accounts used from a network or country from which they
    /// never were, at an hour at which they never were or after a password was reset from there; accounts
    /// that read many things at once; and, where you give what it takes, devices that send what a report's
    /// attacks send, accounts of the staff at hours or for amounts at which they never were used, and what
    /// Sigma rules of your own match. Each is told once a day and
    /// entity with its reason and line, as a JSON object. It is a question, not an answer: monitoring
    /// systems, gateways and travellers look alike.
    ///
    /// Sigma rules are asked by their category: dns, proxy, webserver, firewall, network_connection,
    /// authentication, email, or none. Fields are those of Sigma's taxonomy (src_ip, dst_ip, dst_port, user,
    /// query, cs-host, c-uri, ...); keywords are looked for anywhere in the record.
    ///
    /// Exit codes: 0 all read, whether something was found or not; 1 when a file could not be read or
    /// no format fits, and the rest goes on; 2 wrong usage.
    Behaviour(BehaviourArguments),
    /// Count accesses from outside to one's own devices
    ///
    /// By day, device, port, source network (a /24, of IPv6 a /48), indicator and the botnet that its
    /// source names (of reports family and configuration), with the mean for each device and day, and
    /// how the last seven whole days compare with the seven before. Give the devices that offer nothing
    /// to the public: their visitors are counted, too.
    ///
    /// Exit codes: 0 all read; 1 when a file could not be read or no format fits, and the rest goes
    /// on; 2 wrong usage.
    Count(CountArguments),
    /// Write all events of logs as one table
    ///
    /// Every record of every format becomes a row with the same columns: time in UTC, event (dns_query,
    /// connection, web_request, login, mail), client, server, port, protocol, name, url, account, host, outcome,
    /// packets and bytes where they are counted, and the file and byte of its line. As Arrow, data frames and
    /// SQL engines read it at once.
    ///
    /// Exit codes: 0 all read; 1 when a file could not be read or no format fits, and the rest goes
    /// on; 2 wrong usage.
    Events(EventsArguments),
    /// Print what a stage of the analysis makes of a file
    Dump(DumpArguments),
    /// Write the program in a packed file
    ///
    /// UPX's files are unpacked without running them. Where that fails, and of other packers, the stub
    /// runs in the emulator until the program is there. The packer, what had been damaged and the
    /// SHA-256 of what was written are told in the report of extract, which unpacks by itself.
    ///
    /// Exit codes: 0 written; 1 when the file cannot be read, is not packed or too damaged; 2 wrong
    /// usage.
    Unpack(UnpackArguments),
    /// Turn what reports found into lists and rules that other programs load
    ///
    /// Indicators of all reports are merged: a host with port, protocol and role. Each passes a gate
    /// before it is written: refused are hosts that are not the attackers' (decoys, resolvers, the
    /// port of a single instance), addresses that are reserved or shared, names of well-known sites,
    /// whatever a warning list or --allow names, and what is not sure enough. Every entry expires.
    ///
    /// Beside the files of the formats, DIR gets refusals.csv with every refusal and its reason, and
    /// provenance.json. The same input, options and --now give the same bytes.
    ///
    /// Exit codes: 0 written, 1 when something could not be read or written, 2 wrong usage. A report
    /// that cannot be read ends the command before anything is written.
    Export(ExportArguments),
    /// Tell what exports put in force: since when, until when, which export did, and what was withdrawn
    Ledger(LedgerArguments),
    /// Print the JSON Schema of a report, or of another document
    Schema(SchemaArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print the manual page
    Man(ManArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ExtractArguments {
    /// Files to analyse; directories stand for everything below them, and archives (zip, 7z, tar,
    /// cpio, ar, gzip, bzip2, xz, zstd, nested) for their members; - is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Password for encrypted members of archives, tried after infected, malware and virus; may be
    /// given several times
    #[arg(long = "password", value_name = "PASSWORD")]
    pub passwords: Vec<String>,

    /// Look for ELF files within files that are no archives, such as flash images: each is analysed,
    /// and named by its offset
    #[arg(long, conflicts_with = "raw")]
    pub carve: bool,

    /// How to print reports [default: text on a terminal, ndjson elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<ReportFormat>,

    /// Tell how values were found, with the code that says so: of many alike, the first ones; for
    /// --format text
    #[arg(long)]
    pub explain: bool,

    /// Write to this file instead of standard output; with --format mirai-toushi, maco or labels,
    /// the directory to write into
    #[arg(short, long, value_name = "PATH", required_if_eq_any([
        ("format", "mirai-toushi"),
        ("format", "maco"),
        ("format", "labels"),
    ]))]
    pub output: Option<PathBuf>,

    /// Write what attacks were seen to send to DIR/<sha256>/<vector or command>.pcap, headers of
    /// the kernel added and every address one of documentation
    #[arg(long, value_name = "DIR", conflicts_with = "no_observe")]
    pub pcap: Option<PathBuf>,

    /// Files to analyse at the same time [default: one per CPU]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub confinement: Confinement,

    #[command(flatten)]
    pub raw: RawArguments,

    #[command(flatten)]
    pub budgets: Budgets,
}

/// Rights that a command has while it analyses.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Confinement {
    /// Keep all rights of the process. Otherwise, on Linux, it can make no socket, start no program
    /// and open no file but its inputs and, where the output is a directory, what is in that
    #[arg(long)]
    pub unconfined: bool,
}

/// What one file may cost at most. A report cut by a budget says so.
#[derive(Debug, Args)]
#[command(next_help_heading = "Budgets")]
pub(crate) struct Budgets {
    /// Instructions to emulate for one file
    #[arg(long, value_name = "COUNT")]
    pub max_instructions: Option<u64>,

    /// Do not watch what attacks send
    #[arg(long)]
    pub no_observe: bool,

    /// Steps of the analysis of one file, each roughly the evaluation of one instruction
    #[arg(long, value_name = "COUNT")]
    pub max_steps: Option<u64>,

    /// Bytes of memory to give to one file's program
    #[arg(long, value_name = "BYTES")]
    pub max_bytes: Option<u64>,

    /// Wall clock for one file, 0 for none; the only budget that makes output depend on the
    /// machine
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub time_limit: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One JSON object a line
    Ndjson,
    /// Indented JSON: one object for one named file, else an array
    Json,
    /// For people
    Text,
    /// The JSON documents of mirai-toushi for every analysed file, in OUTPUT/<sha256>/
    MiraiToushi,
    /// The model of MACO 1.3 for every file of a known family, in OUTPUT/<sha256>/maco.json
    Maco,
    /// Names of functions and data for Ghidra, IDA and rizin, as scripts in OUTPUT/<sha256>/
    Labels,
}

impl ReportFormat {
    /// Whether it is written to a folder for each file.
    pub(crate) const fn has_folders(self) -> bool {
        match self {
            Self::MiraiToushi | Self::Maco | Self::Labels => true,
            Self::Ndjson | Self::Json | Self::Text => false,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ScoreArguments {
    /// Report files, NDJSON or JSON; - is standard input
    #[arg(required = true, value_name = "REPORTS")]
    pub reports: Vec<PathBuf>,

    /// Truth file: NDJSON, one line a file
    #[arg(long, value_name = "FILE")]
    pub truth: PathBuf,

    /// Score only these fields, by the names that the score prints
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
    pub fields: Vec<String>,

    /// Score only files with this label; labels of the same name are alternatives
    #[arg(long, value_name = "LABEL=VALUE", value_parser = label)]
    pub select: Vec<(String, String)>,

    /// Fail when fewer files than this are exact
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub require: Option<f64>,

    /// How to print the score
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ScoreFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScoreFormat {
    /// Tables, and the first files that are not exact
    Text,
    /// One JSON object with every miss
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// Reports before: a file, NDJSON or JSON, or a directory of files that end in .json, .ndjson
    /// or .jsonl; - is standard input
    #[arg(value_name = "A")]
    pub a: PathBuf,

    /// Reports after
    #[arg(value_name = "B")]
    pub b: PathBuf,

    /// How to print differences
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DiffFormat,

    /// Fail when something differs, is only on one side, or could not be compared
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For people; pairs that are the same are only counted
    Text,
    /// One JSON object a line for every pair, and for every report without one
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Document to describe
    #[arg(default_value = "report")]
    pub document: SchemaDocument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaDocument {
    /// What extract prints for a file
    Report,
    /// What diff prints for a pair
    Diff,
    /// What dump prints of any stage
    Dump,
}

#[derive(Debug, Args)]
pub(crate) struct DumpArguments {
    /// File to look into
    #[arg(value_name = "FILE")]
    pub path: PathBuf,

    /// What to print
    #[arg(long, value_name = "STAGE")]
    pub stage: DumpStage,

    /// Only the function that starts at or covers this address, in hexadecimal; can be repeated
    #[arg(long = "function", value_name = "ADDRESS", value_parser = address)]
    pub functions: Vec<Address>,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DumpFormat,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub raw: RawArguments,

    #[command(flatten)]
    pub confinement: Confinement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DumpStage {
    /// The file as mapped memory: segments, symbols, imports, repairs
    Image,
    /// Every function: size, how it was found, how often it is called
    Functions,
    /// Assembly by function and block, with names, call targets and texts
    Disasm,
    /// Assembly with the P-code of every instruction
    Pcode,
    /// Who calls whom and from where; ? is a target that is not known
    Callgraph,
    /// What is known at calls of their arguments, constant stores, references to data
    Constants,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DumpFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// Graphviz, of the stage callgraph alone
    Dot,
}

#[derive(Debug, Args)]
pub(crate) struct UnpackArguments {
    /// Packed file
    #[arg(value_name = "FILE")]
    pub path: PathBuf,

    /// Where to write the program
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    #[command(flatten)]
    pub confinement: Confinement,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// Shell to complete in
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// Command to describe [default: all in brief]
    pub command: Option<String>,
}

fn address(text: &str) -> Result<Address, String> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or(text);
    // Parsing takes a sign, which no address has.
    let digits = Some(digits).filter(|digits| !digits.starts_with('+'));
    digits
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .map(Address)
        .ok_or_else(|| "not a hexadecimal address such as 0x8048054".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn percent(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "not a number from 0 to 100".to_owned())
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not LABEL=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Ends the program as the argument parser does, for combinations of the arguments of `subcommand`
/// that have no meaning.
pub(crate) fn usage_error(subcommand: &str, problem: &str) -> ! {
    let mut command = Arguments::command();
    command.build();
    match command.find_subcommand_mut(subcommand) {
        Some(command) => command.error(ErrorKind::ArgumentConflict, problem),
        None => command.error(ErrorKind::ArgumentConflict, problem),
    }
    .exit()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
