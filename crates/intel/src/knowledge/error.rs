//! What is wrong with a table.

use std::fmt;

/// One of the tables of knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `id,title,url,licence`.
    Sources,
    /// `user,password,vendor,product,kind,confidence,sources`.
    Credentials,
    /// `method,path,port,vendor,product,kind,cve,confidence,sources`.
    Exploits,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sources => "sources",
            Self::Credentials => "credentials",
            Self::Exploits => "exploits",
        })
    }
}

/// A line of a table that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}, line {line}: {problem}")]
pub struct KnowledgeError {
    /// The table.
    pub table: Table,
    /// The line, from 1 for the header; 0 when not known.
    pub line: u64,
    /// What is wrong with it.
    pub problem: RowProblem,
}

impl KnowledgeError {
    pub(super) fn csv(table: Table, error: &csv::Error) -> Self {
        let line = error.position().map_or(0, csv::Position::line);
        Self { table, line, problem: RowProblem::Malformed(error.to_string()) }
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// It does not have the columns, or a value is none of its column.
    #[error("{0}")]
    Malformed(String),
    /// A column that must not be empty is.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// It names no source.
    #[error("it names no source")]
    NoSource,
    /// It names a source that no table has.
    #[error("no source is called {0:?}")]
    UnknownSource(String),
    /// The same row is there already.
    #[error("the same row is there already")]
    Repeated,
    /// Another row says something else of the same.
    #[error("another row says something else of the same: {0}")]
    Contradicted(String),
    /// A CVE identifier is none.
    #[error("{0:?} is no CVE identifier")]
    NoCve(String),
}
