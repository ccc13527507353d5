//! Members of ar archives: Debian packages, whose `data.tar` holds the files, and static libraries.

use std::ops::ControlFlow;

use object::read::archive::{ArchiveFile, ArchiveMember};

use crate::budget::{Budget, Shortfall};
use crate::walk::{MemberError, Visit};

/// Hands every member of the archive to `visit`; its own tables are none.
pub(crate) fn walk(bytes: &[u8], budget: &mut Budget, visit: Visit<'_>) -> ControlFlow<()> {
    let archive = match ArchiveFile::parse(bytes) {
        Ok(archive) => archive,
        Err(error) => {
            return visit(budget, None, Err(MemberError::Damaged(error.to_string()).into()));
        }
    };
    for member in archive.members() {
        let member = match member {
            Ok(member) => member,
            // Where the next one begins is not known.
            Err(error) => {
                return visit(budget, None, Err(MemberError::Damaged(error.to_string()).into()));
            }
        };
        if let Err(limit) = budget.count_member() {
            return visit(budget, None, Err(limit.into()));
        }
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let content = content(&member, bytes, budget);
        visit(budget, Some(&name), content)?;
    }
    ControlFlow::Continue(())
}

fn content(
    member: &ArchiveMember<'_>,
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Shortfall> {
    let data = member.data(bytes).map_err(|error| MemberError::Damaged(error.to_string()))?;
    budget.read(data)
}
