//! What a ledger remembers, and that nothing damages it halfway.
#![allow(clippy::unwrap_used)]

mod support;

use miyaburi_export::gate::Reason;
use miyaburi_export::indicators::InForce;
use miyaburi_export::{Block, Stage, Withdrawal};
use miyaburi_ledger::{Entry, Exempt, Innocent, Kind, Ledger, LedgerError, Run, State, Withdrawn};
use miyaburi_model::EndpointRole;
use redb::backends::FileBackend;
use support::{Disk, begin, blocks, hosts, run};

const NOTHING: [Withdrawn; 0] = [];

fn revoked(ledger: &Ledger) -> Vec<String> {
    ledger.exempt().unwrap().revoked.into_iter().collect()
}

fn withdrawal(address: &str) -> Withdrawal {
    let block = blocks(1, &[address]).remove(0);
    let (since, until) = (run(1).time, block.expires);
    let in_force = InForce { since, until, run: 1 };
    Withdrawal { indicator: block.indicator, in_force, reason: Reason::Revoked(address.into()) }
}

#[test]
fn an_empty_ledger_holds_nothing() {
    let ledger = Ledger::open(Disk::new()).unwrap();
    let before = ledger.before().unwrap();
    assert_eq!((before.next_number(), before.serial(), before.runs().count()), (1, None, 0));
    assert_eq!(ledger.last_enforcement().unwrap(), None);
    assert!(hosts(&ledger, 1).is_empty());
}

#[test]
fn a_file_that_is_open_is_not_opened_again() {
    let path = tempfile::NamedTempFile::new().unwrap();
    let open = || Ledger::open(FileBackend::new(path.reopen().unwrap()).unwrap());
    let first = open().unwrap();
    assert!(matches!(open(), Err(LedgerError::InUse)));
    drop(first);
    open().unwrap();
}

#[test]
fn what_is_in_force_says_since_when_until_when_and_by_which_run() {
    let disk = Disk::new();
    let ledger = Ledger::open(disk.clone()).unwrap();
    begin(&ledger, 1, &["192.0.2.1", "192.0.2.2"], &[]).unwrap();
    ledger.complete(1, NOTHING).unwrap();
    drop(ledger);

    let ledger = Ledger::open(disk).unwrap();
    let before = ledger.before().unwrap();
    assert_eq!(before.last, Some(Run { is_complete: true, ..run(1) }));
    assert_eq!((before.next_number(), before.serial()), (2, Some(100)));
    assert_eq!(hosts(&ledger, 1), ["192.0.2.1", "192.0.2.2"]);
    let mut entries = Vec::new();
    let take = |entry: Entry| -> Result<(), LedgerError> {
        entries.push(entry);
        Ok(())
    };
    ledger.entries(1, take).unwrap();
    let until = "2026-12-01".parse().unwrap();
    assert_eq!(entries[0].in_force, InForce { since: run(1).time, until, run: 1 });
    assert_eq!(entries[0].sightings.sources[0].sha256, [1; 32]);
    // What a later run has still keeps when it began.
    let mut again = blocks(2, &["192.0.2.1"]).remove(0);
    again.in_force = Some(entries[0].in_force);
    let entry = Entry::new(&again, &run(2));
    assert_eq!((entry.in_force.since, entry.in_force.run), (run(1).time, 1));
    assert_eq!(entry.in_force.until, "2026-12-02".parse().unwrap());
}

#[test]
fn entries_of_the_last_two_runs_stay_and_all_runs_and_withdrawals() {
    let ledger = Ledger::open(Disk::new()).unwrap();
    for number in 1..=4 {
        begin(&ledger, number, &["192.0.2.1"], &[]).unwrap();
        let withdrawn = Withdrawn::new(&withdrawal(&format!("198.51.100.{number}")), number);
        ledger.complete(number, [withdrawn]).unwrap();
    }
    let left: Vec<usize> = (1..=4).map(|number| hosts(&ledger, number).len()).collect();
    assert_eq!(left, [0, 0, 1, 1]);
    assert_eq!(ledger.runs().unwrap().len(), 4);
    let mut withdrawn = Vec::new();
    let take = |it: Withdrawn| -> Result<(), LedgerError> {
        withdrawn.push((it.withdrawn_by, it.indicator.host.to_string(), it.reason, it.detail));
        Ok(())
    };
    ledger.withdrawn_after(0, take).unwrap();
    assert_eq!(withdrawn.len(), 4);
    let (by, host) = (2, "198.51.100.2".to_owned());
    let expected = (by, host.clone(), "revoked".to_owned(), format!("revoked: {host}"));
    assert_eq!(withdrawn[1], expected);
    let mut later = Vec::new();
    let take = |it: Withdrawn| -> Result<(), LedgerError> {
        later.push(it.withdrawn_by);
        Ok(())
    };
    ledger.withdrawn_after(2, take).unwrap();
    assert_eq!(later, [3, 4]);
}

#[test]
fn a_run_that_was_stopped_may_be_in_force_until_the_next_one_ends() {
    let ledger = Ledger::open(Disk::new()).unwrap();
    begin(&ledger, 1, &["192.0.2.1"], &[]).unwrap();
    ledger.complete(1, NOTHING).unwrap();
    begin(&ledger, 2, &["192.0.2.2"], &[]).unwrap();
    let before = ledger.before().unwrap();
    let numbers: Vec<u64> = before.runs().map(|run| run.number).collect();
    assert_eq!((numbers, before.next_number()), (vec![1, 2], 3));
    // A roll back undoes it, though it did not come to its end.
    let back = ledger.last_enforcement().unwrap().unwrap();
    assert_eq!((back.undone.number, back.target.unwrap().number), (2, 1));
    begin(&ledger, 3, &["192.0.2.3"], &[]).unwrap();
    ledger.complete(3, NOTHING).unwrap();
    assert_eq!(ledger.before().unwrap().runs().count(), 1);
    let left: Vec<usize> = (1..=3).map(|number| hosts(&ledger, number).len()).collect();
    assert_eq!(left, [1, 0, 1]);
}

