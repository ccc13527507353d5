//! The scanner's credentials.
//!
//! How it works: where one routine is called again and again with two constant strings and a small
//! number, it is run with the arguments of every such call ([`calls`]). Otherwise the routines of a
//! program that has a string table or a registry of attacks are run, and what one of them leaves
//! behind is searched for pairs of texts ([`left_behind`]); pairs that are put together on the stack
//! are read from the code ([`on_stack`]). All take only what was decoded: text
//! that stands plain in the file is left out, so option lists and plain word lists do not count.

mod argument_weights;
pub mod calls;
pub mod left_behind;
pub mod on_stack;
pub mod scanner;
pub mod weights;

use crate::cipher::Coding;
use crate::found::{Diagnostic, Found};
use crate::subject::Subject;
use miyaburi_image::Address;

/// Fewest pairs that make a list.
const MIN_PAIRS: usize = 3;

/// Longest user name or password, in bytes.
const MAX_TEXT: usize = 64;

/// Largest weight.
const MAX_WEIGHT: u64 = 1000;

/// One pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The user name.
    pub user: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
    /// How often it is tried relative to the others.
    pub weight: u32,
    /// The call that adds it, or where its encoded bytes are.
    pub added_at: Address,
}

/// The list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialList {
    /// The routine that adds the pairs, or the one that calls those that do.
    pub initialiser: Address,
    /// The routine that takes one pair, when there is one.
    pub adder: Option<Address>,
    /// The routine that uses them, as far as it can be told from the one that adds them.
    pub scanner: Address,
    /// How they are decoded.
    pub coding: Coding,
    /// In the order in which the code adds them.
    pub pairs: Vec<Pair>,
    /// Calls that add a pair which could not be read.
    pub unread: Vec<Address>,
}

/// Looks for the largest list. `has_sign` says whether the program has a string table or a registry
/// of attacks; without either, only routines that are called pair by pair are looked at.
pub fn extract<'a>(subject: &mut Subject<'a>, has_sign: bool) -> Found<Option<CredentialList>> {
    let mut list = calls::largest(subject);
    if list.is_none() && has_sign {
        list = left_behind::largest(subject).or_else(|| on_stack::largest(subject));
    }
    if let Some(list) = &mut list {
        list.scanner = scanner::of(subject, list.initialiser);
    }
    let diagnostics = list.iter().filter_map(told).collect();
    Found { finding: list, diagnostics }
}

/// What a reader should know of pairs that could not be read.
fn told(list: &CredentialList) -> Option<Diagnostic> {
    let first = *list.unread.first()?;
    let message = match list.unread.len() {
        1 => "the pair that this call adds could not be read".to_owned(),
        more => format!("{more} pairs could not be read; the first is added by this call"),
    };
    Some(Diagnostic::loss("credentials", message, Some(first)))
}
