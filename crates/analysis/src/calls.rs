//! Calls and the call graph.

use crate::functions::FunctionId;
use miyaburi_image::Address;

/// How a call is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// With the target in the instruction.
    Direct,
    /// Through a register or memory.
    Indirect,
    /// A jump to another function as the last thing a function does.
    Tail,
}

/// One place in the code that calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// Address of the calling instruction.
    pub address: Address,
    /// The function it belongs to.
    pub caller: FunctionId,
    /// First instruction of what is called, mode bit cleared; `None` when it is not known.
    pub target: Option<Address>,
    /// The function called, when its code is in the image.
    pub callee: Option<FunctionId>,
    /// How the call is written.
    pub kind: CallKind,
    /// Where the callee returns to; meaningless for tail calls.
    pub return_address: Address,
}

/// All calls of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallGraph {
    /// In address order, then by caller.
    sites: Vec<CallSite>,
    /// Numbers of the sites by callee: `by_callee[starts[f]..starts[f + 1]]`.
    by_callee: Vec<u32>,
    callee_starts: Vec<u32>,
    by_caller: Vec<u32>,
    caller_starts: Vec<u32>,
}

impl CallGraph {
    pub(crate) fn new(mut sites: Vec<CallSite>, functions: usize) -> Self {
        sites.sort_by_key(|site| (site.address, site.caller));
        let (by_callee, callee_starts) =
            group(&sites, functions, |site| site.callee.map(|function| function.0));
        let (by_caller, caller_starts) = group(&sites, functions, |site| Some(site.caller.0));
        Self { sites, by_callee, callee_starts, by_caller, caller_starts }
    }

    pub(crate) fn sites(&self) -> &[CallSite] {
        &self.sites
    }

    pub(crate) fn callers(&self, callee: FunctionId) -> impl Iterator<Item = &CallSite> {
        self.select(&self.by_callee, &self.callee_starts, callee)
    }

    pub(crate) fn calls_of(&self, caller: FunctionId) -> impl Iterator<Item = &CallSite> {
        self.select(&self.by_caller, &self.caller_starts, caller)
    }

    fn select<'a>(
        &'a self,
        order: &'a [u32],
        starts: &[u32],
        function: FunctionId,
    ) -> impl Iterator<Item = &'a CallSite> + use<'a> {
        let at = |index: usize| starts.get(index).copied().unwrap_or_default() as usize;
        let range = at(function.0 as usize)..at(function.0 as usize + 1);
        let chosen = order.get(range).unwrap_or(&[]);
        chosen.iter().filter_map(|number| self.sites.get(*number as usize))
    }
}

/// Numbers of the sites, grouped by a key below `keys` and in order within each group, and where
/// each group starts.
fn group(
    sites: &[CallSite],
    keys: usize,
    key: impl Fn(&CallSite) -> Option<u32>,
) -> (Vec<u32>, Vec<u32>) {
    let mut order: Vec<(u32, u32)> =
        (0u32..).zip(sites).filter_map(|(number, site)| Some((key(site)?, number))).collect();
    order.sort_unstable();
    let starts =
        (0..=keys as u32).map(|key| order.partition_point(|(other, _)| *other < key) as u32);
    let starts = starts.collect();
    (order.into_iter().map(|(_, number)| number).collect(), starts)
}

#[cfg(test)]
mod tests {
    use super::{CallGraph, CallKind, CallSite};
    use crate::functions::FunctionId;
    use miyaburi_image::Address;

    fn site(address: u64, caller: u32, callee: Option<u32>) -> CallSite {
        CallSite {
            address: Address(address),
            caller: FunctionId(caller),
            target: None,
            callee: callee.map(FunctionId),
            kind: CallKind::Direct,
            return_address: Address(address + 4),
        }
    }

    #[test]
    fn callers_and_calls_come_in_address_order() {
        let sites = vec![
            site(0x30, 1, Some(0)),
            site(0x10, 0, Some(2)),
            site(0x20, 1, Some(2)),
            site(0x40, 2, None),
        ];
        let graph = CallGraph::new(sites, 3);
        let addresses =
            |sites: Vec<&CallSite>| sites.iter().map(|site| site.address.0).collect::<Vec<_>>();
        assert_eq!(addresses(graph.callers(FunctionId(2)).collect()), [0x10, 0x20]);
        assert_eq!(addresses(graph.callers(FunctionId(1)).collect()), Vec::<u64>::new());
        assert_eq!(addresses(graph.calls_of(FunctionId(1)).collect()), [0x20, 0x30]);
        assert_eq!(addresses(graph.calls_of(FunctionId(7)).collect()), Vec::<u64>::new());
    }
}
