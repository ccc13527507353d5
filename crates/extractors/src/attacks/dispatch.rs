//! Attacks without a registry: which routine a command leads to, seen by handing over commands.
//!
//! How it works: routines that look like they choose among others are handed a command as the family
//! sends it (duration, vector or name, targets, options), once for every vector, then for every text
//! that they refer to. The routine that is then called with the number of targets, the targets, the
//! number of options and the options is the handler, unless all commands lead there: registers may
//! hold all that already when another routine is called.
//!
//! False positives: none is known; a routine must read the command whole and hand on what it says.
//! False negatives: commands laid out in another way, and dispatchers that need more than the bare
//! machine gives them.

use crate::subject::Subject;
use miyaburi_analysis::{Function, FunctionId, Program};
use miyaburi_emulator::{Abi, Call, CallAction, Hooks, Limits, Reason, State};
use miyaburi_image::Address;
use std::collections::{BTreeMap, BTreeSet};

/// Fewest attacks that make a dispatcher.
const MIN_ATTACKS: usize = 3;

/// Routines that are tried, with their callers.
const MAX_CANDIDATES: usize = 12;

/// Routines beside them that choose a call's target by a jump with many ways.
const MAX_SWITCHING: usize = 4;

/// Instructions that one command may take.
const INSTRUCTIONS: u64 = 12_000;

/// Texts that are tried as commands.
const MAX_TEXTS: usize = 128;

/// Longest command, in bytes.
const MAX_TEXT: usize = 32;

/// Targets and options of the command: numbers that nothing else is likely to be.
const TARGETS: u8 = 3;
const OPTIONS: u8 = 2;

/// A handler that more vectors than this lead to is what happens with unknown ones.
const MAX_VECTORS_OF_ONE: usize = 16;

/// Routines on the way to the handlers that may seem to be handlers.
const MAX_PASSED: usize = 3;

/// Routines that are made to return 0 in turn, as `fork` does in the child.
const MAX_FORKS: usize = 6;

/// What a command is chosen by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// A number.
    Vector(u8),
    /// A text.
    Command(String),
}

/// One attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatched {
    /// What the C2 orders it by.
    pub order: Order,
    /// The routine behind it.
    pub handler: Address,
    /// The call that leads there.
    pub site: Address,
}

/// The dispatcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatcher {
    /// The routine that takes the command.
    pub parser: Address,
    /// In the order of vectors or texts.
    pub attacks: Vec<Dispatched>,
}

/// Looks for the routine that takes commands.
pub fn extract<'a>(subject: &mut Subject<'a>, state: &State<'a>) -> Option<Dispatcher> {
    candidates(subject).into_iter().find_map(|parser| of_parser(subject, state, parser))
}

/// The dispatcher whose commands `parser` takes.
fn of_parser<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    parser: Address,
) -> Option<Dispatcher> {
    let mut way = Way { parser, fork: None, passed: Vec::new() };
    loop {
        let first = run(subject, state, &Way { fork: None, ..way.clone() }, &command(&[0]));
        if !first.reads_command {
            return None;
        }
        for fork in std::iter::once(None).chain(forks(first.undone).into_iter().map(Some)) {
            way.fork = fork;
            let mut attacks = by_vector(subject, state, &way);
            if handlers(&attacks) < MIN_ATTACKS {
                attacks = by_text(subject, state, &way);
            }
            if handlers(&attacks) >= MIN_ATTACKS {
                return Some(Dispatcher { parser, attacks });
            }
        }
        // Who is called first while the registers already hold what a handler wants.
        let (passed, _) = first.handler.filter(|_| way.passed.len() < MAX_PASSED)?;
        way.passed.push(passed);
    }
}

/// How the way to a handler is gone.
#[derive(Clone, Debug)]
struct Way {
    /// The routine that is handed the command.
    parser: Address,
    /// The routine that returns 0 unexecuted.
    fork: Option<Address>,
    /// Routines that are no handlers though they seem to be handed targets and options.
    passed: Vec<Address>,
}

/// Which of the routines that could not be run may be `fork`: those nearest to the parser first.
fn forks(mut undone: Vec<(usize, Address)>) -> Vec<Address> {
    undone.sort_by_key(|(depth, _)| *depth);
    let mut found = Vec::new();
    for (_, routine) in undone {
        if !found.contains(&routine) {
            found.push(routine);
        }
    }
    found.truncate(MAX_FORKS);
    found
}

fn handlers(attacks: &[Dispatched]) -> usize {
    attacks.iter().map(|attack| attack.handler).collect::<BTreeSet<Address>>().len()
}

