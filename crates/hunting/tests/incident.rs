//! A small incident with known truth: exactly what was planted is confirmed, exactly what nothing can be
//! said of is possible. The whole is recorded in `bench/hunting.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    missing_docs
)]

#[path = "../examples/incident/world.rs"]
mod world;

use std::collections::BTreeSet;

use miyaburi_hunting::behaviour::Behaviours;
use miyaburi_hunting::coverage::{EXPECTED, Threshold};
use miyaburi_hunting::holders::Holders;
use miyaburi_hunting::indicators::{self, Indicators};
use miyaburi_hunting::scope::{Accounts, Lists, Question, Rules, Scope, State, Suspicions};
use miyaburi_hunting::time::{Clock, Moment};
use miyaburi_hunting::{Options, events};
use world::{ATTACKERS, BEGINS, BEHAVIOURS, DAY, LOST, SHARDS, Size, World};

/// 121 days, so that the lost week is among them.
const SMALL: Size = Size {
    accounts: 8_000,
    contracts: 130,
    touched: 600,
    touched_contracts: 20,
    mail_contracts: 3,
    key_contracts: 11,
    days: 121,
    daily: 3_000,
};

/// All logs with their names.
fn logs(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut logs: Vec<(String, Vec<u8>)> = Vec::new();
    for shard in 0..SHARDS {
        let (mut imap, mut web) = (Vec::new(), Vec::new());
        world.write_imap(shard, &mut imap).unwrap();
        world.write_web(shard, &mut web).unwrap();
        logs.extend([(format!("imap-{shard}.log"), imap), (format!("web-{shard}.log"), web)]);
    }
    let mut queries = Vec::new();
    world.write_dns(&mut queries).unwrap();
    logs.push(("queries.log".to_owned(), queries));
    logs
}

/// Accounts with a class of data.
type Touched = BTreeSet<(String, String)>;

/// What is confirmed and what is possible, the sums, and the sources with gaps.
fn answered(world: &World) -> (Touched, Touched, Lists, Vec<String>) {
    let mut table = Vec::new();
    world.write_accounts(&mut table).unwrap();
    let mut accounts = Accounts::read(table.as_slice()).unwrap();
    let suspicions = Suspicions::default();
    let rules = Rules::read(World::RULES.as_bytes(), &mut accounts).unwrap();
    let mut indicators = Indicators::default();
    let list = ATTACKERS.join("\n");
    indicators::read(&mut list.as_bytes(), &mut indicators, &mut |error| panic!("{error}"))
        .unwrap();
    indicators.seal();
    let until = Moment::from_unix(BEGINS + SMALL.days * DAY);
    let question = Question {
        since: Moment::from_unix(BEGINS),
        until,
        indicators: &indicators,
        rules: &rules,
        suspicions: &suspicions,
        holders: &Holders::default(),
        threshold: Threshold::Expected(EXPECTED),
        pseudonyms: None,
    };
    let mut scope = Scope::new(&accounts, question);
    let options = Options { format: None, clock: Clock::utc(until) };
    for (name, log) in &logs(world) {
        let mut reading = scope.begin(name);
        let scanned = events(log.as_slice(), name, &options, &mut |event, at| {
            scope.look(&mut reading, event, at);
        });
        let scanned = scanned.unwrap();
        assert!(scanned.unread == 0 && scanned.events > 1000, "{name}: {scanned:?}");
        scope.end(reading);
    }
    let (mut confirmed, mut possible) = (Touched::new(), Touched::new());
    let lists = scope.finish(|row| {
        for class in row.data_classes.split(';') {
            let key = (row.account.clone(), class.to_owned());
            match row.state {
                State::Confirmed => assert!(confirmed.insert(key)),
                State::Possible => assert!(possible.insert(key)),
                State::Excluded => {}
            }
        }
        Ok::<_, ()>(())
    });
    let gaps = scope.gaps().into_iter().map(|gap| gap.source).collect();
    (confirmed, possible, lists.unwrap(), gaps)
}

#[test]
fn scope_is_exactly_what_was_planted() {
    let world = World::new(SMALL);
    let truth = &world.truth;
    assert_eq!(truth.credentials.len(), 600);
    let (confirmed, possible, lists, gaps) = answered(&world);
    assert_eq!(gaps, [format!("web-{}.log", LOST.0)]);
    let planted = |class: &str, list: &[u64]| -> Vec<(String, String)> {
        list.iter().map(|account| (world.name(*account), class.to_owned())).collect()
    };
    let expected = [
        planted("credentials", &truth.credentials),
        planted("mail", &truth.mail),
        planted("third_party", &truth.keys),
    ];
    assert_eq!(confirmed, expected.concat().into_iter().collect());
    // What the lost log would have told: mail and keys of the accounts of that server.
    let is_lost = |account: &str| {
        let number: u64 = account[1..account.find('@').unwrap()].parse().unwrap();
        number % SHARDS == LOST.0
    };
    assert!(possible.iter().all(|(account, class)| is_lost(account) && class != "credentials"));
    let touched = truth.mail.iter().filter(|it| *it % SHARDS == LOST.0).count();
    let mail = possible.iter().filter(|(_, class)| class == "mail").count();
    assert_eq!(mail as u64, SMALL.accounts / SHARDS - touched as u64);
    let told = |class: &str| {
        let total = lists.classes.iter().find(|total| total.data_class == class).unwrap();
        (total.confirmed, total.confirmed_contracts)
    };
    assert_eq!(told("credentials"), (600, 20));
    assert_eq!(told("mail").1, 3);
    assert_eq!(told("third_party"), (11, 11));
}

/// Behaviours are told on the day on which they begin. What else is told on all days and in all logs of
/// ordinary use: users on the way at an hour at which they never were.
#[test]
fn what_is_on_no_list_is_told_on_its_first_day() {
    let world = World::new(SMALL);
    let options =
        Options { format: None, clock: Clock::utc(Moment::from_unix(BEGINS + SMALL.days * DAY)) };
    let mut firewall = Vec::new();
    world.write_firewall(&mut firewall).unwrap();
    let mut all = logs(&world);
    all.push(("gate.log".to_owned(), firewall));
    let mut behaviours = Behaviours::default();
    let mut alerts: Vec<(String, String, i64)> = Vec::new();
    for (name, log) in &all {
        let scanned = events(log.as_slice(), name, &options, &mut |event, at| {
            behaviours.look(event, at, &mut |alert| {
                let behaviour = serde_json::to_value(alert.behaviour).unwrap();
                let day = (alert.time.unix() - BEGINS) / DAY;
                alerts.push((alert.entity, behaviour.as_str().unwrap().to_owned(), day));
            });
        });
        scanned.unwrap();
    }
    for (entity, behaviour, day) in BEHAVIOURS {
        let first = alerts.iter().find(|alert| alert.0 == entity && alert.1 == behaviour);
        assert_eq!(first.map(|alert| alert.2), Some(day), "{entity} {behaviour}");
    }
    let planted = |alert: &&(String, String, i64)| {
        BEHAVIOURS.iter().any(|(entity, behaviour, _)| alert.0 == *entity && alert.1 == *behaviour)
    };
    let others: Vec<_> = alerts.iter().filter(|alert| !planted(alert)).collect();
    assert!(others.iter().all(|alert| alert.1 == "first_network"), "{others:?}");
    assert!(others.len() < 40, "{} false alerts: {others:?}", others.len());
    eprintln!("{} false alerts in {} days", others.len(), SMALL.days);
}
