//! Accounts, whose contract they belong to, what data they hold, and where records of them are.

use std::io::{self, Read};

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

/// Classes of data that can be told apart.
pub const MOST_CLASSES: usize = 16;

/// The place of an account in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountNumber(u32);

/// The place of a data class among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassNumber(u8);

/// Why a table is none.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is no CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A column that is needed is not there.
    #[error("no column {0:?}")]
    Column(&'static str),
    /// A cell says nothing that is understood.
    #[error("line {line}: {column} {value:?}")]
    Cell {
        /// Counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
    },
    /// More classes of data than can be told apart.
    #[error("line {0}: more than {MOST_CLASSES} classes of data")]
    Classes(u64),
    /// More accounts than can be counted.
    #[error("too many accounts")]
    Accounts,
}

/// What is known of an account.
#[derive(Clone, Copy, Debug)]
struct Account {
    contract: u32,
    /// A bit for each class.
    classes: u16,
    /// The place of its list of sources.
    sources: u32,
}

/// The table: `account,contract,data_classes` and, where an account's records are in some sources only,
/// `sources`; classes and sources are separated by semicolons.
#[derive(Debug, Default)]
pub struct Accounts {
    names: IndexSet<Box<[u8]>, FxBuildHasher>,
    all: Vec<Account>,
    contracts: IndexSet<Box<str>, FxBuildHasher>,
    classes: IndexSet<Box<str>, FxBuildHasher>,
    sources: IndexSet<Box<str>, FxBuildHasher>,
}

impl Accounts {
    /// Reads the table. An account that stands in it twice holds the classes of both rows, for the
    /// contract of the first.
    ///
    /// # Errors
    /// When it cannot be read, lacks a column or has too many classes.
    pub fn read(reader: impl Read) -> Result<Self, TableError> {
        let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let head = table.headers()?.clone();
        let place = |name: &'static str| {
            head.iter().position(|column| column == name).ok_or(TableError::Column(name))
        };
        let (account, contract, classes) =
            (place("account")?, place("contract")?, place("data_classes")?);
        let sources = place("sources").ok();
        let mut all = Self::default();
        let mut record = csv::StringRecord::new();
        while table.read_record(&mut record)? {
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |place: usize| record.get(place).unwrap_or_default();
            let sources = sources.map(cell).unwrap_or_default();
            all.insert(cell(account), cell(contract), cell(classes), sources, line)?;
        }
        Ok(all)
    }

    fn insert(
        &mut self,
        account: &str,
        contract: &str,
        classes: &str,
        sources: &str,
        line: u64,
    ) -> Result<(), TableError> {
        if account.is_empty() {
            let value = String::new();
            return Err(TableError::Cell { line, column: "account", value });
        }
        let mut mask = 0;
        for class in classes.split(';').map(str::trim).filter(|class| !class.is_empty()) {
            let number = self.class(class).ok_or(TableError::Classes(line))?;
            mask |= 1_u16 << number.0;
        }
        let name = account.to_ascii_lowercase().into_bytes().into_boxed_slice();
        let (number, is_new) = self.names.insert_full(name);
        if !is_new {
            self.all.get_mut(number).into_iter().for_each(|known| known.classes |= mask);
            return Ok(());
        }
        let small = |number: usize| u32::try_from(number).map_err(|_| TableError::Accounts);
        small(number)?;
        let contract = small(interned(&mut self.contracts, contract))?;
        let sources = small(interned(&mut self.sources, sources))?;
        self.all.push(Account { contract, classes: mask, sources });
        Ok(())
    }

    /// The number of a class, which is given one when it is new; `None` when there are too many.
    pub(super) fn class(&mut self, name: &str) -> Option<ClassNumber> {
        let number = interned(&mut self.classes, name);
        if number < MOST_CLASSES { u8::try_from(number).ok().map(ClassNumber) } else { None }
    }

    /// All classes.
    pub(super) fn classes(&self) -> impl Iterator<Item = (ClassNumber, &str)> {
        (0..).map(ClassNumber).zip(self.classes.iter().map(|name| &**name))
    }

    /// The account of this name, in any case of ASCII letters.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<AccountNumber> {
        let known = if name.iter().any(u8::is_ascii_uppercase) {
            self.names.get_index_of(name.to_ascii_lowercase().as_slice())
        } else {
            self.names.get_index_of(name)
        };
        known.and_then(|number| u32::try_from(number).ok()).map(AccountNumber)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All accounts in the order of the table.
    pub(super) fn numbers(&self) -> impl Iterator<Item = AccountNumber> + use<> {
        (0..u32::try_from(self.all.len()).unwrap_or(u32::MAX)).map(AccountNumber)
    }

    /// The name, as it is compared.
    pub(super) fn name(&self, account: AccountNumber) -> String {
        let name = self.names.get_index(account.0 as usize).map(|name| &**name).unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }

    /// The contract.
    pub(super) fn contract(&self, account: AccountNumber) -> &str {
        let known = self.get(account).and_then(|it| self.contracts.get_index(it.contract as usize));
        known.map(|name| &**name).unwrap_or_default()
    }

    /// The list of sources in which its records are, as the table spells it; empty when in all.
    pub(super) fn sources(&self, account: AccountNumber) -> (u32, &str) {
        let Some(number) = self.get(account).map(|it| it.sources) else { return (0, "") };
        let list = self.sources.get_index(number as usize).map(|list| &**list);
        (number, list.unwrap_or_default())
    }

    /// Whether it holds data of this class.
    pub(super) fn holds(&self, account: AccountNumber, class: ClassNumber) -> bool {
        self.get(account).is_some_and(|account| account.classes >> class.0 & 1 == 1)
    }

    fn get(&self, account: AccountNumber) -> Option<&Account> {
        self.all.get(account.0 as usize)
    }
}

/// The place of a text, which is put in when it is new.
fn interned(set: &mut IndexSet<Box<str>, FxBuildHasher>, text: &str) -> usize {
    set.get_index_of(text).unwrap_or_else(|| set.insert_full(text.into()).0)
}

impl ClassNumber {
    /// The place as a number below [`MOST_CLASSES`].
    pub(super) const fn index(self) -> u8 {
        self.0
    }
}
