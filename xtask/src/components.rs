//! What the whole test run needs besides the Rust toolchain, and how it gets there.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

use crate::{
    apt::suite::Suite,
    steps::show,
    toolchain::{self, Compiler, Libc, Toolchain},
};

/// The version of cargo-deny that is installed when there is none.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// The package of MACO's model, and its version.
const MACO: &str = "maco-model==1.3.3";

/// The validator of OASIS, whose next version lacks its schemas, and a TAXII server with its client. The
/// server is older than Flask 3.
const STIX: [&str; 5] =
    ["stix2-validator==3.2.0", "medallion==3.0.0", "taxii2-client==2.3.0", "flask<3", "werkzeug<3"];

/// MISP's own library, and what makes STIX of its events.
const MISP: [&str; 2] = ["pymisp==2.5.34.4", "misp-stix==2026.10.12"];

/// Arrow's library, as data frames use it.
const PYARROW: &str = "pyarrow==26.0.1";

/// The second of YARA's engines.
const YARA_X: &str = "yara-x==1.22.1";

/// pySigma, and what makes queries of rules for three kinds of log stores.
const SIGMA: [&str; 4] = [
    "pysigma==1.5.1",
    "pysigma-backend-splunk==2.1.0",
    "pysigma-backend-elasticsearch==2.1.1",
    "pysigma-backend-sqlite==2.0.0",
];

/// Where tools that this run installs go, relative to the workspace's root.
const TOOLS: &str = "target/tools";

/// Whether a program runs at all with these arguments.
fn works(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether cargo has this subcommand.
pub(crate) fn has_cargo_command(name: &str) -> bool {
    works("cargo", &[name, "--version"])
}

/// Adds rustfmt and clippy to the Rust toolchain when they are missing.
pub(crate) fn install_rust_components(root: &Path) -> anyhow::Result<()> {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !has_cargo_command(command) {
            show(root, "rustup", &["component", "add", component])?;
        }
    }
    Ok(())
}

/// Installs the cross toolchains that come as packages: the others first compile a C library for
/// each CPU type, which takes longer than the rest of a test run.
pub(crate) fn install_toolchains(root: &Path) -> anyhow::Result<()> {
    let mut all = Toolchain::all();
    all.retain(|toolchain| {
        toolchain.compiler == Compiler::Gcc && matches!(toolchain.libc, Libc::Tiny | Libc::Glibc)
    });
    if all.iter().all(Toolchain::installed) {
        return Ok(());
    }
    show(root, "apt-get", &["update", "--quiet"])?;
    toolchain::install(&all)?;
    let missing: Vec<String> =
        all.iter().filter(|toolchain| !toolchain.installed()).map(Toolchain::name).collect();
    if missing.is_empty() { Ok(()) } else { bail!("still missing: {}", missing.join(", ")) }
}

/// The C++ compiler that the reference lifter is built with.
pub(crate) fn install_cpp_compiler(root: &Path) -> anyhow::Result<()> {
    if works("c++", &["--version"]) {
        return Ok(());
    }
    show(root, "apt-get", &["update", "--quiet"])?;
    show(root, "apt-get", &["install", "--yes", "--no-install-recommends", "g++"])
}

/// QEMU's programs for single processes, one for each CPU type.
pub(crate) fn install_qemu(root: &Path) -> anyhow::Result<()> {
    if works("qemu-sh4-static", &["--version"]) {
        return Ok(());
    }
    show(root, "apt-get", &["update", "--quiet"])?;
    show(root, "apt-get", &["install", "--yes", "--no-install-recommends", "qemu-user-static"])
}

/// The command, in the profile of the tests: optimised, and its dependencies are built already.
pub(crate) fn build_miyaburi(root: &Path) -> anyhow::Result<PathBuf> {
    let build =
        ["build", "--quiet", "--profile", "test", "--package", "miyaburi-cli", "--bin", "miyaburi"];
    show(root, "cargo", &build)?;
    let output = Command::new("cargo")
        .current_dir(root)
        .args(build)
        .args(["--message-format", "json"])
        .output()
        .context("cargo")?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let program = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_program = message["target"]["name"] == "miyaburi";
        message["executable"].as_str().filter(|_| is_program).map(PathBuf::from)
    });
    program.context("cargo names no program that it built")
}

