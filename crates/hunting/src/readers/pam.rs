//! Logins that PAM's `pam_unix` refused, of programs that have no reader of their own.
//!
//! ```text
//! pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=alice rhost=192.0.2.7  user=alice
//! ```
//!
//! A session that is opened names no address and is begun by cron, too: it is quiet. OpenSSH, Postfix and
//! Dovecot say the same in messages of their own, which are read instead. A host that was looked up
//! gives no client.

use super::Reading;
use super::text::address;
use crate::event::{Event, Kind, Outcome};
use crate::time::Moment;

const HOST: &[u8] = b" rhost=";
const ACCOUNT: &[u8] = b"  user=";

/// A message of any program.
pub(super) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    refused(text, time).map_or(Reading::Quiet, Reading::Event)
}

fn refused(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"pam_unix(")?;
    let end = memchr::memmem::find(rest, b"): ")?;
    let (service, rest) = rest.split_at_checked(end)?;
    let rest = rest.strip_prefix(b"): authentication failure;")?;
    let event = Event { outcome: Some(Outcome::Failure), ..Event::new(Kind::Login, time) };
    if !service.ends_with(b":auth") {
        return None;
    }
    // Accounts on both sides are the client's words: what stands there twice is not believed.
    let mut hosts = memchr::memmem::find_iter(rest, HOST);
    let Some((host, None)) = hosts.next().map(|host| (host, hosts.next())) else {
        return Some(event);
    };
    let behind = rest.get(host + HOST.len()..)?;
    let (host, account) = match memchr::memmem::find(behind, ACCOUNT) {
        Some(place) => (behind.get(..place)?, behind.get(place + ACCOUNT.len()..)),
        None => (behind, None),
    };
    let account = account.filter(|account| !account.is_empty());
    Some(Event { client: address(host.trim_ascii()), account, ..event })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const REFUSED: &str =
        "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=alice";

    fn expected<'l>(client: Option<&str>, account: Option<&'l str>) -> Reading<'l> {
        Reading::Event(Event {
            client: client.map(|client| client.parse().unwrap()),
            account: account.map(str::as_bytes),
            outcome: Some(Outcome::Failure),
            ..Event::new(Kind::Login, None)
        })
    }

    #[test]
    fn refused_logins() {
        for (rest, client, account) in [
            (" rhost=192.0.2.7  user=alice", Some("192.0.2.7"), Some("alice")),
            (" rhost=192.0.2.7 ", Some("192.0.2.7"), None),
            (" rhost=2001:db8::7  user=bob", Some("2001:db8::7"), Some("bob")),
            (" rhost=pc.example  user=bob", None, Some("bob")),
            (" rhost=", None, None),
        ] {
            let line = format!("{REFUSED}{rest}");
            assert_eq!(message(line.as_bytes(), None), expected(client, account), "{line}");
        }
    }

    #[test]
    fn an_account_that_imitates_a_host_is_not_believed() {
        let line = format!("{REFUSED} rhost=192.0.2.9 rhost=192.0.2.7  user=root");
        assert_eq!(message(line.as_bytes(), None), expected(None, None));
    }

    #[test]
    fn other_messages() {
        for line in [
            "",
            "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
            "pam_unix(login:auth): check pass; user unknown",
            "pam_unix(x:account): authentication failure; rhost=192.0.2.7",
            "x pam_unix(login:auth): authentication failure; rhost=192.0.2.7",
        ] {
            assert_eq!(message(line.as_bytes(), None), Reading::Quiet, "{line}");
        }
    }
}
