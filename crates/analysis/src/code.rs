//! Lifted instructions, each lifted once.

use crate::address_index::AddressIndex;
use crate::final_traps::FinalTrap;
use crate::flow::{Flow, summarize};
use crate::operations::Operations;
use crate::values::relevance::Relevance;
use crate::work::{Cut, Meter};
use miyaburi_image::{Address, Image};
use miyaburi_pcode::{CodeBytes, Context, Instruction, LiftError, Lifter, Op};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The most instructions lifted of one file: several times the code of the largest programs seen,
/// and a bound on memory for hostile ones.
const MAX_INSTRUCTIONS: usize = 4 << 20;

/// Lifting an instruction takes as long as evaluating it so many times.
const LIFT_STEPS: u64 = 16;

/// Bytes of an instruction that is not in the dense table.
const OTHER_BYTES: usize = 64;

/// Bytes of an address at which code can lie: its instruction, its owner, and a bit in some sets.
const SLOT_BYTES: usize = 9;

/// A lifted instruction, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstructionId(u32);

/// A decoding context, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ContextId(u16);

#[derive(Clone, Debug)]
struct Record {
    /// Of its operations in [`Operations`].
    place: u32,
    op_count: u16,
    length: u16,
    own_length: u8,
    flow: Flow,
    context: ContextId,
    successor_context: ContextId,
    has_prescribed: bool,
}

/// A view of one lifted instruction.
#[derive(Clone, Copy, Debug)]
pub struct InstructionView<'a> {
    /// Its operations, those of its delay slots included.
    pub ops: &'a [Op],
    /// Bytes up to the next instruction in sequence, delay slots included.
    pub length: u32,
    /// Bytes of the instruction alone.
    pub own_length: u32,
    /// Where control can go from it.
    pub flow: Flow,
    /// For each operation, whether the value analysis has to look at it.
    pub(crate) matters: &'a [bool],
}

/// What the lifter may read: the file-backed bytes of the image.
struct ImageBytes<'a>(&'a Image);

impl CodeBytes for ImageBytes<'_> {
    fn code_at(&self, address: Address) -> &[u8] {
        self.0.bytes_from(address)
    }
}

/// The instructions of an image that have been lifted so far.
///
/// Tables are indexed by address; a second instruction set mode at one address goes to a map.
#[derive(Clone, Debug)]
pub struct Code {
    pub(crate) index: AddressIndex,
    /// Per slot: number of the instruction plus one, `0` when none was lifted, or [`FAILED`].
    first: Vec<u32>,
    others: FxHashMap<(Address, ContextId), u32>,
    records: Vec<Record>,
    /// Of each form of instructions, the number of the first that was lifted plus one, or `0`.
    forms: Vec<u32>,
    /// Those of instructions of one form are there once.
    operations: Operations,
    relevance: Relevance,
    final_trap: FinalTrap,
    contexts: Vec<Context>,
    /// The number of each context.
    context_numbers: FxHashMap<Context, ContextId>,
    prescribed: FxHashMap<u32, Vec<(Address, ContextId)>>,
    /// What the analysis may still spend.
    pub(crate) work: Arc<Meter>,
}

const FAILED: u32 = u32::MAX;

impl Code {
    /// Nothing lifted yet.
    pub(crate) fn new(
        image: &Image,
        relevance: Relevance,
        final_trap: FinalTrap,
        work: Arc<Meter>,
    ) -> Self {
        let index = AddressIndex::new(image);
        work.keep(index.slots() * SLOT_BYTES);
        Self {
            first: vec![0; index.slots()],
            index,
            others: FxHashMap::default(),
            records: Vec::new(),
            forms: Vec::new(),
            operations: Operations::default(),
            relevance,
            final_trap,
            contexts: Vec::new(),
            context_numbers: FxHashMap::default(),
            prescribed: FxHashMap::default(),
            work,
        }
    }

    /// The number of a context.
    pub(crate) fn intern(&mut self, context: Context) -> ContextId {
        *self.context_numbers.entry(context).or_insert_with(|| {
            let number = u16::try_from(self.contexts.len()).unwrap_or(u16::MAX);
            self.contexts.push(context);
            ContextId(number)
        })
    }

