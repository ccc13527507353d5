//! Code that the kernel maps into every process.

use miyaburi_image::{Address, Arch, Endian, Family};

/// The kernel's helpers of one CPU type.
///
/// ARM: the user helpers at fixed addresses (Linux, `Documentation/arch/arm/
/// kernel_user_helpers.rst`). i386: the system call entry that the
/// thread block names at `gs:0x10`.
#[derive(Clone, Debug, Default)]
pub(crate) struct KernelCode {
    ranges: Vec<(Address, Vec<u8>)>,
    words: Vec<(Address, u64)>,
}

/// Where ARM's helpers tell their version, which is their number; the fifth, of Linux 3.1, is left
/// out.
const ARM_HELPER_VERSION: Address = Address(0xffff_0ffc);
/// `ldr r3,[r2]; subs r3,r3,r0; streq r1,[r2]; rsbs r0,r3,#0; bx lr`
const ARM_COMPARE_EXCHANGE: &[u32] =
    &[0xe592_3000, 0xe053_3000, 0x0582_1000, 0xe273_0000, 0xe12f_ff1e];
/// `bx lr`
const ARM_BARRIER: &[u32] = &[0xe12f_ff1e];
/// `mrc p15,0,r0,c13,c0,3; bx lr`
const ARM_GET_THREAD_POINTER: &[u32] = &[0xee1d_0f70, 0xe12f_ff1e];
/// `int 0x80; ret`
const X86_SYSTEM_CALL: &[u8] = &[0xcd, 0x80, 0xc3];

impl KernelCode {
    /// The helpers of `arch`; those without a fixed place are put at `page`.
    pub(crate) fn new(arch: Arch, page: Address) -> Self {
        let words = |code: &[u32]| -> Vec<u8> {
            code.iter()
                .flat_map(|word| match arch.instruction_endian {
                    Endian::Little => word.to_le_bytes(),
                    Endian::Big => word.to_be_bytes(),
                })
                .collect()
        };
        match arch.family {
            Family::Arm => Self {
                ranges: vec![
                    (Address(0xffff_0fa0), words(ARM_BARRIER)),
                    (Address(0xffff_0fc0), words(ARM_COMPARE_EXCHANGE)),
                    (Address(0xffff_0fe0), words(ARM_GET_THREAD_POINTER)),
                ],
                words: vec![(ARM_HELPER_VERSION, 4)],
            },
            Family::X86 => Self {
                ranges: vec![(page, X86_SYSTEM_CALL.to_vec())],
                words: vec![(Address(0x10), page.0)],
            },
            _ => Self::default(),
        }
    }

    /// The bytes from `address` to the end of the helper there; empty when there is none.
    pub(crate) fn bytes_from(&self, address: Address) -> &[u8] {
        self.ranges
            .iter()
            .find_map(|(start, bytes)| {
                let skip = usize::try_from(address.distance_from(*start)?).ok()?;
                bytes.get(skip..).filter(|rest| !rest.is_empty())
            })
            .unwrap_or(&[])
    }

    /// Words that programs look up: the version of ARM's helpers, and i386's system call entry in a
    /// thread block at 0.
    pub(crate) fn words(&self) -> &[(Address, u64)] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::{ARM_GET_THREAD_POINTER, KernelCode};
    use miyaburi_image::{Address, Arch, Endian, Family};

    #[test]
    fn helpers_are_code_in_the_order_in_which_instructions_are_read() {
        for arch in Arch::ALL.into_iter().filter(|arch| arch.family == Family::Arm) {
            let code = KernelCode::new(arch, Address(0));
            let first = code.bytes_from(Address(0xffff_0fe0)).first_chunk::<4>().copied();
            let expected =
                ARM_GET_THREAD_POINTER.first().map(|word| match arch.instruction_endian {
                    Endian::Little => word.to_le_bytes(),
                    Endian::Big => word.to_be_bytes(),
                });
            assert_eq!(first, expected, "{}", arch.cpu);
        }
    }
}
