//! A switch of four cases, of which two share their code, hand-assembled for every CPU.
//!
//! Cases 0 and 3 return 11, case 1 returns 12, case 2 returns 13, everything else returns 0.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{Exit, Program};
use miyaburi_image::Address;
use support::{
    AARCH64, ARM, ARMEB, CODE, M68K, MIPS, MIPSEL, Machine, POWERPC, RISCV64, SH4, SPARC, X86,
    X86_64, hex, image,
};

struct Case {
    name: &'static str,
    machine: Machine,
    code: &'static str,
    /// Offset of the function with the switch.
    function: u64,
    /// Offsets of the code of the three distinct cases and of the default.
    cases: [u64; 4],
}

const CASES: [Case; 13] = [
    Case {
        name: "x86-64: jmp *table(,%rax,8)",
        machine: X86_64,
        code: "89f883f8037719ff24c528000100b80b000000c3b80c000000c3b80d000000c331c0c30f1f4400000e00\
               01000000000014000100000000001a000100000000000e00010000000000",
        function: 0,
        cases: [0xe, 0x14, 0x1a, 0x20],
    },
    Case {
        name: "x86: offsets from a program counter that a thunk yields",
        machine: X86,
        code: "8b442404e82700000081c12b00000083f80377198b048101c8ffe0b80b000000c3b80c000000c3b80d00\
               0000c331c0c38b0c24c3e7ffffffedfffffff3ffffffe7ffffff",
        function: 0,
        cases: [0x1b, 0x21, 0x27, 0x2d],
    },
    Case {
        name: "ARM: ldrls pc,[pc,r0,lsl #2]",
        machine: ARM,
        code: "030050e300f19f97090000ea1c000100240001002c0001001c0001000b00a0e31eff2fe10c00a0e31eff\
               2fe10d00a0e31eff2fe10000a0e31eff2fe1",
        function: 0,
        cases: [0x1c, 0x24, 0x2c, 0x34],
    },
    Case {
        name: "ARM big endian: addls pc,pc,r0,lsl #2 into branches",
        machine: ARMEB,
        code: "e3500003908ff100ea000009ea000002ea000003ea000004eaffffffe3a0000be12fff1ee3a0000ce12f\
               ff1ee3a0000de12fff1ee3a00000e12fff1e",
        function: 0,
        cases: [0x1c, 0x24, 0x2c, 0x34],
    },
    Case {
        name: "Thumb: tbb",
        machine: ARM,
        code: "000000fafeffffea032809d8dfe800f0020406020b2070470c2070470d20704700207047",
        function: 8,
        cases: [0x14, 0x18, 0x1c, 0x20],
    },
    Case {
        name: "AArch64: byte offsets",
        machine: AARCH64,
        code: "1f0c007188010054a101001020486038610000102088208b00001fd660018052c0035fd680018052c003\
               5fd6a0018052c0035fd600008052c0035fd600020400",
        function: 0,
        cases: [0x1c, 0x24, 0x2c, 0x34],
    },
    Case {
        name: "MIPS: addresses",
        machine: MIPS,
        code: "2c8200041040000d3c0300010004108024630044004310218c420000004000080000000003e000082402\
               000b03e000082402000c03e000082402000d03e0000824020000000100240001002c0001003400010024",
        function: 0,
        cases: [0x24, 0x2c, 0x34, 0x3c],
    },
    Case {
        name: "MIPS little endian",
        machine: MIPSEL,
        code: "0400822c0d0040100100033c8010040044006324211043000000428c08004000000000000800e0030b00\
               02240800e0030c0002240800e0030d0002240800e00300000224240001002c0001003400010024000100",
        function: 0,
        cases: [0x24, 0x2c, 0x34, 0x3c],
    },
    Case {
        name: "PowerPC: offsets and bctr",
        machine: POWERPC,
        code: "28030003418100383d200001392900445463103a7d49182e7d2952147d2903a64e8004203860000b4e80\
               00203860000c4e8000203860000d4e800020386000004e800020ffffffe0ffffffe8fffffff0ffffffe0",
        function: 0,
        cases: [0x24, 0x2c, 0x34, 0x3c],
    },
    Case {
        name: "SPARC: addresses, a shift in the delay slot",
        machine: SPARC,
        code: "80a220031880000d832a2002050000408410a040c200800181c040000100000081c3e0089010200b81c3\
               e0089010200c81c3e0089010200d81c3e0089010200000010020000100280001003000010020",
        function: 0,
        cases: [0x20, 0x28, 0x30, 0x38],
    },
    Case {
        name: "SH4: halfword offsets and braf",
        machine: SH4,
        code: "03e116340a8906c74c344d01230109000b000be00b000ce00b000de00b0000e00000040008000000",
        function: 0,
        cases: [0x10, 0x14, 0x18, 0x1c],
    },
    Case {
        name: "m68k: halfword offsets and jmp table(pc,d0.w)",
        machine: M68K,
        code: "202f00047203b280651ed080303b08064efb00020008000c00100008700b4e75700c4e75700d4e757000\
               4e75",
        function: 0,
        cases: [0x1c, 0x20, 0x24, 0x28],
    },
    Case {
        name: "RISC-V: word offsets",
        machine: RISCV64,
        code: "8d4763e2a702b70701009387c702021579813e9508413e9502852d458280314582803545828001458280\
               0100eefffffff2fffffff6ffffffeeffffff",
        function: 0,
        cases: [0x1a, 0x1e, 0x22, 0x26],
    },
];

fn check(case: &Case) {
    let name = case.name;
    let image = image(case.machine, &hex(case.code), &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let entry = Address(CODE + case.function);
    let id = program.function_at(entry).unwrap_or_else(|| panic!("{name}: function"));
    let function = program.function(id).unwrap();
    let returning: Vec<Address> = function
        .blocks()
        .iter()
        .filter(|block| block.exit == Exit::Return)
        .map(|block| block.start)
        .collect();
    let expected: Vec<Address> = case.cases.iter().map(|offset| Address(CODE + offset)).collect();
    assert_eq!(returning, expected, "{name}: {:#?}", function.blocks());
    let unknown = function.blocks().iter().filter(|block| block.exit == Exit::Unknown).count();
    assert_eq!(unknown, 0, "{name}");
    assert!(function.returns, "{name}");
}

#[test]
fn switches_are_understood_on_every_cpu() {
    CASES.iter().for_each(check);
}

#[test]
fn a_jump_through_unknown_memory_stays_unknown() {
    // mov rax,[rdi]; push rax; jmp [rsi+rax*8]
    let image = image(X86_64, &hex("488b0750ff24c6"), &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let function = &program.functions()[0];
    assert_eq!(function.blocks().len(), 1);
    assert_eq!(function.blocks()[0].exit, Exit::Unknown);
    assert!(function.blocks()[0].successors.is_empty());
}
