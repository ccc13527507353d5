//! Where code turns away from everything that it could still connect with.
//!
//! How it works: routines are known that end in `connect` or `sendto` ([`ConstantAddresses`]). From
//! them the call graph is followed to their callers. In each of those functions, the blocks are
//! found from which a call on such a way can still be reached without going round a loop; a
//! conditional branch that leads from one of them to one from which none can be reached is a
//! *turning*.
//!
//! False positives: turnings that the program always takes, such as after an argument that makes no
//! sense. False negatives: calls through pointers, after which nothing is followed; switches, and
//! functions with one of more than 64 cases.

use crate::endpoints::constant_addresses::ConstantAddresses;
use crate::endpoints::socket_calls::SocketCalls;
use crate::subject::Subject;
use miyaburi_analysis::{Block, CallKind, Exit, Function, FunctionId, Program};
use miyaburi_emulator::SocketCall;
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

/// A branch with one side that leads on to a connection, and another that does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turning {
    /// The function.
    pub(super) function: Address,
    /// The side that leads on.
    pub(super) onward: Address,
    /// The calls that it leads to.
    pub(super) goals: Vec<Address>,
    /// Whether the other side leads to them, too, the next time round a loop.
    pub(super) comes_back: bool,
}

/// All turnings of a program.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    /// By the branch.
    pub(super) turnings: FxHashMap<Address, Turning>,
    /// All calls that lead to a connection.
    pub(super) goals: FxHashSet<Address>,
    /// The functions with turnings.
    pub(super) functions: FxHashSet<Address>,
}

impl Ways {
    /// The ways of a program, but for those through the functions `barred`.
    pub(super) fn find(
        subject: &mut Subject<'_>,
        constants: &ConstantAddresses,
        barred: &[Address],
    ) -> Self {
        let program = subject.program;
        let connecting = connecting(subject, constants);
        let barred: FxHashSet<FunctionId> =
            barred.iter().filter_map(|entry| program.function_at(*entry)).collect();
        let mut leading: BTreeSet<FunctionId> = connecting.clone();
        let mut waiting: Vec<FunctionId> = connecting.iter().copied().collect();
        while let Some(next) = waiting.pop() {
            for site in program.callers(next) {
                let is_open = !barred.contains(&site.caller) && !jumps_far(program, site.caller);
                if is_open && leading.insert(site.caller) {
                    waiting.push(site.caller);
                }
            }
        }
        let mut ways = Self::default();
        for id in leading.difference(&connecting) {
            ways.add(program, *id, &leading);
        }
        ways
    }

    fn add(&mut self, program: &Program<'_>, id: FunctionId, leading: &BTreeSet<FunctionId>) {
        let Some(function) = program.function(id) else { return };
        let goals: Vec<Address> = program
            .calls_of(id)
            .filter(|site| site.callee.is_some_and(|callee| leading.contains(&callee)))
            .map(|site| site.address)
            .collect();
        let reachable = Reachable::of(function, &goals);
        for (number, block) in function.blocks().iter().enumerate() {
            let Some(onward) = reachable.only_onward(number, block) else { continue };
            let last = function.instructions_of(block).last();
            let Some((site, start)) = last.zip(function.blocks().get(onward)) else { continue };
            let turning = Turning {
                function: function.entry,
                onward: start.start,
                goals: reachable.goals_from(onward),
                comes_back: reachable.comes_back(block, onward),
            };
            if turning.comes_back && !reachable.is_loop_with_goal(number) {
                continue;
            }
            self.functions.insert(function.entry);
            self.turnings.insert(site.0, turning);
        }
        self.goals.extend(goals);
    }
}

/// Blocks of a function that is looked into; what is worked out grows with their square.
const MAX_BLOCKS: usize = 4096;

/// Whether a function is left out: it has very many blocks, or a jump in it leads to so many that it is one into a row of instructions, as
/// in routines of C libraries that fill memory; such functions may seem to run into others.
fn jumps_far(program: &Program<'_>, function: FunctionId) -> bool {
    const MANY: usize = 64;
    let blocks = program.function(function).map_or(&[][..], Function::blocks);
    if blocks.len() > MAX_BLOCKS {
        return true;
    }
    blocks.iter().any(|block| block.successors.len() > MANY)
}

