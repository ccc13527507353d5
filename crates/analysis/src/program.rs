//! A whole program: its functions, calls, values and references.

use crate::blocks::{Block, Exit};
use crate::calls::{CallGraph, CallKind, CallSite};
use crate::code::Code;
use crate::flow::{Flow, absolute_target};
use crate::functions::discovery::Discovery;
use crate::functions::reading::Reading;
use crate::functions::{Function, FunctionId};
use crate::references::References;
use crate::values::Values;
use crate::values::engine::Engine;
use crate::values::memory::WrittenMemory;
use crate::values::registers::RegisterCells;
use crate::work::{Cut, Limits, Meter};
use miyaburi_emulator::{Abi, MissingRegister};
use miyaburi_image::{Address, Image};
use miyaburi_pcode::{Language, Opcode};
use std::sync::{Arc, OnceLock};

/// The result of analysing an image. Values and references are worked out when first asked for.
pub struct Program<'a> {
    image: &'a Image,
    language: &'a dyn Language,
    abi: Arc<Abi>,
    cells: Arc<RegisterCells>,
    code: Code,
    functions: Vec<Function>,
    /// Of each function.
    readings: Vec<Arc<Reading>>,
    calls: CallGraph,
    written: WrittenMemory,
    global_pointer: Option<u64>,
    values: Vec<OnceLock<Arc<Values>>>,
    references: OnceLock<References>,
}

impl<'a> Program<'a> {
    /// Finds the functions of `image` and their calls, within the default [`Limits`].
    ///
    /// # Errors
    /// [`MissingRegister`] when `language` is not that of the image's CPU.
    pub fn analyze(image: &'a Image, language: &'a dyn Language) -> Result<Self, MissingRegister> {
        Self::analyze_within(image, language, Limits::default())
    }

    /// Finds the functions of `image` and their calls. When `limits` do not suffice, what was found
    /// until then is there, and [`Program::cut`] tells.
    ///
    /// # Errors
    /// [`MissingRegister`] when `language` is not that of the image's CPU.
    pub fn analyze_within(
        image: &'a Image,
        language: &'a dyn Language,
        limits: Limits,
    ) -> Result<Self, MissingRegister> {
        let abi = Arc::new(Abi::new(image.arch(), language)?);
        let cells = Arc::new(RegisterCells::new(image.arch(), language, &abi));
        let work = Arc::new(Meter::for_image(limits, image));
        let mut discovery = Discovery::new(image, language, abi.clone(), cells.clone(), work);
        discovery.run();
        let (functions, sites, readings) = finish(&mut discovery);
        let values = functions.iter().map(|_| OnceLock::new()).collect();
        Ok(Self {
            image,
            language,
            abi,
            cells,
            calls: CallGraph::new(sites, functions.len()),
            functions,
            readings,
            values,
            written: discovery.written,
            global_pointer: discovery.global_pointer,
            code: discovery.code,
            references: OnceLock::new(),
        })
    }

    /// What ended the analysis before it was done. Values and references that are asked for later
    /// can still be cut.
    #[must_use]
    pub fn cut(&self) -> Option<Cut> {
        self.code.work.cut()
    }

    /// The steps spent so far, in the unit of [`Limits::steps`].
    #[must_use]
    pub fn spent_steps(&self) -> u64 {
        self.code.work.steps()
    }

    /// The bytes kept at present, in the unit of [`Limits::bytes`].
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.code.work.bytes()
    }

    /// The image analysed.
    #[must_use]
    pub const fn image(&self) -> &'a Image {
        self.image
    }

    /// The CPU's language.
    #[must_use]
    pub const fn language(&self) -> &'a dyn Language {
        self.language
    }

    /// The calling convention.
    #[must_use]
    pub fn abi(&self) -> &Abi {
        &self.abi
    }

    /// The lifted instructions.
    #[must_use]
    pub const fn code(&self) -> &Code {
        &self.code
    }

    /// The value of the global pointer register, when the file or its start-up code sets one.
    #[must_use]
    pub const fn global_pointer(&self) -> Option<u64> {
        self.global_pointer
    }

    /// All functions, in address order.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The numbers of all functions, in address order.
    pub fn function_ids(&self) -> impl Iterator<Item = FunctionId> + use<> {
        (0..self.functions.len() as u32).map(FunctionId)
    }

    /// The function of a number. Numbers of another program yield `None` or another function.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<&Function> {
        self.functions.get(id.0 as usize)
    }

    /// The function that starts at `entry` (without mode bit).
    #[must_use]
    pub fn function_at(&self, entry: Address) -> Option<FunctionId> {
        let index = self.functions.binary_search_by_key(&entry, |function| function.entry).ok()?;
        Some(FunctionId(index as u32))
    }

    /// The function whose code covers `address`; of several, the one that starts closest before.
    #[must_use]
    pub fn function_containing(&self, address: Address) -> Option<FunctionId> {
        let after = self.functions.partition_point(|function| function.entry <= address);
        let before = self.functions.get(..after)?.iter().rposition(|f| f.contains(address));
        let index = before.or_else(|| {
            let rest = self.functions.get(after..)?;
            rest.iter().position(|function| function.contains(address)).map(|index| after + index)
        })?;
        Some(FunctionId(index as u32))
    }

    /// The context in which a function's first instruction is decoded.
    #[must_use]
    pub fn context_of(&self, function: FunctionId) -> Option<miyaburi_pcode::Context> {
        self.function(function).map(|function| self.code.context(function.context))
    }

    /// All calls, in address order.
    #[must_use]
    pub fn call_sites(&self) -> &[CallSite] {
        self.calls.sites()
    }

    /// The calls of a function, in address order.
    pub fn callers(&self, callee: FunctionId) -> impl Iterator<Item = &CallSite> {
        self.calls.callers(callee)
    }

    /// The calls in a function, in address order.
    pub fn calls_of(&self, caller: FunctionId) -> impl Iterator<Item = &CallSite> {
        self.calls.calls_of(caller)
    }

    fn engine(&self) -> Engine<'_> {
        Engine {
            image: self.image,
            language: self.language,
            code: &self.code,
            abi: &self.abi,
            cells: &self.cells,
            written: &self.written,
            global_pointer: self.global_pointer,
        }
    }

    /// What is known in a function, worked out when first asked for; `None` when there is no such
    /// function.
    #[must_use]
    pub fn values(&self, function: FunctionId) -> Option<&Values> {
        let found = self.function(function)?;
        let cell = self.values.get(function.0 as usize)?;
        Some(cell.get_or_init(|| {
            let (abi, cells) = (self.abi.clone(), self.cells.clone());
            let is_tail = |site: &&CallSite| site.kind == CallKind::Tail;
            let tail_calls: Vec<Address> =
                self.calls_of(function).filter(is_tail).map(|site| site.address).collect();
            let engine = self.engine();
            let solution = self.readings.get(function.0 as usize).map(|reading| &reading.solution);
            Arc::new(Values::new(&engine, &found.body, solution, &tail_calls, abi, cells))
        }))
    }

    /// References to data, worked out when first asked for.
    #[must_use]
    pub fn references(&self) -> &References {
        self.references.get_or_init(|| {
            let found = self.readings.iter().flat_map(|reading| &reading.references);
            let mut all: Vec<_> = found.copied().collect();
            all.retain(|reference| self.code.instruction_at(reference.to).is_none());
            References::new(all)
        })
    }
}

