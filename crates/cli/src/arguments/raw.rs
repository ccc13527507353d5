//! What files are that have no header.

use clap::Args;
use miyaburi_image::{Address, Arch, RawMemory};

use super::address;

/// Names that people use of CPU types, beside those of reports.
const USUAL_NAMES: [(&str, &str); 14] = [
    ("arm", "armv7"),
    ("arm64", "aarch64"),
    ("mips", "mips-be-o32"),
    ("mipseb", "mips-be-o32"),
    ("mipsel", "mips-le-o32"),
    ("powerpc", "ppc32"),
    ("ppc", "ppc32"),
    ("riscv64", "rv64"),
    ("sh4", "sh4-le"),
    ("sparc", "sparc32"),
    ("x64", "amd64"),
    ("x86", "i386"),
    ("x86-64", "amd64"),
    ("x86_64", "amd64"),
];

/// Memory without a header, such as an image of flash or a part of a process.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Raw memory")]
pub(crate) struct RawArguments {
    /// Take files as memory as it is, whatever they begin with; archives are still opened
    #[arg(long, requires = "arch")]
    raw: bool,

    /// CPU of raw memory, by the name that reports have for it or a usual one: mips (big endian),
    /// mipsel, arm (little endian), armeb, x86, x86_64, ...
    #[arg(long, value_name = "CPU", requires = "raw", value_parser = cpu)]
    arch: Option<Arch>,

    /// Address of the first byte, in hexadecimal
    #[arg(long, value_name = "ADDRESS", requires = "raw", value_parser = address, default_value = "0x0")]
    base: Address,

    /// Where the program begins, in hexadecimal [default: as an ELF header at the beginning has it,
    /// else the first byte]
    #[arg(long, value_name = "ADDRESS", requires = "raw", value_parser = address)]
    entry: Option<Address>,
}

impl RawArguments {
    /// What files are, unless they tell themselves.
    pub(crate) fn memory(self) -> Option<RawMemory> {
        let Self { raw, arch, base, entry } = self;
        arch.filter(|_| raw).map(|arch| RawMemory { arch, base, entry })
    }
}

fn cpu(name: &str) -> Result<Arch, String> {
    let usual = USUAL_NAMES.into_iter().find(|(usual, _)| *usual == name);
    let name = usual.map_or(name, |(_, cpu)| cpu);
    Arch::named(name).ok_or_else(|| {
        let mut known: Vec<&str> = Arch::ALL.iter().map(|arch| arch.cpu).collect();
        known.dedup();
        format!("not a CPU that is analysed; known are {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::{USUAL_NAMES, cpu};

    #[test]
    fn usual_names_lead_to_cpu_types() {
        for (usual, expected) in USUAL_NAMES {
            assert_eq!(cpu(usual).map(|arch| arch.cpu), Ok(expected));
        }
        assert_eq!(cpu("armeb").map(|arch| arch.cpu), Ok("armeb"));
        let message = cpu("6502").err().unwrap_or_default();
        assert!(message.starts_with("not a CPU that is analysed; known are armv4, armv5"));
    }
}
