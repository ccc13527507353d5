//! `hunt --follow` from the outside: what is written shows soon, and whenever the process is killed,
//! nothing is missed and nothing is there twice.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, read_to_string, rename, write};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{at, folder, miyaburi};
use predicates::str::contains;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tempfile::TempDir;

/// How often the process is killed, unless the environment says otherwise.
const KILLS: usize = 8;

/// Where it says so.
const VARIABLE: &str = "MIYABURI_KILLS";

/// How long anything may take on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(60);

struct Logs {
    root: TempDir,
    written: u32,
}

impl Logs {
    fn new() -> Self {
        let root = folder(&[("list.txt", b"cnc.example\n"), ("dns.log", b"")]);
        Self { root, written: 0 }
    }

    fn path(&self) -> PathBuf {
        at(&self.root, "dns.log")
    }

    /// A line that is a hit, and one that is none.
    fn line(&mut self) -> String {
        self.written += 1;
        let number = self.written;
        let line = |name| {
            format!("Nov 23 04:29:09 ns dnsmasq[7]: query[A] n{number}.{name} from 192.0.2.7\n")
        };
        line("cnc.example") + &line("other.example")
    }

    fn append(&mut self, to: &mut File) {
        let line = self.line();
        to.write_all(line.as_bytes()).unwrap();
    }

    fn open(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.path()).unwrap()
    }

    fn follow(&self) -> Following {
        let command = Command::new(assert_cmd::cargo::cargo_bin!("miyaburi"))
            .args(["hunt", "--follow", "--log-format", "syslog", "-i"])
            .args([at(&self.root, "list.txt"), self.path(), "--output".into()])
            .args([at(&self.root, "hits.ndjson"), "--checkpoint".into()])
            .arg(at(&self.root, "checkpoint"))
            .spawn();
        Following(command.unwrap())
    }

    /// How often each number is among the hits. A line that is being written does not count.
    fn told(&self) -> BTreeMap<u32, usize> {
        let text = read_to_string(at(&self.root, "hits.ndjson")).unwrap_or_default();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let mut told = BTreeMap::new();
        for line in whole {
            let hit: Value = serde_json::from_str(line).unwrap();
            let name = hit["name"].as_str().unwrap();
            let number = name.strip_prefix('n').and_then(|name| name.strip_suffix(".cnc.example"));
            *told.entry(number.unwrap().parse().unwrap()).or_default() += 1;
        }
        told
    }

    fn wait_for_all(&self) {
        let since = Instant::now();
        while self.told().len() < self.written as usize {
            assert!(since.elapsed() < PATIENCE, "{} of {}", self.told().len(), self.written);
            sleep(Duration::from_millis(20));
        }
    }

    fn each_once(&self) {
        let expected: BTreeMap<u32, usize> = (1..=self.written).map(|number| (number, 1)).collect();
        assert_eq!(self.told(), expected);
    }
}

/// A process that is killed at the end.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn rotate(log: &Path) {
    let part = |number: u32| log.with_extension(format!("log.{number}"));
    for number in (1..50).rev().filter(|number| part(*number).exists()) {
        rename(part(number), part(number + 1)).unwrap();
    }
    rename(log, part(1)).unwrap();
}

#[test]
fn lines_across_rotation_and_emptying_are_told() {
    let mut logs = Logs::new();
    let mut file = logs.open();
    let following = logs.follow();
    for _ in 0..3 {
        logs.append(&mut file);
    }
    logs.wait_for_all();
    rotate(&logs.path());
    logs.append(&mut file);
    file = logs.open();
    logs.append(&mut file);
    logs.wait_for_all();
    // Copied and emptied.
    write(logs.path(), "").unwrap();
    sleep(Duration::from_millis(500));
    logs.append(&mut file);
    logs.wait_for_all();
    drop(following);
    logs.each_once();
}

#[test]
fn nothing_is_missed_or_told_twice_whenever_the_process_is_killed() {
    let kills = std::env::var(VARIABLE).map_or(KILLS, |text| text.parse().unwrap());
    let mut random = StdRng::seed_from_u64(7);
    let mut logs = Logs::new();
    let mut file = logs.open();
    for _ in 0..kills {
        let following = logs.follow();
        let killed_after = Duration::from_millis(random.random_range(0..400));
        let since = Instant::now();
        while since.elapsed() < killed_after {
            for _ in 0..random.random_range(0..40) {
                logs.append(&mut file);
            }
            if random.random_range(0..30) == 0 {
                rotate(&logs.path());
                logs.append(&mut file);
                file = logs.open();
                logs.append(&mut file);
                // Twice within the time between two looks is more than is followed.
                sleep(Duration::from_millis(800));
            }
            sleep(Duration::from_millis(random.random_range(0..10)));
        }
        drop(following);
        // Meanwhile nobody looks.
        if random.random_range(0..3) == 0 {
            logs.append(&mut file);
            rotate(&logs.path());
            file = logs.open();
            logs.append(&mut file);
            // Parts are in order by the time of their last change.
            sleep(Duration::from_millis(20));
        }
    }
    let following = logs.follow();
    logs.wait_for_all();
    drop(following);
    logs.each_once();
}

#[test]
fn what_cannot_be_followed_is_told() {
    let logs = Logs::new();
    let list = at(&logs.root, "list.txt");
    let hunt = || {
        let mut command = miyaburi();
        command.args(["hunt", "--follow", "-i"]).arg(&list);
        command
    };
    hunt().arg(logs.root.path()).assert().code(1).stderr(contains("no file that can be followed"));
    hunt().arg("-").assert().code(1).stderr(contains("no file that can be followed"));
    write(at(&logs.root, "checkpoint"), "something else").unwrap();
    hunt()
        .arg(logs.path())
        .args(["--checkpoint".into(), at(&logs.root, "checkpoint")])
        .args(["--output".into(), at(&logs.root, "out")])
        .assert()
        .code(1)
        .stderr(contains("no checkpoint"));
}
