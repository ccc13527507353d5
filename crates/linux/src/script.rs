//! How the network behaves towards a process: what an experiment wants of it.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What the network does. By default names resolve, other records do not exist, and connections
/// succeed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// What name servers say.
    pub names: Names,
    /// What becomes of connections.
    pub connections: Connections,
    /// Peers whose connections end otherwise than the others.
    pub exceptions: Vec<(SocketAddr, Connections)>,
    /// What HTTP requests are answered with, as a JSON document.
    pub page: Option<Vec<u8>>,
}

impl Script {
    /// What becomes of a connection to `peer`.
    #[must_use]
    pub fn connection_to(&self, peer: SocketAddr) -> Connections {
        let exception = self.exceptions.iter().find(|(known, _)| *known == peer);
        exception.map_or(self.connections, |(_, connection)| *connection)
    }
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connections {
    /// It succeeds at once.
    #[default]
    Succeed,
    /// Nobody listens there.
    AreRefused,
    /// Nobody answers, until time is up.
    Hang,
}

/// What name servers say, whichever is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Whether names exist at all.
    pub exist: bool,
    /// The address of the first name that is asked for.
    pub first: Ipv4Addr,
    /// The byte of the address that counts names.
    pub counted: usize,
    /// The text that each name has.
    pub text: Option<Vec<u8>>,
}

impl Default for Names {
    /// Addresses of the reserved class E, which no host has (RFC 1112).
    fn default() -> Self {
        Self { exist: true, first: Ipv4Addr::new(240, 83, 98, 0), counted: 3, text: None }
    }
}

impl Names {
    /// The address of the `number`th name that is asked for, from 0.
    #[must_use]
    pub fn address_of(&self, number: u8) -> Ipv4Addr {
        let mut octets = self.first.octets();
        if let Some(octet) = octets.get_mut(self.counted) {
            *octet = octet.wrapping_add(number);
        }
        octets.into()
    }

    /// Which name, by its number, has this address.
    #[must_use]
    pub fn number_of(&self, host: IpAddr) -> Option<u8> {
        let IpAddr::V4(host) = host.to_canonical() else { return None };
        let octet = |host: Ipv4Addr| host.octets().get(self.counted).copied();
        let number = octet(host)?.wrapping_sub(octet(self.first)?);
        (self.address_of(number) == host).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::{Connections, Names, Script};
    use core::net::{IpAddr, Ipv4Addr, SocketAddr};

    #[test]
    fn names_have_addresses_one_after_the_other() {
        let names = Names { first: Ipv4Addr::new(2, 254, 192, 0), counted: 1, ..Names::default() };
        assert_eq!(names.address_of(1), Ipv4Addr::new(2, 255, 192, 0));
        assert_eq!(names.number_of(IpAddr::from([2, 255, 192, 0])), Some(1));
        assert_eq!(names.number_of(IpAddr::from([2, 255, 192, 1])), None);
        assert_eq!(names.number_of(IpAddr::from([0; 16])), None);
    }

    #[test]
    fn exceptions_come_before_the_rule() {
        let peer = SocketAddr::from(([192, 0, 2, 7], 23));
        let script = Script {
            connections: Connections::AreRefused,
            exceptions: vec![(peer, Connections::Succeed)],
            ..Script::default()
        };
        assert_eq!(script.connection_to(peer), Connections::Succeed);
        let other = SocketAddr::from(([192, 0, 2, 7], 24));
        assert_eq!(script.connection_to(other), Connections::AreRefused);
    }
}
