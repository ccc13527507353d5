//! `cargo xtask toolchains`.

use super::{Toolchain, install};

/// List the cross toolchains, or install them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Install the named toolchains, or all of them when none is named.
    #[arg(long)]
    install: bool,
    /// Toolchains, such as `mips-be-gcc-glibc`; all when none is named.
    names: Vec<String>,
}

/// Runs the subcommand.
///
/// # Errors
/// When a name is unknown or an installation fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let chosen = if args.names.is_empty() {
        Toolchain::all()
    } else {
        args.names.iter().map(|name| name.parse()).collect::<anyhow::Result<Vec<Toolchain>>>()?
    };
    if args.install {
        return install(&chosen);
    }
    for toolchain in chosen {
        println!("{:<28} {}", toolchain.name(), if toolchain.installed() { "yes" } else { "no" });
    }
    Ok(())
}
