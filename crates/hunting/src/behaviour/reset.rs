//! A password is reset, and the same client then uses an account from a network from which it never was.
//!
//! Reason: whoever holds the owner's mailbox or telephone number makes a new password and comes in with it,
//! without a failed attempt. Web servers do not log whose password it was, so the client is what connects
//! the two. A request is a reset when its URL has a word for it (`reset`, `forgot`, `lost`, `recover`) and
//! one for a password (`passw`, `pwd`), and it succeeded.
//!
//! False positives: an owner who forgot the password while travelling, many people behind one address of
//! whom one resets and another is new to it; the page that only explains it. False negatives: applications
//! that name it otherwise, a reset from one address and the login from another, accounts of which too
//! little is known, attackers in the account's own network.

use core::net::IpAddr;

use super::Seen;
use super::first_network::FirstNetworks;
use super::kept::Kept;
use crate::event::{Event, Kind, Outcome};
use crate::time::{Moment, SECOND};

/// Seconds within which the account is used.
const WITHIN: i64 = 6 * 3600;

/// What is kept of each client: when it reset a password.
#[derive(Debug, Default)]
pub(super) struct Resets {
    pub(super) clients: Kept<IpAddr, Moment>,
}

impl Resets {
    /// To be asked before the networks of accounts take note of the event.
    pub(super) fn look(
        &mut self,
        event: &Event<'_>,
        time: Moment,
        networks: &FirstNetworks,
    ) -> Option<Seen> {
        let client = event.client.filter(|_| event.outcome == Some(Outcome::Success))?;
        if event.kind == Kind::WebRequest && event.url.is_some_and(is_reset) {
            *self.clients.of(client, time, WITHIN * SECOND, || time)? = time;
            return None;
        }
        let account = event.account.filter(|_| event.kind == Kind::Login)?;
        let reset = *self.clients.get(&client)?;
        let after = time.unix() - reset.unix();
        if !(0..=WITHIN).contains(&after) || !networks.is_elsewhere(account, client) {
            return None;
        }
        let name = String::from_utf8_lossy(account).into_owned();
        let reason =
            format!("first login from a network, {after} s after its client had a password reset");
        Some(Seen { other: Some(client.to_string()), ..Seen::of(name, reason) })
    }
}

fn is_reset(url: &[u8]) -> bool {
    let url = url.to_ascii_lowercase();
    let has = |word: &str| memchr::memmem::find(&url, word.as_bytes()).is_some();
    ["reset", "forgot", "lost", "recover"].into_iter().any(has)
        && ["passw", "pwd"].into_iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A month of logins from one network, a request by `client`, and a login by it `after` seconds.
    fn used(url: &str, outcome: Outcome, client: &str, after: i64) -> bool {
        let (mut resets, mut networks) = (Resets::default(), FirstNetworks::default());
        let login = |client: &str| Event {
            client: client.parse().ok(),
            account: Some(b"alice"),
            outcome: Some(Outcome::Success),
            ..Event::new(Kind::Login, None)
        };
        for day in 0..30 {
            let time = Moment::from_unix(day * 86_400);
            networks.look(&login("198.51.100.7"), time);
        }
        let request = Event {
            client: client.parse().ok(),
            url: Some(url.as_bytes()),
            outcome: Some(outcome),
            ..Event::new(Kind::WebRequest, None)
        };
        let time = 31 * 86_400;
        assert_eq!(resets.look(&request, Moment::from_unix(time), &networks), None);
        resets.look(&login(client), Moment::from_unix(time + after), &networks).is_some()
    }

    #[test]
    fn a_reset_then_a_login_from_elsewhere() {
        let elsewhere = "203.0.113.9";
        assert!(used("/account/reset-password?t=1", Outcome::Success, elsewhere, 60));
        assert!(used("/wp-login.php?action=lostpassword", Outcome::Success, elsewhere, 60));
        // Too late, refused, from the account's own network, and no reset.
        assert!(!used("/reset-password", Outcome::Success, elsewhere, WITHIN + 1));
        assert!(!used("/reset-password", Outcome::Failure, elsewhere, 60));
        assert!(!used("/reset-password", Outcome::Success, "198.51.200.9", 60));
        assert!(!used("/reset", Outcome::Success, elsewhere, 60));
        assert!(!used("/password/change", Outcome::Success, elsewhere, 60));
    }
}
