//! The distribution's sources, built statically for CPU types its mirrors do not carry.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, anyhow};

use super::{
    apt::Apt,
    manifest::Negative,
    plan::{Plan, Source},
};
use crate::toolchain::{self, Compiler, Libc, Target, Toolchain, process, workspace_root};

/// Switches for C of the last century: what these programs warn about is not news, and
/// newer compilers refuse some of it by default.
const OLD_C: [&str; 5] = [
    "-std=gnu99",
    "-w",
    "-Wno-error=int-conversion",
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
];

/// An unpacked source package.
pub(super) struct Tree {
    pub(super) dir: PathBuf,
    version: String,
}

/// Makes sure that every planned build is there.
pub(super) fn build(plan: &Plan, apt: &Apt, home: &Path) -> anyhow::Result<Vec<Negative>> {
    toolchain::install(&toolchains(plan)?)?;
    let mut negatives = Vec::new();
    for source in &plan.sources {
        let tree = unpack(apt, home, &source.name)?;
        for name in &source.toolchains {
            let toolchain: Toolchain = name.parse()?;
            let output = output(home, toolchain, &source.program)?;
            if !output.is_file() {
                compile(source, toolchain, &tree, &output)?;
            }
            negatives.push(describe(home, &output, &source.name, &tree, toolchain)?);
        }
    }
    let tree = unpack(apt, home, &plan.busybox.source)?;
    for target in &plan.busybox.targets {
        let toolchain = glibc(target)?;
        let output = output(home, toolchain, "busybox")?;
        if !output.is_file() {
            busybox(toolchain, &tree, &output)?;
        }
        negatives.push(describe(home, &output, &plan.busybox.source, &tree, toolchain)?);
    }
    Ok(negatives)
}

/// Every toolchain the plan names.
fn toolchains(plan: &Plan) -> anyhow::Result<Vec<Toolchain>> {
    let named: BTreeSet<&String> = plan.sources.iter().flat_map(|it| &it.toolchains).collect();
    let mut toolchains =
        named.into_iter().map(|name| name.parse()).collect::<anyhow::Result<Vec<_>>>()?;
    for target in &plan.busybox.targets {
        toolchains.push(glibc(target)?);
    }
    Ok(toolchains)
}

/// The GNU toolchain of a target named in the plan.
fn glibc(target: &str) -> anyhow::Result<Toolchain> {
    let target = Target::ALL
        .into_iter()
        .find(|it| it.name() == target)
        .ok_or_else(|| anyhow!("{target}: no such target"))?;
    Ok(Toolchain { target, libc: Libc::Glibc, compiler: Compiler::Gcc })
}

/// Where a build is kept.
fn output(home: &Path, toolchain: Toolchain, program: &str) -> anyhow::Result<PathBuf> {
    let dir = home.join("files").join(toolchain.name());
    fs::create_dir_all(&dir)?;
    Ok(dir.join(program))
}

fn describe(
    home: &Path,
    output: &Path,
    package: &str,
    tree: &Tree,
    toolchain: Toolchain,
) -> anyhow::Result<Negative> {
    let target = Some(toolchain.target.name());
    Negative::of(home, output, package, &tree.version, &toolchain.name(), target)
}

/// Downloads and unpacks a source package unless that was done.
pub(super) fn unpack(apt: &Apt, home: &Path, package: &str) -> anyhow::Result<Tree> {
    let home = home.join("sources").join(package);
    let dir = home.join("tree");
    let version_file = home.join("version");
    if !version_file.is_file() {
        if home.exists() {
            fs::remove_dir_all(&home)?;
        }
        fs::create_dir_all(&home)?;
        apt.source(&home, package)?;
        let description = fs::read_dir(&home)?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|it| it == "dsc"))
            .with_context(|| format!("{package}: no source description was downloaded"))?;
        let mut command = Command::new("dpkg-source");
        process::run(command.args(["--no-check", "--extract"]).arg(&description).arg(&dir))?;
        let text = fs::read_to_string(&description)?;
        let version = text.lines().find_map(|line| line.strip_prefix("Version: "));
        fs::write(&version_file, version.unwrap_or("unknown"))?;
    }
    Ok(Tree { dir, version: fs::read_to_string(version_file)? })
}

/// Compiles a plain program and strips its symbols, as the distribution does.
fn compile(source: &Source, toolchain: Toolchain, tree: &Tree, to: &Path) -> anyhow::Result<()> {
    println!("{}: {}", toolchain, source.program);
    let files: Vec<PathBuf> = source.files.iter().map(|file| tree.dir.join(file)).collect();
    let mut flags: Vec<&str> = source.flags.iter().map(String::as_str).collect();
    flags.extend(OLD_C);
    let partial = to.with_extension("partial");
    toolchain.compile("-O2", &files, &[], &flags, &partial)?;
    toolchain.strip(&partial, true)?;
    fs::rename(partial, to).with_context(|| to.display().to_string())
}

/// Builds BusyBox with its own makefiles, in a copy of the tree.
fn busybox(toolchain: Toolchain, tree: &Tree, to: &Path) -> anyhow::Result<()> {
    println!("{toolchain}: busybox");
    let home = tempfile::tempdir()?;
    let copy = home.path().join("tree");
    process::run(Command::new("cp").arg("-a").arg(&tree.dir).arg(&copy))?;
    let mut answers = fs::read_to_string(
        workspace_root().join("specimens").join("negatives").join("busybox.config"),
    )?;
    let flags = toolchain.cpu_flags().join(" ");
    answers.push_str(&format!(
        "CONFIG_CROSS_COMPILER_PREFIX=\"{}-\"\nCONFIG_EXTRA_CFLAGS=\"{flags}\"\n\
         CONFIG_EXTRA_LDFLAGS=\"{flags} -Wl,--build-id=none\"\n",
        toolchain.triplet()
    ));
    let answers_file = home.path().join("answers.config");
    fs::write(&answers_file, answers)?;
    let make = |arguments: &[String]| {
        let mut command = Command::new("make");
        command
            .current_dir(&copy)
            .args(arguments)
            .env("KCONFIG_ALLCONFIG", &answers_file)
            .env("KCONFIG_NOTIMESTAMP", "1")
            .env("SOURCE_DATE_EPOCH", "0")
            .env("LC_ALL", "C");
        process::run(&mut command)
    };
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    make(&["allnoconfig".to_owned()])?;
    make(&[format!("-j{jobs}"), "busybox".to_owned()])?;
    fs::copy(copy.join("busybox"), to).with_context(|| to.display().to_string())?;
    Ok(())
}
