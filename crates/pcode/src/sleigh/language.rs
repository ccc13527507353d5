//! Languages and where their specifications come from.

use super::error::SpecificationError;
use super::lifter::SleighLifter;
use super::load::load;
use super::model::{NamedField, Specification};
use super::pspec;
use crate::lifter::{Context, Language, Lifter};
use crate::varnode::{Space, Varnode};
use miyaburi_image::{Arch, Endian, Family};
use rustc_hash::FxHashMap;
use std::sync::{Arc, OnceLock};

/// Why there is no language for a CPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LanguageError {
    /// No specification for this family in this byte order.
    #[error("no processor specification for {family}, {endian:?} endian")]
    Unsupported {
        /// The family's name.
        family: &'static str,
        /// The byte order asked for.
        endian: Endian,
    },
    /// The specification could not be loaded.
    #[error("processor specification {name}: {error}")]
    Specification {
        /// The specification.
        name: &'static str,
        /// What is wrong with it.
        error: SpecificationError,
    },
}

/// The language of a CPU. It is loaded when first asked for and shared by the whole process.
///
/// # Errors
/// [`LanguageError::Unsupported`] when the CPU has no specification.
pub fn language_for(arch: Arch) -> Result<Arc<dyn Language>, LanguageError> {
    match source(arch.family, arch.endian, arch.instruction_endian) {
        Some(source) => Ok(source.language()?),
        None => Err(LanguageError::Unsupported { family: arch.name(), endian: arch.endian }),
    }
}

/// How the bytes of code are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CodeOrder {
    /// As the specification has them.
    AsSpecified,
    /// ARM's BE8: the specification is big endian, as data are, but halfwords of Thumb code and
    /// words of ARM code are stored little endian.
    Be8,
}

/// The files of one language, and the language once it is loaded.
struct Source {
    name: &'static str,
    compiled: &'static [u8],
    processor: &'static str,
    code_order: CodeOrder,
    language: OnceLock<Result<Arc<SleighLanguage>, SpecificationError>>,
}

impl Source {
    fn language(&self) -> Result<Arc<SleighLanguage>, LanguageError> {
        let load = || SleighLanguage::load(self.compiled, self.processor, self.code_order);
        self.language
            .get_or_init(|| load().map(Arc::new))
            .clone()
            .map_err(|error| LanguageError::Specification { name: self.name, error })
    }
}

/// One language per line: family, byte order of data and of code, specification, settings.
macro_rules! sources {
    ($($family:ident $data:ident $code:ident => $compiled:literal $processor:literal $order:ident),*
        $(,)?) => {
        fn source(family: Family, data: Endian, code: Endian) -> Option<&'static Source> {
            match (family, data, code) {
                $((Family::$family, Endian::$data, Endian::$code) => {
                    static SOURCE: Source = Source {
                        name: $compiled,
                        compiled: include_bytes!(
                            concat!("../../specifications/", $compiled, ".sla")
                        ),
                        processor: include_str!(
                            concat!("../../specifications/", $processor, ".pspec")
                        ),
                        code_order: CodeOrder::$order,
                        language: OnceLock::new(),
                    };
                    Some(&SOURCE)
                })*
                _ => None,
            }
        }
    };
}

sources! {
    Arm Little Little => "ARM7_le" "ARMt" AsSpecified,
    Arm Big Big => "ARM7_be" "ARMt" AsSpecified,
    Arm Big Little => "ARM7_be" "ARMt" Be8,
    AArch64 Little Little => "AARCH64" "AARCH64" AsSpecified,
    Mips Big Big => "mips32be" "mips32" AsSpecified,
    Mips Little Little => "mips32le" "mips32" AsSpecified,
    PowerPc Big Big => "ppc_32_be" "ppc_32" AsSpecified,
    Sparc Big Big => "SparcV9_32" "SparcV9" AsSpecified,
    SparcV8Plus Big Big => "SparcV8plus" "SparcV9" AsSpecified,
    SuperH Little Little => "SuperH4_le" "SuperH4" AsSpecified,
    M68k Big Big => "68020" "68000" AsSpecified,
    ColdFire Big Big => "coldfire" "68000" AsSpecified,
    X86 Little Little => "x86" "x86" AsSpecified,
    X86_64 Little Little => "x86-64" "x86-64" AsSpecified,
    RiscV64 Little Little => "riscv.lp64d" "RV64GC" AsSpecified,
}

