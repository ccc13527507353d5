//! One module per kind of finding.
//!
//! An extractor gives what it found together with its diagnostics, and says in its documentation
//! how it works, what it may take for a finding that is none, and what it misses.

pub mod attacks;
pub mod budget;
pub mod cipher;
pub mod credentials;
pub mod endpoints;
pub mod exploits;
pub mod found;
pub mod initialisers;
pub mod loose_strings;
pub mod material;
pub mod probes;
pub mod process;
pub mod recognition;
pub mod roles;
pub mod scanner_process;
pub mod stored;
pub mod string_table;
pub mod subject;
pub mod trace;
pub mod unmodelled_calls;
pub mod written;
pub mod xor;
