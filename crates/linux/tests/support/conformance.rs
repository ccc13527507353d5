//! Runs the cases of a conformance program (`conformance/`) and compares with what another machine
//! made of the same file.
#![allow(dead_code, unreachable_pub)]

use miyaburi_emulator::{Abi, Call, CallAction, Emulator, Exit, Hooks, Limits, State};
use miyaburi_image::{Address, Endian, Image, Symbol};
use miyaburi_linux::{Kernel, Process, Setup};
use miyaburi_pcode::Language;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Words that a case takes.
const INPUTS: usize = 10;
/// Words that a case leaves.
const OUTPUTS: usize = 8;

/// More than any case needs on any CPU.
pub const LIMITS: Limits =
    Limits { instructions: 20_000_000, depth: 10_000, undo: false, ..Limits::DEFAULT };

/// As the analysis calls routines, with enough for each call: formatting numbers without an FPU takes
/// more than the analysis would spend.
const UNDOING: Limits = Limits { undo: true, call_instructions: LIMITS.instructions, ..LIMITS };

/// Pages of 4 KiB that a case may touch.
const PAGES: usize = 4096;

/// How a case is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// With two pointers: to the inputs and to the outputs.
    Block,
    /// With all inputs as arguments and one word as result.
    Words,
    /// With all inputs as arguments and 64 bits as result.
    Wide,
}

/// One case with one set of inputs, and what the other machine made of it.
#[derive(Clone, Debug)]
pub struct Record {
    shape: Shape,
    /// The case's name.
    pub name: String,
    inputs: Vec<u32>,
    outputs: Vec<u32>,
}

impl Record {
    /// Reads a line of the program's own output: `shape name inputs... : outputs...`.
    fn parse(line: &str) -> Option<Self> {
        let (before, after) = line.split_once(" : ")?;
        let mut fields = before.split(' ');
        let shape = match fields.next()? {
            "block" => Shape::Block,
            "words" => Shape::Words,
            "wide" => Shape::Wide,
            _ => return None,
        };
        let name = fields.next()?.to_owned();
        let words = |fields: &mut dyn Iterator<Item = &str>| -> Option<Vec<u32>> {
            fields.map(|field| u32::from_str_radix(field, 16).ok()).collect()
        };
        let (inputs, outputs) = (words(&mut fields)?, words(&mut after.split(' '))?);
        (inputs.len() == INPUTS && outputs.len() == OUTPUTS).then_some(Self {
            shape,
            name,
            inputs,
            outputs,
        })
    }

    /// Reads all lines.
    ///
    /// # Errors
    /// The first line that is none of the program's.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        text.lines()
            .map(|line| Self::parse(line).ok_or_else(|| format!("no record: {line}")))
            .collect()
    }
}

/// A case that did not give the expected outputs.
#[derive(Debug)]
pub struct Difference {
    pub record: Record,
    /// What it gave, or why it ended.
    pub got: Result<Vec<u32>, String>,
}

/// What became of all cases of a file.
#[derive(Debug, Default)]
pub struct Comparison {
    pub functions: usize,
    pub cases: usize,
    pub instructions: u64,
    pub differences: Vec<Difference>,
}

/// A conformance program and its language, from which emulators are made.
pub struct Program {
    file: Vec<u8>,
    image: Image,
    language: Arc<dyn Language>,
}

impl Program {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// When it is none or has no language.
    pub fn new(file: Vec<u8>) -> Result<Self, String> {
        let image = Image::parse(&file).map_err(|error| error.to_string())?;
        let language =
            miyaburi_pcode::language_for(image.arch()).map_err(|error| error.to_string())?;
        Ok(Self { file, image, language })
    }

    /// Calls every case and compares: without limits, and as the analysis calls routines, when no
    /// call may have to be undone.
    ///
    /// # Errors
    /// When the emulator cannot be made.
    pub fn compare(&self, records: &[Record]) -> Result<Comparison, String> {
        let mut machine = self.machine()?;
        let names: BTreeSet<&str> = records.iter().map(|record| record.name.as_str()).collect();
        let mut comparison =
            Comparison { functions: names.len(), cases: records.len(), ..Comparison::default() };
        for record in records {
            let results = [LIMITS, UNDOING].map(|limits| machine.run(record, &limits));
            let is_wrong = |got: &Result<Vec<u32>, String>| got.as_ref() != Ok(&record.outputs);
            if let Some(got) = results.into_iter().find(is_wrong) {
                comparison.differences.push(Difference { record: record.clone(), got });
            }
        }
        comparison.instructions = machine.instructions;
        Ok(comparison)
    }

    /// The machine in which cases run.
    ///
    /// # Errors
    /// When it does not get as far as `main`.
    pub fn machine(&self) -> Result<Machine<'_>, String> {
        Machine::new(&self.file, &self.image, &*self.language)
    }
}

/// A process up to the call of `main`.
struct UpToMain<'k> {
    kernel: &'k mut Kernel,
    main: Vec<Address>,
}