/// The tracer of system calls.
pub(crate) fn install_strace(root: &Path) -> anyhow::Result<()> {
    if works("strace", &["--version"]) {
        return Ok(());
    }
    show(root, "apt-get", &["update", "--quiet"])?;
    show(root, "apt-get", &["install", "--yes", "--no-install-recommends", "strace"])
}

/// Wireshark without its windows.
pub(crate) fn install_tshark(root: &Path) -> anyhow::Result<()> {
    if works("tshark", &["--version"]) {
        return Ok(());
    }
    show(root, "apt-get", &["update", "--quiet"])?;
    show(root, "apt-get", &["install", "--yes", "--no-install-recommends", "tshark"])
}

/// nftables.
pub(crate) fn install_nft(root: &Path) -> anyhow::Result<()> {
    if works("nft", &["--version"]) {
        return Ok(());
    }
    show(root, "apt-get", &["update", "--quiet"])?;
    show(root, "apt-get", &["install", "--yes", "--no-install-recommends", "nftables"])
}

/// A Python interpreter that has MACO's model, below `target`.
pub(crate) fn maco(root: &Path) -> anyhow::Result<PathBuf> {
    python_with(root, "maco", "maco.model", &[MACO])
}

/// A Python interpreter that has pySigma, below `target`.
pub(crate) fn sigma(root: &Path) -> anyhow::Result<PathBuf> {
    python_with(root, "sigma", "sigma.backends.sqlite", &SIGMA)
}

/// A Python interpreter that has OASIS' validator and a TAXII server, below `target`.
pub(crate) fn stix(root: &Path) -> anyhow::Result<PathBuf> {
    python_with(root, "stix", "medallion, stix2validator, taxii2client", &STIX)
}

/// A Python interpreter that has PyMISP and misp-stix, below `target`.
pub(crate) fn misp(root: &Path) -> anyhow::Result<PathBuf> {
    python_with(root, "misp", "misp_stix_converter, pymisp", &MISP)
}

/// A Python interpreter that has YARA-X, below `target`.
pub(crate) fn yara_x(root: &Path) -> anyhow::Result<PathBuf> {
    python_with(root, "yara", "yara_x", &[YARA_X])
}

/// A Python interpreter that reads Arrow.
pub(crate) fn pyarrow(root: &Path) -> anyhow::Result<PathBuf> {
    python_with(root, "arrow", "pyarrow", &[PYARROW])
}

/// A Python interpreter of its own below `target`, which can import `module` of `packages`.
fn python_with(
    root: &Path,
    name: &str,
    module: &str,
    packages: &[&str],
) -> anyhow::Result<PathBuf> {
    let folder = root.join(TOOLS).join(name);
    let python = folder.join("bin").join("python");
    if works(&python, &["-c", &format!("import {module}")]) {
        return Ok(python);
    }
    if !works("python3", &["-c", "import ensurepip"]) {
        show(root, "apt-get", &["update", "--quiet"])?;
        show(root, "apt-get", &["install", "--yes", "--no-install-recommends", "python3-venv"])?;
    }
    show(root, "python3", &["-m", "venv", &folder.display().to_string()])?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    show(root, &python, &[&install[..], packages].concat())?;
    Ok(python)
}

/// Suricata 7, which Debian 12 has among its backports.
pub(crate) fn install_suricata() -> anyhow::Result<()> {
    if toolchain::process::find_program("suricata").is_some() {
        return Ok(());
    }
    Suite::new("bookworm-backports").install(&["suricata"])
}

