//! Members of cpio archives of the newer ASCII formats, as initial RAM file systems and firmware are.

use std::ops::ControlFlow;

use hadris_cpio::CpioArchiveReader;
use hadris_cpio::mode::FileType;

use crate::budget::{Budget, Shortfall};
use crate::walk::{MemberError, Visit};

/// Hands every regular file of the archive to `visit`. Of hard links, which stand once for each name,
/// all but the last hold nothing.
pub(crate) fn walk(bytes: &[u8], budget: &mut Budget, visit: Visit<'_>) -> ControlFlow<()> {
    let mut archive = CpioArchiveReader::new(bytes);
    loop {
        let entry = match archive.next_entry_alloc() {
            Ok(Some(entry)) => entry,
            Ok(None) => return ControlFlow::Continue(()),
            // Where the next one begins is not known.
            Err(error) => {
                return visit(budget, None, Err(MemberError::Damaged(error.to_string()).into()));
            }
        };
        if let Err(limit) = budget.count_member() {
            return visit(budget, None, Err(limit.into()));
        }
        if entry.file_type() == FileType::Regular {
            let name = String::from_utf8_lossy(entry.name()).into_owned();
            let content = content(bytes, archive.offset(), entry.file_size(), budget);
            visit(budget, Some(&name), content)?;
        }
        if let Err(error) = archive.skip_entry_data_owned(&entry) {
            return visit(budget, None, Err(MemberError::Damaged(error.to_string()).into()));
        }
    }
}

fn content(bytes: &[u8], start: u64, size: u32, budget: &mut Budget) -> Result<Vec<u8>, Shortfall> {
    let rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let read = budget.read(rest.get(..size).unwrap_or(rest))?;
    if read.len() == size {
        Ok(read)
    } else {
        let reason = MemberError::Damaged("the archive ends within it".to_owned());
        Err(Shortfall { reason, read })
    }
}