    /// The context of a number.
    pub(crate) fn context(&self, id: ContextId) -> Context {
        self.contexts.get(usize::from(id.0)).copied().unwrap_or_default()
    }

    /// The instruction at `address`, lifted now when it was not before.
    ///
    /// # Errors
    /// [`LiftError`], also when a limit is reached.
    pub(crate) fn lift(
        &mut self,
        image: &Image,
        lifter: &mut dyn Lifter,
        scratch: &mut Instruction,
        address: Address,
        context: ContextId,
    ) -> Result<InstructionId, LiftError> {
        let slot = self.index.slot(address).ok_or(LiftError::Unmapped(address))?;
        if let Some(known) = self.lookup(slot, address, context) {
            return known.ok_or(LiftError::Undecodable(address));
        }
        if self.records.len() >= MAX_INSTRUCTIONS {
            self.work.end(Cut::Instructions);
        }
        if self.contexts.len() >= usize::from(u16::MAX) {
            self.work.end(Cut::Modes);
        }
        if !self.work.spend(LIFT_STEPS) {
            return Err(LiftError::Limit { address, limit: "work on one file" });
        }
        let lifted = lifter.lift(&ImageBytes(image), address, self.context(context), scratch);
        let lifted = lifted.and_then(|()| check_size(address, scratch));
        let number = match &lifted {
            Ok(()) => self
                .store(address, context, scratch)
                .ok_or(LiftError::Limit { address, limit: "memory of one file" })?,
            Err(_) => FAILED,
        };
        self.enter(slot, address, context, number);
        lifted.map(|()| InstructionId(number))
    }

    /// Keeps a lifted instruction; `None` when there is no memory for it.
    fn store(&mut self, address: Address, context: ContextId, lifted: &Instruction) -> Option<u32> {
        if !self.work.reserve(&mut self.records, 1) {
            return None;
        }
        let number = self.records.len() as u32;
        let successor_context = self.intern(lifted.successor_context);
        if !lifted.prescribed.is_empty() {
            let interned: Vec<_> = lifted
                .prescribed
                .iter()
                .map(|(at, context)| (*at, self.intern(*context)))
                .collect();
            self.work.keep(OTHER_BYTES + size_of_val(interned.as_slice()));
            self.prescribed.insert(number, interned);
        }
        let record = Record {
            place: self.place(number, lifted)?,
            op_count: lifted.ops.len() as u16,
            length: lifted.length as u16,
            own_length: lifted.own_length as u8,
            flow: summarize(&lifted.ops, address.offset(u64::from(lifted.length)), self.final_trap),
            context,
            successor_context,
            has_prescribed: !lifted.prescribed.is_empty(),
        };
        self.records.push(record);
        Some(number)
    }

    /// Where the operations of instruction `number` are, kept now if they were not before; `None`
    /// when there is no memory for them.
    fn place(&mut self, number: u32, lifted: &Instruction) -> Option<u32> {
        if let Some(form) = lifted.form.map(|form| form as usize) {
            if form >= self.forms.len() {
                let more = form + 1 - self.forms.len();
                self.work.reserve(&mut self.forms, more).then_some(())?;
                self.forms.resize(form + 1, 0);
            }
            if let Some(first) = self.forms.get_mut(form) {
                let known = first.checked_sub(1).and_then(|known| self.records.get(known as usize));
                if let Some(known) = known {
                    return Some(known.place);
                }
                *first = number + 1;
            }
        }
        self.operations.add(&lifted.ops, &self.relevance, &self.work)
    }

    fn enter(&mut self, slot: usize, address: Address, context: ContextId, number: u32) {
        match self.first.get_mut(slot) {
            // A failure is remembered per mode, so it never takes the dense place.
            Some(entry) if *entry == 0 && number != FAILED => *entry = number + 1,
            _ => {
                self.work.keep(OTHER_BYTES);
                self.others.insert((address, context), number);
            }
        }
    }