/// Functions that call many others which nobody else calls, those that choose among many ways to a
/// call whose target is not known, as code that was made small does, and the callers of both.
fn candidates(subject: &Subject<'_>) -> Vec<Address> {
    let program = subject.program;
    let own_callees = |function: FunctionId| {
        let callees: BTreeSet<FunctionId> =
            program.calls_of(function).filter_map(|site| site.callee).collect();
        let is_own =
            |callee: &FunctionId| program.callers(*callee).all(|site| site.caller == function);
        callees.into_iter().filter(is_own).count()
    };
    let mut ranked: Vec<(usize, FunctionId)> =
        program.function_ids().map(|function| (own_callees(function), function)).collect();
    ranked.retain(|(callees, _)| *callees >= MIN_ATTACKS);
    ranked.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    let mut choosing: Vec<FunctionId> = ranked.into_iter().map(|(_, function)| function).collect();
    choosing.truncate(MAX_CANDIDATES);
    let switching = program.function_ids().filter(|function| calls_by_case(program, *function));
    choosing.extend(switching.take(MAX_SWITCHING));
    let mut found: Vec<Address> = Vec::new();
    for function in choosing {
        let callers = program.callers(function).map(|site| site.caller);
        for function in std::iter::once(function).chain(callers) {
            let entry = program.function(function).map(|function| function.entry);
            found.extend(entry.filter(|entry| !found.contains(entry)));
        }
    }
    found
}

/// Whether a function has a jump with many ways and a call whose target is not known.
fn calls_by_case(program: &Program<'_>, function: FunctionId) -> bool {
    let calls = || program.calls_of(function).any(|site| site.target.is_none());
    let blocks = program.function(function).map_or(&[][..], Function::blocks);
    blocks.iter().any(|block| block.successors.len() >= MIN_ATTACKS) && calls()
}

fn by_vector<'a>(subject: &mut Subject<'a>, state: &State<'a>, way: &Way) -> Vec<Dispatched> {
    let orders = (0..=u8::MAX).map(|vector| (Order::Vector(vector), vec![vector]));
    let mut attacks = led_to(subject, state, way, orders);
    let mut vectors: BTreeMap<Address, usize> = BTreeMap::new();
    for attack in &attacks {
        *vectors.entry(attack.handler).or_default() += 1;
    }
    let is_chosen = |attack: &Dispatched| {
        vectors.get(&attack.handler).is_some_and(|count| *count <= MAX_VECTORS_OF_ONE)
    };
    attacks.retain(is_chosen);
    attacks
}

fn by_text<'a>(subject: &mut Subject<'a>, state: &State<'a>, way: &Way) -> Vec<Dispatched> {
    let orders = texts_near(subject, way.parser).into_iter().map(|text| {
        let mut order = vec![text.len() as u8];
        order.extend(text.as_bytes());
        (Order::Command(text), order)
    });
    led_to(subject, state, way, orders)
}

/// What each order leads to.
///
/// What nothing is known for ends the process; where that call seems to return, whatever code is
/// next runs. Its system call tells: it is one more than on the way to a handler.
fn led_to<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    way: &Way,
    orders: impl Iterator<Item = (Order, Vec<u8>)>,
) -> Vec<Dispatched> {
    let mut attacks: Vec<(usize, Dispatched)> = Vec::new();
    for (order, bytes) in orders {
        let run = run(subject, state, way, &command(&bytes));
        if let Some((handler, site)) = run.handler {
            attacks.push((run.system_calls, Dispatched { order, handler, site }));
        }
    }
    let fewest = attacks.iter().map(|(system_calls, _)| *system_calls).min();
    attacks.retain(|(system_calls, _)| Some(*system_calls) == fewest);
    attacks.into_iter().map(|(_, attack)| attack).collect()
}

/// Texts that a function, or one that it calls, refers to.
fn texts_near(subject: &Subject<'_>, parser: Address) -> BTreeSet<String> {
    let program = subject.program;
    let Some(parser) = program.function_at(parser) else { return BTreeSet::new() };
    let callees = program.calls_of(parser).filter_map(|site| site.callee);
    let near: BTreeSet<FunctionId> = std::iter::once(parser).chain(callees).collect();
    let references = program.references().all().iter();
    let texts = references.filter_map(|reference| {
        let text = subject.image.read_c_string(reference.to, MAX_TEXT)?;
        let is_command = !text.is_empty() && text.iter().all(u8::is_ascii_graphic);
        let text = is_command.then(|| std::str::from_utf8(text).ok()).flatten()?;
        let function = program.function_containing(reference.from)?;
        near.contains(&function).then(|| text.to_owned())
    });
    texts.take(MAX_TEXTS).collect()
}

/// A command as the family sends it: duration, what to do, targets with their masks, options with
/// their texts (the leak's `attack_parse`).
fn command(order: &[u8]) -> Vec<u8> {
    let mut command = vec![0, 0, 0, 1];
    command.extend(order);
    command.push(TARGETS);
    for host in 1..=TARGETS {
        command.extend([192, 0, 2, host, 32]);
    }
    command.push(OPTIONS);
    for key in 1..=OPTIONS {
        command.extend([u8::MAX - key, 1, b'1']);
    }
    command
}

