//! Instructions whose operations and text follow from the CPUs' manuals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_pcode::LiftError;
use support::{BASE, disassemble, find, lift, ops};

struct Golden {
    mode: &'static str,
    bytes: &'static [u8],
    text: &'static str,
    /// Bytes with and without delay slots.
    lengths: (u32, u32),
    ops: &'static [&'static str],
}

/// All are decoded at 0x10000. Space 3 is memory.
const GOLDEN: &[Golden] = &[
    Golden {
        mode: "x86-64",
        bytes: &[0x55],
        text: "PUSH RBP",
        lengths: (1, 1),
        ops: &["t0:8 = COPY RBP", "RSP = INT_SUB RSP, 0x8:8", "STORE 0x3:8, RSP, t0:8"],
    },
    Golden {
        mode: "x86-64",
        bytes: &[0x48, 0x8b, 0x43, 0x10],
        text: "MOV RAX,qword ptr [RBX + 0x10]",
        lengths: (4, 4),
        ops: &["t0:8 = INT_ADD RBX, 0x10:8", "t1:8 = LOAD 0x3:8, t0:8", "RAX = COPY t1:8"],
    },
    Golden {
        mode: "x86-64",
        // A 32-bit move clears the upper half.
        bytes: &[0xb8, 3, 0, 0, 0],
        text: "MOV EAX,0x3",
        lengths: (5, 5),
        ops: &["RAX = COPY 0x3:8"],
    },
    Golden {
        mode: "x86-64",
        bytes: &[0x75, 5],
        text: "JNZ 0x10007",
        lengths: (2, 2),
        ops: &["t0:1 = BOOL_NEGATE ZF", "CBRANCH ram:0x10007:8, t0:1"],
    },
    Golden {
        mode: "x86",
        bytes: &[0xe8, 0xfb, 0, 0, 0],
        text: "CALL 0x10100",
        lengths: (5, 5),
        ops: &["ESP = INT_SUB ESP, 0x4:4", "STORE 0x3:8, ESP, 0x10005:4", "CALL ram:0x10100:4"],
    },
    Golden {
        mode: "x86",
        bytes: &[0xc2, 8, 0],
        text: "RET 0x8",
        lengths: (3, 3),
        ops: &[
            "EIP = LOAD 0x3:8, ESP",
            "ESP = INT_ADD ESP, 0x4:4",
            "ESP = INT_ADD ESP, 0x8:4",
            "RETURN EIP",
        ],
    },
    Golden {
        mode: "arm-le",
        // The literal is 8 bytes behind the second next instruction.
        bytes: &[0x08, 0x00, 0x9f, 0xe5],
        text: "ldr r0,[0x10010]",
        lengths: (4, 4),
        ops: &["r0 = LOAD 0x3:8, 0x10010:4"],
    },
    Golden {
        mode: "arm-be",
        bytes: &[0xeb, 0x00, 0x00, 0x3f],
        text: "bl 0x10104",
        lengths: (4, 4),
        ops: &["lr = COPY 0x10004:4", "CALL ram:0x10104:4"],
    },
    Golden {
        mode: "arm-be8",
        // The code is little endian, data are not.
        bytes: &[0x3f, 0x00, 0x00, 0xeb],
        text: "bl 0x10104",
        lengths: (4, 4),
        ops: &["lr = COPY 0x10004:4", "CALL ram:0x10104:4"],
    },
    Golden {
        mode: "thumb-be8",
        bytes: &[0x01, 0x48],
        text: "ldr r0,[0x10008]",
        lengths: (2, 2),
        ops: &["r0 = COPY ram:0x10008:4"],
    },
    Golden {
        mode: "thumb-le",
        bytes: &[0x08, 0xb5],
        text: "push {r3,lr}",
        lengths: (2, 2),
        ops: &[
            "mult_addr = COPY sp",
            "mult_addr = INT_SUB mult_addr, 0x4:4",
            "STORE 0x3:8, mult_addr, lr",
            "mult_addr = INT_SUB mult_addr, 0x4:4",
            "STORE 0x3:8, mult_addr, r3",
            "sp = COPY mult_addr",
        ],
    },
    Golden {
        mode: "thumb-be",
        bytes: &[0x48, 0x01],
        text: "ldr r0,[0x10008]",
        lengths: (2, 2),
        ops: &["r0 = COPY ram:0x10008:4"],
    },
    Golden {
        mode: "aarch64",
        bytes: &[0x60, 0x00, 0x80, 0x52],
        text: "mov w0, #0x3",
        lengths: (4, 4),
        ops: &["x0 = COPY 0x3:8"],
    },
    Golden {
        mode: "aarch64",
        bytes: &[0xc0, 0x03, 0x5f, 0xd6],
        text: "ret",
        lengths: (4, 4),
        ops: &["pc = COPY x30", "RETURN pc"],
    },
    Golden {
        mode: "mips-be",
        // The slot is executed before the jump, and the call returns behind it.
        bytes: &[0x0c, 0x00, 0x41, 0x00, 0x24, 0x02, 0x00, 0x03],
        text: "jal 0x10400",
        lengths: (8, 4),
        ops: &["ra = COPY 0x10008:4", "v0 = COPY 0x3:4", "CALL ram:0x10400:4"],
    },
    Golden {
        mode: "mips-le",
        // Branch likely: the slot belongs to the taken side alone.
        bytes: &[0x03, 0x00, 0x40, 0x50, 0x01, 0x00, 0x02, 0x24],
        text: "beql v0, zero, 0x10010",
        lengths: (8, 4),
        ops: &[
            "t0:1 = INT_EQUAL v0, 0x0:4",
            "t1:1 = BOOL_NEGATE t0:1",
            "CBRANCH ram:0x10008:4, t1:1",
            "v0 = COPY 0x1:4",
            "BRANCH ram:0x10010:4",
        ],
    },
    Golden {
        mode: "mips16-be",
        bytes: &[0x6a, 0x03],
        text: "li v0, 0x3",
        lengths: (2, 2),
        ops: &["v0 = INT_ZEXT 0x3:2"],
    },
    Golden {
        mode: "powerpc",
        bytes: &[0x94, 0x21, 0xff, 0xf0],
        text: "stwu r1,-0x10(r1)",
        lengths: (4, 4),
        ops: &["t0:4 = INT_ADD r1, 0xfffffff0:4", "STORE 0x3:8, t0:4, r1", "r1 = COPY t0:4"],
    },
    Golden {
        mode: "powerpc",
        bytes: &[0x4e, 0x80, 0x00, 0x20],
        text: "blr",
        lengths: (4, 4),
        ops: &["RETURN LR"],
    },
    Golden {
        mode: "sparc",
        bytes: &[0x90, 0x10, 0x20, 0x03],
        text: "mov 0x3,o0",
        lengths: (4, 4),
        ops: &["o0 = COPY 0x3:4"],
    },
    Golden {
        mode: "sparc",
        // Annulled: what lies behind is not executed, and not part of the instruction.
        bytes: &[0x30, 0x80, 0x00, 0x04, 0x9a, 0x10, 0x20, 0x01],
        text: "ba,a 0x10010",
        lengths: (4, 4),
        ops: &["BRANCH ram:0x10010:4"],
    },
    Golden {
        mode: "sparc-v8plus",
        bytes: &[0x11, 0, 0, 0x01],
        text: "sethi %hi(0x400),o0",
        lengths: (4, 4),
        ops: &["o0_high = COPY 0x0:4", "o0 = COPY 0x400:4"],
    },
    Golden {
        mode: "sh4",
        bytes: &[0x01, 0xd0],
        text: "mov.l 0x10008,r0",
        lengths: (2, 2),
        ops: &["r0 = COPY ram:0x10008:4"],
    },
    Golden {
        mode: "sh4",
        bytes: &[0x0b, 0x00, 0x03, 0xe0],
        text: "rts",
        lengths: (4, 2),
        ops: &["PC = COPY PR", "t0:4 = COPY 0x3:4", "r0 = COPY t0:4", "RETURN PC"],
    },
    Golden {
        mode: "m68k",
        bytes: &[0x20, 0x6f, 0x00, 0x04],
        text: "movea.l (0x4,SP),A0",
        lengths: (4, 4),
        ops: &["t0:4 = INT_ADD SP, 0x4:4", "t1:4 = LOAD 0x3:8, t0:4", "A0 = COPY t1:4"],
    },
    Golden {
        mode: "m68k",
        bytes: &[0x61, 0x00, 0x01, 0x00],
        text: "bsr.w 0x10102",
        lengths: (4, 4),
        ops: &["SP = INT_SUB SP, 0x4:4", "STORE 0x3:8, SP, 0x10004:4", "CALL ram:0x10102:4"],
    },
    Golden {
        mode: "coldfire",
        // The 68020 has no such instruction.
        bytes: &[0x71, 0xc0],
        text: "mvz.w: D0w, D0",
        lengths: (2, 2),
        // The flags are a correction of the specification.
        ops: &[
            "D0 = INT_ZEXT D0w",
            "VF = COPY 0x0:1",
            "CF = COPY 0x0:1",
            "NF = INT_SLESS D0, 0x0:4",
            "ZF = INT_EQUAL D0, 0x0:4",
        ],
    },
    Golden {
        mode: "riscv64",
        // Compressed.
        bytes: &[0x82, 0x80],
        text: "ret",
        lengths: (2, 2),
        ops: &["RETURN ra"],
    },
    Golden {
        mode: "riscv64",
        bytes: &[0xef, 0x00, 0x40, 0x10],
        text: "jal ra,0x10104",
        lengths: (4, 4),
        ops: &["ra = COPY 0x10004:8", "CALL ram:0x10104:8"],
    },
];

