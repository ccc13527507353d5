//! Code of one shape thousands of times over: what is found is right, and what it takes grows with
//! the code, not with its square. Steps are counted, so that the machine's speed is no matter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{CallKind, CallSite, Cut, Program};
use miyaburi_image::{Address, Image};
use support::{ARM, CODE, X86_64, hex, image};

/// Twice the code takes three times the steps at most.
const GROWTH: u64 = 3;

/// x86-64 code in the making.
#[derive(Default)]
struct Assembler {
    code: Vec<u8>,
}

impl Assembler {
    /// Bytes, then the distance from behind them to an offset of the code.
    fn relative(&mut self, opcode: &[u8], target: usize) {
        self.code.extend(opcode);
        let next = self.code.len() as i64 + 4;
        self.code.extend(((target as i64 - next) as i32).to_le_bytes());
    }

    fn call(&mut self, target: usize) {
        self.relative(&[0xe8], target);
    }

    fn jump(&mut self, target: usize) {
        self.relative(&[0xe9], target);
    }

    fn jump_if_not_zero(&mut self, target: usize) {
        self.relative(&[0x0f, 0x85], target);
    }

    fn ret(&mut self) {
        self.code.push(0xc3);
    }

    fn image(&self) -> Image {
        image(X86_64, &self.code, &[0; 16])
    }
}

