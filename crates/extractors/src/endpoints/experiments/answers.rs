//! What the network says in experiments: addresses of documentation networks (RFC 5737), which
//! differ from set to set, so that what follows an answer changes with it.

use core::net::{IpAddr, Ipv4Addr};
use miyaburi_linux::{Connections, Names, Script};

/// What the network says in one experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answers {
    /// The address of the first name, and the byte of it that counts names.
    pub(super) first: (Ipv4Addr, usize),
    /// The address that TXT records hold.
    pub(super) text: Ipv4Addr,
    /// The address that HTTP responses hold.
    pub(super) page: Ipv4Addr,
}

impl Answers {
    /// Answers that are used as they are.
    pub(super) const PLAIN: Self = Self {
        first: (Ipv4Addr::new(192, 0, 2, 181), 3),
        text: Ipv4Addr::new(192, 0, 2, 171),
        page: Ipv4Addr::new(192, 0, 2, 161),
    };

    /// The same, other addresses.
    pub(super) const OTHER: Self = Self {
        first: (Ipv4Addr::new(198, 51, 100, 182), 3),
        text: Ipv4Addr::new(198, 51, 100, 172),
        page: Ipv4Addr::new(198, 51, 100, 162),
    };

    /// Addresses of names that are of a documentation network once a transform was applied to them.
    pub(super) const TRANSFORMED: [(Ipv4Addr, usize); 5] = [
        (Ipv4Addr::new(203, 0, 113, 183), 3),
        (Ipv4Addr::new(2, 181, 192, 0), 1),
        (Ipv4Addr::new(100, 182, 198, 51), 1),
        (Ipv4Addr::new(181, 2, 0, 192), 0),
        (Ipv4Addr::new(182, 100, 51, 198), 0),
    ];

    /// A network that gives these answers.
    pub(super) fn script(&self) -> Script {
        self.script_with_text(self.text.to_string().into_bytes())
    }

    /// The same with another text.
    pub(super) fn script_with_text(&self, text: Vec<u8>) -> Script {
        let (first, counted) = self.first;
        let page = format!(
            r#"{{"Status":0,"Answer":[{{"name":"host.example","type":16,"TTL":300,"data":"{}"}}]}}"#,
            self.page
        );
        Script {
            names: Names { exist: true, first, counted, text: Some(text) },
            page: Some(page.into_bytes()),
            ..Script::default()
        }
    }

    /// The same where nobody can be connected to.
    pub(super) fn refusing(&self) -> Script {
        Script { connections: Connections::AreRefused, ..self.script() }
    }

    /// The same where no name exists.
    pub(super) fn nameless(&self) -> Script {
        let script = self.script();
        Script { names: Names { exist: false, ..script.names.clone() }, ..script }
    }

    /// Whether a host is the one that TXT records hold.
    pub(super) fn is_text(&self, host: IpAddr) -> bool {
        host == IpAddr::V4(self.text)
    }

    /// Whether a host is the one that HTTP responses hold.
    pub(super) fn is_page(&self, host: IpAddr) -> bool {
        host == IpAddr::V4(self.page)
    }
}
