//! Whom a routine of the scanner reports to, seen by running it.
//!
//! How it works: a routine that only the scanner calls, and that connects to an address on its
//! stack, is run in a bare machine. Every routine that is handed a host name on the way is made to
//! return two different answers: where the address that is connected to follows them, the name was
//! meant.
//!
//! False positives: a routine of the scanner that connects to a named host for another purpose, such
//! as fetching a program. False negatives: receivers that stand as an address, and routines
//! that were inlined where the bare machine does not lead.

use crate::endpoints::constant_addresses::Use;
use crate::endpoints::midway;
use crate::endpoints::socket_address::SocketAddress;
use crate::endpoints::socket_calls::{Handover, SocketCalls};
use crate::endpoints::transport;
use crate::endpoints::trial::{Passed, Reply, Trial, answer, can_be_meant};
use crate::subject::Subject;
use miyaburi_emulator::{SocketCall, State};
use miyaburi_image::Address;

/// A host that is reported to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Where the address is handed on to be connected to.
    pub site: Address,
}

/// The named host that `function` connects to at the call `site`, and the call that is handed its
/// address. When it does not come that far
/// from its beginning, it is started nearer and nearer the beginning from the call backwards.
pub fn to<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    function: Address,
    site: Address,
    calls: &mut SocketCalls,
) -> Option<(Reported, Handover)> {
    let whole = Trial { has_arguments: true, ..Trial::of(function) };
    let midway = midway::before(subject, function, site).into_iter();
    let midway = midway.map(|start| Trial { start: Some(start), ..Trial::of(function) });
    std::iter::once(whole).chain(midway).find_map(|trial| {
        let is_wanted = |first: &Passed| first.site == site || trial.start.is_none();
        let (found, callee) = followed(subject, state, &trial, &is_wanted)?;
        let reached = calls.reached(subject, callee)?;
        let reached = (reached.call == SocketCall::Connect).then(|| reached.clone())?;
        let transport = subject
            .program
            .function_at(function)
            .and_then(|function| transport::of(subject, calls, function));
        let handover = Handover { site: found.site, reached, transport };
        Some((found, handover))
    })
}

/// The host that `function` connects to at `used`, an address in the program's data, when started
/// in its middle: one that it looks up, one that it has as text, or constants that `is_constant`
/// knows.
pub(super) fn before<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    function: Address,
    used: &Use,
    is_constant: impl Fn(&SocketAddress) -> bool,
) -> Option<Reported> {
    for start in midway::before(subject, function, used.site) {
        let trial = Trial { place: used.place, start: Some(start), ..Trial::of(function) };
        let seen = trial.run(subject, state);
        let passed = seen.passed.iter().find(|passed| passed.site == used.site);
        if let Some(Passed { site, address, .. }) = passed
            && let Some(host) = address.host.filter(|host| can_be_meant(*host))
            && (seen.dotted.contains(&host) || is_constant(address))
        {
            return Some(Reported { host: host.to_string(), port: address.port?, site: *site });
        }
        let named = followed(subject, state, &trial, &|passed| passed.site == used.site);
        if let Some((found, _)) = named {
            return Some(found);
        }
    }
    None
}

/// The named host whose address `trial` hands on where `is_wanted`, and whom it is handed to.
pub(super) fn followed<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    trial: &Trial,
    is_wanted: &dyn Fn(&Passed) -> bool,
) -> Option<(Reported, Address)> {
    let plain = trial.run(subject, state);
    for (routine, name) in plain.named {
        let mut passed =
            |number| trial.with_reply(routine, Reply::Answer(number)).run(subject, state).passed;
        let (first, second) = (passed(1), passed(2));
        let followed = first
            .iter()
            .zip(&second)
            .find(|(first, second)| is_wanted(first) && follows(first, second));
        if let Some((Passed { site, address, callee }, _)) = followed {
            return Some((Reported { host: name, port: address.port?, site: *site }, *callee));
        }
    }
    None
}

/// Whether two addresses handed to the same routine differ as the answers do: in the host alone.
/// A program may have changed it on the way.
fn follows(first: &Passed, second: &Passed) -> bool {
    let (Some(one), Some(other)) = (first.address.host, second.address.host) else { return false };
    let is_answer = one == answer(1) && other == answer(2);
    let is_changed = one != answer(1) && other != answer(2) && one != other;
    first.site == second.site
        && first.address.port == second.address.port
        && (is_answer || is_changed)
}

#[cfg(test)]
mod tests {
    use super::{Passed, answer, follows};
    use crate::endpoints::socket_address::SocketAddress;
    use core::net::IpAddr;
    use miyaburi_image::Address;

    fn passed(host: IpAddr, port: u16) -> Passed {
        let address = SocketAddress { host: Some(host), port: Some(port) };
        Passed { site: Address(0x1000), callee: Address(0x2000), address }
    }

    #[test]
    fn an_address_follows_the_answer_or_does_not() {
        let constant = passed(IpAddr::from([192, 0, 2, 7]), 23);
        assert!(!follows(&constant, &constant));
        assert!(follows(&passed(answer(1), 23), &passed(answer(2), 23)));
        assert!(!follows(&passed(answer(1), 23), &passed(answer(2), 24)));
        let other = passed(IpAddr::from([192, 0, 2, 8]), 23);
        assert!(follows(&constant, &other));
        assert!(!follows(&constant, &passed(answer(2), 23)));
    }
}
