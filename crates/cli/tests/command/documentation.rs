//! The commands that print documentation.

use crate::common::miyaburi;
use predicates::prelude::*;
use predicates::str::contains;

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = miyaburi().args(["completions", shell]).assert().code(0);
        run.stdout(contains("extract").and(contains("max-instructions")).and(contains("dump")));
        let run = miyaburi().args(["completions", shell]).assert().code(0);
        run.stdout(contains("diff").and(contains("exit-code")).and(contains("mirai-toushi")));
    }
    miyaburi().args(["completions", "cmd"]).assert().code(2);
}

#[test]
fn the_manual_describes_every_command() {
    let page = miyaburi().arg("man").assert().code(0);
    page.stdout(contains(".TH miyaburi 1").and(contains("extract")).and(contains("score")));
    let page = miyaburi().args(["man", "extract"]).assert().code(0);
    page.stdout(contains("max\\-instructions").and(contains("time\\-limit")));
    let page = miyaburi().args(["man", "dump"]).assert().code(0);
    page.stdout(contains("stage").and(contains("pcode")).and(contains("ADDRESS")));
    let page = miyaburi().args(["man", "diff"]).assert().code(0);
    page.stdout(contains("exit\\-code").and(contains("sample.sha256 is equal")));
    let page = miyaburi().args(["man", "export"]).assert().code(0);
    page.stdout(contains("warning\\-lists").and(contains("Every entry expires")));
    miyaburi().args(["man", "sing"]).assert().code(1).stderr(contains("no command sing"));
}

#[test]
fn help_and_version_are_no_errors() {
    miyaburi().arg("--help").assert().code(0).stdout(contains("Exit codes"));
    miyaburi().arg("--version").assert().code(0).stdout(contains("miyaburi 0.1.0"));
}
