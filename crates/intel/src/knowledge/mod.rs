//! What public sources say: credential pairs and exploit requests, and whose devices they open.
//!
//! Three CSV tables stand in `data/` and are compiled in; users add rows of their own. A row names
//! the sources it was read from and how sure it is; rows that repeat or contradict one another are
//! refused, whichever file they come from.

mod error;
mod pattern;
mod rows;

use std::collections::BTreeMap;

use miyaburi_model::Exploit;

pub use self::error::{KnowledgeError, RowProblem, Table};
pub use self::rows::{CredentialRow, ExploitRow, Source};

/// The tables, checked.
#[derive(Clone, Debug)]
pub struct Knowledge {
    sources: BTreeMap<String, Source>,
    credentials: Vec<CredentialRow>,
    exploits: Vec<ExploitRow>,
    /// Rows of `credentials` by user and password.
    pairs: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
}

impl Knowledge {
    /// The tables that are compiled in.
    ///
    /// # Errors
    /// When a table does not keep its schema; a test shows that these do.
    pub fn builtin() -> Result<Self, KnowledgeError> {
        let mut knowledge = Self {
            sources: BTreeMap::new(),
            credentials: Vec::new(),
            exploits: Vec::new(),
            pairs: BTreeMap::new(),
        };
        knowledge.add(Table::Sources, include_bytes!("../../data/sources.csv"))?;
        knowledge.add(Table::Credentials, include_bytes!("../../data/credentials.csv"))?;
        knowledge.add(Table::Exploits, include_bytes!("../../data/exploits.csv"))?;
        Ok(knowledge)
    }

    /// Adds the rows of one more table, CSV with the header of the table's rows.
    ///
    /// # Errors
    /// The first line that is no row, names no known source, or repeats or contradicts a row that
    /// is there already.
    pub fn add(&mut self, table: Table, csv: &[u8]) -> Result<(), KnowledgeError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::None).from_reader(csv);
        let headers = reader.headers().map_err(|error| KnowledgeError::csv(table, &error))?.clone();
        for record in reader.records() {
            let record = record.map_err(|error| KnowledgeError::csv(table, &error))?;
            let line = record.position().map_or(0, csv::Position::line);
            self.add_row(table, &record, &headers).map_err(|problem| KnowledgeError {
                table,
                line,
                problem,
            })?;
        }
        Ok(())
    }

    fn add_row(
        &mut self,
        table: Table,
        record: &csv::StringRecord,
        headers: &csv::StringRecord,
    ) -> Result<(), RowProblem> {
        let malformed = |error: csv::Error| RowProblem::Malformed(error.to_string());
        match table {
            Table::Sources => {
                let source: Source = record.deserialize(Some(headers)).map_err(malformed)?;
                source.check()?;
                if self.sources.contains_key(&source.id) {
                    return Err(RowProblem::Repeated);
                }
                self.sources.insert(source.id.clone(), source);
            }
            Table::Credentials => {
                let row: CredentialRow = record.deserialize(Some(headers)).map_err(malformed)?;
                self.check_sources(&row.sources)?;
                self.credentials.iter().try_for_each(|other| row.against(other))?;
                let of_user = self.pairs.entry(row.user.clone()).or_default();
                of_user.entry(row.password.clone()).or_default().push(self.credentials.len());
                self.credentials.push(row);
            }
            Table::Exploits => {
                let row: ExploitRow = record.deserialize(Some(headers)).map_err(malformed)?;
                row.check()?;
                self.check_sources(&row.sources)?;
                self.exploits.iter().try_for_each(|other| row.against(other))?;
                self.exploits.push(row);
            }
        }
        Ok(())
    }

    fn check_sources(&self, sources: &[String]) -> Result<(), RowProblem> {
        if sources.is_empty() {
            return Err(RowProblem::NoSource);
        }
        match sources.iter().find(|id| !self.sources.contains_key(*id)) {
            Some(unknown) => Err(RowProblem::UnknownSource(unknown.clone())),
            None => Ok(()),
        }
    }

    /// The rows of a pair: one for each vendor that it is known of, or one without a vendor.
    /// Compared as it stands in reports: exactly, with case.
    pub fn of_credential(
        &self,
        user: &str,
        password: &str,
    ) -> impl Iterator<Item = &CredentialRow> {
        let rows = self.pairs.get(user).and_then(|passwords| passwords.get(password));
        rows.into_iter().flatten().filter_map(|row| self.credentials.get(*row))
    }

    /// The rows of a request. Method, path and port all count, where the row has them; what the
    /// request does not tell fits nothing but a row that leaves it open.
    ///
    /// False positives: other software that serves the same path, where the row has no port.
    /// False negatives: requests whose path a fork has varied.
    pub fn of_exploit(&self, exploit: &Exploit) -> impl Iterator<Item = &ExploitRow> {
        self.exploits.iter().filter(move |row| row.fits(exploit))
    }

    /// The source of this id.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<&Source> {
        self.sources.get(id)
    }

    /// Every credential row.
    #[must_use]
    pub fn credentials(&self) -> &[CredentialRow] {
        &self.credentials
    }

    /// Every exploit row.
    #[must_use]
    pub fn exploits(&self) -> &[ExploitRow] {
        &self.exploits
    }
}
