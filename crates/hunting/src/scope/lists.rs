//! What is answered: a row for every account, and its sums.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::accounts::{AccountNumber, ClassNumber};
use super::{Access, Scope, State};
use crate::coverage::Gap;
use crate::sources::is_named;
use crate::time::Moment;

/// What became of the classes of one account that share state and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The account.
    pub account: String,
    /// Its contract.
    pub contract: String,
    /// The classes, with semicolons between.
    pub data_classes: String,
    /// What became of them.
    pub state: State,
    /// Why.
    pub reason: String,
    /// The first access, where it is confirmed.
    pub first: Option<Moment>,
    /// The last.
    pub last: Option<Moment>,
    /// How many.
    pub accesses: u64,
    /// The file with the first.
    pub file: String,
    /// The byte at which its line begins.
    pub offset: Option<u64>,
    /// SHA-256 of the line.
    pub line_sha256: String,
}

/// The accounts of one contract that hold data of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContractLine {
    /// The contract.
    pub contract: String,
    /// The class.
    pub data_class: String,
    /// Accounts that were touched.
    pub confirmed: u64,
    /// Accounts of which it cannot be said.
    pub possible: u64,
    /// Accounts that were not.
    pub excluded: u64,
}

/// Accounts and contracts of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassTotal {
    /// The class.
    pub data_class: String,
    /// Accounts that were touched.
    pub confirmed: u64,
    /// Contracts with such an account.
    pub confirmed_contracts: u64,
    /// Accounts of which it cannot be said.
    pub possible: u64,
    /// Contracts with such an account and none that was touched.
    pub possible_contracts: u64,
    /// Accounts that were not touched.
    pub excluded: u64,
    /// Contracts with such accounts alone.
    pub excluded_contracts: u64,
}

/// All sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// By contract and class.
    pub contracts: Vec<ContractLine>,
    /// By class.
    pub classes: Vec<ClassTotal>,
}

/// Why nothing can be excluded for the accounts of one list of sources, class by class; of a class that
/// is not in it, something can.
type Missing = BTreeMap<ClassNumber, String>;

