//! What attacks were seen to send, as files that Wireshark and tcpdump read.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use miyaburi_model::HexBytes;
use miyaburi_pipeline::{Analysis, Capture};

use crate::error::CommandError;

/// Packets begin with their IP header (`LINKTYPE_RAW` of the registry at tcpdump.org).
const RAW_IP: u32 = 101;

/// Bytes of a packet that are kept: all that there can be.
const SNAPSHOT: u32 = 0xffff;

/// Microseconds from one packet of a run to the next.
const INTERVAL: u32 = 1_000;

/// Bytes of a file's name that a command becomes.
const MAX_NAME: usize = 100;

/// Writes `<root>/<sha256>/<vector or command>.pcap`, over those of an earlier run.
pub(crate) struct Captures {
    root: PathBuf,
    written: HashSet<HexBytes>,
}

impl Captures {
    /// Creates the root, so that one that cannot be is told before anything is analysed.
    pub(crate) fn create(root: &Path) -> Result<Self, CommandError> {
        create_directory(root)?;
        Ok(Self { root: root.to_owned(), written: HashSet::new() })
    }

    /// Writes a file for each attack that sent anything; of samples with the same content the first
    /// is written.
    pub(crate) fn write(&mut self, analysis: &Analysis) -> Result<(), CommandError> {
        let Some(sha256) = &analysis.report.sample.sha256 else { return Ok(()) };
        if analysis.captures.is_empty() || !self.written.insert(sha256.clone()) {
            return Ok(());
        }
        let folder = self.root.join(sha256.to_string());
        create_directory(&folder)?;
        for capture in &analysis.captures {
            let path = folder.join(format!("{}.pcap", name(capture)));
            let written = fs::write(&path, pcap(&capture.runs));
            written.map_err(|error| CommandError::Create { path, error })?;
        }
        Ok(())
    }
}

fn create_directory(path: &Path) -> Result<(), CommandError> {
    fs::create_dir_all(path).map_err(|error| CommandError::Create { path: path.to_owned(), error })
}

/// The number of the vector, or the command with `%XX` for what is neither letter, digit, `-` nor
/// `_`: it is the analysed file's word, and must not lead to another directory.
fn name(capture: &Capture) -> String {
    if let Some(vector) = capture.vector {
        return vector.to_string();
    }
    let mut name = String::new();
    for byte in capture.command.as_deref().unwrap_or_default().bytes() {
        match byte {
            b'-' | b'_' => name.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name.truncate(MAX_NAME);
    if name.is_empty() { "%".to_owned() } else { name }
}

/// A capture in the format of libpcap (pcap-savefile(5)), version 2.4, little-endian. Time begins
/// with 0 and means nothing: every run begins with a second, its packets are a millisecond apart.
fn pcap(runs: &[Vec<Vec<u8>>]) -> Vec<u8> {
    const MAGIC: u32 = 0xa1b2_c3d4;
    const VERSION: u32 = 4 << 16 | 2;
    let mut file = [MAGIC, VERSION, 0, 0, SNAPSHOT, RAW_IP].map(u32::to_le_bytes).concat();
    for (second, packets) in (0_u32..).zip(runs) {
        for (number, packet) in (0_u32..).zip(packets) {
            let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
            let header = [second, number.saturating_mul(INTERVAL), length, length];
            file.extend(header.map(u32::to_le_bytes).concat());
            file.extend(packet);
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_header_and_one_for_each_packet() {
        let runs = [vec![vec![0x45, 1], vec![0x45]], vec![vec![0x46]]];
        let expected: &[&[u8]] = &[
            b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x65\0\0\0",
            b"\0\0\0\0\0\0\0\0\x02\0\0\0\x02\0\0\0\x45\x01",
            b"\0\0\0\0\xe8\x03\0\0\x01\0\0\0\x01\0\0\0\x45",
            b"\x01\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x46",
        ];
        assert_eq!(pcap(&runs), expected.concat());
    }

    #[test]
    fn names_stay_in_their_directory() {
        let name = |vector, command: Option<&str>| {
            name(&Capture { vector, command: command.map(str::to_owned), runs: Vec::new() })
        };
        assert_eq!(name(Some(7), None), "7");
        assert_eq!(name(None, Some("!UDP-x_1")), "%21UDP-x_1");
        assert_eq!(name(None, Some("../../etc/a")), "%2e%2e%2f%2e%2e%2fetc%2fa");
        assert_eq!(name(None, Some("..")), "%2e%2e");
        assert_eq!(name(None, None), "%");
        assert_eq!(name(None, Some(&"x".repeat(1000))).len(), MAX_NAME);
    }
}
