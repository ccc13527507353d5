//! The reference implementation behind its flat interface.

use miyaburi_image::{Address, Arch, Endian, Family};
use miyaburi_pcode::{CONTEXT_WORDS, Context, Op, Opcode, Space, Varnode};
use std::ffi::{CStr, c_char, c_int, c_void};

// Links the reference itself.
use libsla_sys as _;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct FlatVarnode {
    offset: u64,
    size: u32,
    space: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct FlatOp {
    opcode: u32,
    input_count: u32,
    output: FlatVarnode,
    inputs: [FlatVarnode; 3],
}

const NO_SPACE: u32 = u32::MAX;
const MAX_OPS: usize = 1 << 13;
const TEXT_SIZE: usize = 4096;

unsafe extern "C" {
    fn reference_new(compiled: *const u8, length: u64) -> *mut c_void;
    fn reference_start(
        engine: *mut c_void,
        base: u64,
        bytes: *const u8,
        length: u64,
        address: u64,
        own: *const u32,
        rest: *const u32,
    ) -> c_int;
    fn reference_lift(
        engine: *mut c_void,
        address: u64,
        ops: *mut FlatOp,
        capacity: u32,
        count: *mut u32,
        error: *mut c_char,
        error_size: u32,
    ) -> c_int;
    fn reference_text(engine: *mut c_void, address: u64, into: *mut c_char, size: u32) -> c_int;
    fn reference_context(engine: *mut c_void, address: u64, into: *mut u32, words: u32);
}

/// The reference for one language.
pub struct Reference {
    engine: *mut c_void,
    /// What [`Reference::load`] was given; the engine reads it.
    code: Vec<u8>,
    ops: Vec<FlatOp>,
    text: Vec<c_char>,
}

/// The compiled specification of a CPU.
pub fn specification(arch: Arch) -> Option<&'static [u8]> {
    macro_rules! compiled {
        ($name:literal) => {
            Some(include_bytes!(concat!("../../specifications/", $name, ".sla")).as_slice())
        };
    }
    match (arch.family, arch.instruction_endian) {
        // Code and data of different byte orders are beyond the reference's interface.
        _ if arch.endian != arch.instruction_endian => None,
        (Family::Arm, Endian::Little) => compiled!("ARM7_le"),
        (Family::Arm, Endian::Big) => compiled!("ARM7_be"),
        (Family::AArch64, _) => compiled!("AARCH64"),
        (Family::Mips, Endian::Big) => compiled!("mips32be"),
        (Family::Mips, Endian::Little) => compiled!("mips32le"),
        (Family::PowerPc, _) => compiled!("ppc_32_be"),
        (Family::Sparc, _) => compiled!("SparcV9_32"),
        (Family::SparcV8Plus, _) => compiled!("SparcV8plus"),
        (Family::SuperH, _) => compiled!("SuperH4_le"),
        (Family::M68k, _) => compiled!("68020"),
        (Family::ColdFire, _) => compiled!("coldfire"),
        (Family::X86, _) => compiled!("x86"),
        (Family::X86_64, _) => compiled!("x86-64"),
        (Family::RiscV64, _) => compiled!("riscv.lp64d"),
    }
}

impl Reference {
    pub fn new(arch: Arch) -> Option<Self> {
        let compiled = specification(arch)?;
        // SAFETY: the bytes live for the whole call, which copies them.
        let engine = unsafe { reference_new(compiled.as_ptr(), compiled.len() as u64) };
        (!engine.is_null()).then(|| Self {
            engine,
            code: Vec::new(),
            ops: vec![FlatOp::default(); MAX_OPS],
            text: vec![0; TEXT_SIZE],
        })
    }

