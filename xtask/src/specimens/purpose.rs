//! The texts that the specimens' code asks for: their names in the C sources, who reads them.

/// What a table entry is for; the spelling of the report's `role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    C2Host,
    C2Port,
    ScanReceiverHost,
    ScanReceiverPort,
    Resolver,
    ScannerDialogue,
    Killer,
    Watchdog,
    AttackPayload,
    HttpFragment,
    UserAgent,
    ExecutionMessage,
    Unknown,
    /// None of the report's fits: not scored.
    Open,
}

impl Role {
    /// The report's spelling.
    pub(super) fn name(self) -> &'static str {
        match self {
            Role::C2Host => "c2_host",
            Role::C2Port => "c2_port",
            Role::ScanReceiverHost => "scan_receiver_host",
            Role::ScanReceiverPort => "scan_receiver_port",
            Role::Resolver => "resolver",
            Role::ScannerDialogue => "scanner_dialogue",
            Role::Killer => "killer",
            Role::Watchdog => "watchdog",
            Role::AttackPayload => "attack_payload",
            Role::HttpFragment => "http_fragment",
            Role::UserAgent => "user_agent",
            Role::ExecutionMessage => "execution_message",
            Role::Unknown | Role::Open => "unknown",
        }
    }
}

/// The part of a program that reads a text. A text whose reader is not built has no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Main,
    Killer,
    Scanner,
    Attacks,
    Nobody,
}

/// One text of the leaked layout or of the additions that forks make.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose {
    /// `ID_<name>` in the C sources.
    pub(super) name: &'static str,
    /// Id in the leaked layout; zero for an addition.
    pub(super) leaked_id: u8,
    pub(super) role: Role,
    pub(super) reader: Reader,
    /// The text; empty where every file has its own.
    pub(super) text: &'static str,
}

const fn row(
    name: &'static str,
    leaked_id: u8,
    role: Role,
    reader: Reader,
    text: &'static str,
) -> Purpose {
    Purpose { name, leaked_id, role, reader, text }
}