/// Analyses the whole program, which is not cut; gives the steps it took.
fn steps_of(image: &Image, check: impl FnOnce(&Program<'_>)) -> u64 {
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(image, language.as_ref()).unwrap();
    assert_eq!(program.cut(), None);
    check(&program);
    program.spent_steps()
}

/// Asserts that `many`, twice as large as `few`, takes steps in proportion.
fn assert_proportion(few: u64, many: u64) {
    assert!(many < GROWTH * few, "{few} and {many} steps");
}

fn calls_of<'p>(program: &'p Program<'_>, entry: usize) -> Vec<&'p CallSite> {
    let caller = program.function_at(Address(CODE + entry as u64)).unwrap();
    program.calls_of(caller).collect()
}

/// A function that ends in jumps to thousands of others.
#[test]
fn a_function_of_many_tail_calls_takes_steps_in_proportion() {
    let steps = |count: usize| {
        // The entry point calls each leaf and then the function of jumps.
        let jumps = 5 * count + 6;
        let leaf = |number: usize| jumps + 6 * count + 1 + number;
        let mut code = Assembler::default();
        (0..count).for_each(|number| code.call(leaf(number)));
        code.call(jumps);
        code.ret();
        (0..count).for_each(|number| code.jump_if_not_zero(leaf(number)));
        (0..=count).for_each(|_| code.ret());
        steps_of(&code.image(), |program| {
            assert_eq!(program.functions().len(), count + 2);
            assert!(program.functions().iter().all(|function| function.returns));
            let calls = calls_of(program, jumps);
            assert!(calls.iter().all(|site| site.kind == CallKind::Tail));
            let targets: Vec<_> = calls.iter().filter_map(|site| site.target).collect();
            let leaves = (0..count).map(|number| Address(CODE + leaf(number) as u64));
            assert_eq!(targets, leaves.collect::<Vec<_>>());
        })
    };
    assert_proportion(steps(2_500), steps(5_000));
}

/// Thousands of functions that all end in a jump to the same one.
#[test]
fn an_exit_that_many_functions_share_takes_steps_in_proportion() {
    let steps = |count: usize| {
        let exit = 5 * count + 6;
        let function = |number: usize| exit + 1 + 5 * number;
        let mut code = Assembler::default();
        code.call(exit);
        (0..count).for_each(|number| code.call(function(number)));
        code.ret();
        code.ret();
        (0..count).for_each(|_| code.jump(exit));
        steps_of(&code.image(), |program| {
            assert_eq!(program.functions().len(), count + 2);
            assert!(program.functions().iter().all(|function| function.returns));
            let shared = program.function_at(Address(CODE + exit as u64)).unwrap();
            let jumps = program.callers(shared).filter(|site| site.kind == CallKind::Tail);
            assert_eq!(jumps.count(), count);
        })
    };
    assert_proportion(steps(3_000), steps(6_000));
}

/// A function that waits for thousands of others, all of which wait for one that is only known to
/// return once nothing else is left to be explored.
#[test]
fn many_waits_end_when_the_last_function_returns() {
    let steps = |count: usize| {
        let arm = |number: usize| 6 * count + 1 + 6 * number;
        let waiter = |number: usize| arm(count) + 6 * number;
        let last = waiter(count);
        let mut code = Assembler::default();
        (0..count).for_each(|number| code.jump_if_not_zero(arm(number)));
        code.ret();
        for number in 0..count {
            code.call(waiter(number));
            code.ret();
        }
        for _ in 0..count {
            code.call(last);
            code.ret();
        }
        // jmp rdi
        code.code.extend([0xff, 0xe7]);
        steps_of(&code.image(), |program| {
            assert_eq!(program.functions().len(), count + 2);
            assert!(program.functions().iter().all(|function| function.returns));
            let entry = program.function(program.function_at(Address(CODE)).unwrap()).unwrap();
            assert_eq!(entry.instruction_count(), 3 * count + 1);
            assert_eq!(calls_of(program, 0).len(), count);
        })
    };
    assert_proportion(steps(1_700), steps(3_400));
}

/// `mov lr, pc; bx r3` is a call, thousands of times in one function.
#[test]
fn many_jumps_that_call_take_steps_in_proportion() {
    let steps = |count: usize| {
        // push {lr}; mov lr, pc; bx r3; ...; pop {pc}
        let mut code = hex("00402de9");
        code.extend(hex("0fe0a0e113ff2fe1").repeat(count));
        code.extend(hex("0080bde8"));
        steps_of(&image(ARM, &code, &[0; 16]), |program| {
            assert_eq!(program.functions().len(), 1);
            assert!(program.functions()[0].returns);
            assert_eq!(program.functions()[0].instruction_count(), 2 * count + 2);
            let calls = calls_of(program, 0);
            assert_eq!(calls.len(), count);
            assert!(calls.iter().all(|site| site.kind == CallKind::Indirect));
            assert_eq!(calls[1].address, Address(CODE + 16));
            assert_eq!(calls[1].return_address, Address(CODE + 20));
        })
    };
    assert_proportion(steps(3_500), steps(7_000));
}

/// Thousands of blocks, each of which jumps to the one before it in memory: a constant reaches the
/// last of them in one go.
#[test]
fn a_constant_goes_down_a_long_chain_of_blocks_in_one_pass() {
    let steps = |count: usize| {
        let site = 10;
        let function = site + 6 + 2 * count;
        // mov edi, 5; jmp to the last block
        let mut code = Assembler { code: hex("bf05000000") };
        code.jump(function - 2);
        code.call(function);
        code.ret();
        code.code.extend([0xeb, 0xf8]);
        (1..count).for_each(|_| code.code.extend([0xeb, 0xfc]));
        code.ret();
        steps_of(&code.image(), |program| {
            assert_eq!(program.functions().len(), 2);
            assert_eq!(program.functions()[0].blocks().len(), count + 2);
            let entry = program.function_at(Address(CODE)).unwrap();
            let values = program.values(entry).unwrap();
            let call = Address(CODE + site as u64);
            assert_eq!(values.argument(call, 0).constant(), Some(5));
        })
    };
    assert_proportion(steps(15_000), steps(30_000));
}

/// A chain of jumps whose every link turns out to be a function takes code from the function
/// before it each time: that is as much as the square, and cut.
#[test]
fn a_chain_that_falls_apart_one_start_at_a_time_is_within_its_steps() {
    let count = 6_000;
    let link = |number: usize| 5 * count + 1 + 5 * number;
    let mut code = Assembler::default();
    (0..count).for_each(|number| code.call(link(number)));
    code.ret();
    (1..=count).for_each(|number| code.jump(link(number)));
    code.ret();
    let image = code.image();
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let limit = 8_000_000 + 100 * code.code.len() as u64;
    assert!(matches!(program.cut(), None | Some(Cut::Steps)));
    assert!(program.spent_steps() < limit + limit / 10, "{} steps", program.spent_steps());
    assert!(program.functions().len() > 100);
    assert_eq!(program.functions()[1].entry, Address(CODE + link(0) as u64));
}
