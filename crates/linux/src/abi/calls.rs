//! The system calls of Linux, and the numbers that each of its ABIs gives them.
//!
//! Source: `asm/unistd.h` of each architecture, Linux 6.1. `_` where an ABI lacks a call.

/// Names all system calls with their numbers under the ABIs of [`Numbering`], in its order.
macro_rules! system_calls {
    ($($variant:ident $name:literal [$($number:tt),*];)*) => {
        /// A system call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is named as the kernel names it")]
        pub enum SystemCall {
            $($variant,)*
        }

        impl SystemCall {
            /// The kernel's name for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        /// Every system call with its numbers.
        const NUMBERS: &[(SystemCall, [Option<u32>; 9])] =
            &[$((SystemCall::$variant, [$(number!($number)),*]),)*];
    };
}

macro_rules! number {
    (_) => {
        None
    };
    ($number:literal) => {
        Some($number)
    };
}

/// Which numbers a CPU's ABI gives to system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// i386.
    X86,
    /// x86-64.
    X86_64,
    /// ARM, both byte orders.
    Arm,
    /// AArch64 and RISC-V.
    Generic,
    /// MIPS, o32.
    Mips,
    /// PowerPC, 32 bits.
    PowerPc,
    /// SPARC, 32 bits.
    Sparc,
    /// SuperH.
    SuperH,
    /// 68000 and ColdFire.
    M68k,
}

impl Numbering {
    /// Every call that this ABI has, by number.
    pub fn calls(self) -> impl Iterator<Item = (u32, SystemCall)> {
        NUMBERS.iter().filter_map(move |(call, numbers)| {
            let number = numbers.get(self as usize).copied().flatten()?;
            Some((number, *call))
        })
    }
}

