//! The kernel that a process sees: what it knows of the process, and who answers which call.

mod event_sets;
mod folders;
mod identity;
mod input_output;
mod made_files;
mod memory;
mod messages;
mod processes;
mod sockets;
mod status;
mod thread;
mod time;
mod traps;
mod waiting;

use crate::abi::KernelAbi;
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use crate::clock::Clock;
use crate::descriptors::Descriptors;
use crate::network::Network;
use crate::record::{Answer, CallRecord};
use crate::script::Script;
use crate::space::AddressSpace;
use crate::start::Setup;
use crate::tree::{FOLDER, Tree};
use miyaburi_emulator::{Abi, Hooks, State};
use miyaburi_image::{Address, Arch, Endian};
use miyaburi_pcode::Language;
use processes::Signal;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use thread::ThreadRegister;

pub use processes::Side;

/// Seeds that give processes different numbers: on Linux, numbers have 15 bits.
const MAX_PROCESSES: u32 = 24;

/// Bytes that one process may send; after that sends fail. What is sent costs no instructions.
const MAX_SENT: u64 = 64 << 20;

/// Calls that are not modelled, kept of one process.
const MAX_UNMODELLED: usize = 32;

/// Calls kept of one process.
const MAX_CALLS: usize = 100_000;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It left with this status.
    Exited(u8),
    /// A signal ended it.
    Killed(u64),
    /// A file that it made took its place (see [`Kernel::executed`]).
    Replaced,
}

/// What becomes of a call.
enum Reply {
    /// It returns.
    Done(Result<u64, Errno>),
    /// The process ends with it.
    End(Ended),
    /// Nobody here knows it.
    Unmodelled,
}

impl From<Result<u64, Errno>> for Reply {
    fn from(result: Result<u64, Errno>) -> Self {
        Self::Done(result)
    }
}

/// The kernel around one process. Cloning it goes with a snapshot of the machine.
#[derive(Clone, Debug)]
pub struct Kernel {
    abi: Arc<KernelAbi>,
    endian: Endian,
    /// Bytes of a pointer and of `long`.
    word: u32,
    space: AddressSpace,
    tree: Tree,
    /// The folder that paths are seen from.
    folder: Vec<u8>,
    open: Descriptors,
    network: Network,
    clock: Clock,
    thread_register: Option<ThreadRegister>,
    thread_pointer: u64,
    /// Where numbers drawn at random stand.
    random: u64,
    /// Signals with the handlers that the program set.
    handlers: BTreeMap<u64, Address>,
    /// Signals that the process sent itself.
    pending: VecDeque<Signal>,
    /// Whether a handler runs, which no other signal interrupts.
    pub(crate) handles_signal: bool,
    /// Whether it asked to be traced.
    is_traced: bool,
    /// Which side of each `fork` is followed, and of all later ones.
    forks: Vec<Side>,
    later_forks: Side,
    forks_made: usize,
    calls: Vec<CallRecord>,
    last_call: Option<CallRecord>,
    /// Calls that are not modelled, by number, with the first place that made each.
    unmodelled: BTreeMap<u32, (Option<SystemCall>, Address)>,
    /// This process.
    process: u64,
    /// Bytes that may still be sent.
    may_send: u64,
    ended: Option<Ended>,
    /// Memory that belongs to made files.
    shared: Vec<made_files::SharedPart>,
    /// The made file that took the program's place.
    executed: Option<Arc<[u8]>>,
}

/// The arguments of a call, with what it takes to read what they point to.
struct Request<'k, 'a> {
    state: &'k mut State<'a>,
    site: Address,
    arguments: [u64; crate::abi::ARGUMENTS],
}

impl Request<'_, '_> {
    /// Argument `index`, from 0.
    fn argument(&self, index: usize) -> u64 {
        self.arguments.get(index).copied().unwrap_or(0)
    }

    fn load(&mut self, at: u64, size: u32) -> Result<u64, Errno> {
        self.state.memory.load(Address(at), size).map_err(|_| Errno::Fault)
    }

    fn store(&mut self, at: u64, size: u32, value: u64) -> Result<(), Errno> {
        self.state.memory.store(Address(at), size, value).map_err(|_| Errno::Fault)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.state.memory.write(Address(at), bytes).map_err(|_| Errno::Fault)
    }

    fn bytes(&mut self, at: u64, length: usize) -> Result<Vec<u8>, Errno> {
        self.state.memory.bytes(Address(at), length).ok_or(Errno::Fault)
    }

    /// The path at an address, without its end.
    fn path(&mut self, at: u64) -> Result<Vec<u8>, Errno> {
        const MAX_PATH: u64 = 4096;
        let mut path = Vec::new();
        for place in (at..at.saturating_add(MAX_PATH)).map(Address) {
            match self.state.memory.load(place, 1).map_err(|_| Errno::Fault)? {
                0 => return Ok(path),
                byte => path.push(byte as u8),
            }
        }
        Err(Errno::Invalid)
    }
}