/// Ids 1 to 51 in the order in which the leaked program adds them.
pub(super) const LEAKED: [Purpose; 51] = [
    row("C2_HOST", 3, Role::C2Host, Reader::Main, ""),
    row("C2_PORT", 4, Role::C2Port, Reader::Main, ""),
    row("SCAN_RECEIVER_HOST", 18, Role::ScanReceiverHost, Reader::Scanner, ""),
    row("SCAN_RECEIVER_PORT", 19, Role::ScanReceiverPort, Reader::Scanner, ""),
    row("PROCESS_NAME", 1, Role::Unknown, Reader::Nobody, "./dvrFixture"),
    row("EXECUTION_MESSAGE", 2, Role::ExecutionMessage, Reader::Main, ""),
    row("KILLER_SAFE", 5, Role::Killer, Reader::Killer, "https://www.example.com/watch?v=fixture"),
    row("KILLER_PROC", 6, Role::Killer, Reader::Killer, "/proc/"),
    row("KILLER_EXE", 7, Role::Killer, Reader::Killer, "/exe"),
    row("KILLER_DELETED", 8, Role::Killer, Reader::Killer, " (deleted)"),
    row("KILLER_FD", 9, Role::Killer, Reader::Killer, "/fd"),
    row("KILLER_ANIME", 10, Role::Killer, Reader::Killer, ".anime"),
    row("KILLER_STATUS", 11, Role::Killer, Reader::Killer, "/status"),
    row("KILLER_QBOT", 12, Role::Killer, Reader::Killer, "REPORT %s:%s"),
    row("KILLER_QBOT_2", 13, Role::Killer, Reader::Killer, "HTTPFLOOD"),
    row("KILLER_QBOT_3", 14, Role::Killer, Reader::Killer, "LOLNOGTFO"),
    row("KILLER_PACKED", 15, Role::Killer, Reader::Killer, "XMNNCPF"),
    row("KILLER_ZOLLARD", 16, Role::Killer, Reader::Killer, "zollard"),
    row("KILLER_REMAITEN", 17, Role::Killer, Reader::Killer, "GETLOCALIP"),
    row("DIALOGUE_SHELL", 20, Role::ScannerDialogue, Reader::Scanner, "shell"),
    row("DIALOGUE_ENABLE", 21, Role::ScannerDialogue, Reader::Scanner, "enable"),
    row("DIALOGUE_SYSTEM", 22, Role::ScannerDialogue, Reader::Scanner, "system"),
    row("DIALOGUE_SH", 23, Role::ScannerDialogue, Reader::Scanner, "sh"),
    row("DIALOGUE_QUERY", 24, Role::ScannerDialogue, Reader::Scanner, ""),
    row("DIALOGUE_RESPONSE", 25, Role::ScannerDialogue, Reader::Scanner, ""),
    row("DIALOGUE_INCORRECT", 26, Role::ScannerDialogue, Reader::Scanner, "ncorrect"),
    row("DIALOGUE_PS", 27, Role::Unknown, Reader::Nobody, "/bin/busybox ps"),
    row("DIALOGUE_KILL", 28, Role::Unknown, Reader::Nobody, "/bin/busybox kill -9 "),
    row("VSE_QUERY", 29, Role::AttackPayload, Reader::Attacks, "TSource Engine Query"),
    row("RESOLVER_FILE", 30, Role::Resolver, Reader::Attacks, "/etc/resolv.conf"),
    row("RESOLVER_KEYWORD", 31, Role::Resolver, Reader::Attacks, "nameserver "),
    row("HTTP_KEEP_ALIVE", 32, Role::HttpFragment, Reader::Attacks, "Connection: keep-alive"),
    row(
        "HTTP_ACCEPT",
        33,
        Role::HttpFragment,
        Reader::Attacks,
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
    ),
    row(
        "HTTP_LANGUAGE",
        34,
        Role::HttpFragment,
        Reader::Attacks,
        "Accept-Language: en-US,en;q=0.8",
    ),
    row(
        "HTTP_FORM",
        35,
        Role::HttpFragment,
        Reader::Attacks,
        "Content-Type: application/x-www-form-urlencoded",
    ),
    row("HTTP_COOKIE", 36, Role::HttpFragment, Reader::Attacks, "setCookie('"),
    row("HTTP_REFRESH", 37, Role::HttpFragment, Reader::Attacks, "refresh:"),
    row("HTTP_LOCATION", 38, Role::HttpFragment, Reader::Attacks, "location:"),
    row("HTTP_SET_COOKIE", 39, Role::HttpFragment, Reader::Attacks, "set-cookie:"),
    row("HTTP_CONTENT_LENGTH", 40, Role::HttpFragment, Reader::Attacks, "content-length:"),
    row("HTTP_TRANSFER", 41, Role::HttpFragment, Reader::Attacks, "transfer-encoding:"),
    row("HTTP_CHUNKED", 42, Role::HttpFragment, Reader::Attacks, "chunked"),
    row("HTTP_ALIVE", 43, Role::HttpFragment, Reader::Attacks, "keep-alive"),
    row("HTTP_CONNECTION", 44, Role::HttpFragment, Reader::Attacks, "connection:"),
    row("HTTP_SERVER", 45, Role::HttpFragment, Reader::Attacks, "server: dosarrest"),
    row("HTTP_SERVER_2", 46, Role::HttpFragment, Reader::Attacks, "server: cloudflare-nginx"),
    row(
        "USER_AGENT_1",
        47,
        Role::UserAgent,
        Reader::Attacks,
        "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/51.0.2704.103 Safari/537.36",
    ),
    row(
        "USER_AGENT_2",
        48,
        Role::UserAgent,
        Reader::Attacks,
        "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Safari/537.36",
    ),
    row(
        "USER_AGENT_3",
        49,
        Role::UserAgent,
        Reader::Attacks,
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/51.0.2704.103 Safari/537.36",
    ),
    row(
        "USER_AGENT_4",
        50,
        Role::UserAgent,
        Reader::Attacks,
        "Mozilla/5.0 (X11; Linux x86_64; rv:47.0) Gecko/20100101 Firefox/47.0",
    ),
    row(
        "USER_AGENT_5",
        51,
        Role::UserAgent,
        Reader::Attacks,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_6) AppleWebKit/601.7.7 (KHTML, like Gecko) Version/9.1.2 Safari/601.7.7",
    ),
];

