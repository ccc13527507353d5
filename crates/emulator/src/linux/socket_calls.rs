//! The socket calls of each CPU's Linux ABI, direct or through `socketcall`, those that make
//! processes and those that ask for memory.
//!
//! Source: the kernel's `syscall.tbl` and `unistd.h` of each architecture.

use crate::abi::Abi;
use crate::machine::State;
use core::ops::RangeInclusive;
use miyaburi_image::{Arch, Family};
use miyaburi_pcode::{Language, Varnode};

/// A system call on sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketCall {
    /// `socket(domain, type, protocol)`
    Socket,
    /// `bind(fd, address, length)`
    Bind,
    /// `connect(fd, address, length)`
    Connect,
    /// `listen(fd, backlog)`
    Listen,
    /// `accept(fd, address, length)`
    Accept,
    /// `send(fd, bytes, length, flags)`
    Send,
    /// `sendto(fd, bytes, length, flags, address, length)`
    SendTo,
}

use SocketCall::{Accept, Bind, Connect, Listen, Send, SendTo, Socket};

/// `socketcall`'s first argument.
const MULTIPLEXED: &[(u64, SocketCall)] =
    &[(1, Socket), (2, Bind), (3, Connect), (4, Listen), (5, Accept), (9, Send), (11, SendTo)];

/// Numbers of one ABI.
struct Numbers {
    register: &'static str,
    multiplexer: Option<u64>,
    direct: &'static [(u64, SocketCall)],
    /// All calls about sockets stand here, or in `direct`.
    sockets: RangeInclusive<u64>,
    /// `fork`, `vfork` and `clone`.
    processes: &'static [u64],
    /// `brk`, `mmap`, `mmap2` and `mremap`.
    memory: &'static [u64],
}

fn numbers(family: Family) -> Numbers {
    match family {
        Family::X86 => Numbers {
            register: "EAX",
            multiplexer: Some(102),
            direct: &[
                (359, Socket),
                (361, Bind),
                (362, Connect),
                (363, Listen),
                (364, Accept),
                (369, SendTo),
            ],
            sockets: 359..=373,
            processes: &[2, 120, 190],
            memory: &[45, 90, 163, 192],
        },
        Family::X86_64 => Numbers {
            register: "RAX",
            multiplexer: None,
            direct: &[
                (41, Socket),
                (42, Connect),
                (43, Accept),
                (44, SendTo),
                (49, Bind),
                (50, Listen),
            ],
            sockets: 41..=55,
            processes: &[56, 57, 58],
            memory: &[9, 12, 25],
        },
        Family::Arm => Numbers {
            register: "r7",
            multiplexer: Some(102),
            direct: &[
                (281, Socket),
                (282, Bind),
                (283, Connect),
                (284, Listen),
                (285, Accept),
                (289, Send),
                (290, SendTo),
            ],
            sockets: 281..=297,
            processes: &[2, 120, 190],
            memory: &[45, 90, 163, 192],
        },
        Family::AArch64 | Family::RiscV64 => Numbers {
            register: if family == Family::AArch64 { "x8" } else { "a7" },
            multiplexer: None,
            direct: &[
                (198, Socket),
                (200, Bind),
                (201, Listen),
                (202, Accept),
                (203, Connect),
                (206, SendTo),
            ],
            sockets: 198..=212,
            processes: &[220],
            memory: &[214, 216, 222],
        },
        Family::Mips => Numbers {
            register: "v0",
            multiplexer: Some(4102),
            direct: &[
                (4168, Accept),
                (4169, Bind),
                (4170, Connect),
                (4174, Listen),
                (4178, Send),
                (4180, SendTo),
                (4183, Socket),
            ],
            sockets: 4168..=4184,
            processes: &[4002, 4120],
            memory: &[4045, 4090, 4167, 4210],
        },
        Family::PowerPc => Numbers {
            register: "r0",
            multiplexer: Some(102),
            direct: &[
                (326, Socket),
                (327, Bind),
                (328, Connect),
                (329, Listen),
                (330, Accept),
                (334, Send),
                (335, SendTo),
            ],
            sockets: 326..=342,
            processes: &[2, 120, 189],
            memory: &[45, 90, 163, 192],
        },
        Family::Sparc | Family::SparcV8Plus => Numbers {
            register: "g1",
            multiplexer: Some(206),
            direct: &[
                (97, Socket),
                (98, Connect),
                (99, Accept),
                (133, SendTo),
                (353, Bind),
                (354, Listen),
            ],
            sockets: 353..=355,
            processes: &[2, 66, 217],
            memory: &[17, 56, 71, 250],
        },
        Family::SuperH => Numbers {
            register: "r3",
            multiplexer: Some(102),
            direct: &[
                (340, Socket),
                (341, Bind),
                (342, Connect),
                (343, Listen),
                (344, Accept),
                (348, Send),
                (349, SendTo),
            ],
            sockets: 340..=356,
            processes: &[2, 120, 190],
            memory: &[45, 90, 163, 192],
        },
        Family::M68k | Family::ColdFire => Numbers {
            register: "D0",
            multiplexer: Some(102),
            direct: &[(356, Socket), (358, Bind), (359, Connect), (360, Listen), (366, SendTo)],
            sockets: 356..=370,
            processes: &[2, 120, 190],
            memory: &[45, 90, 163, 192],
        },
    }
}