#[test]
fn instructions() {
    for golden in GOLDEN {
        let mode = find(golden.mode);
        let instruction = lift(mode, golden.bytes).expect(golden.text);
        assert_eq!(ops(mode, &instruction), golden.ops, "{}: {}", golden.mode, golden.text);
        assert_eq!((instruction.length, instruction.own_length), golden.lengths, "{}", golden.text);
        assert_eq!(disassemble(mode, golden.bytes).as_deref(), Ok(golden.text));
    }
}

#[test]
fn every_mode_has_an_instruction() {
    for mode in support::MODES {
        assert!(GOLDEN.iter().any(|golden| golden.mode == mode.name), "{}", mode.name);
    }
}

#[test]
fn what_is_no_instruction_is_an_error() {
    let error = |mode: &str, bytes: &[u8]| lift(find(mode), bytes).unwrap_err();
    // `udf` space of MIPS: opcode 0x3b is reserved.
    assert_eq!(error("mips-be", &[0xec, 0, 0, 0]), LiftError::Undecodable(BASE));
    assert_eq!(error("m68k", &[0x71, 0xc0]), LiftError::Undecodable(BASE));
    assert_eq!(error("x86-64", &[0x48, 0x8b]), LiftError::Truncated(BASE));
    assert_eq!(error("x86-64", &[]), LiftError::Unmapped(BASE));
    // The delay slot is missing, cut short, or a jump itself.
    let jump = [0x0c, 0x00, 0x41, 0x00];
    assert_eq!(error("mips-be", &jump), LiftError::Unmapped(BASE.offset(4)));
    let cut = [0x0c, 0x00, 0x41, 0x00, 0x24];
    assert_eq!(error("mips-be", &cut), LiftError::Truncated(BASE.offset(4)));
    let twice = [jump, jump].concat();
    assert!(matches!(error("mips-be", &twice), LiftError::Limit { address: BASE, .. }));
}

