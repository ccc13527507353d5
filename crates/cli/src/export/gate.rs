//! The lists that indicators are held against, built in and from a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miyaburi_corpus::collect;
use miyaburi_export::gate::{WarningList, WarningListError, built_in};

use crate::error::complain;

/// What is wrong with warning lists.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListsProblem {
    #[error("{}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    List { path: PathBuf, error: WarningListError },
    #[error(transparent)]
    Entry(#[from] WarningListError),
    #[error("{}: no warning lists in it", .0.display())]
    None(PathBuf),
}

/// The built-in lists and those below `folder`, which come first and replace built-in ones of the
/// same name. Entries that cannot be matched are named on standard error.
pub(crate) fn read_lists(folder: Option<&Path>) -> Result<Vec<WarningList>, ListsProblem> {
    let mut lists = folder.map_or_else(|| Ok(Vec::new()), read_folder)?;
    for list in built_in()? {
        if !lists.iter().any(|other| other.name == list.name) {
            lists.push(list);
        }
    }
    for list in &lists {
        for entry in list.unsupported() {
            complain(format_args!("warning list \"{}\": {entry} is not matched", list.name));
        }
    }
    Ok(lists)
}

fn read_folder(folder: &Path) -> Result<Vec<WarningList>, ListsProblem> {
    let is_list = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
    let mut lists = Vec::new();
    for path in collect(&[folder.to_owned()]).into_iter().map(|input| input.path).filter(is_list) {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Err(ListsProblem::Read { path, error }),
        };
        match WarningList::parse(&text) {
            Ok(list) => lists.push(list),
            Err(error) => return Err(ListsProblem::List { path, error }),
        }
    }
    // A directory without lists is a mistake: what it should hold would be let through.
    if lists.is_empty() { Err(ListsProblem::None(folder.to_owned())) } else { Ok(lists) }
}
