//! A bundle of STIX 2.1 (OASIS).
//!
//! ```text
//! configuration  malware (a family below the family), grouping of its logins
//! file           file, malware-analysis
//! host           domain-name or address, network-traffic, infrastructure for those of the attackers
//! block          indicator, with pattern and end of validity
//! technique      attack-pattern with its identifier of ATT&CK
//! ```
//!
//! Only what passed the gate has an indicator; other hosts are told as what they are, a decoy as an
//! address that the malware talks to. A text that is no host or no URL is left out.
//!
//! What earlier exports have in force and this one has not gets a new version of its indicator whose
//! validity ends now. It is not `revoked`: of a revoked object there may be no version ever after (3.6 of
//! the specification), and what was withdrawn may be found again.
//!
//! Identifiers follow from content, so the same finding has the same one in every export: those of
//! observables are made as the specification recommends, except that of an account, which it makes
//! of the login name alone, so that all passwords of `root` would be one. `created` must be the same
//! in all versions of an object, and nothing here remembers the first, so it is [`CREATED`];
//! `modified` is the time of the export.

mod bundle;
mod configuration;
mod identifier;
mod indicator;
mod infrastructure;
mod observable;
mod technique;

use crate::configurations::Configurations;
use crate::list::{BlockList, ExportError, Folder, Written, file};
use crate::tlp::Tlp;
use bundle::Bundle;

/// File of the bundle, an object a line.
pub const FILE: &str = "miyaburi.stix.json";

/// When all objects count as created: the month in which Mirai was first written about.
pub const CREATED: &str = "2016-08-01T00:00:00.000Z";

/// Writes what passed the gate and what it was found in. Entries are indicators; left out are texts
/// that are no URLs.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    list: &BlockList,
    configurations: &Configurations,
    tlp: Tlp,
    folder: &mut dyn Folder,
) -> Result<Written, ExportError> {
    file(folder, FILE, |writer| {
        let mut bundle = Bundle::begin(writer, &list.stamp, tlp)?;
        for block in &list.blocks {
            indicator::write(&mut bundle, block)?;
        }
        for withdrawal in list.to_withdraw() {
            indicator::withdraw(&mut bundle, withdrawal, list.stamp.now)?;
        }
        let mut left_out = 0;
        for (identifier, configuration) in configurations.iter() {
            left_out += configuration::write(&mut bundle, identifier, configuration, list)?;
        }
        bundle.end()?;
        Ok(Written { entries: list.blocks.len(), left_out })
    })
}