/// The routines that a socket address is handed to last before the kernel takes it.
fn connecting(subject: &mut Subject<'_>, constants: &ConstantAddresses) -> BTreeSet<FunctionId> {
    let program = subject.program;
    let mut calls = SocketCalls::default();
    let mut found = BTreeSet::new();
    let mut seen = FxHashSet::default();
    // Of several at one place, the first.
    let sites = program.call_sites().iter().rev();
    let targets: FxHashMap<Address, Address> =
        sites.filter_map(|site| Some((site.address, site.target?))).collect();
    for used in &constants.uses {
        let is_sent = |call| matches!(call, SocketCall::Connect | SocketCall::SendTo);
        let callee = targets.get(&used.site).copied();
        if !is_sent(used.call()) || !seen.insert(callee) {
            continue;
        }
        let sites = std::iter::once(used.site).chain(used.reached.through.iter().copied());
        let mut deepest = None;
        for site in sites {
            let Some(callee) = targets.get(&site).copied() else { continue };
            match calls.of(subject, callee) {
                Some(call) if is_sent(call) => deepest = program.function_at(callee),
                _ => break,
            }
        }
        // What is jumped to as the last thing stands in no list of calls.
        while let Some(id) = deepest
            && found.insert(id)
        {
            let jumps = program.calls_of(id).filter(|site| site.kind == CallKind::Tail);
            let targets: Vec<Address> = jumps.filter_map(|site| site.target).collect();
            let next = targets.into_iter().find(|to| calls.of(subject, *to).is_some_and(is_sent));
            deepest = next.and_then(|target| program.function_at(target));
            if deepest.is_some_and(|next| next != id) {
                found.remove(&id);
            }
        }
    }
    found
}

/// Which blocks of a function lead to which of its calls.
struct Reachable<'f> {
    blocks: &'f [Block],
    /// The goals in each block.
    goals: Vec<Vec<Address>>,
    /// The successors of each block, but for those that go round a loop.
    ahead: Vec<Vec<usize>>,
    /// The blocks of each loop.
    loops: Vec<BTreeSet<usize>>,
    /// Whether a goal lies ahead of a block.
    leads: Vec<bool>,
    /// Whether a goal is reached from a block in the end.
    leads_at_last: Vec<bool>,
}

impl<'f> Reachable<'f> {
    fn of(function: &'f Function, goals: &[Address]) -> Self {
        let blocks = function.blocks();
        let in_block = |block: &Block| {
            let is_in = |goal: &&Address| (block.start..block.end).contains(*goal);
            goals.iter().filter(is_in).copied().collect()
        };
        let goals: Vec<Vec<Address>> = blocks.iter().map(in_block).collect();
        let next = |block: &Block| block.successors.iter().map(|next| *next as usize).collect();
        let all: Vec<Vec<usize>> = blocks.iter().map(next).collect();
        let ahead = without_loops(&all, function.entry_block() as usize);
        let leads = leading(&ahead, &goals);
        let leads_at_last = leading(&all, &goals);
        let loops = loops(&all, &ahead);
        Self { blocks, goals, ahead, loops, leads, leads_at_last }
    }

    /// The one successor of a block that leads on, when it is left another way, too.
    fn only_onward(&self, number: usize, block: &Block) -> Option<usize> {
        let mut onward =
            self.ahead.get(number)?.iter().copied().filter(|next| is(&self.leads, *next));
        let only = onward.next().filter(|_| onward.next().is_none())?;
        let turns = match block.exit {
            Exit::Inside => block.successors.len() == 2,
            Exit::Return | Exit::TailCall => block.successors.len() == 1,
            Exit::Unknown | Exit::Stop => false,
        };
        turns.then_some(only)
    }

    /// Whether another successor than `onward` leads to a goal in the end.
    fn comes_back(&self, block: &Block, onward: usize) -> bool {
        let others = block.successors.iter().map(|next| *next as usize);
        others.filter(|next| *next != onward).any(|next| is(&self.leads_at_last, next))
    }

    /// Whether the innermost loop around a block makes one of the calls.
    fn is_loop_with_goal(&self, number: usize) -> bool {
        let loops = self.loops.iter().filter(|body| body.contains(&number));
        let innermost = loops.min_by_key(|body| body.len());
        let has_goal =
            |block: &usize| self.goals.get(*block).is_some_and(|goals| !goals.is_empty());
        innermost.is_some_and(|body| body.iter().any(has_goal))
    }

