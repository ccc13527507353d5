//! What single segments of TCP tell: messages of DNS, requests of HTTP, names that TLS begins with.
//!
//! Nothing is put together: what is spread over several segments is not read, as the beginnings of TLS with
//! large keys are.

use httparse::{EMPTY_HEADER, Status};
use tls_parser::{SNIType, TlsExtension, TlsMessage, TlsMessageHandshake};

use crate::readers::text::without_port;

/// Headers of a request at most.
const HEADERS: usize = 64;

/// How the record begins that opens TLS: a handshake of version 3.
const HANDSHAKE: [u8; 2] = [22, 3];

/// A request of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request<'p> {
    /// Who was asked, without a port.
    pub(super) host: Option<&'p [u8]>,
    /// Path and query, or the whole URL.
    pub(super) target: &'p [u8],
}

/// The message of DNS behind its length (RFC 1035, section 4.2.2).
pub(super) fn dns(segment: &[u8]) -> Option<&[u8]> {
    let (length, message) = segment.split_first_chunk()?;
    (usize::from(u16::from_be_bytes(*length)) == message.len()).then_some(message)
}

/// A request whose headers are whole.
pub(super) fn request(segment: &[u8]) -> Option<Request<'_>> {
    // Most segments are none, which a letter tells.
    segment.first().filter(|byte| byte.is_ascii_uppercase())?;
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(Status::Complete(_)) = request.parse(segment) else { return None };
    let host = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("host"));
    let host = host.map(|header| without_port(header.value));
    Some(Request { host, target: request.path?.as_bytes() })
}

/// The name that a client of TLS asks for (RFC 6066, section 3).
pub(super) fn server_name(segment: &[u8]) -> Option<&[u8]> {
    if !segment.starts_with(&HANDSHAKE) {
        return None;
    }
    let (_, record) = tls_parser::parse_tls_plaintext(segment).ok()?;
    let extensions = record.msg.iter().find_map(|message| match message {
        TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)) => hello.ext,
        _ => None,
    })?;
    let (_, extensions) = tls_parser::parse_tls_client_hello_extensions(extensions).ok()?;
    extensions.iter().find_map(|extension| match extension {
        TlsExtension::SNI(names) => {
            names.iter().find(|(kind, _)| *kind == SNIType::HostName).map(|(_, name)| *name)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client begins TLS with: version, random, session, a cipher, no compression, and a name.
    fn hello(name: &str) -> Vec<u8> {
        let sized = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
        let name = [&[0][..], &sized(name.as_bytes())].concat();
        let extension = [&[0, 0][..], &sized(&sized(&name))].concat();
        let body = [&[3, 3][..], &[7; 32], &[0], &sized(&[0x13, 1]), &[1, 0], &sized(&extension)];
        let body = body.concat();
        let handshake = [&[1, 0][..], &sized(&body)].concat();
        [&[22, 3, 1][..], &sized(&handshake)].concat()
    }

    #[test]
    fn names_of_tls() {
        let whole = hello("c2.example");
        assert_eq!(server_name(&whole), Some(&b"c2.example"[..]));
        assert_eq!(server_name(&whole[..whole.len() - 1]), None);
        assert_eq!(server_name(&[22, 3, 3, 0, 4, 14, 0, 0, 0]), None);
        assert_eq!(server_name(b""), None);
    }

    #[test]
    fn requests() {
        let read = |text: &'static str| {
            let Request { host, target } = request(text.as_bytes())?;
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            Some((host.map(text), text(target)))
        };
        let host = |host: &str| Some((Some(host.to_owned()), "/bins/a?b".to_owned()));
        assert_eq!(
            read("GET /bins/a?b HTTP/1.1\r\nHost: c2.example:8080\r\n\r\n"),
            host("c2.example")
        );
        assert_eq!(read("GET /bins/a?b HTTP/1.1\r\nhOST: 192.0.2.9\r\n\r\n"), host("192.0.2.9"));
        assert_eq!(read("GET /x HTTP/1.0\r\n\r\n"), Some((None, "/x".to_owned())));
        for other in ["GET /x HTTP/1.1\r\nHost: c2", "HTTP/1.1 200 OK\r\n\r\n", "EHLO x\r\n", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn messages_of_dns() {
        assert_eq!(dns(&[0, 2, 7, 8]), Some(&[7, 8][..]));
        assert_eq!(dns(&[0, 3, 7, 8]), None);
        assert_eq!(dns(&[0]), None);
    }
}
