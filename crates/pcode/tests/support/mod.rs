//! What the tests of lifting share.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use miyaburi_image::{Address, Arch, Endian, Family};
use miyaburi_pcode::{
    CodeBytes, Context, Instruction, Language, LiftError, Space, Varnode, language_for,
};
use std::fmt::Write as _;
use std::sync::Arc;

/// A CPU in one of its decoding modes.
pub struct Mode {
    pub name: &'static str,
    pub family: Family,
    pub endian: Endian,
    /// Byte order of code.
    pub instruction_endian: Endian,
    /// Context fields that select the mode.
    pub fields: &'static [(&'static str, u32)],
}

const fn mode(name: &'static str, family: Family, endian: Endian) -> Mode {
    Mode { name, family, endian, instruction_endian: endian, fields: &[] }
}

/// Every CPU and mode that is supported.
pub const MODES: &[Mode] = &[
    mode("x86-64", Family::X86_64, Endian::Little),
    mode("x86", Family::X86, Endian::Little),
    mode("arm-le", Family::Arm, Endian::Little),
    mode("arm-be", Family::Arm, Endian::Big),
    Mode { fields: &[("TMode", 1)], ..mode("thumb-le", Family::Arm, Endian::Little) },
    Mode { fields: &[("TMode", 1)], ..mode("thumb-be", Family::Arm, Endian::Big) },
    Mode { instruction_endian: Endian::Little, ..mode("arm-be8", Family::Arm, Endian::Big) },
    Mode {
        instruction_endian: Endian::Little,
        fields: &[("TMode", 1)],
        ..mode("thumb-be8", Family::Arm, Endian::Big)
    },
    mode("aarch64", Family::AArch64, Endian::Little),
    mode("mips-be", Family::Mips, Endian::Big),
    mode("mips-le", Family::Mips, Endian::Little),
    Mode { fields: &[("ISA_MODE", 1)], ..mode("mips16-be", Family::Mips, Endian::Big) },
    mode("powerpc", Family::PowerPc, Endian::Big),
    mode("sparc", Family::Sparc, Endian::Big),
    mode("sparc-v8plus", Family::SparcV8Plus, Endian::Big),
    mode("sh4", Family::SuperH, Endian::Little),
    mode("m68k", Family::M68k, Endian::Big),
    mode("coldfire", Family::ColdFire, Endian::Big),
    mode("riscv64", Family::RiscV64, Endian::Little),
];

/// The mode of that name.
pub fn find(name: &str) -> &'static Mode {
    MODES.iter().find(|mode| mode.name == name).expect("a mode of that name")
}

impl Mode {
    pub fn language(&self) -> Arc<dyn Language> {
        let Self { family, endian, instruction_endian, .. } = *self;
        language_for(Arch { family, endian, instruction_endian, cpu: "test" }).unwrap()
    }

    pub fn context(&self, language: &dyn Language) -> Context {
        self.fields.iter().fold(language.initial_context(), |context, (field, value)| {
            language.with_context_field(context, field, *value).unwrap()
        })
    }
}

/// Where the tests put code.
pub const BASE: Address = Address(0x1_0000);

/// The instruction that `bytes` start with.
pub fn lift(mode: &Mode, bytes: &[u8]) -> Result<Instruction, LiftError> {
    let language = mode.language();
    let context = mode.context(&*language);
    let mut instruction = Instruction::default();
    language.lifter().lift(&(BASE, bytes), BASE, context, &mut instruction)?;
    Ok(instruction)
}

pub fn disassemble(mode: &Mode, bytes: &[u8]) -> Result<String, LiftError> {
    let language = mode.language();
    let context = mode.context(&*language);
    language.lifter().disassemble(&(BASE, bytes) as &dyn CodeBytes, BASE, context)
}

/// Operations as text: registers by name, temporaries numbered in order of appearance.
pub fn ops(mode: &Mode, instruction: &Instruction) -> Vec<String> {
    let language = mode.language();
    let mut temporaries: Vec<u64> = Vec::new();
    let mut show = |varnode: &Varnode| match varnode.space {
        Space::Constant => format!("{:#x}:{}", varnode.offset, varnode.size),
        Space::Register => match language.register_name(varnode) {
            Some(name) => name.to_owned(),
            None => format!("{varnode:?}"),
        },
        Space::Unique => {
            let number =
                temporaries.iter().position(|t| *t == varnode.offset).unwrap_or_else(|| {
                    temporaries.push(varnode.offset);
                    temporaries.len() - 1
                });
            format!("t{number}:{}", varnode.size)
        }
        _ => format!("{varnode:?}"),
    };
    let line = |op: &miyaburi_pcode::Op| {
        let mut line = String::new();
        // Inputs first, so that temporaries are numbered in the order of execution.
        let inputs: Vec<String> = op.inputs().iter().map(&mut show).collect();
        if let Some(output) = &op.output {
            write!(line, "{} = ", show(output)).unwrap();
        }
        write!(line, "{} {}", op.opcode.name(), inputs.join(", ")).unwrap();
        line
    };
    instruction.ops.iter().map(line).collect()
}
