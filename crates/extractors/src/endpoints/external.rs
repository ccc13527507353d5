//! Proof that the C2 comes from outside the file.
//!
//! How it works: the routine that prepares the address is run as a `main` with a made-up host among
//! its arguments; then the routine that fills in the address is run. A host that appears where
//! the program connects to came from the arguments.
//!
//! False positives: a routine that writes an argument for another purpose into the place that is
//! connected to. False negatives: programs whose arguments pass through code that the bare machine
//! cannot run, and every other outside source.

use crate::endpoints::constant_addresses::Use;
use crate::endpoints::experiments::{Forced, Transform};
use crate::endpoints::midway;
use crate::endpoints::preparation::{ARGUMENT_HOST, Preparation};
use crate::endpoints::socket_calls::Handover;
use crate::endpoints::trial::Trial;
use crate::subject::Subject;
use miyaburi_image::Address;

/// Where a C2 comes from that is not in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// An argument of the program.
    Argument,
    /// A TXT record.
    DnsText,
    /// An address record whose answer is changed.
    DnsAddress,
    /// A record that is asked for over HTTP.
    DnsOverHttps,
}

/// An outside source with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// The source.
    pub source: Outside,
    /// The name that is asked for.
    pub name: Option<String>,
    /// The type of its record.
    pub record: Option<String>,
    /// What becomes of the answer, when it is not used as it is.
    pub transform: Option<Transform>,
    /// The instruction that writes what comes from there.
    pub site: Address,
    /// The routine that does.
    pub function: Address,
    /// Where it is written, when known.
    pub place: Option<Address>,
    /// The socket calls that are handed what it has written.
    pub handovers: Vec<Handover>,
    /// The branches that were forced to get there.
    pub forced: Vec<Forced>,
}

/// Whether `function`, run after `preparation`, fills an argument of the program in at `place`.
pub fn is_argument<'a>(
    subject: &mut Subject<'a>,
    preparation: &Preparation<'a>,
    function: Address,
    place: Address,
) -> bool {
    let trial = Trial { place: Some(place), ..Trial::of(function) };
    let seen = trial.run(subject, &preparation.state);
    seen.address.and_then(|address| address.host) == Some(ARGUMENT_HOST)
}

/// Whether `function`, started in its middle after `preparation`, connects to an argument at `used`.
pub(super) fn is_argument_connected_to<'a>(
    subject: &mut Subject<'a>,
    preparation: &Preparation<'a>,
    function: Address,
    used: &Use,
) -> bool {
    midway::before(subject, function, used.site).into_iter().any(|start| {
        let trial = Trial { place: used.place, start: Some(start), ..Trial::of(function) };
        let passed = trial.run(subject, &preparation.state).passed;
        passed
            .iter()
            .any(|passed| passed.site == used.site && passed.address.host == Some(ARGUMENT_HOST))
    })
}
