//! Documents that statements rest on.

use serde::Serialize;

/// A document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cite {
    /// Short name.
    pub name: &'static str,
    /// What it says, in a few words.
    pub about: &'static str,
    /// Where it is.
    pub url: &'static str,
}

macro_rules! documents {
    ($($id:ident = $name:literal, $about:literal, $url:literal;)*) => {
        $(
            #[doc = $about]
            pub(super) const $id: Cite = Cite { name: $name, about: $about, url: $url };
        )*
    };
}

documents! {
    FLOWSPEC = "RFC 8955", "traffic filters in BGP: what they can match, and that payload is not among it", "https://www.rfc-editor.org/rfc/rfc8955";
    SYN_FLOODING = "RFC 4987", "SYN floods and countermeasures: SYN cookies and caches, and what they cost", "https://www.rfc-editor.org/rfc/rfc4987";
    INGRESS = "RFC 2827", "ingress filtering against forged sources", "https://www.rfc-editor.org/rfc/rfc2827";
    TCP = "RFC 9293", "TCP: the handshake before data, flags and their combinations", "https://www.rfc-editor.org/rfc/rfc9293";
    DENIAL = "RFC 4732", "denial of service: floods, forged sources, limits", "https://www.rfc-editor.org/rfc/rfc4732";
    AGGRESSIVE_NSEC = "RFC 8198", "resolvers that answer for names a signed zone has shown not to exist", "https://www.rfc-editor.org/rfc/rfc8198";
    GRE = "RFC 2784", "GRE: its header and protocol types", "https://www.rfc-editor.org/rfc/rfc2784";
    PATH_MTU = "RFC 1191", "path MTU discovery, which needs ICMP's messages about packets that are too big", "https://www.rfc-editor.org/rfc/rfc1191";
    SHARED_ADDRESSES = "RFC 6269", "what happens to users of one shared address when it is limited or blocked", "https://www.rfc-editor.org/rfc/rfc6269";
    A2S = "Server queries", "Valve's description of A2S_INFO, its challenge and answer", "https://developer.valvesoftware.com/wiki/Server_queries";
    HTTP_LIMITS = "RFC 6585", "status 429, too many requests", "https://www.rfc-editor.org/rfc/rfc6585";
}