#[test]
fn misaligned_addresses_are_errors() {
    for name in ["arm-le", "mips-be", "powerpc", "sparc", "sh4", "aarch64", "riscv64"] {
        let mode = find(name);
        let language = mode.language();
        let at = BASE.offset(1);
        let mut instruction = miyaburi_pcode::Instruction::default();
        let code = [0_u8; 16];
        let outcome = language.lifter().lift(
            &(BASE, code.as_slice()),
            at,
            mode.context(&*language),
            &mut instruction,
        );
        assert_eq!(outcome, Err(LiftError::Misaligned(at)), "{name}");
    }
}

#[test]
fn names() {
    let language = find("x86-64").language();
    let rax = language.register("RAX").unwrap();
    assert_eq!((rax.size, language.register_name(&rax)), (8, Some("RAX")));
    assert_eq!(language.register("rax"), None);
    assert!(language.registers().iter().any(|(name, varnode)| (*name, *varnode) == ("RAX", rax)));
    let end =
        |(_, varnode): &(&str, miyaburi_pcode::Varnode)| varnode.offset + u64::from(varnode.size);
    let last = language.registers().iter().map(end).max().unwrap();
    assert_eq!(language.register_space_size() as u64, last);

    let interrupt = lift(find("x86"), &[0xcd, 0x80]).unwrap();
    let number = interrupt.ops[0].inputs()[0].as_constant().unwrap();
    assert_eq!(find("x86").language().user_op(number), Some("swi"));
    assert_eq!(language.user_op(u64::MAX), None);
}

#[test]
fn settings_of_the_processor() {
    let tracked = |name: &str, register: &str| {
        let language = find(name).language();
        let varnode = language.register(register).unwrap();
        let found = language.tracked_registers().iter().find(|(at, _)| *at == varnode);
        found.map(|(_, value)| *value)
    };
    assert_eq!(tracked("x86", "DF"), Some(0));
    assert_eq!(tracked("sh4", "FPSCR"), Some(0x4_0001));
    assert_eq!(tracked("sparc", "DECOMPILE_MODE"), Some(1));
    assert_eq!(tracked("x86", "EAX"), None);

    let language = find("mips-be").language();
    let start = language.initial_context();
    assert_eq!(language.context_field(start, "RELP"), Some(1));
    assert_eq!(language.context_field(start, "ISA_MODE"), Some(0));
    assert_eq!(language.context_field(start, "TMode"), None);
    assert_eq!(language.with_context_field(start, "TMode", 1), None);
    let mips16 = language.with_context_field(start, "ISA_MODE", 1).unwrap();
    assert_eq!(language.context_field(mips16, "ISA_MODE"), Some(1));
    assert_eq!(language.context_field(mips16, "RELP"), Some(1));
}

#[test]
fn unsupported_cpus_are_named() {
    use miyaburi_image::{Arch, Endian, Family};
    use miyaburi_pcode::{LanguageError, language_for};
    let arch = Arch {
        family: Family::PowerPc,
        endian: Endian::Little,
        instruction_endian: Endian::Little,
        cpu: "ppc32",
    };
    let expected = LanguageError::Unsupported { family: "powerpc", endian: Endian::Little };
    assert_eq!(language_for(arch).err(), Some(expected));
}
