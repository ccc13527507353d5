//! A process as Linux starts it, as far as a C library's start-up code looks: arguments, auxiliary
//! vector, memory and thread pointer on request.
#![allow(dead_code, unreachable_pub)]

use miyaburi_emulator::{Abi, Call, CallAction, Emulator, Exit, Hooks, Limits, State};
use miyaburi_image::{Address, Family, Image};
use miyaburi_pcode::{Language, Varnode};

/// Where `brk` begins: far from what images and the emulator use.
const HEAP: u64 = 0x7200_0000;
/// Bytes that `brk` may grow by.
const HEAP_SIZE: u64 = 0x20_0000;
/// Where `mmap` gives memory.
const MAPPED: u64 = 0x7300_0000;
/// Bytes that `mmap` may give in all.
const MAPPED_SIZE: u64 = 0x20_0000;
const PAGE: u64 = 0x1000;
/// `ENOSYS`; the same on all CPUs but MIPS (89) and SPARC (90), where any error will do.
const NO_SUCH_CALL: u64 = 38;

/// The system calls that are answered, of one ABI.
///
/// Numbers: `arch/*/include/uapi/asm/unistd.h` of Linux.
#[derive(Clone)]
struct Calls {
    number: &'static str,
    arguments: [&'static str; 2],
    brk: u64,
    mmap: &'static [u64],
    mprotect: u64,
    /// Sets the thread pointer to its first argument, or to what that points at (i386).
    set_thread: Option<u64>,
    get_thread: Option<u64>,
    /// Registers that then hold the thread pointer.
    thread_register: Option<&'static str>,
}

fn calls(family: Family) -> Calls {
    let plain = |number, arguments, brk, mmap, mprotect| Calls {
        number,
        arguments,
        brk,
        mmap,
        mprotect,
        set_thread: None,
        get_thread: None,
        thread_register: None,
    };
    match family {
        Family::X86 => Calls {
            set_thread: Some(243),
            thread_register: Some("GS_OFFSET"),
            ..plain("EAX", ["EBX", "ECX"], 45, &[90, 192], 125)
        },
        Family::X86_64 => Calls {
            set_thread: Some(158),
            thread_register: Some("FS_OFFSET"),
            ..plain("RAX", ["RDI", "RSI"], 12, &[9], 10)
        },
        Family::Arm => {
            Calls { set_thread: Some(0xf_0005), ..plain("r7", ["r0", "r1"], 45, &[90, 192], 125) }
        }
        Family::AArch64 => plain("x8", ["x0", "x1"], 214, &[222], 226),
        Family::RiscV64 => plain("a7", ["a0", "a1"], 214, &[222], 226),
        Family::Mips => Calls {
            set_thread: Some(4283),
            thread_register: Some("HW_ULR"),
            ..plain("v0", ["a0", "a1"], 4045, &[4090, 4210], 4125)
        },
        Family::PowerPc => plain("r0", ["r3", "r4"], 45, &[90, 192], 125),
        Family::Sparc | Family::SparcV8Plus => plain("g1", ["o0", "o1"], 17, &[71, 56], 74),
        Family::SuperH => plain("r3", ["r4", "r5"], 45, &[90, 192], 125),
        Family::M68k | Family::ColdFire => Calls {
            set_thread: Some(334),
            get_thread: Some(333),
            ..plain("D0", ["D1", "D2"], 45, &[90, 192], 125)
        },
    }
}

/// The kernel that a process of one CPU type sees. Cloning goes with a snapshot of the machine.
#[derive(Clone)]
pub struct Kernel {
    family: Family,
    calls: Calls,
    number: Varnode,
    arguments: [Varnode; 2],
    thread_register: Option<Varnode>,
    heap_end: u64,
    next_mapping: u64,
    thread_pointer: u64,
    /// Where a run is stopped, when something calls one of them.
    stop_at: Vec<Address>,
}

impl Kernel {
    /// The kernel for the CPU of `family`.
    pub fn new(family: Family, language: &dyn Language) -> Option<Self> {
        let calls = calls(family);
        let register = |name: &str| language.register(name);
        Some(Self {
            family,
            number: register(calls.number)?,
            arguments: [register(calls.arguments[0])?, register(calls.arguments[1])?],
            thread_register: calls.thread_register.and_then(register),
            calls,
            heap_end: HEAP,
            next_mapping: MAPPED,
            thread_pointer: 0,
            stop_at: Vec::new(),
        })
    }