    /// Lifts the instruction at `address` with `bytes` from there on, where `address` has the
    /// context `own` and everything else has `rest`. Returns the length with delay slots.
    pub fn lift(
        &mut self,
        address: Address,
        bytes: &[u8],
        own: Context,
        rest: Context,
        into: &mut Vec<Op>,
    ) -> Result<u32, String> {
        into.clear();
        let mut count = 0;
        // SAFETY: every buffer is passed with its size; `bytes` outlives the use of the engine in
        // this call, and the engine reads them only in calls that come with an address.
        let length = unsafe {
            let words = reference_start(
                self.engine,
                address.0,
                bytes.as_ptr(),
                bytes.len() as u64,
                address.0,
                own.0.as_ptr(),
                rest.0.as_ptr(),
            );
            if !(0..=CONTEXT_WORDS as c_int).contains(&words) {
                return Err(format!("{words} words of context"));
            }
            reference_lift(
                self.engine,
                address.0,
                self.ops.as_mut_ptr(),
                self.ops.len() as u32,
                &mut count,
                self.text.as_mut_ptr(),
                self.text.len() as u32,
            )
        };
        if length < 0 {
            return Err(self.text());
        }
        for flat in self.ops.iter().take(count as usize) {
            into.push(op(flat)?);
        }
        Ok(length as u32)
    }

    /// Takes `code` at `base`, all of it in one context, for [`Reference::lift_loaded`].
    pub fn load(&mut self, base: Address, code: &[u8], context: Context) -> Result<(), String> {
        self.code = code.to_vec();
        // SAFETY: the bytes are kept as long as the engine; contexts have the engine's size at
        // least.
        let words = unsafe {
            reference_start(
                self.engine,
                base.0,
                self.code.as_ptr(),
                self.code.len() as u64,
                base.0,
                context.0.as_ptr(),
                context.0.as_ptr(),
            )
        };
        if (0..=CONTEXT_WORDS as c_int).contains(&words) {
            Ok(())
        } else {
            Err(format!("{words} words of context"))
        }
    }

    /// Lifts within the loaded code and leaves the operations in the engine's own form: what the
    /// reference takes without any conversion. Returns the number of operations; `None` when it
    /// refuses.
    pub fn lift_loaded(&mut self, address: Address) -> Option<usize> {
        let mut count = 0;
        // SAFETY: every buffer is passed with its size; the loaded code is kept.
        let length = unsafe {
            reference_lift(
                self.engine,
                address.0,
                self.ops.as_mut_ptr(),
                self.ops.len() as u32,
                &mut count,
                self.text.as_mut_ptr(),
                self.text.len() as u32,
            )
        };
        (length >= 0).then_some(count as usize)
    }

    /// The assembly text of the instruction lifted last, which was at `address`; the code bytes
    /// must still be there.
    pub fn disassemble(&mut self, address: Address) -> Result<String, String> {
        // SAFETY: the buffer is passed with its size.
        let length = unsafe {
            let size = self.text.len() as u32;
            reference_text(self.engine, address.0, self.text.as_mut_ptr(), size)
        };
        if length < 0 { Err(self.text()) } else { Ok(self.text()) }
    }

    /// What the database now holds for an address.
    pub fn context(&self, address: Address) -> Context {
        let mut context = Context::default();
        // SAFETY: the array is passed with its size.
        unsafe {
            let words = CONTEXT_WORDS as u32;
            reference_context(self.engine, address.0, context.0.as_mut_ptr(), words);
        }
        context
    }

    fn text(&self) -> String {
        // SAFETY: the reference ends the text with 0 within the buffer.
        unsafe { CStr::from_ptr(self.text.as_ptr()) }.to_string_lossy().into_owned()
    }
}

fn op(flat: &FlatOp) -> Result<Op, String> {
    let opcode = u8::try_from(flat.opcode).ok().and_then(Opcode::from_number);
    let opcode = opcode.ok_or_else(|| format!("opcode {}", flat.opcode))?;
    let inputs: Vec<Varnode> =
        flat.inputs.iter().take(flat.input_count as usize).map(varnode).collect();
    let output = (flat.output.space != NO_SPACE).then(|| varnode(&flat.output));
    Ok(Op::new(opcode, output, &inputs))
}

fn varnode(flat: &FlatVarnode) -> Varnode {
    let space = match flat.space {
        0 => Space::Constant,
        1 => Space::Register,
        2 => Space::Unique,
        3 => Space::Ram,
        other => Space::Other((other - 16) as u8),
    };
    Varnode { space, offset: flat.offset, size: flat.size }
}