#[rustfmt::skip]
system_calls! {
    Exit "exit" [1, 60, 1, 93, 4001, 1, 1, 1, 1];
    ExitGroup "exit_group" [252, 231, 248, 94, 4246, 234, 188, 252, 247];
    Fork "fork" [2, 57, 2, _, 4002, 2, 2, 2, 2];
    Vfork "vfork" [190, 58, 190, _, _, 189, 66, 190, 190];
    Clone "clone" [120, 56, 120, 220, 4120, 120, 217, 120, 120];
    Clone3 "clone3" [435, 435, 435, 435, 4435, 435, _, _, 435];
    Execve "execve" [11, 59, 11, 221, 4011, 11, 59, 11, 11];
    Waitpid "waitpid" [7, _, _, _, 4007, 7, 212, 7, 7];
    Wait4 "wait4" [114, 61, 114, 260, 4114, 114, 7, 114, 114];
    Waitid "waitid" [284, 247, 280, 95, 4278, 272, 279, 284, 277];
    Read "read" [3, 0, 3, 63, 4003, 3, 3, 3, 3];
    Write "write" [4, 1, 4, 64, 4004, 4, 4, 4, 4];
    Readv "readv" [145, 19, 145, 65, 4145, 145, 120, 145, 145];
    Writev "writev" [146, 20, 146, 66, 4146, 146, 121, 146, 146];
    Pread64 "pread64" [180, 17, 180, 67, 4200, 179, 67, 180, 180];
    Pwrite64 "pwrite64" [181, 18, 181, 68, 4201, 180, 68, 181, 181];
    Open "open" [5, 2, 5, _, 4005, 5, 5, 5, 5];
    Openat "openat" [295, 257, 322, 56, 4288, 286, 284, 295, 288];
    Creat "creat" [8, 85, 8, _, 4008, 8, 8, 8, 8];
    Close "close" [6, 3, 6, 57, 4006, 6, 6, 6, 6];
    Lseek "lseek" [19, 8, 19, 62, 4019, 19, 19, 19, 19];
    Llseek "_llseek" [140, _, 140, _, 4140, 140, 236, 140, 140];
    Stat "stat" [106, 4, 106, _, 4106, 106, 38, 106, 106];
    Lstat "lstat" [107, 6, 107, _, 4107, 107, 40, 107, 107];
    Fstat "fstat" [108, 5, 108, 80, 4108, 108, 62, 108, 108];
    Stat64 "stat64" [195, _, 195, _, 4213, 195, 139, 195, 195];
    Lstat64 "lstat64" [196, _, 196, _, 4214, 196, 132, 196, 196];
    Fstat64 "fstat64" [197, _, 197, _, 4215, 197, 63, 197, 197];
    Newfstatat "newfstatat" [_, 262, _, 79, _, _, _, _, _];
    Fstatat64 "fstatat64" [300, _, 327, _, 4293, 291, 289, 300, 293];
    Statx "statx" [383, 332, 397, 291, 4366, 383, 360, 383, 379];
    Access "access" [33, 21, 33, _, 4033, 33, 33, 33, 33];
    Faccessat "faccessat" [307, 269, 334, 48, 4300, 298, 296, 307, 300];
    Faccessat2 "faccessat2" [439, 439, 439, 439, 4439, 439, 439, 439, 439];
    Readlink "readlink" [85, 89, 85, _, 4085, 85, 58, 85, 85];
    Readlinkat "readlinkat" [305, 267, 332, 78, 4298, 296, 294, 305, 298];
    Unlink "unlink" [10, 87, 10, _, 4010, 10, 10, 10, 10];
    Unlinkat "unlinkat" [301, 263, 328, 35, 4294, 292, 290, 301, 294];
    Rename "rename" [38, 82, 38, _, 4038, 38, 128, 38, 38];
    Chdir "chdir" [12, 80, 12, 49, 4012, 12, 12, 12, 12];
    Getcwd "getcwd" [183, 79, 183, 17, 4203, 182, 119, 183, 183];
    Mkdir "mkdir" [39, 83, 39, _, 4039, 39, 136, 39, 39];
    Mkdirat "mkdirat" [296, 258, 323, 34, 4289, 287, 285, 296, 289];
    Rmdir "rmdir" [40, 84, 40, _, 4040, 40, 137, 40, 40];
    Chmod "chmod" [15, 90, 15, _, 4015, 15, 15, 15, 15];
    Getdents "getdents" [141, 78, 141, _, 4141, 141, 174, 141, 141];
    Getdents64 "getdents64" [220, 217, 217, 61, 4219, 202, 154, 220, 220];
    Dup "dup" [41, 32, 41, 23, 4041, 41, 41, 41, 41];
    Dup2 "dup2" [63, 33, 63, _, 4063, 63, 90, 63, 63];
    Dup3 "dup3" [330, 292, 358, 24, 4327, 316, 320, 330, 326];
    Pipe "pipe" [42, 22, 42, _, 4042, 42, 42, 42, 42];
    Pipe2 "pipe2" [331, 293, 359, 59, 4328, 317, 321, 331, 327];
    Fcntl "fcntl" [55, 72, 55, 25, 4055, 55, 92, 55, 55];
    Fcntl64 "fcntl64" [221, _, 221, _, 4220, 204, 155, 221, 239];
    Ioctl "ioctl" [54, 16, 54, 29, 4054, 54, 54, 54, 54];
    Umask "umask" [60, 95, 60, 166, 4060, 60, 60, 60, 60];
    Sync "sync" [36, 162, 36, 81, 4036, 36, 36, 36, 36];
    Fsync "fsync" [118, 74, 118, 82, 4118, 118, 95, 118, 118];
    Brk "brk" [45, 12, 45, 214, 4045, 45, 17, 45, 45];
    Mmap "mmap" [90, 9, _, 222, 4090, 90, 71, 90, 90];
    Mmap2 "mmap2" [192, _, 192, _, 4210, 192, 56, 192, 192];
    Munmap "munmap" [91, 11, 91, 215, 4091, 91, 73, 91, 91];
    Mprotect "mprotect" [125, 10, 125, 226, 4125, 125, 74, 125, 125];
    Mremap "mremap" [163, 25, 163, 216, 4167, 163, 250, 163, 163];
    Madvise "madvise" [219, 28, 220, 233, 4218, 205, 75, 219, 238];
    Time "time" [13, 201, _, _, 4013, 13, 231, 13, 13];
    Gettimeofday "gettimeofday" [78, 96, 78, 169, 4078, 78, 116, 78, 78];
    ClockGettime "clock_gettime" [265, 228, 263, 113, 4263, 246, 257, 265, 260];
    ClockGettime64 "clock_gettime64" [403, _, 403, _, 4403, 403, 403, 403, 403];
    ClockGetres "clock_getres" [266, 229, 264, 114, 4264, 247, 258, 266, 261];
    ClockNanosleep "clock_nanosleep" [267, 230, 265, 115, 4265, 248, 259, 267, 262];
    ClockNanosleepTime64 "clock_nanosleep_time64" [407, _, 407, _, 4407, 407, 407, 407, 407];
    Nanosleep "nanosleep" [162, 35, 162, 101, 4166, 162, 249, 162, 162];
    Alarm "alarm" [27, 37, _, _, 4027, 27, 27, 27, 27];
    Setitimer "setitimer" [104, 38, 104, 103, 4104, 104, 83, 104, 104];
    Getitimer "getitimer" [105, 36, 105, 102, 4105, 105, 86, 105, 105];
    Times "times" [43, 100, 43, 153, 4043, 43, 43, 43, 43];
    Kill "kill" [37, 62, 37, 129, 4037, 37, 37, 37, 37];
    Tkill "tkill" [238, 200, 238, 130, 4236, 208, 187, 238, 222];
    Tgkill "tgkill" [270, 234, 268, 131, 4266, 250, 211, 270, 265];
    Signal "signal" [48, _, _, _, 4048, 48, 48, 48, 48];
    Sigaction "sigaction" [67, _, 67, _, 4067, 67, 198, 67, 67];
    RtSigaction "rt_sigaction" [174, 13, 174, 134, 4194, 173, 102, 174, 174];
    Sigprocmask "sigprocmask" [126, _, 126, _, 4126, 126, 220, 126, 126];
    RtSigprocmask "rt_sigprocmask" [175, 14, 175, 135, 4195, 174, 103, 175, 175];
    Sigreturn "sigreturn" [119, _, 119, _, 4119, 119, 216, 119, 119];
    RtSigreturn "rt_sigreturn" [173, 15, 173, 139, 4193, 172, 101, 173, 173];
    Sigsuspend "sigsuspend" [72, _, 72, _, 4072, 72, 201, 72, 72];
    RtSigsuspend "rt_sigsuspend" [179, 130, 179, 133, 4199, 178, 107, 179, 179];
    Pause "pause" [29, 34, 29, _, 4029, 29, 29, 29, 29];
    Sigaltstack "sigaltstack" [186, 131, 186, 132, 4206, 185, 28, 186, 186];
    Getpid "getpid" [20, 39, 20, 172, 4020, 20, 20, 20, 20];
    Getppid "getppid" [64, 110, 64, 173, 4064, 64, 197, 64, 64];
    Gettid "gettid" [224, 186, 224, 178, 4222, 207, 143, 224, 221];
    Getuid "getuid" [24, 102, 24, 174, 4024, 24, 24, 24, 24];
    Geteuid "geteuid" [49, 107, 49, 175, 4049, 49, 49, 49, 49];
    Getgid "getgid" [47, 104, 47, 176, 4047, 47, 47, 47, 47];
    Getegid "getegid" [50, 108, 50, 177, 4050, 50, 50, 50, 50];
    Getuid32 "getuid32" [199, _, 199, _, _, _, 44, 199, 199];
    Geteuid32 "geteuid32" [201, _, 201, _, _, _, 69, 201, 201];
    Getgid32 "getgid32" [200, _, 200, _, _, _, 53, 200, 200];
    Getegid32 "getegid32" [202, _, 202, _, _, _, 70, 202, 202];
    Setuid "setuid" [23, 105, 23, 146, 4023, 23, 23, 23, 23];
    Setgid "setgid" [46, 106, 46, 144, 4046, 46, 46, 46, 46];
    Setuid32 "setuid32" [213, _, 213, _, _, _, 87, 213, 213];
    Setgid32 "setgid32" [214, _, 214, _, _, _, 89, 214, 214];
    Setsid "setsid" [66, 112, 66, 157, 4066, 66, 175, 66, 66];
    Setpgid "setpgid" [57, 109, 57, 154, 4057, 57, 185, 57, 57];
    Getpgrp "getpgrp" [65, 111, 65, _, 4065, 65, 81, 65, 65];
    Getpgid "getpgid" [132, 121, 132, 155, 4132, 132, 224, 132, 132];
    Getsid "getsid" [147, 124, 147, 156, 4151, 147, 252, 147, 147];
    Uname "uname" [122, 63, 122, 160, 4122, 122, 189, 122, 122];
    Sysinfo "sysinfo" [116, 99, 116, 179, 4116, 116, 214, 116, 116];
    Getrlimit "getrlimit" [76, 97, _, 163, 4076, 76, 144, 76, 76];
    Ugetrlimit "ugetrlimit" [191, _, 191, _, _, 190, _, 191, 191];
    Setrlimit "setrlimit" [75, 160, 75, 164, 4075, 75, 145, 75, 75];
    Prlimit64 "prlimit64" [340, 302, 369, 261, 4338, 325, 331, 339, 339];
    Getrusage "getrusage" [77, 98, 77, 165, 4077, 77, 117, 77, 77];
    Prctl "prctl" [172, 157, 172, 167, 4192, 171, 147, 172, 172];
    ArchPrctl "arch_prctl" [384, 158, _, _, _, _, _, _, _];
    SetThreadArea "set_thread_area" [243, 205, _, _, 4283, _, _, _, 334];
    GetThreadArea "get_thread_area" [244, 211, _, _, _, _, _, _, 333];
    SetTls "set_tls" [_, _, 0xf0005, _, _, _, _, _, _];
    SetTidAddress "set_tid_address" [258, 218, 256, 96, 4252, 232, 166, 258, 253];
    SetRobustList "set_robust_list" [311, 273, 338, 99, 4309, 300, 300, 311, 304];
    Rseq "rseq" [386, 334, 398, 293, 4367, 387, 365, 387, 384];
    Futex "futex" [240, 202, 240, 98, 4238, 221, 142, 240, 235];
    FutexTime64 "futex_time64" [422, _, 422, _, 4422, 422, 422, 422, 422];
    SchedYield "sched_yield" [158, 24, 158, 124, 4162, 158, 245, 158, 158];
    SchedGetaffinity "sched_getaffinity" [242, 204, 242, 123, 4240, 223, 260, 242, 312];
    Getrandom "getrandom" [355, 318, 384, 278, 4353, 359, 347, 373, 352];
    Ptrace "ptrace" [26, 101, 26, 117, 4026, 26, 26, 26, 26];
    Reboot "reboot" [88, 169, 88, 142, 4088, 88, 55, 88, 88];
    Socketcall "socketcall" [102, _, _, _, 4102, 102, 206, 102, 102];
    Socket "socket" [359, 41, 281, 198, 4183, 326, 97, 340, 356];
    Socketpair "socketpair" [360, 53, 288, 199, 4184, 333, 135, 347, 357];
    Bind "bind" [361, 49, 282, 200, 4169, 327, 353, 341, 358];
    Connect "connect" [362, 42, 283, 203, 4170, 328, 98, 342, 359];
    Listen "listen" [363, 50, 284, 201, 4174, 329, 354, 343, 360];
    Accept "accept" [_, 43, 285, 202, 4168, 330, 99, 344, _];
    Accept4 "accept4" [364, 288, 366, 242, 4334, 344, 323, 358, 361];
    Getsockname "getsockname" [367, 51, 286, 204, 4172, 331, 150, 345, 364];
    Getpeername "getpeername" [368, 52, 287, 205, 4171, 332, 141, 346, 365];
    Send "send" [_, _, 289, _, 4178, 334, _, 348, _];
    Sendto "sendto" [369, 44, 290, 206, 4180, 335, 133, 349, 366];
    Recv "recv" [_, _, 291, _, 4175, 336, _, 350, _];
    Recvfrom "recvfrom" [371, 45, 292, 207, 4176, 337, 125, 351, 368];
    Shutdown "shutdown" [373, 48, 293, 210, 4182, 338, 134, 352, 370];
    Setsockopt "setsockopt" [366, 54, 294, 208, 4181, 339, 355, 353, 363];
    Getsockopt "getsockopt" [365, 55, 295, 209, 4173, 340, 118, 354, 362];
    Sendmsg "sendmsg" [370, 46, 296, 211, 4179, 341, 114, 355, 367];
    Recvmsg "recvmsg" [372, 47, 297, 212, 4177, 342, 113, 356, 369];
    Sendmmsg "sendmmsg" [345, 307, 374, 269, 4343, 349, 336, 363, 372];
    Recvmmsg "recvmmsg" [337, 299, 365, 243, 4335, 343, 328, 357, 371];
    Select "select" [82, 23, _, _, _, 82, 93, _, 82];
    NewSelect "_newselect" [142, _, 142, _, 4142, 142, 230, 142, 142];
    Pselect6 "pselect6" [308, 270, 335, 72, 4301, 280, 297, 308, 301];
    Pselect6Time64 "pselect6_time64" [413, _, 413, _, 4413, 413, 413, 413, 413];
    Poll "poll" [168, 7, 168, _, 4188, 167, 153, 168, 168];
    Ppoll "ppoll" [309, 271, 336, 73, 4302, 281, 298, 309, 302];
    PpollTime64 "ppoll_time64" [414, _, 414, _, 4414, 414, 414, 414, 414];
    EpollCreate "epoll_create" [254, 213, 250, _, 4248, 236, 193, 254, 249];
    EpollCreate1 "epoll_create1" [329, 291, 357, 20, 4326, 315, 319, 329, 325];
    EpollCtl "epoll_ctl" [255, 233, 251, 21, 4249, 237, 194, 255, 250];
    EpollWait "epoll_wait" [256, 232, 252, _, 4250, 238, 195, 256, 251];
    EpollPwait "epoll_pwait" [319, 281, 346, 22, 4313, 303, 309, 319, 315];
    Cacheflush "cacheflush" [_, _, 0xf0002, _, 4147, _, _, 123, 123];
    Sysmips "sysmips" [_, _, _, _, 4149, _, _, _, _];
    AtomicCmpxchg32 "atomic_cmpxchg_32" [_, _, _, _, _, _, _, _, 335];
    AtomicBarrier "atomic_barrier" [_, _, _, _, _, _, _, _, 336];
    Getcpu "getcpu" [318, 309, 345, 168, 4312, 302, 308, 318, 314];
    GetMempolicy "get_mempolicy" [275, 239, 320, 236, 4269, 260, 304, 275, 269];
    Membarrier "membarrier" [375, 324, 389, 283, 4358, 365, 351, 378, 374];
}

#[cfg(test)]
mod tests {
    use super::{Numbering, SystemCall};

    #[test]
    fn numbers_are_those_of_the_headers() {
        let number = |abi: Numbering, wanted| {
            abi.calls().find(|(_, call)| *call == wanted).map(|(number, _)| number)
        };
        assert_eq!(number(Numbering::X86_64, SystemCall::Write), Some(1));
        assert_eq!(number(Numbering::Mips, SystemCall::Connect), Some(4170));
        assert_eq!(number(Numbering::Arm, SystemCall::SetTls), Some(0xf0005));
        assert_eq!(number(Numbering::Generic, SystemCall::Fork), None);
        assert_eq!(number(Numbering::M68k, SystemCall::GetThreadArea), Some(333));
        assert_eq!(SystemCall::Llseek.name(), "_llseek");
    }
}
