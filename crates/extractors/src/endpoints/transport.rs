//! How a socket talks, told from the call that opens it.
//!
//! How it works: a function that connects or binds opens its socket itself, as a rule: the constants
//! that it hands to a routine which is seen to make the system call `socket` are family and type.
//!
//! False positives: a function that opens one socket and is handed the one that it connects. False
//! negatives: sockets that another function opens, types that are no constants, and functions that
//! open sockets of both types.

use crate::endpoints::socket_address::{AF_INET, AF_INET6};
use crate::endpoints::socket_calls::SocketCalls;
use crate::subject::{Convention, Subject};
use miyaburi_analysis::FunctionId;
use miyaburi_image::Family;

/// What a socket is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `SOCK_STREAM`: TCP.
    Stream,
    /// `SOCK_DGRAM`: UDP.
    Datagram,
}

/// Of a type, the bits that are no flags (`SOCK_TYPE_MASK` of Linux).
const TYPE_MASK: u64 = 0xf;

/// What the sockets are that `function` opens, when all are of one type.
pub(super) fn of(
    subject: &mut Subject<'_>,
    calls: &mut SocketCalls,
    function: FunctionId,
) -> Option<Transport> {
    let program = subject.program;
    let platform = Convention::default();
    let mut found: Option<Transport> = None;
    for site in program.calls_of(function) {
        let Some(callee) = site.target else { continue };
        let argument = |index| subject.constant_argument(&platform, function, site.address, index);
        let (Some(family), Some(kind)) = (argument(0), argument(1)) else { continue };
        let is_family = [AF_INET, AF_INET6].into_iter().any(|known| u64::from(known) == family);
        let Some(transport) = from_type(subject.emulator.arch().family, kind) else { continue };
        if !is_family || !calls.opens_socket(subject, callee) {
            continue;
        }
        if found.is_some_and(|found| found != transport) {
            return None;
        }
        found = Some(transport);
    }
    found
}

/// The two types are swapped on MIPS (`asm/socket.h` of Linux).
const fn from_type(family: Family, kind: u64) -> Option<Transport> {
    let is_swapped = matches!(family, Family::Mips);
    match kind & TYPE_MASK {
        1 if is_swapped => Some(Transport::Datagram),
        2 if is_swapped => Some(Transport::Stream),
        1 => Some(Transport::Stream),
        2 => Some(Transport::Datagram),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Transport, from_type};
    use miyaburi_image::Family;

    #[test]
    fn the_types_are_swapped_on_mips() {
        /// `SOCK_NONBLOCK` of most CPUs.
        const NONBLOCK: u64 = 0x800;
        assert_eq!(from_type(Family::Arm, 1), Some(Transport::Stream));
        assert_eq!(from_type(Family::Arm, 2 | NONBLOCK), Some(Transport::Datagram));
        assert_eq!(from_type(Family::Mips, 2), Some(Transport::Stream));
        assert_eq!(from_type(Family::Mips, 1), Some(Transport::Datagram));
        // A raw socket.
        assert_eq!(from_type(Family::Arm, 3), None);
    }
}