/// A specification with its processor's settings.
pub(super) struct SleighLanguage {
    specification: Specification,
    start_context: Context,
    code_order: CodeOrder,
    tracked: Vec<(Varnode, u64)>,
    register_space_size: usize,
    names: OnceLock<FxHashMap<Varnode, usize>>,
}

impl SleighLanguage {
    fn load(
        compiled: &[u8],
        processor: &str,
        code_order: CodeOrder,
    ) -> Result<Self, SpecificationError> {
        let settings = pspec::read(processor)?;
        let mut specification = load(compiled)?;
        specification.registers.retain(|(_, varnode)| varnode.space == Space::Register);
        let end = |(_, varnode): &(_, Varnode)| varnode.offset.saturating_add(varnode.size.into());
        let register_space_size = specification.registers.iter().map(end).max().unwrap_or(0);
        let mut language = Self {
            specification,
            start_context: Context::default(),
            code_order,
            tracked: Vec::new(),
            register_space_size: usize::try_from(register_space_size).unwrap_or(usize::MAX),
            names: OnceLock::new(),
        };
        for (name, value) in settings.context {
            let changed = u32::try_from(value).ok().and_then(|value| {
                language.with_context_field(language.start_context, &name, value)
            });
            match changed {
                Some(context) => language.start_context = context,
                None => return Err(unusable(name, "no such context field")),
            }
        }
        for (name, value) in settings.tracked {
            match language.register(&name) {
                Some(register) => language.tracked.push((register, value)),
                None => return Err(unusable(name, "no such register")),
            }
        }
        Ok(language)
    }

    pub(super) const fn specification(&self) -> &Specification {
        &self.specification
    }

    pub(super) const fn start_context(&self) -> Context {
        self.start_context
    }

    /// Bytes of the units in which code is stored the other way round than the specification has
    /// it; 1 when it is not.
    #[inline]
    pub(super) fn code_unit(&self, context: Context) -> usize {
        match self.code_order {
            CodeOrder::AsSpecified => 1,
            CodeOrder::Be8 if self.context_field(context, "TMode") == Some(1) => 2,
            CodeOrder::Be8 => 4,
        }
    }

    fn field(&self, name: &str) -> Option<&NamedField> {
        self.specification.fields.iter().find(|field| self.specification.text(field.name) == name)
    }
}

const fn unusable(name: String, problem: &'static str) -> SpecificationError {
    SpecificationError::Setting { name, problem }
}

impl Language for SleighLanguage {
    fn register(&self, name: &str) -> Option<Varnode> {
        let registers = &self.specification.registers;
        registers
            .binary_search_by(|(text, _)| self.specification.text(*text).cmp(name))
            .ok()
            .and_then(|index| registers.get(index))
            .map(|(_, varnode)| *varnode)
    }

    fn register_name(&self, varnode: &Varnode) -> Option<&str> {
        let registers = &self.specification.registers;
        // Of several names, the first in order counts, as in the reference.
        let names = self.names.get_or_init(|| {
            registers.iter().enumerate().rev().map(|(i, (_, varnode))| (*varnode, i)).collect()
        });
        let (text, _) = registers.get(*names.get(varnode)?)?;
        Some(self.specification.text(*text))
    }

    fn registers(&self) -> Vec<(&str, Varnode)> {
        let registers = self.specification.registers.iter();
        registers.map(|(name, varnode)| (self.specification.text(*name), *varnode)).collect()
    }

    fn register_space_size(&self) -> usize {
        self.register_space_size
    }

    fn user_op(&self, number: u64) -> Option<&str> {
        let name = self.specification.user_ops.get(usize::try_from(number).ok()?)?;
        Some(self.specification.text(*name)).filter(|name| !name.is_empty())
    }

    fn initial_context(&self) -> Context {
        self.start_context
    }

    fn with_context_field(&self, context: Context, field: &str, value: u32) -> Option<Context> {
        let field = self.field(field)?;
        let mut changed = context;
        let word = changed.0.get_mut(field.word)?;
        *word = *word & !(field.mask << field.shift) | (value & field.mask) << field.shift;
        Some(changed)
    }

    fn context_field(&self, context: Context, field: &str) -> Option<u32> {
        let field = self.field(field)?;
        Some(context.0.get(field.word)? >> field.shift & field.mask)
    }

    fn tracked_registers(&self) -> &[(Varnode, u64)] {
        &self.tracked
    }

    fn lifter(&self) -> Box<dyn Lifter + Send + '_> {
        Box::new(SleighLifter::new(self))
    }
}
