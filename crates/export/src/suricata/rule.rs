//! One rule.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{ADDRESSES, NAMES};
use crate::indicators::Timestamp;
use crate::list::Stage;
use crate::traffic::{Mark, SCAN, Senders, Signature, Transport};

/// Changes when rules for the same thing are written in another way.
const REVISION: u32 = 1;

/// Numbers of rules begin here and are so many: none of the ranges that projects have been assigned
/// lies there, and they fit into 31 bits, as some databases want.
const FIRST_NUMBER: u32 = 1_000_000_000;
const NUMBERS: u32 = 1_000_000_000;

/// Buckets of a dataset's table: what Suricata accepts of one at most by default, and the fewest.
const MAX_BUCKETS: usize = 1 << 18;
const MIN_BUCKETS: usize = 1 << 10;

/// Bytes that an entry of a dataset is allowed to take, a name of usual length with what keeps it.
const ENTRY_BYTES: usize = 512;

/// Bytes that the smallest dataset is allowed to take.
const MIN_BYTES: usize = 1 << 24;

/// Byte of a TCP header at which its options begin.
const TCP_OPTIONS: u8 = 20;

/// Samples that a rule names.
const NAMED_SAMPLES: usize = 3;

/// Numbers of the rules so far.
#[derive(Default)]
pub(super) struct Numbers(BTreeSet<u32>);

impl Numbers {
    /// The number of what a rule is: the next one where another rule has it already.
    fn of(&mut self, identity: &str) -> u32 {
        let digest = Sha256::digest(identity.as_bytes());
        let start =
            digest.iter().take(4).fold(0, |number: u32, byte| number << 8 | u32::from(*byte));
        let mut place = start % NUMBERS;
        while !self.0.insert(FIRST_NUMBER + place) {
            place = (place + 1) % NUMBERS;
        }
        FIRST_NUMBER + place
    }
}

/// What a rule matches and says.
pub(super) struct Rule<'a> {
    /// Protocol and port before the options, such as `udp any any -> any 53`.
    head: String,
    /// Options that match, in order, each with its semicolon.
    conditions: String,
    /// What the number follows from: what it matches, without how it is stored.
    identity: String,
    message: String,
    class: &'static str,
    /// By whose address alerts are counted.
    track: &'static str,
    senders: Option<&'a Senders>,
}

impl<'a> Rule<'a> {
    /// The rule for names, none without any.
    pub(super) fn names(count: usize) -> Option<Self> {
        let set = dataset("miyaburi-names", "string", NAMES, count);
        (count > 0).then(|| Self {
            head: "dns any any -> any any".to_owned(),
            conditions: format!("dns.query; to_lowercase; {set}"),
            identity: NAMES.to_owned(),
            message: "name of a C2 asked for".to_owned(),
            class: "trojan-activity",
            track: "by_src",
            senders: None,
        })
    }

    /// The rule for addresses, none without any.
    pub(super) fn addresses(count: usize) -> Option<Self> {
        let set = dataset("miyaburi-addresses", "ip", ADDRESSES, count);
        (count > 0).then(|| Self {
            head: "ip any any -> any any".to_owned(),
            conditions: format!("ip.dst; {set}"),
            identity: ADDRESSES.to_owned(),
            message: "packet to a C2".to_owned(),
            class: "trojan-activity",
            track: "by_src",
            senders: None,
        })
    }

    /// The rule for a signature.
    pub(super) fn signature(signature: &Signature, senders: &'a Senders) -> Self {
        let protocol = match signature.transport {
            Transport::Ip => "ip",
            Transport::Icmp => "icmp",
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        let port = signature.port.map_or("any".to_owned(), |port| port.to_string());
        // What attacks send belongs to no connection that the sensor saw begin.
        let flow = (signature.transport == Transport::Tcp).then(|| "flow:stateless;".to_owned());
        let conditions: Vec<String> =
            flow.into_iter().chain(signature.marks.iter().map(condition)).collect();
        let conditions = conditions.join(" ");
        let head = format!("{protocol} any any -> any {port}");
        let kinds: Vec<&str> = senders.kinds.iter().map(String::as_str).collect();
        let is_scan = senders.kinds.contains(SCAN);
        Self {
            identity: format!("{head} {conditions}"),
            head,
            conditions,
            message: format!("traffic as of {}", kinds.join(" ")),
            class: if is_scan { "network-scan" } else { "attempted-dos" },
            track: if is_scan { "by_src" } else { "by_dst" },
            senders: Some(senders),
        }
    }

    /// The rule as a line.
    pub(super) fn text(&self, stage: Stage, numbers: &mut Numbers, now: Timestamp) -> String {
        let Self { head, conditions, identity, message, class, track, senders } = self;
        let number = numbers.of(identity);
        let (action, seconds) = match stage {
            Stage::Report => ("alert", 3600),
            Stage::Log => ("alert", 60),
            Stage::Enforce => ("drop", 60),
        };
        let updated = now.to_string();
        let updated = updated.get(..10).unwrap_or_default().replace('-', "_");
        let mut metadata = format!("updated_at {updated}, stage {}", stage.name());
        if let Some(senders) = senders {
            metadata.push_str(&format!(", reports {}", senders.reports));
            for source in senders.sources.iter().take(NAMED_SAMPLES) {
                let sample: String = source.sha256.iter().map(|it| format!("{it:02x}")).collect();
                metadata.push_str(&format!(", sample {sample}"));
                if let Some(address) = source.address {
                    metadata.push_str(&format!(", address {address}"));
                }
            }
        }
        format!(
            "{action} {head} (msg:\"miyaburi {message}\"; {conditions} \
             threshold:type limit, track {track}, count 1, seconds {seconds}; \
             classtype:{class}; metadata:{metadata}; sid:{number}; rev:{REVISION};)"
        )
    }
}

/// A dataset with room for `count` entries.
fn dataset(name: &str, kind: &str, file: &str, count: usize) -> String {
    let buckets = count.next_power_of_two().clamp(MIN_BUCKETS, MAX_BUCKETS);
    let bytes = count.saturating_mul(ENTRY_BYTES).max(MIN_BYTES);
    format!("dataset:isset,{name},type {kind},load {file},memcap {bytes},hashsize {buckets};")
}

fn condition(mark: &Mark) -> String {
    match mark {
        Mark::Payload(bytes, length) => {
            let length = length.map(|length| format!(" dsize:{length};")).unwrap_or_default();
            format!("content:\"{}\"; startswith;{length}", digits(bytes))
        }
        Mark::FirstHeader(bytes) => format!("content:\"{}\";", digits(bytes)),
        Mark::Protocol(number) => format!("ip_proto:{number};"),
        Mark::NoWindow(shift) => {
            let option = shift.map(|shift| {
                // Kind and length of the option that scales the window (RFC 7323, section 2.2).
                format!(" tcp.hdr; content:\"|03 03 {shift:02x}|\"; offset:{TCP_OPTIONS};")
            });
            format!("flags:S; window:0;{}", option.unwrap_or_default())
        }
        // Of the IP header the destination, of the TCP header the sequence number.
        Mark::SequenceIsDestination => "flags:S; ipv4.hdr; byte_extract:4,16,destination; \
             tcp.hdr; byte_test:4,=,destination,4;"
            .to_owned(),
    }
}

/// Bytes as a rule spells them; no character of theirs can end it.
fn digits(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("|{}|", digits.join(" "))
}
