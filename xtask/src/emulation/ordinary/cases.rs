//! What ordinary programs are asked to do.

/// The folder in which every program begins. Names and contents are the same for both machines.
pub(crate) const FILES: [(&str, &[u8]); 4] = [
    ("five", b"abcde"),
    ("fruit", b"banana\napple\ncherry 12\napple\nfig 3\n"),
    ("numbers", b"10\n9\n100\n1\n"),
    ("text", include_bytes!("../../../../ARCHITECTURE.md")),
];

/// One thing that a program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// Its arguments, the program's name first.
    pub(crate) arguments: Vec<String>,
    /// What comes from its standard input.
    pub(crate) input: &'static str,
}

/// The status with which the program that asks the kernel leaves the handler of its breakpoint.
pub(crate) const SYSTEM_STATUS: i32 = 7;

/// The only case of the program that asks the kernel.
pub(crate) fn system() -> Case {
    case((&["system"], ""))
}

/// BusyBox's applets, with what comes from standard input.
const BUSYBOX: [(&[&str], &str); 42] = [
    (&["echo", "-e", "one\\ttwo"], ""),
    (&["cat", "fruit", "numbers"], ""),
    (&["cat", "none"], ""),
    (&["sort", "fruit"], ""),
    (&["sort", "-n", "-r"], "3\n20\n1\n"),
    (&["wc", "text"], ""),
    (&["md5sum", "text", "fruit"], ""),
    (&["sha1sum", "text"], ""),
    (&["sha256sum", "text"], ""),
    (&["sha512sum", "text"], ""),
    (&["expr", "6", "*", "7"], ""),
    (&["ls"], ""),
    (&["ls", "-1a", "."], ""),
    (&["find", "fruit", "text", "-type", "f"], ""),
    (&["stat", "-c", "%n %s %F", "text"], ""),
    (&["test", "-f", "text"], ""),
    (&["test", "-d", "text"], ""),
    (&["awk", "{ n += length($0); print NR, $1 } END { print n, 7 / 3 }", "fruit"], ""),
    (&["sed", "s/a\\(.\\)/<\\1>/g", "fruit"], ""),
    (&["grep", "-n", "the", "text"], ""),
    (&["uniq", "-c"], "a\na\nb\n"),
    (&["tr", "a-z", "A-Z"], "quick brown\n"),
    (&["cut", "-d", " ", "-f", "2", "fruit"], ""),
    (&["head", "-n", "3", "text"], ""),
    (&["tail", "-n", "2", "text"], ""),
    (&["seq", "1", "7"], ""),
    (&["od", "-x", "numbers"], ""),
    (&["hexdump", "-C", "numbers"], ""),
    (&["printf", "%05d|%x|%s\\n", "42", "255", "x"], ""),
    (&["dc", "-e", "2 100 ^ p"], ""),
    (&["bc"], "2^64\nscale=20\n1/7\n"),
    (&["base64", "fruit"], ""),
    (&["factor", "1234567890"], ""),
    (&["tac", "fruit"], ""),
    (&["diff", "fruit", "numbers"], ""),
    (&["cmp", "fruit", "numbers"], ""),
    (&["bzip2", "-c", "text"], ""),
    (&["date", "-u", "-d", "@86400", "+%Y-%m-%d %H:%M:%S"], ""),
    (&["ash", "-c", "i=0; while [ $i -lt 5 ]; do echo $((i*i)); i=$((i+1)); done"], ""),
    (&["ash", "-c", "read a b; echo $b-$a; test -e text && echo there; cd /; pwd"], "one two\n"),
    (&["true"], ""),
    (&["false"], ""),
];

/// Lua's scripts, with what comes from standard input.
const LUA: [(&str, &str); 2] = [
    (include_str!("../../../../crates/linux/ordinary/words.lua"), "pear\napple\nbanana\n"),
    (include_str!("../../../../crates/linux/ordinary/machine.lua"), ""),
];

/// A case of these arguments and this input.
pub(super) fn case((arguments, input): (&[&str], &'static str)) -> Case {
    Case { arguments: arguments.iter().map(|it| (*it).to_owned()).collect(), input }
}

/// What BusyBox is asked to do: `echo`, `cat`, sums, `sort`, `awk`, `ash` and others.
pub(super) fn busybox() -> Vec<Case> {
    let with_name = |case: Case| Case {
        arguments: std::iter::once("busybox".to_owned()).chain(case.arguments).collect(),
        ..case
    };
    BUSYBOX.into_iter().map(case).map(with_name).collect()
}

/// What Lua is asked to do: the scripts of `crates/linux/ordinary`.
pub(super) fn lua() -> Vec<Case> {
    LUA.into_iter().map(|(script, input)| case((&["lua", "-e", script], input))).collect()
}
