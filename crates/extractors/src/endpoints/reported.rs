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

use crate::endpoints::socket_calls::SocketCalls;
use crate::endpoints::trial::{Passed, Reply, Trial, answer};
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

/// The named host that `function` connects to.
pub fn to<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    function: Address,
    calls: &mut SocketCalls,
) -> Option<Reported> {
    let trial = Trial { has_arguments: true, ..Trial::of(function) };
    let plain = trial.run(subject, state);
    for (routine, name) in plain.named {
        let mut passed =
            |number| trial.with_reply(routine, Reply::Answer(number)).run(subject, state).passed;
        let (first, second) = (passed(1), passed(2));
        let followed = first.iter().zip(&second).find(|(first, second)| {
            follows(first, second) && calls.of(subject, first.callee) == Some(SocketCall::Connect)
        });
        if let Some((Passed { site, address, .. }, _)) = followed {
            return Some(Reported { host: name, port: address.port?, site: *site });
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