/// Registers that carry a system call's first argument where that is not the first argument
/// register of functions.
const fn first_argument(family: Family) -> Option<&'static str> {
    match family {
        Family::X86 => Some("EBX"),
        Family::M68k | Family::ColdFire => Some("D1"),
        _ => None,
    }
}

/// Reads which socket call a machine is about to make.
#[derive(Clone, Debug)]
pub struct SystemCallSite {
    number: Varnode,
    first: Option<Varnode>,
    numbers: &'static [(u64, SocketCall)],
    multiplexer: Option<u64>,
    sockets: RangeInclusive<u64>,
    processes: &'static [u64],
    memory: &'static [u64],
}

impl SystemCallSite {
    /// For the ABI of `arch`; `None` when the language has not the registers of that CPU.
    #[must_use]
    pub fn new(arch: Arch, language: &dyn Language, abi: &Abi) -> Option<Self> {
        let numbers = numbers(arch.family);
        let first = match first_argument(arch.family) {
            Some(name) => language.register(name),
            None => abi.argument_registers.first().copied(),
        };
        Some(Self {
            number: language.register(numbers.register)?,
            first,
            numbers: numbers.direct,
            multiplexer: numbers.multiplexer,
            sockets: numbers.sockets,
            processes: numbers.processes,
            memory: numbers.memory,
        })
    }

    /// The socket call that `state` is about to make; `instruction_number` is what the trap
    /// instruction itself carries (the old ARM ABI puts the number there).
    #[must_use]
    pub fn socket_call(&self, state: &State<'_>, instruction_number: u64) -> Option<SocketCall> {
        let number = self.number(state, instruction_number);
        let find = |table: &[(u64, SocketCall)], wanted| {
            table.iter().find(|(number, _)| *number == wanted).map(|(_, call)| *call)
        };
        if Some(number) == self.multiplexer {
            return find(MULTIPLEXED, state.register(self.first.as_ref()?));
        }
        find(self.numbers, number)
    }

    /// Whether `state` is about to make a call about sockets, of whatever kind.
    #[must_use]
    pub fn is_about_sockets(&self, state: &State<'_>, instruction_number: u64) -> bool {
        let number = self.number(state, instruction_number);
        Some(number) == self.multiplexer
            || self.sockets.contains(&number)
            || self.numbers.iter().any(|(direct, _)| *direct == number)
    }

    /// Whether `state` is about to make a process, as `fork` does.
    #[must_use]
    pub fn makes_process(&self, state: &State<'_>, instruction_number: u64) -> bool {
        self.processes.contains(&self.number(state, instruction_number))
    }

    /// Whether `state` is about to ask for memory.
    #[must_use]
    pub fn asks_for_memory(&self, state: &State<'_>, instruction_number: u64) -> bool {
        self.memory.contains(&self.number(state, instruction_number))
    }

    fn number(&self, state: &State<'_>, instruction_number: u64) -> u64 {
        const OLD_ARM_BASE: u64 = 0x90_0000;
        match instruction_number.checked_sub(OLD_ARM_BASE) {
            Some(number) if number < 1000 => number,
            _ => state.register(&self.number) & 0xffff_ffff,
        }
    }
}