fn run<'a>(subject: &mut Subject<'a>, state: &State<'a>, way: &Way, command: &[u8]) -> Watch {
    let parser = way.parser;
    let mut watch = Watch { fork: way.fork, passed: way.passed.clone(), ..Watch::default() };
    let program = subject.program;
    let Some(context) = program.function_at(parser).and_then(|id| program.context_of(id)) else {
        return watch;
    };
    let mut state = state.clone();
    let block = subject.emulator.layout().fresh_block(&mut state);
    if state.memory.write(block, command).is_err() {
        return watch;
    }
    let arguments = [block.0, command.len() as u64];
    for convention in &subject.emulator.abi().local_conventions {
        for (register, argument) in convention.iter().zip(arguments) {
            state.set_register(register, argument);
        }
    }
    state.memory.start_read_log();
    let instructions = subject.budget.grant(INSTRUCTIONS);
    let limits = Limits { instructions, call_instructions: instructions / 2, ..Limits::default() };
    let routine = (parser, context);
    let outcome = subject.emulator.call(&mut state, routine, &arguments, &mut watch, &limits);
    subject.budget.spend(outcome.instructions);
    let reads = state.memory.take_read_log();
    let is_read = |byte| is_within(&reads, block.offset(byte));
    watch.reads_command = (0..command.len() as u64).all(is_read);
    watch
}

/// Whether an access, given by where it starts and its size, touches a byte. One may reach beyond
/// the last address.
fn is_within(accesses: &[(Address, u32)], byte: Address) -> bool {
    let touches = |(start, size): &(Address, u32)| {
        byte.distance_from(*start).is_some_and(|distance| distance < u64::from(*size))
    };
    accesses.iter().any(touches)
}

/// Waits for the call of a handler; all system calls return 0.
#[derive(Default)]
struct Watch {
    /// The routine that returns 0 unexecuted.
    fork: Option<Address>,
    /// Routines that are no handlers.
    passed: Vec<Address>,
    /// The routine that was handed targets and options, and the call.
    handler: Option<(Address, Address)>,
    /// Routines that could not be run, each with the number of calls around it.
    undone: Vec<(usize, Address)>,
    /// Whether every byte of the command is read.
    reads_command: bool,
    system_calls: usize,
}

impl Hooks for Watch {
    fn call(&mut self, state: &mut State<'_>, abi: &Abi, call: &Call) -> CallAction {
        if Some(call.callee) == self.fork {
            return CallAction::Return(0);
        }
        if !self.passed.contains(&call.callee) && is_handed_attack(state, abi) {
            self.handler = Some((call.callee, call.site));
            return CallAction::Stop;
        }
        CallAction::Enter
    }

    fn summarised(
        &mut self,
        _state: &mut State<'_>,
        _abi: &Abi,
        call: &Call,
        _reason: &Reason,
        _value: u64,
    ) {
        self.undone.push((call.depth, call.callee));
    }

    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        _site: Address,
        _number: u64,
    ) -> bool {
        abi.set_system_call_result(state, 0);
        self.system_calls += 1;
        true
    }
}

/// Whether a routine is called with the number of targets, the targets, the number of options and
/// the options.
fn is_handed_attack(state: &mut State<'_>, abi: &Abi) -> bool {
    let platform: Vec<u64> = (0..4).map(|index| abi.argument(state, index)).collect();
    let local = abi.local_conventions.iter();
    let local: Vec<Vec<u64>> = local
        .map(|registers| registers.iter().map(|register| state.register(register)).collect())
        .collect();
    let is_count = |value: u64, count: u8| value & 0xff == u64::from(count) && value < 0x100;
    let holds = |arguments: &[u64]| match *arguments {
        [targets, at, options, ..] if is_count(targets, TARGETS) && is_count(options, OPTIONS) => {
            let is_place = |value: u64| state.memory.is_mapped(Address(value));
            is_place(at) && arguments.get(3).is_none_or(|options| is_place(*options))
        }
        _ => false,
    };
    holds(&platform) || local.iter().any(|arguments| holds(arguments))
}

#[cfg(test)]
mod tests {
    use super::{Address, command, forks, is_within};

    #[test]
    fn the_nearest_routines_may_be_fork() {
        let undone = [(3, 0x10), (1, 0x80), (2, 0x20), (1, 0x70), (1, 0x80), (4, 0x30)];
        let far = (5..12).map(|depth| (depth, 0x1000 + depth as u64));
        let undone = undone.into_iter().chain(far).map(|(depth, at)| (depth, Address(at)));
        let expected = [0x80, 0x70, 0x20, 0x10, 0x30, 0x1005].map(Address);
        assert_eq!(forks(undone.collect()), expected);
    }

    #[test]
    fn a_read_of_the_last_address_is_no_overflow() {
        let reads = [(Address(u64::MAX - 1), 4), (Address(0x1000), 4)];
        assert!(is_within(&reads, Address(u64::MAX)));
        assert!(is_within(&reads, Address(0x1003)));
        assert!(!is_within(&reads, Address(0x1004)));
    }

    #[test]
    fn a_command_is_laid_out_as_the_family_does() {
        let expected = [
            &[0, 0, 0, 1, 7, 3][..],
            &[192, 0, 2, 1, 32, 192, 0, 2, 2, 32, 192, 0, 2, 3, 32],
            &[2, 254, 1, b'1', 253, 1, b'1'],
        ];
        assert_eq!(command(&[7]), expected.concat());
    }
}
