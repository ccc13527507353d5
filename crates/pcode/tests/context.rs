//! How decoding contexts travel from instruction to instruction.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_image::Address;
use miyaburi_pcode::{Context, Instruction, Language};
use std::sync::Arc;
use support::{BASE, Mode, find, ops};

/// A language with some code at [`BASE`].
struct Code {
    mode: &'static Mode,
    language: Arc<dyn Language>,
    bytes: Vec<u8>,
}

impl Code {
    fn new(mode: &str, bytes: &[u8]) -> Self {
        let mode = find(mode);
        Self { mode, language: mode.language(), bytes: bytes.to_vec() }
    }

    fn start(&self) -> Context {
        self.mode.context(&*self.language)
    }

    fn lift(&self, at: Address, context: Context) -> Instruction {
        let mut instruction = Instruction::default();
        let code = (BASE, self.bytes.as_slice());
        self.language.lifter().lift(&code, at, context, &mut instruction).unwrap();
        instruction
    }

    fn text(&self, at: Address, context: Context) -> String {
        let code = (BASE, self.bytes.as_slice());
        self.language.lifter().disassemble(&code, at, context).unwrap()
    }

    fn field(&self, context: Context, name: &str) -> u32 {
        self.language.context_field(context, name).unwrap()
    }
}

/// The text of `count` instructions in sequence, each in the context that reaches it.
fn straight_line(code: &Code, count: usize) -> Vec<String> {
    let (mut at, mut context) = (BASE, code.start());
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(code.text(at, context));
        let instruction = code.lift(at, context);
        at = at.offset(instruction.length.into());
        context = instruction.context_at(at);
    }
    texts
}

#[test]
fn thumb_it_block_conditions_exactly_its_instructions() {
    // ite eq; movs r0,#1; movs r0,#0; movs r0,#2
    let code = Code::new("thumb-le", &[0x0c, 0xbf, 0x01, 0x20, 0x00, 0x20, 0x02, 0x20]);
    let texts = straight_line(&code, 4);
    assert_eq!(texts, ["ite eq", "mov.eq r0,#0x1", "mov.ne r0,#0x0", "movs r0,#0x2"]);
}

#[test]
fn thumb_it_block_of_four() {
    // itttt ne; four times mov r0,r0; one more
    let code =
        Code::new("thumb-le", &[0x1f, 0xbf, 0, 0x46, 0, 0x46, 0, 0x46, 0, 0x46, 0, 0x46, 0, 0xbf]);
    let conditional: Vec<bool> =
        straight_line(&code, 6).iter().map(|text| text.contains(".ne")).collect();
    assert_eq!(conditional, [false, true, true, true, true, false]);
}

#[test]
fn a_branch_out_of_an_it_block_leaves_the_condition_behind() {
    // it eq; beq.n +8 (as `b` in the block)
    let code = Code::new("thumb-le", &[0x08, 0xbf, 0x02, 0xe0, 0, 0, 0, 0, 0, 0, 0x02, 0x20]);
    let it = code.lift(BASE, code.start());
    let branch = code.lift(BASE.offset(2), it.context_at(BASE.offset(2)));
    let target = BASE.offset(10);
    assert_eq!(code.text(target, branch.context_at(target)), "movs r0,#0x2");
    assert_eq!(branch.context_at(target), code.start());
}

#[test]
fn blx_changes_the_mode_of_its_target_alone() {
    // blx #4 from Thumb: the target is ARM code, the return is to Thumb code.
    let code =
        Code::new("thumb-le", &[0x00, 0xf0, 0x02, 0xe8, 0x02, 0x20, 0, 0xbf, 3, 0, 0xa0, 0xe3]);
    let call = code.lift(BASE, code.start());
    let (back, target) = (BASE.offset(4), BASE.offset(8));
    assert_eq!(code.field(call.context_at(back), "TMode"), 1);
    assert_eq!(code.field(call.context_at(target), "TMode"), 0);
    assert_eq!(code.text(back, call.context_at(back)), "movs r0,#0x2");
    assert_eq!(code.text(target, call.context_at(target)), "mov r0,#0x3");
    // The mode flows on from there.
    let after = code.lift(target, call.context_at(target));
    assert_eq!(code.field(after.context_at(target.offset(4)), "TMode"), 0);
}

