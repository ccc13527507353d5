//! Socket addresses as programs lay them out, known in part.

use core::net::IpAddr;
use miyaburi_image::Endian;

/// `AF_INET`, the same on every CPU.
pub const AF_INET: u16 = 2;

/// `AF_INET6` on Linux.
pub const AF_INET6: u16 = 10;

/// Bytes of `struct sockaddr_in6`, the longer of the two.
pub const MAX_SIZE: usize = 28;

/// A socket address of which the family is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketAddress {
    /// The host, when all of it is known.
    pub host: Option<IpAddr>,
    /// The port, when known.
    pub port: Option<u16>,
}

impl SocketAddress {
    /// Reads `struct sockaddr_in` or `struct sockaddr_in6`; unknown bytes are `None`.
    #[must_use]
    pub fn from_bytes(endian: Endian, bytes: &[Option<u8>]) -> Option<Self> {
        let known = |start: usize, end: usize| -> Option<Vec<u8>> {
            bytes.get(start..end)?.iter().copied().collect()
        };
        let family = endian.read_uint(&known(0, 2)?) as u16;
        let port = known(2, 4).and_then(|port| Some(u16::from_be_bytes(port.try_into().ok()?)));
        let host = match family {
            AF_INET => {
                known(4, 8).and_then(|host| <[u8; 4]>::try_from(host).ok()).map(IpAddr::from)
            }
            AF_INET6 => {
                known(8, 24).and_then(|host| <[u8; 16]>::try_from(host).ok()).map(IpAddr::from)
            }
            _ => return None,
        };
        Some(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(bytes: &[u8]) -> Vec<Option<u8>> {
        bytes.iter().copied().map(Some).collect()
    }

    #[test]
    fn family_is_native_and_port_and_host_are_in_network_order() {
        let little = known(&[2, 0, 0, 23, 192, 0, 2, 1]);
        let address = SocketAddress::from_bytes(Endian::Little, &little);
        let host = Some(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(address, Some(SocketAddress { host, port: Some(23) }));
        assert_eq!(SocketAddress::from_bytes(Endian::Big, &little), None);
        let big = known(&[0, 2, 0, 23, 192, 0, 2, 1]);
        assert_eq!(SocketAddress::from_bytes(Endian::Big, &big), address);
    }

    #[test]
    fn unknown_parts_stay_unknown() {
        let mut bytes = known(&[2, 0, 0, 53, 0, 0, 0, 0]);
        bytes[5] = None;
        let address = SocketAddress::from_bytes(Endian::Little, &bytes);
        assert_eq!(address, Some(SocketAddress { host: None, port: Some(53) }));
        bytes[0] = None;
        assert_eq!(SocketAddress::from_bytes(Endian::Little, &bytes), None);
    }
}
