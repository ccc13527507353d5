//! Which part of the program a function belongs to, by the call graph.

use crate::subject::Subject;
use miyaburi_analysis::FunctionId;
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};

/// A part of the program that reads texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Tries credentials on other devices.
    Scanner,
    /// Looks for rivals among the processes.
    Killer,
    /// Makes requests of an HTTP flood, or reads the answers.
    Http,
    /// Any attack.
    Attack,
    /// Sets the others up: what leads here is start-up code.
    Setup,
}

impl Part {
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The parts that functions belong to.
pub struct Parts {
    members: FxHashMap<FunctionId, u8>,
}

impl Parts {
    /// Works out who belongs to whom from functions whose part is known.
    ///
    /// A caller belongs to the part of its callee when it leads to no other part, whatever is called
    /// from there belongs to it as well. A function inlined into start-up code belongs to nothing.
    #[must_use]
    pub fn around(subject: &Subject<'_>, known: &[(Part, Address)]) -> Self {
        let known: Vec<(Part, FunctionId)> = known
            .iter()
            .filter_map(|(part, entry)| Some((*part, subject.program.function_at(*entry)?)))
            .collect();
        let leads_to = Self::leads_to(subject, &known);
        let mut members: FxHashMap<FunctionId, u8> = FxHashMap::default();
        for (part, function) in &known {
            if *part == Part::Setup {
                continue;
            }
            for root in Self::roots(subject, &leads_to, &known, *part, *function) {
                for member in reached(root, |id| callees(subject, id)) {
                    *members.entry(member).or_default() |= part.bit();
                }
            }
        }
        Self { members }
    }

    /// The one part that `function` belongs to. HTTP floods are attacks.
    #[must_use]
    pub fn of(&self, function: FunctionId) -> Option<Part> {
        let bits = self.members.get(&function).copied()?;
        let [scanner, killer, http, attack] =
            [Part::Scanner, Part::Killer, Part::Http, Part::Attack].map(Part::bit);
        match bits {
            _ if bits == scanner => Some(Part::Scanner),
            _ if bits == killer => Some(Part::Killer),
            _ if bits == attack => Some(Part::Attack),
            _ if bits == http || bits == http | attack => Some(Part::Http),
            _ => None,
        }
    }

    /// For every function, the parts that calls from it lead to.
    fn leads_to(subject: &Subject<'_>, known: &[(Part, FunctionId)]) -> FxHashMap<FunctionId, u8> {
        let mut leads_to: FxHashMap<FunctionId, u8> = FxHashMap::default();
        for (part, function) in known {
            for caller in reached(*function, |id| callers(subject, id)) {
                *leads_to.entry(caller).or_default() |= part.bit();
            }
        }
        leads_to
    }

    /// `function` and its callers as far as they belong to `part`.
    fn roots(
        subject: &Subject<'_>,
        leads_to: &FxHashMap<FunctionId, u8>,
        known: &[(Part, FunctionId)],
        part: Part,
        function: FunctionId,
    ) -> FxHashSet<FunctionId> {
        let handlers: FxHashSet<FunctionId> =
            known.iter().filter(|(part, _)| *part == Part::Attack).map(|(_, id)| *id).collect();
        let belongs = |id: &FunctionId| {
            let bits = leads_to.get(id).copied().unwrap_or_default();
            // A handler of an HTTP flood may call what another handler calls, too.
            bits == part.bit()
                || part == Part::Http
                    && handlers.contains(id)
                    && bits == part.bit() | Part::Attack.bit()
        };
        if !belongs(&function) && part != Part::Attack {
            return FxHashSet::default();
        }
        // Without known handlers, who calls one attack may call all of them.
        let climbs = part != Part::Attack && (part != Part::Http || !handlers.is_empty());
        reached(function, |id| {
            let above =
                if climbs && !handlers.contains(&id) { callers(subject, id) } else { vec![] };
            above.into_iter().filter(|caller| belongs(caller)).collect()
        })
    }
}

fn callers(subject: &Subject<'_>, function: FunctionId) -> Vec<FunctionId> {
    subject.program.callers(function).map(|site| site.caller).collect()
}

fn callees(subject: &Subject<'_>, function: FunctionId) -> Vec<FunctionId> {
    subject.program.calls_of(function).filter_map(|site| site.callee).collect()
}

fn reached(
    from: FunctionId,
    next: impl Fn(FunctionId) -> Vec<FunctionId>,
) -> FxHashSet<FunctionId> {
    let mut seen = FxHashSet::default();
    let mut waiting = vec![from];
    while let Some(function) = waiting.pop() {
        if seen.insert(function) {
            waiting.extend(next(function));
        }
    }
    seen
}