impl Kernel {
    pub(crate) fn new(
        abi: KernelAbi,
        language: &dyn Language,
        space: AddressSpace,
        tree: Tree,
        setup: &Setup,
        arch: Arch,
    ) -> Self {
        Self {
            thread_register: ThreadRegister::of(abi.family, language),
            abi: Arc::new(abi),
            endian: arch.endian,
            word: arch.pointer_size(),
            space,
            tree,
            folder: FOLDER.to_vec(),
            open: Descriptors::with_input(&setup.input),
            network: Network::following(setup.script.clone()),
            clock: Clock::days_later(setup.seed),
            thread_pointer: 0,
            random: identity::FIRST_RANDOM ^ u64::from(setup.seed) << 32,
            handlers: BTreeMap::new(),
            pending: VecDeque::new(),
            handles_signal: false,
            is_traced: false,
            forks: setup.forks.clone(),
            later_forks: Side::Parent,
            forks_made: 0,
            calls: Vec::new(),
            last_call: None,
            unmodelled: BTreeMap::new(),
            process: processes::PROCESS
                + processes::PROCESS_STEP * u64::from(setup.seed % MAX_PROCESSES),
            may_send: MAX_SENT,
            ended: None,
            shared: Vec::new(),
            executed: None,
        }
    }

    /// How the process ended, once it did.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The calls that were made, in order; the first 100,000.
    #[must_use]
    pub fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    /// What was written to a descriptor, the first MiB of it.
    #[must_use]
    pub fn written(&self, descriptor: u32) -> &[u8] {
        self.open.written(descriptor)
    }

    /// The handlers that the program set, by signal.
    #[must_use]
    pub fn handlers(&self) -> &BTreeMap<u64, Address> {
        &self.handlers
    }

    /// Which side of every `fork` is followed from now on.
    pub fn follow_forks(&mut self, side: Side) {
        self.forks.clear();
        self.later_forks = side;
    }

    /// Lets the network behave otherwise from now on.
    pub fn follow_script(&mut self, script: Script) {
        self.network.script = script;
    }

    /// Asks those who answer calls, one after the other.
    fn reply(&mut self, call: SystemCall, request: &mut Request<'_, '_>) -> Reply {
        self.made_file_call(call, request)
            .or_else(|| self.memory_call(call, request))
            .or_else(|| self.thread_call(call, request))
            .or_else(|| self.socket_call(call, request))
            .or_else(|| self.message_call(call, request))
            .or_else(|| self.waiting_call(call, request))
            .or_else(|| self.event_set_call(call, request))
            .or_else(|| self.input_output_call(call, request))
            .or_else(|| self.status_call(call, request))
            .or_else(|| self.folder_call(call, request))
            .or_else(|| self.process_call(call, request))
            .or_else(|| self.time_call(call, request))
            .or_else(|| self.identity_call(call, request))
            .unwrap_or(Reply::Unmodelled)
    }

    /// The call that was made last.
    #[must_use]
    pub fn last_call(&self) -> Option<&CallRecord> {
        self.last_call.as_ref()
    }

    /// The calls that are not modelled, by number: what each is, where the ABI has it, and the first
    /// place that made it.
    #[must_use]
    pub fn unmodelled(&self) -> &BTreeMap<u32, (Option<SystemCall>, Address)> {
        &self.unmodelled
    }

    fn record(&mut self, record: CallRecord) {
        if record.answer == Answer::Unmodelled && self.unmodelled.len() < MAX_UNMODELLED {
            self.unmodelled.entry(record.number).or_insert((record.call, record.site));
        }
        self.last_call = Some(record.clone());
        if self.calls.len() < MAX_CALLS {
            self.calls.push(record);
        }
    }
}

impl Hooks for Kernel {
    fn system_call(
        &mut self,
        state: &mut State<'_>,
        abi: &Abi,
        site: Address,
        immediate: u64,
    ) -> bool {
        if self.abi.is_idle(immediate) {
            return true;
        }
        if self.abi.is_breakpoint(immediate) {
            return self.cause(traps::TRAP);
        }
        let (number, call) = self.abi.call(state, immediate);
        let arguments = self.abi.arguments(state);
        let mut request = Request { state, site, arguments };
        let reply = call.map_or(Reply::Unmodelled, |call| self.reply(call, &mut request));
        let answer = match reply {
            Reply::Done(Ok(value)) => Answer::Returned(value),
            Reply::Done(Err(error)) => Answer::Failed(error),
            Reply::End(ended) => {
                self.ended = Some(ended);
                Answer::Ended
            }
            Reply::Unmodelled => Answer::Unmodelled,
        };
        self.record(CallRecord { site, number, call, arguments, answer });
        let result = match answer {
            Answer::Returned(value) => Ok(value),
            Answer::Failed(error) => Err(error),
            Answer::Unmodelled => Err(Errno::NoSuchCall),
            Answer::Ended => return false,
        };
        self.abi.answer(state, abi, result);
        true
    }

    fn trap(&mut self, _: &mut State<'_>, _: Address, name: &str, number: u64) -> bool {
        Kernel::trap(self, name, number)
    }

    fn stops(&self) -> bool {
        !self.handles_signal && !self.pending.is_empty()
    }
}
