//! Lines of strace, and which of them may not be behind the wall.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// Where files may be opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed<'a> {
    /// Inputs: files, and directories with all below them.
    pub(super) read: &'a [PathBuf],
    /// Directories of outputs that are no single file.
    pub(super) written: &'a [PathBuf],
}

/// What of sockets, programs and processes may not even be tried.
const FORBIDDEN: [&str; 21] = [
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "execve",
    "execveat",
    "fork",
    "vfork",
    "ptrace",
    "kill",
    "unlink",
    "unlinkat",
    "rename",
    "renameat2",
    "truncate",
    "io_uring_setup",
];

/// Flags of `open` that write.
const WRITING: [&str; 6] = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"];

/// What was called behind the last filter that was installed, a line for each; `None` without one.
pub(super) fn behind_the_wall(trace: &str) -> Option<Vec<String>> {
    let lines = whole_lines(trace);
    let installs =
        |line: &String| line.contains("SECCOMP_SET_MODE_FILTER") && line.ends_with("= 0");
    let last = lines.iter().rposition(installs)?;
    lines.get(last + 1..).map(<[String]>::to_vec)
}

/// The lines of a trace in the order in which they begin: where threads take turns, strace breaks off
/// and goes on further below.
fn whole_lines(trace: &str) -> Vec<String> {
    const BROKEN: &str = " <unfinished ...>";
    const RESUMED: &str = " resumed>";
    let mut lines: Vec<String> = Vec::new();
    let mut broken: HashMap<&str, usize> = HashMap::new();
    for line in trace.lines() {
        let thread = line.split(' ').next().unwrap_or(line);
        if let Some(start) = line.strip_suffix(BROKEN) {
            broken.insert(thread, lines.len());
            lines.push(start.to_owned());
        } else if let (true, Some((_, rest))) = (line.contains("<... "), line.split_once(RESUMED))
            && let Some(start) = broken.remove(thread).and_then(|index| lines.get_mut(index))
        {
            start.push_str(rest);
        } else {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// Those of `calls` that may not be.
pub(super) fn violations<'t>(calls: &'t [String], allowed: Allowed<'_>) -> Vec<&'t str> {
    calls.iter().map(String::as_str).filter(|line| is_violation(line, allowed)).collect()
}

fn is_violation(line: &str, allowed: Allowed<'_>) -> bool {
    if line.contains("+++ killed by") {
        return true;
    }
    let Some((name, arguments)) = call(line) else { return false };
    let below = |folders: &[PathBuf]| {
        path(arguments).is_some_and(|path| folders.iter().any(|folder| path.starts_with(folder)))
    };
    match name {
        "open" | "openat" | "openat2" => {
            let writes = WRITING.iter().any(|flag| arguments.contains(flag));
            let is_allowed = if writes { below(allowed.written) } else { below(allowed.read) };
            let has_failed = arguments.contains(" = -1 ");
            !is_allowed && (writes || !has_failed)
        }
        "mkdir" | "mkdirat" => !below(allowed.written),
        "clone" | "clone3" => !arguments.contains("CLONE_THREAD"),
        _ => FORBIDDEN.contains(&name),
    }
}

/// Name and arguments of a call that begins in this line.
fn call(line: &str) -> Option<(&str, &str)> {
    // Threads of one process have their numbers in front.
    let call = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    call.split_once('(').filter(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// The first text among the arguments.
fn path(arguments: &str) -> Option<&Path> {
    arguments.split('"').nth(1).map(Path::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn bad(lines: &[&str]) -> Vec<usize> {
        let allowed = Allowed { read: &[PathBuf::from("/in")], written: &[PathBuf::from("/out")] };
        let lines = whole_lines(&lines.join("\n"));
        let found = violations(&lines, allowed);
        let is_bad = |line: &String| found.contains(&line.as_str());
        (0..).zip(&lines).filter(|(_, line)| is_bad(line)).map(|(index, _)| index).collect()
    }

    #[test]
    fn only_what_follows_the_last_filter_is_judged() {
        let trace = "7 socket(AF_INET, SOCK_STREAM, 0) = 3\n\
            7 seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=1, filter=0x1}) = 0\n\
            7 openat(AT_FDCWD, \"/in/a\", O_RDONLY) = 4\n\
            7 seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=2, filter=0x1}) = 0\n\
            7 read(4, \"\", 32) = 0\n";
        assert_eq!(behind_the_wall(trace), Some(vec!["7 read(4, \"\", 32) = 0".to_owned()]));
        assert_eq!(behind_the_wall("7 read(4, \"\", 32) = 0\n"), None);
        let refused = "7 seccomp(SECCOMP_SET_MODE_FILTER, 0, 0) = -1 EINVAL (Invalid argument)\n";
        assert_eq!(behind_the_wall(refused), None);
    }

    #[test]
    fn sockets_programs_and_processes_are_bad_even_when_refused() {
        let lines = [
            "7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP <unfinished ...>",
            "8 execve(\"/bin/true\", [\"true\"], 0x1 /* 3 vars */) = -1 EPERM",
            "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 9",
            "9 clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD}, 88) = -1 ENOSYS",
            "9 +++ killed by SIGSYS +++",
            "9 connect(3, {sa_family=AF_INET}, 16) = 0",
        ];
        assert_eq!(bad(&lines), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn files_are_opened_where_they_may() {
        let lines = [
            "7 openat(AT_FDCWD, \"/in/d/a\", O_RDONLY|O_CLOEXEC) = 4",
            "7 openat(AT_FDCWD, \"/in/d/a\", O_WRONLY|O_CLOEXEC) = -1 EPERM",
            "7 openat(AT_FDCWD, \"/out/a/b\", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 4",
            "7 openat(AT_FDCWD, \"/output\", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 4",
            "7 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 4",
            "7 openat(AT_FDCWD, \"/sys/devices\", O_RDONLY) = -1 EACCES (Permission denied)",
            "7 mkdir(\"/out/a\", 0777) = 0",
            "7 mkdir(\"/in/a\", 0777) = -1 EACCES (Permission denied)",
            "7 open(\"/in/a\", O_RDWR) = 5",
        ];
        assert_eq!(bad(&lines), [1, 3, 4, 7, 8]);
    }

    #[test]
    fn calls_that_break_off_are_put_together() {
        let lines = [
            "7 openat(AT_FDCWD, \"/sys/a\", O_RDONLY <unfinished ...>",
            "8 openat(AT_FDCWD, \"/sys/b\", O_RDONLY <unfinished ...>",
            "9 openat(AT_FDCWD, \"/sys/c\", O_RDONLY <unfinished ...>",
            "7 <... openat resumed>) = -1 EACCES (Permission denied)",
            "8 <... openat resumed>) = 4",
        ];
        // What failed, what did not, and what nobody knows of.
        assert_eq!(bad(&lines), [1, 2]);
    }

    #[test]
    fn ordinary_calls_and_threads_are_fine() {
        let lines = [
            "7 read(4, \"socket(\"..., 32) = 32",
            "7 <... futex resumed>) = 0",
            "7 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_THREAD|CLONE_SETTLS) = 8",
            "8 clone3({flags=CLONE_VM|CLONE_THREAD, stack_size=0x1}, 88) = -1 ENOSYS",
            "8 write(1, \"connect(3)\", 10) = 10",
            "8 +++ exited with 0 +++",
            "8 --- SIGURG {si_signo=SIGURG} ---",
        ];
        assert_eq!(bad(&lines), [0; 0]);
    }
}
