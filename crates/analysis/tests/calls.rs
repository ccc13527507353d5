//! A call with two constant arguments, hand-assembled for every CPU.
//!
//! Each program calls a function with 7 and 0x1234567 and then loops; the function stores its
//! first argument at the start of the data and returns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{CallKind, Program, Value};
use miyaburi_image::Address;
use support::{
    AARCH64, ARM, ARMEB, CODE, DATA, M68K, MIPS, MIPSEL, Machine, POWERPC, RISCV64, SH4, SPARC,
    X86, X86_64, hex, image,
};

struct Case {
    name: &'static str,
    machine: Machine,
    code: &'static str,
    data: &'static str,
    /// Offset of the calling instruction.
    site: u64,
    /// Offset of the function.
    callee: u64,
    kind: CallKind,
}

const CASES: [Case; 13] = [
    Case {
        name: "x86-64: registers",
        machine: X86_64,
        // mov edi,7; mov esi,imm; call f; jmp .; f: mov [0x20000],edi; ret
        code: "bf07000000be67452301e802000000ebfe893c2500000200c3",
        data: "",
        site: 0xa,
        callee: 0x11,
        kind: CallKind::Direct,
    },
    Case {
        name: "x86: stack",
        machine: X86,
        // push imm; push 7; call f; jmp .; f: mov eax,[esp+4]; mov [0x20000],eax; ret
        code: "68674523016a07e802000000ebfe8b442404a300000200c3",
        data: "",
        site: 7,
        callee: 0xe,
        kind: CallKind::Direct,
    },
    Case {
        name: "ARM: literal pool",
        machine: ARM,
        // mov r0,#7; ldr r1,=imm; bl f; b .; .word imm; f: mov r3,#0x20000; str r0,[r3]; bx lr
        code: "0700a0e304109fe5010000ebfeffffea674523010238a0e3000083e51eff2fe1",
        data: "",
        site: 8,
        callee: 0x14,
        kind: CallKind::Direct,
    },
    Case {
        name: "ARM big endian",
        machine: ARMEB,
        code: "e3a00007e59f1004eb000001eafffffe01234567e3a03802e5830000e12fff1e",
        data: "",
        site: 8,
        callee: 0x14,
        kind: CallKind::Direct,
    },
    Case {
        name: "ARM to Thumb: mov lr,pc; bx r3 is a call",
        machine: ARM,
        // ...; ldr r3,=f|1; mov lr,pc; bx r3; b .; literals; f: movs r3,#2; lsls r3,#16; str; bx lr
        code: "0700a0e30c109fe50c309fe50fe0a0e113ff2fe1feffffea674523012100010002231b0418607047",
        data: "",
        site: 0x10,
        callee: 0x20,
        kind: CallKind::Indirect,
    },
    Case {
        name: "AArch64: movz, movk",
        machine: AARCH64,
        code: "e0008052e1ac88526124a07202000094000000144300a0d2600000b9c0035fd6",
        data: "",
        site: 0xc,
        callee: 0x14,
        kind: CallKind::Direct,
    },
    Case {
        name: "MIPS: through $gp and t9, argument in the delay slot",
        machine: MIPS,
        // lui gp; addiu gp; lui a1; ori a1; lw t9,-12(gp); jalr t9; li a0,7; b .; nop; f: ...
        code: "3c1c0002279c00103c05012334a545678f99fff40320f809240400071000ffff000000003c02000203e0\
               0008ac440000",
        data: "0000000000010024",
        site: 0x14,
        callee: 0x24,
        kind: CallKind::Indirect,
    },
    Case {
        name: "MIPS little endian",
        machine: MIPSEL,
        code: "02001c3c10009c272301053c6745a534f4ff998f09f8200307000424ffff0010000000000200023c0800\
               e003000044ac",
        data: "0000000024000100",
        site: 0x14,
        callee: 0x24,
        kind: CallKind::Indirect,
    },
    Case {
        name: "PowerPC: bcl 20,31,.+4 is no call",
        machine: POWERPC,
        // bcl 20,31,.+4; mflr r30; lis r4; ori r4; li r3,7; bl f; b .; f: lis r9,2; stw r3,0(r9);
        // blr
        code: "429f00057fc802a63c800123608445673860000748000009480000003d200002906900004e800020",
        data: "",
        site: 0x14,
        callee: 0x1c,
        kind: CallKind::Direct,
    },
    Case {
        name: "SPARC: the callee saves its window",
        machine: SPARC,
        // sethi o1; or o1; call f; mov 7,o0; ba .; nop; f: save; sethi l0; st i0,[l0]; ret; restore
        code: "130048d192126167400000049010200710800000010000009de3bfa021000080f024000081c7e00881e8\
               0000",
        data: "",
        site: 8,
        callee: 0x18,
        kind: CallKind::Direct,
    },
    Case {
        name: "SH4: literal pool and jsr",
        machine: SH4,
        // mov.l imm,r5; mov.l f,r1; jsr @r1; mov #7,r4; bra .; nop; literals; f: ...; rts; mov.l
        code: "02d503d10b4107e4feaf0900674523011400010002e128410b004221",
        data: "",
        site: 4,
        callee: 0x14,
        kind: CallKind::Indirect,
    },
    Case {
        name: "m68k: stack",
        machine: M68K,
        // pea imm; pea 7; jsr f(pc); bra.s .; f: move.l 4(sp),0x20000; rts
        code: "487901234567487800074eba000460fe23ef0004000200004e75",
        data: "",
        site: 0xa,
        callee: 0x10,
        kind: CallKind::Direct,
    },
    Case {
        name: "RISC-V: lui, addi",
        machine: RISCV64,
        // li a0,7; lui a1; addi a1; jal f; j .; f: lui a5,0x20; sw a0,0(a5); ret
        code: "1d45b745230193857556ef00600001a0b707020088c38280",
        data: "",
        site: 0xa,
        callee: 0x10,
        kind: CallKind::Direct,
    },
];

