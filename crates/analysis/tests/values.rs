//! Values on the stack, and what is not known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{Program, StackByte, Value};
use miyaburi_image::Address;
use support::{ARM, CODE, DATA, MIPS, SPARC, X86_64, hex, image};

/// The bytes of 192.0.2.5:23 in a `sockaddr_in` on a little-endian CPU.
const ENDPOINT: [u8; 8] = [2, 0, 0, 0x17, 192, 0, 2, 5];

#[test]
fn a_structure_on_the_stack_is_seen_at_the_call_and_doubted_after_it() {
    // sub rsp,24; mov word [rsp],2; mov word [rsp+2],0x1700; mov dword [rsp+4],addr; mov rsi,rsp;
    // mov edx,16; call f; mov edi,[rsp]; call f; jmp .; f: four nops, more than is followed; ret
    let code = hex(
        "4883ec1866c70424020066c74424020017c7442404c00002054889e6ba10000000e80a0000008b3c24e802000000\
         ebfe90909090c3",
    );
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let entry = program.function_at(Address(CODE)).unwrap();
    let values = program.values(entry).unwrap();
    let sites: Vec<Address> = values.sites().collect();
    assert_eq!(sites, [Address(CODE + 0x21), Address(CODE + 0x29)]);

    let structure = values.argument(sites[0], 1).stack_offset().unwrap();
    assert_eq!(structure, -24);
    assert_eq!(values.argument(sites[0], 2), Value::Constant(16));
    let known: Vec<StackByte> = ENDPOINT.iter().map(|byte| StackByte::Known(*byte)).collect();
    assert_eq!(values.stack_bytes(sites[0], structure, 8), known);
    assert_eq!(values.stack_bytes(sites[0], structure + 8, 2), [StackByte::Unknown; 2]);

    let stale: Vec<StackByte> = ENDPOINT.iter().map(|byte| StackByte::Stale(*byte)).collect();
    assert_eq!(values.stack_bytes(sites[1], structure, 8), stale);
    assert_eq!(values.argument(sites[1], 0), Value::Unknown, "the callee may have changed it");
    assert_eq!(values.stack_value(sites[0], structure + 4, 4), Value::Constant(0x0502_00c0));
}

#[test]
fn halves_and_literals_make_a_structure_on_arm() {
    // sub sp,#24; mov r3,#2; strh r3,[sp,#4]; ldr r3,=addr; str r3,[sp,#8]; add r1,sp,#4; bl f; b .
    // .word addr; f: str lr,[sp,#-4]!; bl g; ldr pc,[sp],#4; g: bx lr
    let code = hex(
        "18d04de20230a0e3b430cde10c309fe508308de504108de2010000ebfeffffeac000020504e02de5000000eb\
         04f09de41eff2fe1",
    );
    let image = image(ARM, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let values = program.values(program.function_at(Address(CODE)).unwrap()).unwrap();
    let site = Address(CODE + 0x18);
    let structure = values.argument(site, 1).stack_offset().unwrap();
    let bytes = values.stack_bytes(site, structure, 8);
    assert_eq!(bytes[..2], [StackByte::Known(2), StackByte::Known(0)]);
    assert_eq!(bytes[2..4], [StackByte::Unknown; 2], "the port is never stored");
    let address = bytes[4..].iter().map(|byte| match byte {
        StackByte::Known(byte) => *byte,
        other => panic!("{other:?}"),
    });
    assert_eq!(address.collect::<Vec<_>>(), [192, 0, 2, 5]);
    let callee = program.function_at(Address(CODE + 0x24)).unwrap();
    assert!(program.function(callee).unwrap().returns, "ldr pc,[sp],#4 returns");
}

#[test]
fn memory_that_a_store_changes_is_not_constant() {
    // mov edi,[0x20000]; call f; mov dword [0x20004],1; mov edi,[0x20004]; call f; jmp .; f: ret
    let code = hex("8b3c2500000200e819000000c704250400020001000000\
         8b3c2504000200e802000000ebfec3");
    let image = image(X86_64, &code, &[0x11, 0x22, 0, 0, 0x33, 0, 0, 0]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let values = program.values(program.function_at(Address(CODE)).unwrap()).unwrap();
    let (first, second) = (Address(CODE + 7), Address(CODE + 0x1e));
    assert_eq!(values.argument(first, 0), Value::Constant(0x2211));
    assert_eq!(values.argument(second, 0), Value::Loaded { from: Address(DATA + 4), offset: 0 });
    assert_eq!(values.stores().len(), 1);
    assert_eq!(values.stores()[0].value, Value::Constant(1));
}

#[test]
fn a_delay_slot_of_a_jump_that_is_made_changes_nothing_elsewhere() {
    // The second argument is 5; a conditional jump that annuls its slot makes it 7; both ways call
    // f, the way straight on first.
    let cases = [
        (
            SPARC,
            "9210200580a220013280000692102007400000080100000010800000010000004000000401000000108000000100000081c3\
             e00801000000",
            (0x10, 0x20),
        ),
        (
            MIPS,
            "2405000550800005240500070c00400b000000001000ffff000000000c00400b000000001000ffff0000000003e000080000\
             000000000000",
            (0xc, 0x1c),
        ),
    ];
    for (machine, code, (straight, taken)) in cases {
        let image = image(machine, &hex(code), &[]);
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let program = Program::analyze(&image, language.as_ref()).unwrap();
        let values = program.values(program.function_at(Address(CODE)).unwrap()).unwrap();
        let name = machine.cpu;
        assert_eq!(values.argument(Address(CODE + straight), 1), Value::Constant(5), "{name}");
        assert_eq!(values.argument(Address(CODE + taken), 1), Value::Constant(7), "{name}");
    }
}

/// Two stores that make up a value which ends with the largest stack offset there is.
#[test]
fn the_last_bytes_of_the_stack_are_composed() {
    // mov rax, 0x7ffffffffffffff7; mov dword [rsp+rax], 1; mov dword [rsp+rax+4], 1;
    // mov rdi, [rsp+rax]; call f; ret; f: ret
    let code = hex("48b8f7ffffffffffff7fc7040401000000c744040401000000488b3c04e801000000c3c3");
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let values = program.values(program.function_at(Address(CODE)).unwrap()).unwrap();
    let site = values.sites().next().unwrap();
    assert_eq!(values.argument(site, 0), Value::Constant(0x1_0000_0001));
}