/// What forks add to the leaked set.
pub(super) const ADDITIONS: [Purpose; 14] = [
    row("WATCHDOG", 0, Role::Watchdog, Reader::Main, "/dev/watchdog"),
    row("WATCHDOG_MISC", 0, Role::Watchdog, Reader::Main, "/dev/misc/watchdog"),
    row("KILLER_MORE_1", 0, Role::Killer, Reader::Killer, "/tmp/.sora"),
    row("KILLER_MORE_2", 0, Role::Killer, Reader::Killer, "dvrLocker"),
    row("KILLER_MORE_3", 0, Role::Killer, Reader::Killer, "[killer] rival"),
    row("KILLER_MORE_4", 0, Role::Killer, Reader::Killer, "assword:"),
    row("KILLER_MORE_5", 0, Role::Killer, Reader::Killer, "UPX!"),
    row("KILLER_MORE_6", 0, Role::Killer, Reader::Killer, "/maps"),
    row(
        "USER_AGENT_6",
        0,
        Role::UserAgent,
        Reader::Attacks,
        "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
    ),
    row(
        "USER_AGENT_7",
        0,
        Role::UserAgent,
        Reader::Attacks,
        "Opera/9.80 (X11; Linux i686) Presto/2.12.388 Version/12.14",
    ),
    row("UNUSED_1", 0, Role::Unknown, Reader::Nobody, "/etc/init.d/rcS"),
    row("UNUSED_2", 0, Role::Unknown, Reader::Nobody, "abcdefghijklmnopqrstuvw012345678"),
    row("UNUSED_3", 0, Role::Unknown, Reader::Nobody, "busybox wget"),
    row("UNUSED_4", 0, Role::Unknown, Reader::Nobody, "LD_LIBRARY_PATH=/lib"),
];

/// The other three hosts of a table with four.
pub(super) const MORE_C2_HOSTS: [Purpose; 3] = [
    row("C2_HOST_2", 0, Role::C2Host, Reader::Main, ""),
    row("C2_HOST_3", 0, Role::C2Host, Reader::Main, ""),
    row("C2_HOST_4", 0, Role::C2Host, Reader::Main, ""),
];

/// The host that is asked over HTTPS, and for what.
pub(super) const DROP: [Purpose; 2] = [
    row("DROP_HOST", 0, Role::Open, Reader::Main, ""),
    row("DROP_PATH", 0, Role::Open, Reader::Main, ""),
];

/// Texts that other forks leave in the open and `whole_image` codes too (`LITERAL` in the C
/// sources): parts of the requests of `attack_app.c`, and what random names are drawn from.
pub(super) const LITERALS: [Purpose; 6] = [
    row("HTTP_VERSION", 0, Role::HttpFragment, Reader::Attacks, " HTTP/1.1\r\nUser-Agent: "),
    row("HTTP_HOST", 0, Role::HttpFragment, Reader::Attacks, "\r\nHost: "),
    row("HTTP_LINE", 0, Role::HttpFragment, Reader::Attacks, "\r\n"),
    row("HTTP_GET", 0, Role::HttpFragment, Reader::Attacks, "GET"),
    row("HTTP_ROOT", 0, Role::HttpFragment, Reader::Attacks, "/"),
    row("ALPHABET", 0, Role::Unknown, Reader::Attacks, "abcdefghijklmnopqrstuvw012345678"),
];