    fn lookup(
        &self,
        slot: usize,
        address: Address,
        context: ContextId,
    ) -> Option<Option<InstructionId>> {
        let number = self.first.get(slot)?.checked_sub(1);
        if let Some(number) = number
            && self.records.get(number as usize).is_some_and(|record| record.context == context)
        {
            return Some(Some(InstructionId(number)));
        }
        if self.others.is_empty() {
            return None;
        }
        let number = *self.others.get(&(address, context))?;
        Some((number != FAILED).then_some(InstructionId(number)))
    }

    /// The instruction at `address` in a context, when it has been lifted.
    pub(crate) fn find(&self, address: Address, context: ContextId) -> Option<InstructionId> {
        self.lookup(self.index.slot(address)?, address, context)?
    }

    /// Copies the instruction that was lifted at `address` in `context`; false when none was.
    pub(crate) fn copy_lifted(
        &self,
        address: Address,
        context: Context,
        into: &mut Instruction,
    ) -> bool {
        let known = self.context_numbers.get(&context).and_then(|id| self.find(address, *id));
        let Some((number, record)) =
            known.and_then(|id| Some((id.0, self.records.get(id.0 as usize)?)))
        else {
            return false;
        };
        let prescribed = self.prescribed.get(&number).filter(|_| record.has_prescribed);
        let prescribed = prescribed.into_iter().flatten();
        into.prescribed.clear();
        into.prescribed.extend(prescribed.map(|(at, context)| (*at, self.context(*context))));
        into.ops.clear();
        into.ops.extend_from_slice(self.operations.get(record.place, record.op_count).0);
        into.length = u32::from(record.length);
        into.own_length = u32::from(record.own_length);
        into.successor_context = self.context(record.successor_context);
        into.form = None;
        true
    }

    /// The first instruction that was lifted at `address`, whatever its mode.
    #[must_use]
    pub fn instruction_at(&self, address: Address) -> Option<InstructionId> {
        let number = self.first.get(self.index.slot(address)?)?.checked_sub(1)?;
        Some(InstructionId(number))
    }

    /// The instruction of a number.
    #[must_use]
    pub fn instruction(&self, id: InstructionId) -> InstructionView<'_> {
        let Some(record) = self.records.get(id.0 as usize) else {
            let (ops, matters): (&[Op], &[bool]) = (&[], &[]);
            let flow = Flow::default();
            return InstructionView { ops, length: 1, own_length: 1, flow, matters };
        };
        let (ops, matters) = self.operations.get(record.place, record.op_count);
        InstructionView {
            ops,
            matters,
            length: u32::from(record.length),
            own_length: u32::from(record.own_length),
            flow: record.flow,
        }
    }

    /// The context in which an instruction was lifted.
    #[must_use]
    pub fn context_of(&self, id: InstructionId) -> Context {
        self.records
            .get(id.0 as usize)
            .map(|record| self.context(record.context))
            .unwrap_or_default()
    }

    /// The number of the context in which an instruction was lifted.
    pub(crate) fn id_context(&self, id: InstructionId) -> ContextId {
        self.records.get(id.0 as usize).map_or(ContextId(0), |record| record.context)
    }

    /// The context in which a direct successor of an instruction is decoded.
    pub(crate) fn context_after(&self, id: InstructionId, successor: Address) -> ContextId {
        let Some(record) = self.records.get(id.0 as usize) else { return ContextId(0) };
        if record.has_prescribed
            && let Some(prescribed) = self.prescribed.get(&id.0)
            && let Some((_, context)) = prescribed.iter().rev().find(|(at, _)| *at == successor)
        {
            return *context;
        }
        record.successor_context
    }

    /// How many instructions have been lifted.
    #[must_use]
    pub fn instruction_count(&self) -> usize {
        self.records.len()
    }

    /// How many operations those have.
    #[must_use]
    pub fn op_count(&self) -> usize {
        self.records.iter().map(|record| usize::from(record.op_count)).sum()
    }
}

/// Refuses what no CPU has, so that the counts fit their fields.
fn check_size(address: Address, lifted: &Instruction) -> Result<(), LiftError> {
    let fits = lifted.ops.len() < usize::from(u16::MAX)
        && (1..=u32::from(u16::MAX)).contains(&lifted.length)
        && lifted.own_length <= u32::from(u8::MAX);
    if fits { Ok(()) } else { Err(LiftError::Limit { address, limit: "size of an instruction" }) }
}