impl Scope<'_> {
    /// Hands a row for every account to `take`, in the order of the table, and gives the sums.
    ///
    /// # Errors
    /// What `take` fails with, which ends it.
    pub fn finish<E>(&self, mut take: impl FnMut(&Row) -> Result<(), E>) -> Result<Lists, E> {
        let gaps = self.gaps();
        let mut missing: FxHashMap<u32, Missing> = FxHashMap::default();
        let mut counts: BTreeMap<(&str, ClassNumber), [u64; 3]> = BTreeMap::new();
        for account in self.accounts.numbers() {
            let (list, sources) = self.accounts.sources(account);
            let missing = missing.entry(list).or_insert_with(|| self.missing(sources, &gaps));
            let mut rows: Vec<Row> = Vec::new();
            for (class, name) in self.accounts.classes() {
                if !self.accounts.holds(account, class) {
                    continue;
                }
                let row = self.judge(account, class, name, missing);
                let contract = self.accounts.contract(account);
                let counted = counts.entry((contract, class)).or_default();
                if let Some(count) = counted.get_mut(row.state as usize) {
                    *count += 1;
                }
                let same = |it: &&mut Row| it.state == row.state && it.reason == row.reason;
                match rows.iter_mut().find(same).filter(|it| it.state != State::Confirmed) {
                    Some(known) => {
                        known.data_classes.push(';');
                        known.data_classes.push_str(name);
                    }
                    None => rows.push(row),
                }
            }
            rows.iter().try_for_each(&mut take)?;
        }
        Ok(self.sums(&counts))
    }

    fn judge(
        &self,
        account: AccountNumber,
        class: ClassNumber,
        name: &str,
        missing: &Missing,
    ) -> Row {
        let row = |state, reason: String| Row {
            account: self.accounts.name(account),
            contract: self.accounts.contract(account).to_owned(),
            data_classes: name.to_owned(),
            state,
            reason,
            first: None,
            last: None,
            accesses: 0,
            file: String::new(),
            offset: None,
            line_sha256: String::new(),
        };
        if let Some(Access { first, last, count, file, offset, line }) =
            self.accesses.get(&(account, class))
        {
            let file = self.files.get(*file as usize).cloned().unwrap_or_default();
            return Row {
                first: Some(*first),
                last: Some(*last),
                accesses: *count,
                file,
                offset: Some(*offset),
                line_sha256: hex::encode(line),
                ..row(State::Confirmed, "accessed by an indicator".to_owned())
            };
        }
        if self.undated.contains(&(account, class)) {
            return row(State::Possible, "accessed by an indicator at an unknown time".to_owned());
        }
        let suspicions = self.question.suspicions;
        if let Some(suspicion) = suspicions.of_account(&self.accounts.name(account)) {
            return row(State::Possible, format!("an alert: {suspicion}"));
        }
        if let Some(suspicion) = self.suspected.get(&(account, class)) {
            return row(
                State::Possible,
                format!("accessed by the client of an alert: {suspicion}"),
            );
        }
        if let Some(reason) = missing.get(&class) {
            return row(State::Possible, reason.clone());
        }
        let reason = match self.attempts.get(&account) {
            Some(_) => "touched by an indicator, but no access that reads this",
            None => "no access by an indicator, no gap",
        };
        row(State::Excluded, reason.to_owned())
    }

    /// What is missing for accounts whose records are in these sources.
    fn missing(&self, sources: &str, gaps: &[Gap]) -> Missing {
        let named: Vec<&str> =
            sources.split(';').map(str::trim).filter(|it| !it.is_empty()).collect();
        let is_theirs =
            |source: &str| named.is_empty() || named.iter().any(|name| is_named(source, name));
        let absent = named.iter().find(|name| !self.telling.keys().any(|it| is_named(it, name)));
        let mut missing = Missing::new();
        for (class, _) in self.accounts.classes() {
            let telling: BTreeSet<&str> = self
                .telling
                .iter()
                .filter(|(source, classes)| classes.contains(&class) && is_theirs(source))
                .map(|(source, _)| source.as_str())
                .collect();
            let lost: Vec<String> = gaps
                .iter()
                .filter(|gap| telling.contains(gap.source.as_str()))
                .map(|gap| {
                    let source = self.shown(&gap.source);
                    format!("{source} is silent from {} until {}", gap.from, gap.until)
                })
                .collect();
            let reason = match absent {
                Some(name) => format!("no log of {}", self.shown(name)),
                None if telling.is_empty() => "no log tells of such accesses".to_owned(),
                None if lost.is_empty() => continue,
                None => lost.join("; "),
            };
            missing.insert(class, reason);
        }
        missing
    }

    /// What a source is called.
    fn shown(&self, source: &str) -> String {
        let pseudonym = self.question.pseudonyms.map(|pseudonyms| pseudonyms.text(source));
        pseudonym.unwrap_or_else(|| source.to_owned())
    }

    fn sums(&self, counts: &BTreeMap<(&str, ClassNumber), [u64; 3]>) -> Lists {
        let mut lists = Lists::default();
        for (class, name) in self.accounts.classes() {
            let mut total = ClassTotal { data_class: name.to_owned(), ..ClassTotal::default() };
            for ((contract, _), [confirmed, possible, excluded]) in
                counts.iter().filter(|((_, of), _)| *of == class)
            {
                total.confirmed += confirmed;
                total.possible += possible;
                total.excluded += excluded;
                let state = match (confirmed, possible) {
                    (1.., _) => &mut total.confirmed_contracts,
                    (0, 1..) => &mut total.possible_contracts,
                    (0, 0) => &mut total.excluded_contracts,
                };
                *state += 1;
                lists.contracts.push(ContractLine {
                    contract: (*contract).to_owned(),
                    data_class: name.to_owned(),
                    confirmed: *confirmed,
                    possible: *possible,
                    excluded: *excluded,
                });
            }
            lists.classes.push(total);
        }
        lists.contracts.sort_by(|one, other| {
            (&one.contract, &one.data_class).cmp(&(&other.contract, &other.data_class))
        });
        lists
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::{Accounts, Question, Rules, Suspicions};
    use super::*;
    use crate::coverage::Threshold;
    use crate::event::{Event, Kind, Outcome};
    use crate::holders::Holders;
    use crate::hunt::Sighted;
    use crate::indicators::{Indicator, Indicators, Validity, Value};

    const ACCOUNTS: &str = "\
account,contract,data_classes,sources
Alice@a.example,a,login;mail,imap-1
bob@a.example,a,login;mail,imap-1
carol@b.example,b,login,imap-2
dave@b.example,b,login;keys,imap-2
erin@c.example,c,login,imap-9
";

    const RULES: &str =
        "data_class,event,url\nlogin,login,\nmail,web_request,/mail/\nkeys,web_request,/keys\n";

    fn attacker() -> Indicators {
        let mut indicators = Indicators::default();
        let value = Value::parse("203.0.113.9").unwrap();
        let validity = Validity::default();
        indicators.insert(Indicator { validity, ..Indicator::from(value) });
        indicators.seal();
        indicators
    }

    fn login(minute: i64, client: &str, account: &'static str, outcome: Outcome) -> Event<'static> {
        Event {
            client: client.parse().ok(),
            account: Some(account.as_bytes()),
            outcome: Some(outcome),
            ..Event::new(Kind::Login, Some(Moment::from_unix(minute * 60)))
        }
    }

    /// Twenty days of logins every ten minutes in both sources, the second lost for a day.
    fn answered(own: &[(&str, Event<'static>)]) -> (Vec<(String, String, State, String)>, Lists) {
        answered_with("", own)
    }

    fn answered_with(
        alerts: &str,
        own: &[(&str, Event<'static>)],
    ) -> (Vec<(String, String, State, String)>, Lists) {
        const DAYS: i64 = 20;
        let mut accounts = Accounts::read(ACCOUNTS.as_bytes()).unwrap();
        let rules = Rules::read(RULES.as_bytes(), &mut accounts).unwrap();
        let (indicators, holders) = (attacker(), Holders::default());
        let mut suspicions = Suspicions::default();
        suspicions.read(alerts.as_bytes(), Moment(0), Moment::from_unix(DAYS * 86_400)).unwrap();
        let question = Question {
            since: Moment(0),
            until: Moment::from_unix(DAYS * 86_400),
            indicators: &indicators,
            rules: &rules,
            suspicions: &suspicions,
            holders: &holders,
            threshold: Threshold::Expected(20.0),
            pseudonyms: None,
        };
        let mut scope = Scope::new(&accounts, question);
        for file in ["logs/imap-1/mail.log", "logs/imap-2.log.1", "logs/web/access.log"] {
            let mut reading = scope.begin(file);
            for minute in (0..DAYS * 1440).step_by(10) {
                if file.contains("imap-2") && (7200..8640).contains(&minute) {
                    continue;
                }
                let mut event = login(minute, "198.51.100.1", "bob@a.example", Outcome::Success);
                if file.contains("web") {
                    event =
                        Event { url: Some(b"/mail/1"), ..Event::new(Kind::WebRequest, event.time) };
                }
                scope.look(&mut reading, &event, Sighted { file, offset: 0, line: b"x" });
            }
            for (_, event) in own.iter().filter(|(of, _)| *of == file) {
                scope.look(&mut reading, event, Sighted { file, offset: 7, line: b"the line" });
            }
            scope.end(reading);
        }
        let mut rows = Vec::new();
        let lists = scope.finish(|row| {
            rows.push((
                row.account.clone(),
                row.data_classes.clone(),
                row.state,
                row.reason.clone(),
            ));
            Ok::<_, ()>(())
        });
        (rows, lists.unwrap())
    }

    fn states(rows: &[(String, String, State, String)]) -> Vec<(&str, &str, State)> {
        rows.iter().map(|row| (row.0.as_str(), row.1.as_str(), row.2)).collect()
    }

    #[test]
    fn without_an_access_what_is_complete_is_excluded() {
        let (rows, lists) = answered(&[]);
        let expected = [
            ("alice@a.example", "login", State::Excluded),
            // The table says that her records are in the mail server's log, and that tells of no mail.
            ("alice@a.example", "mail", State::Possible),
            ("bob@a.example", "login", State::Excluded),
            ("bob@a.example", "mail", State::Possible),
            ("carol@b.example", "login", State::Possible),
            ("dave@b.example", "login", State::Possible),
            ("dave@b.example", "keys", State::Possible),
            ("erin@c.example", "login", State::Possible),
        ];
        assert_eq!(states(&rows), expected);
        let lost = "logs/imap-2.log is silent from 1970-01-05T23:50:00Z until 1970-01-07T00:00:00Z";
        assert_eq!(rows[4].3, lost);
        assert_eq!(rows[6].3, "no log tells of such accesses");
        assert_eq!(rows[7].3, "no log of imap-9");
        let login = &lists.classes[0];
        assert_eq!((login.confirmed, login.possible, login.excluded), (0, 3, 2));
        assert_eq!((login.possible_contracts, login.excluded_contracts), (2, 1));
    }

    #[test]
    fn an_access_confirms_its_class_and_a_failure_nothing() {
        let (first, web) = ("logs/imap-1/mail.log", "logs/web/access.log");
        let read = Event {
            url: Some(b"/mail/7"),
            kind: Kind::WebRequest,
            ..login(90, "203.0.113.9", "carol@b.example", Outcome::Success)
        };
        let (rows, lists) = answered(&[
            (first, login(60, "203.0.113.9", "alice@A.example", Outcome::Success)),
            (first, login(61, "203.0.113.9", "bob@a.example", Outcome::Failure)),
            (first, login(62, "203.0.113.9", "nobody", Outcome::Success)),
            // She has no mail that could be read.
            (web, read),
            // Outside of the span.
            (first, login(-5, "203.0.113.9", "bob@a.example", Outcome::Success)),
        ]);
        assert_eq!(states(&rows)[0], ("alice@a.example", "login", State::Confirmed));
        assert_eq!(states(&rows)[2], ("bob@a.example", "login", State::Excluded));
        assert_eq!(rows[2].3, "touched by an indicator, but no access that reads this");
        assert_eq!(states(&rows)[4], ("carol@b.example", "login", State::Possible));
        assert_eq!(lists.classes[0].confirmed_contracts, 1);
        let a = lists.contracts.iter().find(|it| it.contract == "a" && it.data_class == "login");
        let a = a.unwrap();
        assert_eq!((a.confirmed, a.possible, a.excluded), (1, 0, 1));
    }

    #[test]
    fn what_an_alert_tells_of_is_possible() {
        let alert = |behaviour: &str, entity: &str| {
            format!(
                "{{\"behaviour\":\"{behaviour}\",\"entity\":\"{entity}\",\
                 \"time\":\"1970-01-02T00:00:00Z\"}}\n"
            )
        };
        let alerts = alert("reset", "Bob@a.example") + &alert("many_accounts", "192.0.2.66");
        let first = "logs/imap-1/mail.log";
        let (rows, _) = answered_with(
            &alerts,
            &[
                (first, login(60, "192.0.2.66", "alice@a.example", Outcome::Success)),
                (first, login(61, "203.0.113.9", "bob@a.example", Outcome::Success)),
            ],
        );
        let of = |place: usize| (states(&rows)[place], rows[place].3.as_str());
        let reason = "accessed by the client of an alert: many_accounts at 1970-01-02T00:00:00Z";
        assert_eq!(of(0), (("alice@a.example", "login", State::Possible), reason));
        // What the client did not read is judged as before.
        assert_eq!(of(1).1, "no log tells of such accesses");
        assert_eq!(of(2).0, ("bob@a.example", "login", State::Confirmed));
        let reason = "an alert: reset at 1970-01-02T00:00:00Z";
        assert_eq!(of(3), (("bob@a.example", "mail", State::Possible), reason));
        let failed = [(first, login(60, "192.0.2.66", "alice@a.example", Outcome::Failure))];
        let (rows, _) = answered_with(&alerts, &failed);
        assert_eq!(states(&rows)[0].2, State::Excluded);
    }

    #[test]
    fn sources_are_named_by_folder_or_file() {
        for source in ["logs/imap-1/mail.log", "imap-1.log", "imap-1"] {
            assert!(is_named(source, "imap-1"), "{source}");
        }
        for source in ["logs/imap-10/mail.log", "ximap-1", "imap/1"] {
            assert!(!is_named(source, "imap-1"), "{source}");
        }
    }

    #[test]
    fn tables_that_are_none() {
        let error = |text: &str| Accounts::read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error("account,contract\na,b\n"), "no column \"data_classes\"");
        assert_eq!(error("account,contract,data_classes\n,b,c\n"), "line 2: account \"\"");
        let many: Vec<String> = (0..17).map(|number| format!("c{number}")).collect();
        let many = format!("account,contract,data_classes\na,b,{}\n", many.join(";"));
        assert_eq!(error(&many), "line 2: more than 16 classes of data");
        let mut accounts = Accounts::default();
        let rules = |text: &str, accounts: &mut Accounts| {
            Rules::read(text.as_bytes(), accounts).unwrap_err().to_string()
        };
        assert_eq!(rules("data_class,event\nx,y\n", &mut accounts), "line 2: event \"y\"");
    }
}
