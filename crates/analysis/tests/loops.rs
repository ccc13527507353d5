//! Values in loops: what a later turn changes is not constant in any.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{Program, Value};
use miyaburi_image::Address;
use support::{CODE, X86_64, hex, image};

/// A slot of the frame in an x86-64 instruction: the bytes before its number and after it.
fn slot(before: &str, number: u32, after: &str) -> Vec<u8> {
    [hex(before), (number * 4).to_le_bytes().to_vec(), hex(after)].concat()
}

/// A function with `count` variables in its frame and one more, `fixed`, behind them. Each turn of
/// its loop gives each variable the value of the next and counts the last up; behind the loop it
/// calls with the first variable and the fixed one.
fn shifting_slots(count: u32) -> Vec<u8> {
    let fixed = count;
    // sub rsp, 4 * (count + 1)
    let mut code = slot("4881ec", count + 1, "");
    // mov dword [variable], 7
    (0..count).for_each(|number| code.extend(slot("c78424", number, "07000000")));
    // mov dword [fixed], 9
    code.extend(slot("c78424", fixed, "09000000"));
    let start = code.len();
    for number in 1..count {
        // mov eax, [variable]; mov [the one before], eax
        code.extend(slot("8b8424", number, ""));
        code.extend(slot("898424", number - 1, ""));
    }
    // inc dword [last]; cmp dword [last], 77; jne start
    code.extend(slot("ff8424", count - 1, ""));
    code.extend(slot("83bc24", count - 1, "4d"));
    code.extend(hex("0f85"));
    code.extend((start as i32 - code.len() as i32 - 4).to_le_bytes());
    // mov edi, [first]; mov esi, [fixed]; call f; add rsp, ...; ret; f: ret
    code.extend(slot("8bbc24", 0, ""));
    code.extend(slot("8bb424", fixed, ""));
    code.extend(hex("e808000000"));
    code.extend(slot("4881c4", count + 1, "c3"));
    code.extend(hex("c3"));
    code
}

/// The first two arguments of the one call of the code.
fn arguments(code: &[u8]) -> [Value; 2] {
    let image = image(X86_64, code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    assert_eq!(program.cut(), None);
    let entry = program.function_at(Address(CODE)).unwrap();
    assert!(program.function(entry).unwrap().returns);
    let values = program.values(entry).unwrap();
    let sites: Vec<Address> = values.sites().collect();
    assert_eq!(sites.len(), 1);
    assert!(values.stack_pointer(sites[0]).is_some(), "the frame outlasts every loop");
    [0, 1].map(|index| values.argument(sites[0], index))
}

#[test]
fn variables_that_a_loop_shifts_are_not_constant() {
    for count in [2, 7, 11, 12, 13, 18, 40, 60, 100, 500] {
        let [first, _] = arguments(&shifting_slots(count));
        assert_eq!(first, Value::Unknown, "{count} variables");
    }
}

/// The fixed variable is given up with very long chains alone.
#[test]
fn what_a_loop_leaves_alone_stays_constant() {
    for count in [1, 2, 7, 12, 13, 18, 30] {
        let [first, fixed] = arguments(&shifting_slots(count));
        assert_eq!([first, fixed], [Value::Unknown, Value::Constant(9)], "{count} variables");
    }
    assert_eq!(arguments(&shifting_slots(100))[1], Value::Unknown);
}

/// The same in registers: edi takes the value of the counter after fourteen turns.
#[test]
fn registers_that_a_loop_shifts_are_not_constant() {
    // xor edi, edi; xor esi, esi; ... xor r15d, r15d: all of them but esp
    let zeros = "31ff31f631d231c94531c04531c94531d24531db31c031db31ed4531e44531ed4531f64531ff";
    // start: mov edi, esi; mov esi, edx; ... mov r14d, r15d
    let copies = "89f789d689ca4489c14589c84589d14589da4189c389d889eb4489e54589ec4589f54589fe";
    // inc r15d; cmp r15d, 77; jne start; call f; ret; f: ret
    let rest = "41ffc74183ff4d75d2e801000000c3c3";
    let [first, _] = arguments(&hex(&[zeros, copies, rest].concat()));
    assert_eq!(first, Value::Unknown);
}