/// Turns drafts into functions in address order, with their calls.
fn finish(discovery: &mut Discovery<'_>) -> (Vec<Function>, Vec<CallSite>, Vec<Arc<Reading>>) {
    let mut order: Vec<(Address, u32)> =
        (0u32..).zip(&discovery.drafts).map(|(number, draft)| (draft.entry, number)).collect();
    order.sort_unstable();
    let entries: Vec<Address> = order.iter().map(|(entry, _)| *entry).collect();
    let mut functions = Vec::with_capacity(order.len());
    let mut readings = Vec::with_capacity(order.len());
    let mut sites = Vec::new();
    for (place, &(entry, number)) in (0u32..).zip(&order) {
        let body = discovery.body(number);
        readings.push(discovery.read(number));
        let Some(draft) = discovery.drafts.get(number as usize) else { continue };
        let caller = FunctionId(place);
        let find = |target: Address| {
            entries.binary_search(&target).ok().map(|index| FunctionId(index as u32))
        };
        for block in &body.blocks {
            let range = block.instructions.start as usize..block.instructions.end as usize;
            for &(address, id) in body.instructions.get(range).unwrap_or(&[]) {
                let view = discovery.code.instruction(id);
                if view.flow.is_plain() {
                    continue;
                }
                let next = address.offset(u64::from(view.length));
                let is_jump_call = draft.jumps_that_call.contains(&address);
                let computed = view.flow.contains(Flow::INDIRECT_CALL) || is_jump_call;
                let direct = view.flow.contains(Flow::CALL).then(|| {
                    let calls = view.ops.iter().filter(|op| op.opcode == Opcode::CALL);
                    calls.filter_map(absolute_target).find(|target| *target != next)
                });
                let (target, kind) = match direct {
                    Some(target) => (target, CallKind::Direct),
                    None if computed => {
                        let target =
                            discovery.learnt.calls.get(&address).map(|(target, _)| *target);
                        (target, CallKind::Indirect)
                    }
                    None => continue,
                };
                let callee = target.and_then(find);
                sites.push(CallSite {
                    address,
                    caller,
                    target,
                    callee,
                    kind,
                    return_address: next,
                });
            }
        }
        sites.extend(tail_calls(&body.blocks, &body.instructions, draft, caller, find));
        let name = discovery.symbol_at(entry).or_else(|| discovery.import_name(draft));
        functions.push(Function {
            entry,
            origin: draft.origin,
            returns: draft.returns,
            name,
            context: draft.context,
            body,
        });
    }
    (functions, sites, readings)
}

fn tail_calls(
    blocks: &[Block],
    instructions: &[(Address, crate::code::InstructionId)],
    draft: &crate::functions::draft::Draft,
    caller: FunctionId,
    find: impl Fn(Address) -> Option<FunctionId>,
) -> Vec<CallSite> {
    let site = |address: Address, target: Option<Address>, return_address| CallSite {
        address,
        caller,
        target,
        callee: target.and_then(&find),
        kind: CallKind::Tail,
        return_address,
    };
    let mut sites = Vec::new();
    for block in blocks.iter().filter(|block| block.exit == Exit::TailCall) {
        let last =
            block.instructions.end.checked_sub(1).and_then(|last| instructions.get(last as usize));
        let Some(&(address, _)) = last else { continue };
        let mut known = draft.tail_calls.iter().filter(|(from, _)| *from == address).peekable();
        if known.peek().is_none() {
            sites.push(site(address, None, block.end));
        }
        sites.extend(known.map(|(_, target)| site(address, Some(*target), block.end)));
    }
    sites
}