/// Exim, unpacked below `target`: installed, it would take the place of Postfix.
pub(crate) fn exim(root: &Path) -> anyhow::Result<PathBuf> {
    const PACKAGE: &str = "exim4-daemon-light";
    let folder = root.join(TOOLS).join("exim");
    let program = folder.join("usr/sbin/exim4");
    if !program.is_file() {
        std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
        show(root, "apt-get", &["update", "--quiet"])?;
        show(&folder, "apt-get", &["download", PACKAGE])?;
        let unpack = "dpkg --extract exim4-daemon-light_*.deb .";
        show(&folder, "sh", &["-c", unpack])?;
        let linked = ["libdb5.3", "libgnutls-dane0", "libidn12", "libnsl2", "libpcre2-8-0"];
        let install = ["install", "--yes", "--no-install-recommends"];
        show(root, "apt-get", &[&install[..], &linked].concat())?;
    }
    Ok(program)
}

/// Servers and probes that log, and what drives them.
pub(crate) fn install_producers(root: &Path) -> anyhow::Result<()> {
    install_programs(
        root,
        &[
            ("named", "bind9"),
            ("dig", "bind9-dnsutils"),
            ("unbound", "unbound"),
            ("dnsmasq", "dnsmasq-base"),
            ("pdns_server", "pdns-server"),
            ("pdns_server", "pdns-backend-bind"),
            ("pdns_recursor", "pdns-recursor"),
            ("freeradius", "freeradius"),
            ("radclient", "freeradius-utils"),
            ("dhcpd", "isc-dhcp-server"),
            ("dhclient", "isc-dhcp-client"),
            ("kea-dhcp4", "kea-dhcp4-server"),
            ("nginx", "nginx-light"),
            ("apache2", "apache2-bin"),
            ("postfix", "postfix"),
            ("dovecot", "dovecot-imapd"),
            ("sshd", "openssh-server"),
            ("ssh", "openssh-client"),
            ("rsyslogd", "rsyslog"),
            ("nft", "nftables"),
            ("ulogd", "ulogd2"),
            ("softflowd", "softflowd"),
            ("nfpcapd", "nfdump"),
            ("tcpdump", "tcpdump"),
            ("ip", "iproute2"),
            ("curl", "curl"),
        ],
    )
}

/// What the files of `export` are for: resolvers, the packet filter and routers, with what asks them
/// and what makes ordinary traffic.
pub(crate) fn install_resolvers_and_filter(root: &Path) -> anyhow::Result<()> {
    const PROGRAMS: [(&str, &str); 18] = [
        ("named", "bind9"),
        ("named-checkzone", "bind9-utils"),
        ("dig", "bind9-dnsutils"),
        ("unbound", "unbound"),
        ("nft", "nftables"),
        ("ip", "iproute2"),
        ("gobgpd", "gobgpd"),
        ("bird", "bird2"),
        ("exabgp", "exabgp"),
        ("capinfos", "wireshark-common"),
        ("curl", "curl"),
        ("iperf3", "iperf3"),
        ("openvpn", "openvpn"),
        ("ping", "iputils-ping"),
        ("python3", "python3"),
        ("sshd", "openssh-server"),
        ("wget", "wget"),
        ("yara", "yara"),
    ];
    install_programs(root, &PROGRAMS)
}

/// Installs the packages of those programs that are missing.
fn install_programs(root: &Path, programs: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, _)| toolchain::process::find_program(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    show(root, "apt-get", &["update", "--quiet"])?;
    // Some of them would ask at a terminal whether they are to serve from now on.
    let install = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes"];
    show(root, "env", &[&install[..], &["--no-install-recommends"], &missing].concat())
}

/// The path of cargo-deny, installed below `target` when cargo does not have it.
pub(crate) fn cargo_deny(root: &Path) -> anyhow::Result<PathBuf> {
    if has_cargo_command("deny") {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let tools = root.join(TOOLS);
    let program = tools.join("bin").join("cargo-deny");
    if !works(&program, &["--version"]) {
        let target = tools.join("target");
        let (tools, target) = (tools.display().to_string(), target.display().to_string());
        // An unoptimised build takes a fraction of the time and checks as well.
        show(
            root,
            "cargo",
            &[
                "install",
                "--locked",
                "--debug",
                "--version",
                CARGO_DENY_VERSION,
                "--root",
                &tools,
                "--target-dir",
                &target,
                "cargo-deny",
            ],
        )?;
    }
    Ok(program)
}
