//! Function starts that tables of the file claim: symbols, initialisers, resolvers.
//!
//! A false entry of such a table costs an attacker nothing, and amid a function it would cut that
//! in two. So what they say comes after everything that control flow and pointers tell, and adds
//! what those have not reached. What lies amid code that they have reached counts when something
//! calls it or points to it, or when the code before leaves its function there.
//! Where a large part of the symbols that the code speaks of lies amid code, none of them counts.
//!
//! False positives: claims amid code that nothing reaches, or behind the end of what a function
//! reaches of itself. False negatives: functions that the one before falls into or jumps to the
//! directly following start of, when nothing else refers to them.

use crate::address_index::SlotSet;
use crate::code::ContextId;
use crate::diagnostic::AnalysisDiagnostic;
use crate::flow::absolute_target;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use miyaburi_image::{Address, SymbolKind};
use miyaburi_pcode::{Op, Opcode};

/// The fewest symbols amid code for which all are dropped: hand-written code has a few.
const MIN_CONTRADICTED: usize = 16;

/// Symbols are dropped when more than one of so many that the code speaks of lies amid code: in
/// compiled programs it is one of a hundred.
const DROPPED_SHARE: usize = 5;

/// How far back the end of what lies before is looked for, in bytes.
const LOOK_BACK: u64 = 32;

/// What the code says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// A function starts there.
    Confirmed,
    /// Nothing speaks against it.
    Possible,
    /// It lies amid a function.
    Contradicted,
}

/// A claimed function start.
type Claim = (Address, ContextId, Origin);

impl Discovery<'_> {
    /// Adds the functions that tables claim and the code does not contradict; false when there is
    /// none that was not known.
    pub(crate) fn add_claimed(&mut self, literals: &SlotSet) -> bool {
        let mut claims = self.tabled_starts();
        let symbols = self.symbol_starts();
        self.believes_symbols = self.believes(&symbols, literals);
        if self.believes_symbols {
            claims.extend(&symbols);
        }
        claims.sort_by_key(|(address, _, origin)| (*address, *origin));
        claims.dedup();
        let before = self.drafts.len();
        let mut rejected: Vec<Claim> = Vec::new();
        for (address, context, origin) in claims {
            if !self.code.work.spend(1) {
                break;
            }
            // What lies before may have been explored since.
            if self.judge(address, context, literals) == Verdict::Contradicted {
                rejected.push((address, context, origin));
                continue;
            }
            self.add(address, context, origin);
            self.explore();
        }
        let of = |origin| rejected.iter().filter(move |claim| claim.2 == origin);
        if let Some((first, ..)) = of(Origin::Symbol).next().copied() {
            let (count, all) = (of(Origin::Symbol).count(), symbols.len());
            self.diagnostics.push(AnalysisDiagnostic::SymbolsContradicted { count, all, first });
        }
        if let Some((first, ..)) = of(Origin::Entry).next().copied() {
            let count = of(Origin::Entry).count();
            self.diagnostics.push(AnalysisDiagnostic::InitialisersContradicted { count, first });
        }
        self.drafts.len() > before
    }

    /// Whether the code contradicts no large part of the symbols.
    fn believes(&mut self, symbols: &[Claim], literals: &SlotSet) -> bool {
        let (mut confirmed, mut contradicted) = (0, 0);
        for (address, context, _) in symbols {
            match self.judge(*address, *context, literals) {
                Verdict::Confirmed => confirmed += 1,
                Verdict::Possible => {}
                Verdict::Contradicted => contradicted += 1,
            }
        }
        let is_false = contradicted >= MIN_CONTRADICTED
            && contradicted * DROPPED_SHARE > confirmed + contradicted;
        if is_false {
            let (count, all) = (contradicted, symbols.len());
            self.diagnostics.push(AnalysisDiagnostic::SymbolsDropped { count, all });
        }
        !is_false
    }

    /// Initialisers and the resolvers of indirect functions.
    fn tabled_starts(&mut self) -> Vec<Claim> {
        let image = self.image;
        let resolvers = image.indirect_functions().iter();
        let resolvers = resolvers.map(|found| found.resolver.0 | u64::from(found.thumb));
        let pointers = image.initializers().iter().map(|pointer| pointer.0).chain(resolvers);
        pointers
            .filter_map(|pointer| self.code_pointer(pointer))
            .map(|(address, context)| (address, context, Origin::Entry))
            .collect()
    }

    /// Where function symbols say that functions start, ascending, each once.
    fn symbol_starts(&mut self) -> Vec<Claim> {
        let image = self.image;
        let functions = image.symbols().iter().filter(|symbol| symbol.kind == SymbolKind::Function);
        let mut starts: Vec<Claim> = functions
            .filter_map(|symbol| self.code_pointer(symbol.address.0 | u64::from(symbol.thumb)))
            .map(|(address, context)| (address, context, Origin::Symbol))
            .collect();
        starts.dedup_by_key(|(address, ..)| *address);
        starts
    }

    fn judge(&mut self, address: Address, context: ContextId, literals: &SlotSet) -> Verdict {
        if self.number_at(address).is_some() {
            return Verdict::Confirmed;
        }
        let Some(slot) = self.code.index.slot(address) else { return Verdict::Contradicted };
        let visitors = self.ownership.visitors(slot);
        let before = self.instruction_before(address);
        match before {
            _ if literals.contains(slot) => Verdict::Contradicted,
            Some((_, end)) if end > address => Verdict::Contradicted,
            Some((from, _)) if !visitors.is_empty() => {
                let from = self.code.index.slot(from);
                let others = from.map(|slot| self.ownership.visitors(slot)).unwrap_or_default();
                let is_amid = visitors.iter().any(|visitor| others.contains(visitor));
                let contradicts = is_amid && !self.starts_behind_exit(address, context);
                if contradicts { Verdict::Contradicted } else { Verdict::Possible }
            }
            _ => Verdict::Possible,
        }
    }

    /// The reached instruction that ends at `address` or covers it, and where it ends.
    fn instruction_before(&self, address: Address) -> Option<(Address, Address)> {
        let step = self.image.arch().instruction_alignment();
        let distances = (step..=LOOK_BACK).step_by(step as usize);
        distances
            .map(|distance| Address(address.0.wrapping_sub(distance)))
            .filter(|before| self.is_reached(*before))
            .find_map(|before| {
                let id = self.code.instruction_at(before)?;
                let end = before.offset(u64::from(self.code.instruction(id).length));
                (end >= address).then_some((before, end))
            })
    }

    /// Whether the instruction that ends at `address` can leave its function for good, as calls,
    /// traps, and jumps to what follows directly can, and what follows begins as functions do.
    fn starts_behind_exit(&mut self, address: Address, context: ContextId) -> bool {
        let before = self.instruction_before(address);
        let id = before.and_then(|(before, _)| self.code.instruction_at(before));
        let Some(view) = id.map(|id| self.code.instruction(id)) else { return false };
        let leaves = |op: &Op| match op.opcode {
            Opcode::CALL | Opcode::CALLIND | Opcode::CALLOTHER => true,
            Opcode::BRANCH => absolute_target(op) == Some(address),
            _ => false,
        };
        if !view.ops.iter().any(leaves) {
            return false;
        }
        let opening = self.opening_of_known(address, context);
        opening.is_some_and(|opening| opening.prologue.is_some() && !opening.trusts_strangers)
    }
}