fn check(case: &Case) {
    let name = case.name;
    let mut data = hex(case.data);
    data.resize(16, 0);
    let image = image(case.machine, &hex(case.code), &data);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let (site, callee) = (Address(CODE + case.site), Address(CODE + case.callee));

    let entries: Vec<Address> = program.functions().iter().map(|f| f.entry).collect();
    assert_eq!(entries, [Address(CODE), callee], "{name}: functions");
    let calls = program.call_sites();
    assert_eq!(calls.len(), 1, "{name}: {calls:?}");
    assert_eq!((calls[0].address, calls[0].target), (site, Some(callee)), "{name}: call");
    assert_eq!(calls[0].kind, case.kind, "{name}: kind");

    let entry = program.function_at(Address(CODE)).unwrap();
    let function = program.function_at(callee).unwrap();
    assert_eq!(calls[0].callee, Some(function), "{name}");
    assert_eq!(program.callers(function).count(), 1, "{name}: callers");
    assert!(!program.function(entry).unwrap().returns, "{name}: the entry loops");
    assert!(program.function(function).unwrap().returns, "{name}: the callee returns");

    let values = program.values(entry).unwrap();
    assert_eq!(values.argument(site, 0), Value::Constant(7), "{name}: first argument");
    assert_eq!(values.argument(site, 1), Value::Constant(0x123_4567), "{name}: second argument");
    assert_eq!(values.argument(callee, 0), Value::Unknown, "{name}: no call there");
    let stores = program.values(function).unwrap().stores();
    let stored = stores.iter().find(|store| store.to == Address(DATA));
    let stored = stored.unwrap_or_else(|| panic!("{name}: store to data in {stores:?}"));
    assert_eq!((stored.size, stored.value), (4, Value::Argument { index: 0, offset: 0 }), "{name}");

    let references = program.references().to(Address(DATA), Address(DATA + 1));
    assert!(
        references.iter().any(|reference| reference.from == stored.instruction),
        "{name}: {references:?}"
    );
}

#[test]
fn constants_reach_arguments_and_callees_are_found_on_every_cpu() {
    CASES.iter().for_each(check);
}

/// A string between functions that decodes is looked at as a function, and rejected: it stays data.
#[test]
fn a_string_in_the_code_that_was_tried_as_a_function_keeps_its_references() {
    // lea rdi, [rip+23]; call f; ret; f: ret; padding; "t<8!", as code a jump to where no code is
    let code = [hex("488d3d17000000e801000000c3c3"), vec![0xcc; 16], b"t<8!\0".to_vec()].concat();
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let string = Address(CODE + 30);
    assert!(program.code().instruction_at(string).is_some(), "it is not tried");
    assert_eq!(program.function_at(string), None);
    let references = program.references().to(string, Address(string.0 + 1));
    assert_eq!(references.iter().map(|r| r.from).collect::<Vec<_>>(), [Address(CODE)]);
    // The call's target is code.
    assert_eq!(program.references().to(Address(CODE), string), []);
}