#[test]
fn arm_blx_reaches_thumb_code() {
    // blx +0x0a: bit 24 adds a halfword to the distance.
    let code = Code::new("arm-le", &[0x00, 0x00, 0x00, 0xfb]);
    let call = code.lift(BASE, code.start());
    let target = BASE.offset(10);
    assert_eq!(code.field(call.context_at(target), "TMode"), 1);
    assert_eq!(code.field(call.context_at(BASE.offset(4)), "TMode"), 0);
    assert_eq!(call.prescribed.len(), 1);
}

#[test]
fn a_jump_after_mov_lr_pc_is_a_call() {
    // mov lr,pc; bx r3: the first tells the second that it calls, and nothing after it.
    let code = Code::new(
        "arm-le",
        &[0x0f, 0xe0, 0xa0, 0xe1, 0x13, 0xff, 0x2f, 0xe1, 0x13, 0xff, 0x2f, 0xe1],
    );
    let first = code.lift(BASE, code.start());
    let second = code.lift(BASE.offset(4), first.context_at(BASE.offset(4)));
    let third = code.lift(BASE.offset(8), second.context_at(BASE.offset(8)));
    let last = |instruction: &Instruction| ops(code.mode, instruction).pop().unwrap();
    assert_eq!(last(&second), "CALLIND pc");
    assert_eq!(last(&third), "BRANCHIND pc");
}

#[test]
fn mips_jalx_changes_mode_and_its_slot_does_not() {
    // jalx 0x10400; li v0,3 in the slot
    let code = Code::new("mips-be", &[0x74, 0x00, 0x41, 0x00, 0x24, 0x02, 0x00, 0x03]);
    let call = code.lift(BASE, code.start());
    assert_eq!((call.length, call.own_length), (8, 4));
    assert_eq!(code.field(call.context_at(Address(0x1_0400)), "ISA_MODE"), 1);
    assert_eq!(code.field(call.context_at(BASE.offset(8)), "ISA_MODE"), 0);
    assert!(ops(code.mode, &call).contains(&"v0 = COPY 0x3:4".to_owned()));
}

#[test]
fn mips16_slots_know_that_they_are_slots() {
    // jr ra with `lw v0,0(pc)` in its slot: there, `pc` is the jump's.
    let slot = [0xb2, 0x01];
    let code = Code::new("mips16-be", &[&[0xe8, 0x20], slot.as_slice()].concat());
    let jump = code.lift(BASE, code.start());
    assert_eq!((jump.length, jump.own_length), (4, 2));
    let slot_context = jump.context_at(BASE.offset(2));
    assert_eq!(code.field(slot_context, "ext_delay"), 1);
    assert_eq!(code.field(jump.successor_context, "ext_delay"), 0);
}

#[test]
fn powerpc_link_mark_ends_at_the_call_that_uses_it() {
    let code = Code::new("powerpc", &[0x48, 0x00, 0x01, 0x01]);
    let marked = code.language.with_context_field(code.start(), "linkreg", 1).unwrap();
    let call = code.lift(BASE, marked);
    assert_eq!(code.field(call.successor_context, "linkreg"), 0);
    assert_eq!(code.field(call.context_at(BASE.offset(4)), "linkreg"), 0);
}

#[test]
fn contexts_do_not_depend_on_what_was_lifted_before() {
    let code = Code::new("thumb-le", &[0x0c, 0xbf, 0x01, 0x20, 0x00, 0x20, 0x02, 0x20]);
    let mut lifter = code.language.lifter();
    let bytes = (BASE, code.bytes.as_slice());
    let mut instruction = Instruction::default();
    lifter.lift(&bytes, BASE, code.start(), &mut instruction).unwrap();
    let text = lifter.disassemble(&bytes, BASE.offset(2), code.start()).unwrap();
    assert_eq!(text, "movs r0,#0x1");
}