    /// The answer to a call; `None` when there is no such call.
    fn answer(&mut self, state: &mut State<'_>, number: u64) -> Option<u64> {
        let [first, second] = self.arguments.map(|register| state.register(&register));
        if number == self.calls.brk {
            if (HEAP..HEAP + HEAP_SIZE).contains(&first) {
                self.heap_end = first;
            }
            return Some(self.heap_end);
        }
        if self.calls.mmap.contains(&number) {
            // i386's older call has its arguments in memory.
            let packed = self.family == Family::X86 && number == 90;
            let size = if packed { state.memory.load(Address(first + 4), 4).ok()? } else { second };
            let start = self.next_mapping;
            self.next_mapping += size.next_multiple_of(PAGE);
            return (self.next_mapping <= MAPPED + MAPPED_SIZE).then_some(start);
        }
        if number == self.calls.mprotect {
            return Some(0);
        }
        if Some(number) == self.calls.get_thread {
            return Some(self.thread_pointer);
        }
        if Some(number) == self.calls.set_thread {
            self.thread_pointer = match self.family {
                Family::X86 => state.memory.load(Address(first + 4), 4).ok()?,
                Family::X86_64 => second,
                _ => first,
            };
            state.set_thread_pointer(self.thread_pointer);
            if let Some(register) = &self.thread_register {
                state.set_register(register, self.thread_pointer);
            }
            if self.family == Family::X86 {
                // The entry that the descriptor gets when any will do.
                state.memory.store(Address(first), 4, 6).ok()?;
            }
            return Some(0);
        }
        None
    }
}

impl Hooks for Kernel {
    fn call(&mut self, _: &mut State<'_>, _: &Abi, call: &Call) -> CallAction {
        if self.stop_at.contains(&call.callee) { CallAction::Stop } else { CallAction::Enter }
    }

    fn system_call(&mut self, state: &mut State<'_>, abi: &Abi, _: Address, _: u64) -> bool {
        let number = state.register(&self.number) & 0xffff_ffff;
        match self.answer(state, number) {
            Some(value) => abi.set_system_call_result(state, value),
            None if abi.system_call_error.is_empty() => {
                abi.set_system_call_result(state, NO_SUCH_CALL.wrapping_neg());
            }
            None => {
                abi.set_system_call_result(state, NO_SUCH_CALL);
                for flag in &abi.system_call_error {
                    let value = state.register(&flag.register);
                    state.set_register(&flag.register, value | flag.mask);
                }
            }
        }
        true
    }
}

/// Runs the start-up code of `image`, which was read from `file`, to the call of `main`. Gives the
/// state there and its kernel.
///
/// # Errors
/// What start-up ended with instead.
pub fn start<'a>(
    emulator: &mut Emulator<'a>,
    image: &'a Image,
    file: &[u8],
    mut state: State<'a>,
    mut kernel: Kernel,
) -> Result<(State<'a>, Kernel), String> {
    state.memory.map(Address(HEAP), HEAP_SIZE);
    state.memory.map(Address(MAPPED), MAPPED_SIZE);
    lay_out_stack(emulator, image, file, &mut state);
    for function in image.indirect_functions() {
        // Start-up calls the resolver that it finds there.
        let slot = image.read_pointer(function.slot).unwrap_or(function.resolver);
        let _ = state.memory.store(function.slot, image.arch().pointer_size(), slot.0);
    }
    // AArch64's start file has a function that only branches to `main`.
    kernel.stop_at = ["main", "__wrap_main"]
        .iter()
        .filter_map(|name| Some(image.symbol_named(name)?.address))
        .collect();
    let limits =
        Limits { instructions: 5_000_000, undo: false, depth: 10_000, ..Limits::default() };
    state.enter(image.entry(), emulator.entry_context());
    let outcome = emulator.run(&mut state, &mut kernel, &limits);
    kernel.stop_at.clear();
    match outcome.exit {
        Exit::Stopped { .. } => Ok((state, kernel)),
        exit => Err(format!("start-up: {exit:?}")),
    }
}

/// Puts the program's name, an empty environment and the auxiliary vector where the stack begins.
fn lay_out_stack(emulator: &Emulator<'_>, image: &Image, file: &[u8], state: &mut State<'_>) {
    let word = u64::from(image.arch().pointer_size());
    let top = emulator.layout().initial_stack_pointer();
    let text = top.offset(0x800);
    let (header, entry_size, count) = program_headers(image, file);
    let mut words = vec![1, text.0, 0, 0];
    // Types of the entries: `include/uapi/linux/auxvec.h`.
    for (kind, value) in [
        (3, header),
        (4, entry_size),
        (5, count),
        (6, PAGE),
        (9, image.entry().0),
        (11, 1000),
        (12, 1000),
        (13, 1000),
        (14, 1000),
        (16, 0),
        (17, 100),
        (23, 0),
        (25, text.0 + 0x20),
        (0, 0),
    ] {
        words.extend([kind, value]);
    }
    // The stack is mapped above its first pointer, too.
    let _ = state.memory.write(text, b"conformance\0");
    for (index, value) in words.iter().enumerate() {
        let _ = state.memory.store(top.offset(word * index as u64), word as u32, *value);
    }
    // SPARC leaves room for the windows of the first frame below what is found there.
    let room =
        if matches!(image.arch().family, Family::Sparc | Family::SparcV8Plus) { 64 } else { 0 };
    let pointer = emulator.abi().stack_pointer;
    state.set_register(&pointer, top.0 - room);
}

/// Address, entry size and number of the program headers in memory.
fn program_headers(image: &Image, file: &[u8]) -> (u64, u64, u64) {
    let (wide, endian) = (image.arch().pointer_size() == 8, image.arch().endian);
    let field = |narrow: usize, wide_at: usize, size: usize| {
        let at = if wide { wide_at } else { narrow };
        file.get(at..at + size).map_or(0, |bytes| endian.read_uint(bytes))
    };
    let offset = field(28, 32, if wide { 8 } else { 4 });
    let first = image.segments().iter().find(|segment| segment.data.starts_with(b"\x7fELF"));
    (first.map_or(0, |segment| segment.address.0 + offset), field(42, 54, 2), field(44, 56, 2))
}
