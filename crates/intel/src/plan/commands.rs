//! Ready commands. They hold the victim's address, numbers and hexadecimal digits; no text of a
//! report gets into one.

use core::net::Ipv4Addr;

use super::Command;

/// What stands for the victim where none was given.
const PLACEHOLDER: &str = "VICTIM";

/// Packets a second that a limit lets through; to be set by what the victim usually gets.
const PACKETS: u32 = 1000;

/// Bytes a second of the same.
const BYTES: u32 = 1_000_000;

/// Bytes of a payload that one nftables expression compares.
const COMPARED: usize = 16;

/// First rule number of those that are free for local rules.
const LOCAL_RULES: u32 = 9_100_000;

/// What packets are matched by.
#[derive(Clone, Debug, Default)]
pub(super) struct Match<'a> {
    /// The attacked address.
    pub victim: Option<Ipv4Addr>,
    /// IP protocol.
    pub protocol: u8,
    /// Destination port, when it never changes.
    pub port: Option<u16>,
    /// What the payload always begins with.
    pub prefix: Option<&'a [u8]>,
}

impl Match<'_> {
    fn victim(&self) -> String {
        self.victim.map_or(PLACEHOLDER.to_owned(), |address| address.to_string())
    }

    /// A FlowSpec rule that limits, never drops, what goes to the victim alone.
    pub(super) fn flowspec(&self) -> Command {
        let port =
            self.port.map(|port| format!(" destination-port '=={port}'")).unwrap_or_default();
        let text = format!(
            "gobgp global rib add -a ipv4-flowspec match destination {}/32 protocol '=={}'{port} then rate-limit {BYTES}",
            self.victim(),
            self.protocol
        );
        Command { tool: "GoBGP", text }
    }

    /// An nftables rule: all of it dropped when the payload is known, else what exceeds a rate.
    pub(super) fn nftables(&self) -> Command {
        let port = match (self.protocol, self.port) {
            (17, Some(port)) => format!(" udp dport {port}"),
            (6, Some(port)) => format!(" tcp dport {port}"),
            _ => format!(" meta l4proto {}", self.protocol),
        };
        let compared = self.prefix.map(|prefix| prefix.get(..COMPARED).unwrap_or(prefix));
        let payload = compared
            .filter(|_| self.protocol == 17)
            .map(|bytes| format!(" @th,64,{} 0x{}", bytes.len() * 8, digits(bytes, "")));
        let text = format!(
            "nft add rule inet filter forward ip daddr {}{port}{} limit rate over {PACKETS}/second counter drop",
            self.victim(),
            payload.unwrap_or_default()
        );
        Command { tool: "nftables", text }
    }

    /// A rule for an IDS; none without a payload that is always the same.
    pub(super) fn suricata(&self, index: u32) -> Option<Command> {
        let prefix = self.prefix?;
        let protocol = match self.protocol {
            17 => "udp",
            6 => "tcp",
            _ => "ip",
        };
        let port = self.port.map_or("any".to_owned(), |port| port.to_string());
        let victim = self.victim.map_or("$HOME_NET".to_owned(), |address| address.to_string());
        let text = format!(
            "alert {protocol} any any -> {victim} {port} (msg:\"flood with a known payload\"; content:\"|{}|\"; startswith; threshold:type both, track by_dst, count {PACKETS}, seconds 1; classtype:attempted-dos; sid:{}; rev:1;)",
            digits(prefix, " "),
            LOCAL_RULES + index
        );
        Some(Command { tool: "Suricata", text })
    }

    /// Rules before the victim that drop what belongs to no connection.
    pub(super) fn stateful(&self) -> Vec<Command> {
        let text = format!(
            "nft add rule inet filter forward ip daddr {} meta l4proto tcp ct state invalid counter drop",
            self.victim()
        );
        vec![
            Command {
                tool: "sysctl",
                text: "sysctl -w net.netfilter.nf_conntrack_tcp_loose=0".to_owned(),
            },
            Command { tool: "nftables", text },
        ]
    }

    /// A limit of connections of one source.
    pub(super) fn connections(&self) -> Command {
        let text = format!(
            "nft add set inet filter flooders '{{ type ipv4_addr; flags dynamic; timeout 10m; }}'\nnft add rule inet filter forward ip daddr {} tcp flags syn add @flooders '{{ ip saddr limit rate over 20/second burst 50 packets }}' counter drop",
            self.victim()
        );
        Command { tool: "nftables", text }
    }
}

fn digits(bytes: &[u8], between: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

/// A command that needs nothing of the packets.
pub(super) fn fixed(tool: &'static str, text: &str) -> Command {
    Command { tool, text: text.to_owned() }
}
