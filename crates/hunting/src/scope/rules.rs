//! What access reads which class of data.

use core::net::IpAddr;
use std::io::Read;

use ipnet::IpNet;

use super::accounts::{Accounts, ClassNumber, TableError};
use crate::event::{Event, Kind, Outcome};

/// One rule: an event that fits reads data of the class. What is none fits all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    class: ClassNumber,
    kind: Option<Kind>,
    /// Beginning of the path.
    url: Option<Box<[u8]>>,
    server: Option<IpNet>,
    port: Option<u16>,
}

/// The rules.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    all: Vec<Rule>,
}

impl Rules {
    /// Without a table: whoever logs in to an account, or makes a request with it, reads all that it
    /// holds.
    #[must_use]
    pub fn usual(accounts: &Accounts) -> Self {
        let rules = accounts.classes().flat_map(|(class, _)| {
            [Kind::Login, Kind::WebRequest].map(|kind| {
                let kind = Some(kind);
                Rule { class, kind, url: None, server: None, port: None }
            })
        });
        Self { all: rules.collect() }
    }

    /// Reads a table: `data_class` and any of `event`, `url` (the beginning of the path), `server` (an
    /// address or network) and `port`. What a row leaves empty fits all.
    ///
    /// # Errors
    /// When it cannot be read or says what is not understood.
    pub fn read(reader: impl Read, accounts: &mut Accounts) -> Result<Self, TableError> {
        let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let head = table.headers()?.clone();
        let place = |name: &str| head.iter().position(|column| column == name);
        let class_at = place("data_class").ok_or(TableError::Column("data_class"))?;
        let mut all = Vec::new();
        for record in table.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |name: &str| {
                place(name).and_then(|place| record.get(place)).filter(|cell| !cell.is_empty())
            };
            let wrong = |column: &'static str| {
                let value = cell(column).unwrap_or_default().to_owned();
                TableError::Cell { line, column, value }
            };
            let class = record.get(class_at).filter(|class| !class.is_empty());
            let class = class.ok_or_else(|| wrong("data_class"))?;
            all.push(Rule {
                class: accounts.class(class).ok_or(TableError::Classes(line))?,
                kind: read_cell(cell("event"), kind).ok_or_else(|| wrong("event"))?,
                url: cell("url").map(|url| url.as_bytes().into()),
                server: read_cell(cell("server"), network).ok_or_else(|| wrong("server"))?,
                port: read_cell(cell("port"), |text| text.parse().ok())
                    .ok_or_else(|| wrong("port"))?,
            });
        }
        Ok(Self { all })
    }

    /// The classes that the event reads, unless it failed; one may come twice.
    pub(super) fn read_by(&self, event: &Event<'_>) -> impl Iterator<Item = ClassNumber> {
        let has_failed = event.outcome == Some(Outcome::Failure);
        let fits = move |rule: &&Rule| !has_failed && rule.fits(event);
        self.all.iter().filter(fits).map(|rule| rule.class)
    }
}

impl Rule {
    fn fits(&self, event: &Event<'_>) -> bool {
        let Self { kind, url, server, port, .. } = self;
        kind.is_none_or(|kind| kind == event.kind)
            && port.is_none_or(|port| event.port == Some(port))
            && server.is_none_or(|net| event.server.is_some_and(|server| net.contains(&server)))
            && url.as_ref().is_none_or(|url| event.url.is_some_and(|it| it.starts_with(url)))
    }
}

/// Nothing of an empty cell, else what `read` makes of it; `None` when that is nothing.
fn read_cell<T>(cell: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match cell {
        None => Some(None),
        Some(text) => read(text).map(Some),
    }
}

fn kind(text: &str) -> Option<Kind> {
    Kind::NAMED.into_iter().find(|kind| kind.name() == text)
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