    /// The calls that lie ahead of a block, each once.
    fn goals_from(&self, block: usize) -> Vec<Address> {
        let mut seen = vec![false; self.blocks.len()];
        let mut waiting = vec![block];
        let mut found = Vec::new();
        while let Some(block) = waiting.pop() {
            match seen.get_mut(block) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            found.extend(self.goals.get(block).into_iter().flatten());
            waiting.extend(self.ahead.get(block).into_iter().flatten());
        }
        found
    }
}

fn is(flags: &[bool], number: usize) -> bool {
    flags.get(number).copied().unwrap_or(false)
}

/// The predecessors of each block.
fn before(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); next.len()];
    for (number, next) in next.iter().enumerate() {
        for next in next {
            if let Some(before) = before.get_mut(*next) {
                before.push(number);
            }
        }
    }
    before
}

/// The loops: of each way back, the blocks between where it leads and where it comes from; of those
/// that lead to the same block, all together.
fn loops(next: &[Vec<usize>], ahead: &[Vec<usize>]) -> Vec<BTreeSet<usize>> {
    let before = before(next);
    let mut loops: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, next) in next.iter().enumerate() {
        let is_back = |to: &&usize| !ahead.get(from).is_some_and(|ahead| ahead.contains(*to));
        for head in next.iter().filter(is_back) {
            let body = loops.entry(*head).or_default();
            body.insert(*head);
            let mut waiting = vec![from];
            while let Some(block) = waiting.pop() {
                if body.insert(block) {
                    waiting.extend(before.get(block).into_iter().flatten());
                }
            }
        }
    }
    loops.into_values().collect()
}

/// The blocks from which one with a goal is reached.
fn leading(next: &[Vec<usize>], goals: &[Vec<Address>]) -> Vec<bool> {
    let before = before(next);
    let mut leads: Vec<bool> = goals.iter().map(|goals| !goals.is_empty()).collect();
    let mut waiting: Vec<usize> = (0..leads.len()).filter(|block| is(&leads, *block)).collect();
    while let Some(block) = waiting.pop() {
        for before in before.get(block).into_iter().flatten() {
            if let Some(leads) = leads.get_mut(*before).filter(|leads| !**leads) {
                *leads = true;
                waiting.push(*before);
            }
        }
    }
    leads
}

/// The successors of each block, but for those from which a walk from `entry` came.
fn without_loops(next: &[Vec<usize>], entry: usize) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Walk {
        Ahead,
        Open,
        Done,
    }
    let mut walks = vec![Walk::Ahead; next.len()];
    let mut ahead: Vec<Vec<usize>> = vec![Vec::new(); next.len()];
    // Each block on the way with the number of its successors that were walked.
    let mut way: Vec<(usize, usize)> = Vec::new();
    for start in std::iter::once(entry).chain(0..next.len()) {
        if walks.get(start) == Some(&Walk::Ahead) {
            way.push((start, 0));
        }
        while let Some((block, walked)) = way.pop() {
            let Some(walk) = walks.get_mut(block) else { continue };
            *walk = Walk::Open;
            let Some(to) = next.get(block).and_then(|next| next.get(walked)).copied() else {
                *walk = Walk::Done;
                continue;
            };
            way.push((block, walked + 1));
            let state = walks.get(to).copied().unwrap_or(Walk::Open);
            if state != Walk::Open
                && let Some(ahead) = ahead.get_mut(block)
            {
                ahead.push(to);
            }
            if state == Walk::Ahead {
                way.push((to, 0));
            }
        }
    }
    ahead
}

#[cfg(test)]
mod tests {
    use super::{leading, loops, without_loops};
    use miyaburi_image::Address;
    use std::collections::BTreeSet;

    #[test]
    fn what_goes_round_a_loop_does_not_lie_ahead() {
        // 0 -> 1; 1 -> 2 or 3; 2 holds the goal; both go back to 1; 4 stands alone.
        let next = [vec![1], vec![2, 3], vec![1], vec![1], vec![]];
        let ahead = without_loops(&next, 0);
        assert_eq!(ahead, [vec![1], vec![2, 3], vec![], vec![], vec![]]);
        assert_eq!(loops(&next, &ahead), [BTreeSet::from([1, 2, 3])]);
        let goals = [vec![], vec![], vec![Address(8)], vec![], vec![]];
        assert_eq!(leading(&ahead, &goals), [true, true, true, false, false]);
        assert_eq!(leading(&next, &goals), [true, true, true, true, false]);
    }
}
