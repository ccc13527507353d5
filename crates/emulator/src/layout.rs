//! Where the emulator puts what the image does not bring: stack, fresh memory, return sentinel.

use crate::machine::State;
use crate::memory::Memory;
use miyaburi_image::{Address, Family, Image};

const STACK_SIZE: u64 = 0x10_0000;
/// Room that one summarised allocation gets. It costs nothing until touched.
const FRESH_BLOCK: u64 = 0x1_0000;
const FRESH_BLOCKS: u64 = 0x800;
const ARENA: u64 = STACK_SIZE + FRESH_BLOCK * FRESH_BLOCKS + 0x2_0000;

/// Addresses of the emulator's own regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    base: Address,
}

impl Layout {
    /// A layout that overlaps no segment of `image` and lies below 2 GiB; at a fixed place when the
    /// image leaves no such gap, where its bytes come before the emulator's zeros.
    pub(crate) fn beside(image: &Image) -> Self {
        let is_free = |base: u64| {
            image.segments().iter().all(|segment| {
                segment.address.0 >= base + ARENA
                    || segment.address.0.saturating_add(segment.size) <= base
            })
        };
        let base = (0x08..0x70).rev().map(|step| step << 24).find(|base| is_free(*base));
        Self { base: Address(base.unwrap_or(0x6000_0000)) }
    }

    pub(crate) fn map(&self, memory: &mut Memory<'_>) {
        memory.map(self.base, STACK_SIZE);
        memory.map(self.fresh_base(), FRESH_BLOCK * FRESH_BLOCKS);
    }

    /// Where the stack pointer starts, with room above it for what a program's start-up finds
    /// there.
    #[must_use]
    pub fn initial_stack_pointer(&self) -> Address {
        self.base.offset(STACK_SIZE - 0x4000)
    }

    /// Whether an address lies on the emulated stack.
    #[must_use]
    pub fn is_stack(&self, address: Address) -> bool {
        address.distance_from(self.base).is_some_and(|distance| distance < STACK_SIZE)
    }

    /// The return address of a function that the emulator itself calls; nothing is mapped there.
    #[must_use]
    pub fn return_sentinel(&self) -> Address {
        self.fresh_base().offset(FRESH_BLOCK * FRESH_BLOCKS + 0x1_0000)
    }

    /// Where the kernel's own code appears on CPUs that have no fixed place for it.
    pub(crate) fn kernel_page(&self) -> Address {
        self.return_sentinel().offset(0x1000)
    }

    fn fresh_base(&self) -> Address {
        self.base.offset(STACK_SIZE)
    }

    /// Bytes of one block of fresh memory.
    #[must_use]
    pub fn fresh_block_size(&self) -> u64 {
        FRESH_BLOCK
    }

    /// Takes a block of fresh zeroed memory; the last one is given again when all are taken.
    pub fn fresh_block(&self, state: &mut State<'_>) -> Address {
        let number = state.fresh_blocks.min(FRESH_BLOCKS - 1);
        state.fresh_blocks = number + 1;
        self.fresh_base().offset(number * FRESH_BLOCK)
    }

    /// The start of the block of fresh memory that holds `address`.
    #[must_use]
    pub fn fresh_block_at(&self, address: Address) -> Option<Address> {
        let distance = address.distance_from(self.fresh_base())?;
        (distance < FRESH_BLOCK * FRESH_BLOCKS)
            .then(|| self.fresh_base().offset(distance / FRESH_BLOCK * FRESH_BLOCK))
    }
}

/// Registers that a program may read before it writes them.
///
/// AArch64: `DCZID_EL0` bit 4 forbids the block-zeroing instruction, whose block size `memset`
/// would otherwise take from the register. PowerPC: the reservation always holds. SuperH: Linux
/// starts programs in double precision, on which compilers rely. x86: rounding to nearest and all
/// exceptions masked.
pub(crate) fn initial_registers(family: Family) -> &'static [(&'static str, u64)] {
    match family {
        Family::AArch64 => &[("dczid_el0", 0x14)],
        Family::PowerPc => &[("RESERVE", 1)],
        Family::SuperH => &[("FPSCR", 0x0008_0000), ("FPSCR_PR", 1)],
        Family::X86 | Family::X86_64 => &[("FPUControlWord", 0x037f), ("MXCSR", 0x1f80)],
        Family::Sparc | Family::SparcV8Plus => &[("DECOMPILE_MODE", 1)],
        _ => &[],
    }
}

/// The register, two bytes wide, that holds the high and the low bit of the rounding mode: 0 to
/// nearest, 1 towards zero, 2 up, 3 down. PowerPC's compilers change it for `long double`; on other
/// CPUs the mode is taken to be the initial one.
pub(crate) fn rounding_mode_register(family: Family) -> Option<&'static str> {
    (family == Family::PowerPc).then_some("fp_rn0")
}