#[test]
fn a_roll_back_returns_to_the_run_before_and_is_none_itself() {
    let ledger = Ledger::open(Disk::new()).unwrap();
    begin(&ledger, 1, &["192.0.2.1"], &[]).unwrap();
    ledger.complete(1, NOTHING).unwrap();
    // Before the first run nothing was in force.
    let back = ledger.last_enforcement().unwrap().unwrap();
    assert_eq!((back.undone.number, back.target), (1, None));
    assert_eq!(back.state, State::default());
    begin(&ledger, 2, &["192.0.2.2"], &[]).unwrap();
    ledger.complete(2, NOTHING).unwrap();
    let back = ledger.last_enforcement().unwrap().unwrap();
    assert_eq!((back.undone.number, back.target.unwrap().number, back.state.reports), (2, 1, 1));

    let undo = Run { kind: Kind::RollBack(2), stage: Stage::Log, ..run(3) };
    ledger.begin(&undo, &State::default(), [], &Default::default()).unwrap();
    // One that was stopped is done again.
    assert_eq!(ledger.last_enforcement().unwrap().unwrap().undone.number, 2);
    ledger.complete(3, NOTHING).unwrap();
    assert_eq!(ledger.last_enforcement().unwrap(), None);
    begin(&ledger, 4, &["192.0.2.4"], &[]).unwrap();
    ledger.complete(4, NOTHING).unwrap();
    let back = ledger.last_enforcement().unwrap().unwrap();
    assert_eq!((back.undone.number, back.target.unwrap().number), (4, 3));
}

#[test]
fn what_was_taken_back_is_remembered_until_it_is_told_otherwise() {
    let ledger = Ledger::open(Disk::new()).unwrap();
    begin(&ledger, 1, &[], &["192.0.2.0/24", "cnc.example"]).unwrap();
    assert_eq!(revoked(&ledger), ["192.0.2.0/24", "cnc.example"]);
    begin(&ledger, 2, &[], &["cnc.example"]).unwrap();
    assert_eq!(revoked(&ledger), ["cnc.example"]);
}

#[test]
fn who_is_innocent_is_remembered_as_the_last_run_had_it() {
    let disk = Disk::new();
    let ledger = Ledger::open(disk.clone()).unwrap();
    let innocent = |address| {
        let Block { mut indicator, sightings, .. } = blocks(1, &[address]).remove(0);
        indicator.role = EndpointRole::Decoy;
        Innocent { indicator, sightings }
    };
    for addresses in [&["192.0.2.1", "192.0.2.2"][..], &["192.0.2.2"]] {
        let innocent: Vec<Innocent> = addresses.iter().copied().map(innocent).collect();
        let exempt = Exempt { innocent, ..Exempt::default() };
        ledger.begin(&run(1), &State::default(), [], &exempt).unwrap();
        assert_eq!(ledger.exempt().unwrap(), exempt);
    }
    drop(ledger);
    let [left] = Ledger::open(disk).unwrap().exempt().unwrap().innocent.try_into().unwrap();
    assert_eq!(left, innocent("192.0.2.2"));
}

/// A process that dies at any write leaves a ledger that holds what it held before or what it was to
/// hold, and nothing between.
#[test]
fn killed_at_any_write_it_holds_all_of_a_run_or_nothing_of_it() {
    let disk = Disk::new();
    let ledger = Ledger::open(disk.clone()).unwrap();
    let first = ["192.0.2.1", "192.0.2.2"];
    begin(&ledger, 1, &first, &["203.0.113.1"]).unwrap();
    ledger.complete(1, NOTHING).unwrap();
    drop(ledger);

    let second: Vec<String> = (0..200).map(|number| format!("198.51.100.{number}")).collect();
    let second: Vec<&str> = second.iter().map(String::as_str).collect();
    let mut seen = std::collections::BTreeSet::new();
    let is_done = (0..10_000).any(|writes| {
        let dying = disk.reopened(writes);
        let work = || -> Result<(), LedgerError> {
            let ledger = Ledger::open(dying.clone())?;
            begin(&ledger, 2, &second, &["203.0.113.2"])?;
            ledger.complete(2, [Withdrawn::new(&withdrawal("192.0.2.1"), 2)])
        };
        let ended = work().is_ok();
        let ledger = Ledger::open(dying.reopened(usize::MAX)).unwrap();
        let before = ledger.before().unwrap();
        assert_eq!(hosts(&ledger, 1), first, "after {writes} writes");
        let state = match (before.last.unwrap().number, before.stopped.len()) {
            (1, 0) => {
                assert!(hosts(&ledger, 2).is_empty());
                assert_eq!(revoked(&ledger), ["203.0.113.1"]);
                "before"
            }
            (1, 1) => {
                assert_eq!(hosts(&ledger, 2).len(), second.len());
                assert_eq!(revoked(&ledger), ["203.0.113.2"]);
                "begun"
            }
            (2, 0) => {
                assert_eq!(hosts(&ledger, 2).len(), second.len());
                "complete"
            }
            other => unreachable!("{other:?} after {writes} writes"),
        };
        seen.insert(state);
        ended && dying.is_whole()
    });
    assert!(is_done);
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["before", "begun", "complete"]);
}

#[test]
fn a_file_that_is_no_ledger_is_refused() {
    let disk = Disk::with(b"host,port\n192.0.2.1,23\n".repeat(1000));
    assert!(matches!(Ledger::open(disk), Err(LedgerError::NotALedger)));
}
