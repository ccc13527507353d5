//! Arguments that stay in their registers over calls of functions that do not write them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{Program, Value};
use miyaburi_image::Address;
use support::{CODE, MIPS, X86_64, hex, image};

/// The first argument of the second call of a program that sets it before the first: `mov edi,7;
/// call g; mov esi,9; call f; jmp .`, then `f` that reads both, then `g`.
fn first_argument(g: &str) -> Value {
    let opening = "bf07000000e820000000be09000000e802000000ebfe";
    let f = "90909090893c250000020089342504000200c3";
    let code = hex(&format!("{opening}{f}90{g}"));
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let callee = program.function_at(Address(CODE + 0x2a)).unwrap();
    assert!(program.function(callee).unwrap().returns, "g returns");
    let values = program.values(program.function_at(Address(CODE)).unwrap()).unwrap();
    let second = Address(CODE + 0xf);
    assert_eq!(values.argument(second, 1), Value::Constant(9));
    assert_eq!(values.argument(Address(CODE + 5), 0), Value::Constant(7));
    values.argument(second, 0)
}

#[test]
fn an_argument_stays_where_the_callee_leaves_it() {
    // Four nops, more than is followed; inc eax; ret.
    assert_eq!(first_argument("90909090ffc0c3"), Value::Constant(7));
    // The same behind a call: call h; ret; h: ...
    assert_eq!(first_argument("e801000000c390909090ffc0c3"), Value::Constant(7));
    // The same behind a jump: nops; jmp h; int3; h: ...
    assert_eq!(first_argument("90909090eb01cc90909090ffc0c3"), Value::Constant(7));
}

#[test]
fn a_callee_that_may_write_an_argument_takes_it() {
    // nops; mov dil,1 (a part of the register); ret
    assert_eq!(first_argument("9090909040b701c3"), Value::Unknown);
    // test esi,esi; jz +2; mov edi,eax; ret: on one path alone
    assert_eq!(first_argument("9085f6740289c7c3"), Value::Unknown);
    // call h; ret; h: nops; xor edi,edi; ret
    assert_eq!(first_argument("e801000000c39090909031ffc3"), Value::Unknown);
}

#[test]
fn a_callee_that_is_not_known_whole_may_write_everything() {
    // call [0x20010]; nops; ret: memory that the program may write
    assert_eq!(first_argument("ff14251000020090909090c3"), Value::Unknown);
    // test esi,esi; jz +7; dec esi; call g; ret: a recursion
    assert_eq!(first_argument("85f67407ffcee8f5ffffffc3"), Value::Unknown);
    // mov eax,39; syscall; nops; ret
    assert_eq!(first_argument("b8270000000f0590909090c3"), Value::Unknown);
}

/// What is made of a kept register is known, too: here the upper half of an address.
#[test]
fn a_half_of_an_argument_stays_where_the_callee_leaves_it() {
    // lui a3,0x40; jal g; nop; addiu a1,a3,0x6d20; jal f; nop; b .; nop;
    // f: nops; lui v0,2; jr ra; sw a1,0(v0); g: nops; jr ra; addiu v0,v0,1, or move a3,zero
    let argument = |slot: &str| {
        let words = [
            // The entry, and the loop that it ends in.
            "3c070040 0c004010 00000000 24e56d20 0c004008 00000000 1000ffff 00000000",
            // What reads the argument.
            "00000000 00000000 00000000 00000000 3c020002 03e00008 ac450000 00000000",
            // What is called first.
            "00000000 00000000 00000000 00000000 03e00008",
        ];
        let code = hex(&(words.concat() + slot).replace(' ', ""));
        let image = image(MIPS, &code, &[0; 16]);
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let program = Program::analyze(&image, language.as_ref()).unwrap();
        let values = program.values(program.function_at(Address(CODE)).unwrap()).unwrap();
        values.argument(Address(CODE + 0x10), 1)
    };
    assert_eq!(argument("24420001"), Value::Constant(0x40_6d20));
    assert_eq!(argument("00003825"), Value::Unknown);
}
