//! Output for people.
//!
//! Everything that comes out of a file goes through [`escape`]: an analysed file must not be able
//! to drive the terminal.

mod attacks;
mod count;
mod devices;
mod diff;
mod escape;
mod hunt;
mod layout;
mod markdown;
mod page;
mod report;
mod scope;
mod score;
#[cfg(test)]
mod tests;
mod timeline;

pub(crate) use count::counts;
pub(crate) use devices::{cause, risks, targets};
pub(crate) use diff::diff;
pub(crate) use escape::escape;
pub(crate) use hunt::hunted;
pub(crate) use layout::Palette;
pub(crate) use page::page;
pub(crate) use report::{address as endpoint_address, report, spelled, value as entry_value};
pub(crate) use scope::scope;
pub(crate) use score::score;
pub(crate) use timeline::timeline;
