//! Branches that hooks send the other way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use miyaburi_emulator::{Abi, Hooks, Limits, State};
use miyaburi_image::Address;
use support::{CODE, Program};

const X86_64: u16 = 62;
const MIPS: u16 = 8;

/// 2 when the argument is 0, else 1.
const CHOICE: &[u8] = &[
    0x85, 0xff, // test edi, edi
    0x74, 0x06, // je zero
    0xb8, 1, 0, 0, 0,    // mov eax, 1
    0xc3, // ret
    0xb8, 2, 0, 0, 0,    // zero (0xa): mov eax, 2
    0xc3, // ret
];

/// 6 when the argument is 0, else 5; the delay slot makes the 5.
const DELAYED: &[u8] = &[
    0x10, 0x80, 0, 3, // beq a0, zero, zero
    0x24, 0x02, 0, 5, // li v0, 5
    0x03, 0xe0, 0, 8, // jr ra
    0, 0, 0, 0, // nop
    0x03, 0xe0, 0, 8, // zero (0x10): jr ra
    0x24, 0x42, 0, 1, // addiu v0, v0, 1
];

/// Sends one branch to an address, wherever it would have gone.
struct Diversion {
    site: Address,
    instead: Option<Address>,
    /// Where the branch would have gone.
    seen: Vec<Option<Address>>,
}

impl Hooks for Diversion {
    fn branches(&self) -> Vec<Address> {
        vec![self.site]
    }

    fn branch(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        site: Address,
        to: Option<Address>,
    ) -> Option<Address> {
        assert_eq!(site, self.site);
        self.seen.push(to);
        self.instead
    }
}

/// What a program returns for `argument`, and where its branch at `site` would have gone.
fn result(
    program: &Program,
    argument: u64,
    site: u64,
    instead: Option<u64>,
) -> (u64, Vec<Option<Address>>) {
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(64);
    let instead = instead.map(|offset| Address(CODE + offset));
    let mut hooks = Diversion { site: Address(CODE + site), instead, seen: Vec::new() };
    let function = (Address(CODE), emulator.entry_context());
    let limits = Limits::default();
    let outcome = emulator.call(&mut state, function, &[argument], &mut hooks, &limits);
    (outcome.result, hooks.seen)
}

#[test]
fn a_branch_goes_where_a_hook_sends_it() {
    let program = Program::new(X86_64, true, false, CHOICE);
    let to = |offset: u64| vec![Some(Address(CODE + offset))];
    assert_eq!(result(&program, 0, 2, Some(4)), (1, to(0xa)));
    assert_eq!(result(&program, 1, 2, Some(0xa)), (2, to(4)));
}

#[test]
fn a_branch_that_no_hook_sends_elsewhere_goes_its_way() {
    let program = Program::new(X86_64, true, false, CHOICE);
    assert_eq!(result(&program, 0, 2, None).0, 2);
    assert_eq!(result(&program, 1, 2, None).0, 1);
    // Another instruction is watched.
    assert_eq!(result(&program, 0, 4, Some(0xa)), (2, Vec::new()));
}

#[test]
fn the_delay_slot_of_a_branch_is_executed_either_way() {
    let program = Program::new(MIPS, false, true, DELAYED);
    assert_eq!(result(&program, 0, 0, None).0, 6);
    assert_eq!(result(&program, 0, 0, Some(8)).0, 5);
    assert_eq!(result(&program, 1, 0, Some(0x10)).0, 6);
}
