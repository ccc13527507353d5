//! One instruction, lifted by both.

use crate::reference::Reference;
use miyaburi_image::{Address, Arch};
use miyaburi_pcode::{
    Context, Instruction, Language, LiftError, Lifter, Op, Opcode, Space, Varnode,
};

/// Context fields that flow on along control flow; all others are for single instructions.
const FLOWING: &[&str] = &["TMode", "TEEMode", "ISA_MODE", "linkreg", "LowBitCodeMode"];

/// How often what was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Same operations, length and text, and same contexts at every direct successor.
    pub same: u64,
    /// Operations among those.
    pub ops: u64,
    /// Contexts of successors among those.
    pub contexts: u64,
    /// Refused by both.
    pub both_refuse: u64,
    /// The reference refuses for a bound that the lifter does not have.
    pub reference_bound: u64,
    /// The lifter refuses for a bound that the reference does not have.
    pub own_bound: u64,
    pub different: u64,
}

impl Counts {
    pub const FIELDS: usize = 7;

    pub fn to_array(self) -> [u64; Self::FIELDS] {
        let Self { same, ops, contexts, both_refuse, reference_bound, own_bound, different } = self;
        [same, ops, contexts, both_refuse, reference_bound, own_bound, different]
    }

    pub fn add(&mut self, counts: [u64; Self::FIELDS]) {
        let [same, ops, contexts, both_refuse, reference_bound, own_bound, different] = counts;
        self.same += same;
        self.ops += ops;
        self.contexts += contexts;
        self.both_refuse += both_refuse;
        self.reference_bound += reference_bound;
        self.own_bound += own_bound;
        self.different += different;
    }
}

/// Both implementations for one CPU.
pub struct Pair<'a> {
    language: &'a dyn Language,
    lifter: Box<dyn Lifter + Send + 'a>,
    reference: Reference,
    pub instruction: Instruction,
    expected: Vec<Op>,
    pub counts: Counts,
}

impl<'a> Pair<'a> {
    pub fn new(arch: Arch, language: &'a dyn Language) -> Option<Self> {
        Some(Self {
            language,
            lifter: language.lifter(),
            reference: Reference::new(arch)?,
            instruction: Instruction::default(),
            expected: Vec::new(),
            counts: Counts::default(),
        })
    }

    /// Lifts with both. Returns whether there is an instruction, or how they differ.
    pub fn compare(
        &mut self,
        address: Address,
        bytes: &[u8],
        context: Context,
    ) -> Result<bool, String> {
        let outcome = self.lift_both(address, bytes, context);
        if outcome.is_err() {
            self.counts.different += 1;
        }
        outcome
    }

    fn lift_both(
        &mut self,
        address: Address,
        bytes: &[u8],
        context: Context,
    ) -> Result<bool, String> {
        let code = (address, bytes);
        let own = self.lifter.lift(&code, address, context, &mut self.instruction);
        let rest = self.rest(context);
        let expected = self.reference.lift(address, bytes, context, rest, &mut self.expected);
        match (own, expected) {
            (Ok(()), Ok(length)) => {
                self.equal(address, bytes, context, length)?;
                self.counts.same += 1;
                self.counts.ops += self.expected.len() as u64;
                Ok(true)
            }
            (Err(_), Err(_)) => {
                self.counts.both_refuse += 1;
                Ok(false)
            }
            // The reference pads with zeros, and takes a slot's slot from whatever it has cached.
            (Err(LiftError::Truncated(_) | LiftError::Limit { .. }), Ok(_)) => {
                self.counts.own_bound += 1;
                Ok(false)
            }
            (Ok(()), Err(error)) if error.contains("more than 16 bytes") => {
                self.counts.reference_bound += 1;
                Ok(true)
            }
            (Ok(()), Err(error)) => Err(format!("the reference refuses: {error}")),
            (Err(error), Ok(length)) => Err(format!("refused: {error}; length {length} expected")),
        }
    }

    /// The context of everything but the instruction itself, from what flows alone.
    fn rest(&self, context: Context) -> Context {
        FLOWING.iter().fold(self.language.initial_context(), |rest, field| {
            self.language
                .context_field(context, field)
                .and_then(|value| self.language.with_context_field(rest, field, value))
                .unwrap_or(rest)
        })
    }

    fn equal(
        &mut self,
        address: Address,
        bytes: &[u8],
        context: Context,
        length: u32,
    ) -> Result<(), String> {
        if self.instruction.length != length {
            return Err(format!("length {}, expected {length}", self.instruction.length));
        }
        if let Some(difference) = first_difference(&self.instruction.ops, &self.expected) {
            return Err(difference);
        }
        let next = address.offset(length.into());
        let mut successors: Vec<Address> = self.targets(address).collect();
        successors.push(next);
        successors.extend(self.instruction.prescribed.iter().map(|(at, _)| *at));
        for at in successors {
            let own = self.instruction.context_at(at);
            let expected = self.reference.context(self.painted(at, address, next));
            if own != expected {
                return Err(format!("context at {at}: {own:x?}, expected {expected:x?}"));
            }
            self.counts.contexts += 1;
        }
        let own = self.lifter.disassemble(&(address, bytes), address, context);
        let expected = self.reference.disassemble(address);
        match (own, expected) {
            (Ok(own), Ok(expected)) if own == expected.trim_end() => Ok(()),
            (own, expected) => Err(format!("text {own:?}, expected {expected:?}")),
        }
    }

    /// Where the database tells the context of a successor: the reference paints a change that
    /// flows over higher addresses alone, though it is meant for every successor.
    fn painted(&self, successor: Address, address: Address, next: Address) -> Address {
        let prescribed = |at| self.instruction.prescribed.iter().any(|(known, _)| *known == at);
        if successor < address && !prescribed(successor) && !prescribed(next) {
            next
        } else {
            successor
        }
    }

    /// Where the instruction lifted last, at `address`, can jump to, but for itself.
    pub fn targets(&self, address: Address) -> impl Iterator<Item = Address> + '_ {
        let targets = self.instruction.ops.iter().filter_map(|op| match (op.opcode, op.inputs()) {
            (
                Opcode::BRANCH | Opcode::CBRANCH | Opcode::CALL,
                [Varnode { space: Space::Ram, offset, .. }, ..],
            ) => Some(Address(*offset)),
            _ => None,
        });
        targets.filter(move |at| *at != address)
    }

    /// Whether control can reach the next instruction without a jump.
    pub fn falls_through(&self) -> bool {
        !matches!(
            self.instruction.ops.last().map(|op| (op.opcode, op.inputs())),
            Some((Opcode::BRANCHIND | Opcode::RETURN, _))
                | Some((Opcode::BRANCH, [Varnode { space: Space::Ram, .. }, ..]))
        )
    }
}

fn first_difference(own: &[Op], expected: &[Op]) -> Option<String> {
    if let Some(at) = own.iter().zip(expected).position(|(own, expected)| own != expected) {
        return Some(format!("operation {at}: {:?}, expected {:?}", own[at], expected[at]));
    }
    (own.len() != expected.len())
        .then(|| format!("{} operations, expected {}", own.len(), expected.len()))
}
