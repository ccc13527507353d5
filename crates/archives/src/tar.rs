//! Members of tar archives.

use std::ops::ControlFlow;

use tar::{Archive, Entry};

use crate::budget::{Budget, Shortfall};
use crate::walk::{MemberError, Visit};

/// Hands every regular file of the archive to `visit`. Directories and links hold nothing.
pub(crate) fn walk(bytes: &[u8], budget: &mut Budget, visit: Visit<'_>) -> ControlFlow<()> {
    let mut archive = Archive::new(bytes);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => {
            return visit(budget, None, Err(MemberError::Damaged(error.to_string()).into()));
        }
    };
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            // Where the next one begins is not known.
            Err(error) => {
                return visit(budget, None, Err(MemberError::Damaged(error.to_string()).into()));
            }
        };
        if let Err(limit) = budget.count_member() {
            return visit(budget, None, Err(limit.into()));
        }
        let kind = entry.header().entry_type();
        if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let content = content(&mut entry, budget);
            visit(budget, Some(&name), content)?;
        }
    }
    ControlFlow::Continue(())
}

fn content(entry: &mut Entry<'_, &[u8]>, budget: &mut Budget) -> Result<Vec<u8>, Shortfall> {
    let claimed = entry.size();
    let read = budget.read(entry)?;
    if u64::try_from(read.len()) == Ok(claimed) {
        Ok(read)
    } else {
        let reason = MemberError::Damaged("the archive ends within it".to_owned());
        Err(Shortfall { reason, read })
    }
}