impl Hooks for UpToMain<'_> {
    fn call(&mut self, _: &mut State<'_>, _: &Abi, call: &Call) -> CallAction {
        if self.main.contains(&call.callee) { CallAction::Stop } else { CallAction::Enter }
    }

    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        site: Address,
        number: u64,
    ) -> bool {
        self.kernel.system_call(state, abi, site, number)
    }
}

/// Runs start-up code to the call of `main`.
fn at_main<'a>(
    emulator: &mut Emulator<'a>,
    image: &Image,
    mut state: State<'a>,
    kernel: &mut Kernel,
) -> Result<State<'a>, String> {
    // AArch64's start file has a function that only branches to `main`.
    let names = ["main", "__wrap_main"].iter();
    let main = names.filter_map(|name| Some(image.symbol_named(name)?.address)).collect();
    let outcome = emulator.run(&mut state, &mut UpToMain { kernel, main }, &LIMITS);
    match outcome.exit {
        Exit::Stopped { .. } => Ok(state),
        exit => Err(format!("start-up: {exit:?}")),
    }
}

/// An emulator with the state from which every case starts.
pub struct Machine<'a> {
    image: &'a Image,
    emulator: Emulator<'a>,
    start: State<'a>,
    kernel: Kernel,
    inputs: Address,
    outputs: Address,
    /// Instructions of all cases so far.
    pub instructions: u64,
    /// P-code operations of all cases so far.
    pub operations: u64,
}

impl<'a> Machine<'a> {
    fn new(file: &[u8], image: &'a Image, language: &'a dyn Language) -> Result<Self, String> {
        let abi = Abi::new(image.arch(), language).map_err(|error| error.to_string())?;
        let mut emulator = Emulator::new(image, language, abi);
        let setup = Setup::default();
        let started = Process::start(&emulator, language, image, file, &setup, PAGES);
        let Process { state, mut kernel } = started.map_err(|error| error.to_string())?;
        // The tiny C library has no state to be set up.
        let mut start = match image.symbol_named("tiny_start") {
            Some(_) => {
                let mut bare = emulator.bare_state(PAGES);
                emulator.map_thread_block(&mut bare);
                bare
            }
            None => at_main(&mut emulator, image, state, &mut kernel)?,
        };
        let inputs = emulator.layout().fresh_block(&mut start);
        let outputs = emulator.layout().fresh_block(&mut start);
        Ok(Self { image, emulator, start, kernel, inputs, outputs, instructions: 0, operations: 0 })
    }

    /// Calls one case in a fresh copy of the start state.
    ///
    /// # Errors
    /// Why it did not return, or that a call was undone.
    pub fn run(&mut self, record: &Record, limits: &Limits) -> Result<Vec<u32>, String> {
        let symbol = format!("case_{}", record.name);
        let Some(Symbol { address, thumb, .. }) = self.image.symbol_named(&symbol) else {
            return Err(format!("no symbol {symbol}"));
        };
        let mut state = self.start.clone();
        let wide_inputs: Vec<u64> = record.inputs.iter().copied().map(u64::from).collect();
        let arguments = match record.shape {
            Shape::Block => {
                self.store_inputs(&mut state, &record.inputs)?;
                vec![self.inputs.0, self.outputs.0]
            }
            Shape::Words | Shape::Wide => wide_inputs,
        };
        let function = (*address, self.emulator.context(*thumb));
        let outcome =
            self.emulator.call(&mut state, function, &arguments, &mut self.kernel.clone(), limits);
        self.instructions += outcome.instructions;
        self.operations += outcome.operations;
        if outcome.exit != Exit::Returned {
            return Err(format!("{:?}", outcome.exit));
        }
        if outcome.summarised > 0 {
            return Err(format!("{} calls were undone", outcome.summarised));
        }
        if record.shape == Shape::Block {
            return self.load_outputs(&mut state);
        }
        let value = match record.shape {
            Shape::Wide => self.wide_result(&state, outcome.result),
            _ => outcome.result,
        };
        let mut outputs = vec![0; OUTPUTS];
        outputs[0] = (value >> 32) as u32;
        outputs[1] = value as u32;
        Ok(outputs)
    }

    fn store_inputs(&self, state: &mut State<'a>, inputs: &[u32]) -> Result<(), String> {
        for (index, value) in inputs.iter().enumerate() {
            let at = self.inputs.offset(4 * index as u64);
            state.memory.store(at, 4, u64::from(*value)).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn load_outputs(&self, state: &mut State<'a>) -> Result<Vec<u32>, String> {
        (0..OUTPUTS as u64)
            .map(|index| state.memory.load(self.outputs.offset(4 * index), 4))
            .map(|word| word.map(|word| word as u32).map_err(|error| error.to_string()))
            .collect()
    }

    /// A 64-bit result: in one register, or in two in the order of memory.
    fn wide_result(&self, state: &State<'a>, first: u64) -> u64 {
        let arch = self.image.arch();
        let second = match (arch.pointer_size(), &self.emulator.abi().result_high) {
            (4, Some(register)) => state.register(register),
            _ => return first,
        };
        match arch.endian {
            Endian::Little => second << 32 | first,
            Endian::Big => first << 32 | second,
        }
    }
}
