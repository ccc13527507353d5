//! The lifter of an analysed program answers from what the analysis has lifted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_analysis::Program;
use miyaburi_image::{Address, Image};
use miyaburi_pcode::{CodeBytes, Context, Instruction, Lifter, language_for};
use support::{ARM, CODE, MIPS, Machine, SPARC, image};

struct Bytes<'a>(&'a Image);

impl CodeBytes for Bytes<'_> {
    fn code_at(&self, address: Address) -> &[u8] {
        self.0.bytes_from(address)
    }
}

/// Nothing anywhere: what is lifted from it was lifted before.
struct Nothing;

impl CodeBytes for Nothing {
    fn code_at(&self, _: Address) -> &[u8] {
        &[]
    }
}

fn lift(
    lifter: &mut dyn Lifter,
    code: &dyn CodeBytes,
    at: u64,
    context: Context,
) -> Option<Instruction> {
    let mut instruction = Instruction::default();
    let lifted = lifter.lift(code, Address(at), context, &mut instruction);
    // Numbers of forms are each lifter's own.
    lifted.ok().map(|()| Instruction { form: None, ..instruction })
}

/// Instructions of `code` at `places` are lifted by the analysis, the one at `rest` is not.
fn check(machine: Machine, code: &[u8], places: &[u64], rest: u64) {
    let image = image(machine, code, &[]);
    let language = language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, &*language).unwrap();
    let (mut known, mut fresh) = (program.lifter(), language.lifter());
    let id = program.function_at(Address(CODE)).unwrap();
    let mut context = program.context_of(id).unwrap();
    for place in places {
        let expected = lift(&mut *fresh, &Bytes(&image), *place, context);
        assert!(expected.is_some());
        assert_eq!(lift(&mut *known, &Nothing, *place, context), expected, "{place:#x}");
        assert_eq!(lift(&mut *fresh, &Nothing, *place, context), None);
        context = expected.unwrap().successor_context;
    }
    let expected = lift(&mut *fresh, &Bytes(&image), rest, context);
    assert!(expected.is_some());
    assert_eq!(lift(&mut *known, &Nothing, rest, context), None);
    assert_eq!(lift(&mut *known, &Bytes(&image), rest, context), expected);
}

#[test]
fn what_was_lifted_is_the_same_with_its_delay_slot() {
    // jr ra; addiu v0, zero, 1; then nothing that is reached: nop
    let mips = [0x03, 0xe0, 0, 8, 0x24, 0x02, 0, 1, 0, 0, 0, 0];
    check(MIPS, &mips, &[CODE], CODE + 8);
    // retl; mov 1, %o0; nop
    let sparc = [0x81, 0xc3, 0xe0, 8, 0x90, 0x10, 0x20, 1, 1, 0, 0, 0];
    check(SPARC, &sparc, &[CODE], CODE + 8);
}

#[test]
fn what_was_lifted_keeps_the_modes_behind_it() {
    // adr r0, behind + 1; bx r0; behind: (Thumb) movs r0, #1; bx lr; never reached: nop
    let code = [
        0xe28f_0001_u32.to_le_bytes(),
        0xe12f_ff10_u32.to_le_bytes(),
        [0x01, 0x20, 0x70, 0x47],
        [0x00, 0xbf, 0x00, 0xbf],
    ];
    check(ARM, &code.concat(), &[CODE, CODE + 4], CODE + 12);
}
