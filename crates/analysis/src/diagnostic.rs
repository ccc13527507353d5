//! What the analysis did not believe or did not look at.

use miyaburi_image::Address;

/// Something that was left out, although the analysis went on to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnalysisDiagnostic {
    /// Function symbols that the code contradicts.
    #[error("{count} of {all} function symbols, the first at {first}, lie amid code; not believed")]
    SymbolsContradicted {
        /// How many.
        count: usize,
        /// How many function symbols there are.
        all: usize,
        /// Address of the first.
        first: Address,
    },
    /// So many function symbols lie amid code that none was believed.
    #[error("{count} of {all} function symbols lie amid code; no symbol was believed")]
    SymbolsDropped {
        /// How many.
        count: usize,
        /// How many function symbols there are.
        all: usize,
    },
    /// Initialisers and resolvers of indirect functions that the code contradicts.
    #[error("{count} initialisers or resolvers, the first at {first}, lie amid code; not believed")]
    InitialisersContradicted {
        /// How many.
        count: usize,
        /// Address of the first.
        first: Address,
    },
    /// Executable bytes beyond the limit.
    #[error("{bytes} executable bytes beyond the limit were not looked at")]
    CodeLeftOut {
        /// How many.
        bytes: u64,
    },
    /// Data beyond the limit, in which no pointers to functions were looked for.
    #[error("{bytes} bytes beyond the limit were not searched for pointers to functions")]
    PointersLeftOut {
        /// How many bytes.
        bytes: u64,
    },
    /// Data beyond the limit, in which no unwind tables were looked for.
    #[error("{bytes} bytes beyond the limit were not searched for unwind tables")]
    UnwindTablesLeftOut {
        /// How many bytes.
        bytes: u64,
    },
    /// More entries of unwind tables than are read.
    #[error("entries of unwind tables beyond the first {read} were not read")]
    UnwindEntriesLeftOut {
        /// How many were read.
        read: usize,
    },
    /// More gaps between functions than are looked at.
    #[error("gaps between functions from {from} on were not searched for functions")]
    GapsLeftOut {
        /// Where the search ended.
        from: Address,
    },
}

impl AnalysisDiagnostic {
    /// Whether functions can be missing because of it.
    #[must_use]
    pub const fn is_gap(&self) -> bool {
        !matches!(
            self,
            Self::SymbolsContradicted { .. }
                | Self::SymbolsDropped { .. }
                | Self::InitialisersContradicted { .. }
        )
    }
}
