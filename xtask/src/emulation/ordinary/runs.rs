//! One case in the emulator and under QEMU.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use miyaburi_emulator::{Abi, Emulator, Limits};
use miyaburi_image::Image;
use miyaburi_linux::{Ended, Process, Setup};

use super::{
    cases::{Case, FILES},
    programs::Program,
};
use crate::{emulation::qemu::Machine, toolchain::Target};

/// What a program printed, and its status as a shell sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) printed: Vec<u8>,
    pub(crate) status: i32,
}

/// More than any case takes.
const LIMITS: Limits = Limits { instructions: 2_000_000_000, depth: 100_000, ..Limits::DEFAULT };

/// Pages of 4 KiB that a program may touch.
const PAGES: usize = 16_384;

/// Runs a case on both and compares.
///
/// # Errors
/// When it cannot be run, differs, or asks for what the virtual Linux does not model.
pub(super) fn compare(program: &Program, case: &Case, files: &Path) -> anyhow::Result<()> {
    let expected = under_qemu(program.target, &program.file, case, files)?;
    let bytes = fs::read(&program.file)?;
    let shown = || case.arguments.join(" ").chars().take(60).collect::<String>();
    let got = emulated(&bytes, case).with_context(shown)?;
    if got != expected {
        let text = |outcome: &Outcome| String::from_utf8_lossy(&outcome.printed).into_owned();
        let (got_text, expected_text) = (text(&got), text(&expected));
        let same = got_text.lines().zip(expected_text.lines()).take_while(|(a, b)| a == b).count();
        bail!(
            "{}: line {}: {:?}, under QEMU {:?}; status {}, under QEMU {}",
            shown(),
            same + 1,
            got_text.lines().nth(same),
            expected_text.lines().nth(same),
            got.status,
            expected.status
        );
    }
    Ok(())
}

/// What a case gives under QEMU, in the folder of the files.
///
/// # Errors
/// When QEMU cannot be run.
pub(crate) fn under_qemu(
    target: Target,
    file: &Path,
    case: &Case,
    files: &Path,
) -> anyhow::Result<Outcome> {
    let machine = Machine::of(target, file)?;
    let (name, rest) = case.arguments.split_first().context("no arguments")?;
    let mut command = Command::new("timeout");
    command.args(["120", machine.program]).args(machine.switches());
    command.args(["-0", name]).arg(file).args(rest).current_dir(files);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read it may be gone by then.
        let _ = input.write_all(case.input.as_bytes());
    }
    let output = child.wait_with_output()?;
    Ok(Outcome { printed: output.stdout, status: output.status.code().unwrap_or(-1) })
}

/// What a case gives in the emulator.
fn emulated(file: &[u8], case: &Case) -> anyhow::Result<Outcome> {
    let image = Image::parse(file)?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let abi = Abi::new(image.arch(), &*language)?;
    let mut emulator = Emulator::new(&image, &*language, abi);
    let mut arguments: Vec<Vec<u8>> =
        case.arguments.iter().map(|argument| argument.clone().into_bytes()).collect();
    if let Some(name) = arguments.first_mut() {
        // Outside the folder with the files.
        *name = [b"/bin/", name.as_slice()].concat();
    }
    let files = FILES.map(|(name, content)| (name.as_bytes().to_vec(), content.to_vec()));
    let input = case.input.as_bytes().to_vec();
    let setup = Setup { arguments, input, files: files.to_vec(), ..Setup::default() };
    let mut process = Process::start(&emulator, &*language, &image, file, &setup, PAGES)?;
    let outcome = process.run(&mut emulator, &LIMITS);
    if let Some((number, (call, site))) = process.kernel.unmodelled().iter().next() {
        let name = call.map_or("unknown", |call| call.name());
        bail!("system call {name} ({number}) at {site} is not modelled");
    }
    let status = match process.ended() {
        Some(Ended::Exited(status)) => i32::from(status),
        Some(Ended::Killed(signal)) => 128 + signal as i32,
        Some(Ended::Replaced) => bail!("it became another program"),
        None => bail!("{:?} after {} instructions", outcome.exit, outcome.instructions),
    };
    Ok(Outcome { printed: process.kernel.written(1).to_vec(), status })
}
