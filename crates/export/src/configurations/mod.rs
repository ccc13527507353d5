//! What reports say, by configuration.
//!
//! Files have the same configuration when the comparison hashes of their string tables and
//! credentials are equal and they name the same hosts of the attackers: builds for several CPUs are
//! one. A file in which none of these was found is a configuration of its own. What files of one
//! configuration say besides is united.
//!
//! Left out are reports without the file's SHA-256, and those in which nothing of the family was
//! found. Paths of files are never kept: they are the analyst's own.
//!
//! Memory grows with files, about 300 bytes each, and with configurations, not with reports.

mod encoded;
mod file;

use std::collections::{BTreeMap, BTreeSet};

use miyaburi_model::{Cipher, Confidence, Exploit, HexBytes, Report, Verdict};
use sha2::{Digest, Sha256};

pub use encoded::Encoded;
pub use file::File;

use crate::gate::BLOCKABLE;
use crate::indicators::{Indicator, Indicators, Observed, Span, role_name};
use crate::technique::{Technique, techniques};

/// Configurations by identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configurations(BTreeMap<String, Configuration>);

/// What files of one configuration say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The families that files name.
    pub families: BTreeMap<String, Confidence>,
    /// Comparison hash of the string table.
    pub table: Option<HexBytes>,
    /// Comparison hash of the credentials.
    pub credentials: Option<HexBytes>,
    /// Ciphers and effective keys of table and credentials, such as `xor 0x22`.
    pub keys: BTreeSet<String>,
    /// Texts as they lie in the files, encoded.
    pub encoded: BTreeSet<Encoded>,
    /// Hosts, whatever their role; texts that are no hosts are left out.
    pub hosts: BTreeMap<Indicator, Confidence>,
    /// URLs of endpoints and of what exploits load, any text at all.
    pub urls: BTreeSet<String>,
    /// User names and passwords, any text at all.
    pub logins: BTreeSet<(String, String)>,
    /// Kinds of attack, `unknown` among them, any text at all.
    pub attacks: BTreeSet<String>,
    /// Requests that exploit devices.
    pub requests: BTreeSet<Request>,
    /// Ports that are probed.
    pub probes: BTreeSet<u16>,
    /// What of ATT&CK that shows.
    pub techniques: BTreeSet<Technique>,
    /// The files by SHA-256.
    pub files: BTreeMap<[u8; 32], File>,
}

/// A request that exploits a device; texts are any at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Port, none when not known.
    pub port: Option<u16>,
    /// HTTP method, none when it is no HTTP.
    pub method: Option<String>,
    /// Path.
    pub path: Option<String>,
}

impl Configurations {
    /// Adds what a report says; `observed` tells when its file was seen.
    pub fn add(&mut self, report: &Report, observed: &Observed) {
        let sha256 = report.sample.sha256.as_ref();
        let Some(sha256) = sha256.and_then(|it| <[u8; 32]>::try_from(it.0.as_slice()).ok()) else {
            return;
        };
        if !matches!(report.verdict, Verdict::Config | Verdict::ExternalC2 | Verdict::Partial) {
            return;
        }
        let mut hosts = Indicators::default();
        hosts.add(report, observed);
        let hosts: BTreeMap<Indicator, Confidence> = hosts
            .into_merged()
            .into_iter()
            .map(|(host, seen)| (host, seen.sightings.confidence))
            .collect();
        let identifier = identifier(report, sha256, &hosts);
        let configuration = self.0.entry(identifier).or_default();
        configuration.add(report, hosts);
        configuration.files.insert(sha256, File::new(report, observed.of(&sha256)));
    }

    /// Identifiers, 16 hexadecimal digits, and what they stand for, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Configuration)> {
        self.0.iter().map(|(identifier, configuration)| (identifier.as_str(), configuration))
    }
}

/// The first 8 bytes of a digest over what makes a configuration one of its own.
fn identifier(
    report: &Report,
    sha256: [u8; 32],
    hosts: &BTreeMap<Indicator, Confidence>,
) -> String {
    let hash = |hash: Option<&HexBytes>| hash.map_or_else(|| "-".to_owned(), ToString::to_string);
    let table = report.string_table.as_ref().and_then(|table| table.sha256.as_ref());
    let credentials = report.credentials.as_ref().and_then(|list| list.sha256.as_ref());
    // None of the parts can hold a line break: digests, typed hosts, numbers and words.
    let mut parts = vec![hash(table), hash(credentials)];
    parts.extend(
        hosts
            .keys()
            .filter(|host| BLOCKABLE.contains(&host.role))
            .map(|host| format!("{} {} {:?}", role_name(host.role), host.host, host.port)),
    );
    if table.is_none() && credentials.is_none() && parts.len() == 2 {
        parts.push(hex(&sha256));
    }
    let digest = hex(&Sha256::digest(parts.join("\n")));
    digest.chars().take(16).collect()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

impl Configuration {
    /// When any of its files was seen, none when that is not known of one.
    #[must_use]
    pub fn seen(&self) -> Option<Span> {
        self.files.values().filter_map(|file| file.seen).reduce(Span::with)
    }

    /// The family that its files agree on.
    #[must_use]
    pub fn family(&self) -> Option<(&str, Confidence)> {
        let mut families = self.families.iter();
        let (name, confidence) = families.next()?;
        families.next().is_none().then_some((name, *confidence))
    }

    fn add(&mut self, report: &Report, hosts: BTreeMap<Indicator, Confidence>) {
        if let Some(family) = &report.family {
            raise(&mut self.families, family.name.clone(), family.confidence);
        }
        for (host, confidence) in hosts {
            raise(&mut self.hosts, host, confidence);
        }
        self.urls.extend(report.endpoints.iter().filter_map(|endpoint| endpoint.url.clone()));
        self.attacks.extend(
            report
                .attacks
                .iter()
                .map(|attack| attack.kind.clone().unwrap_or_else(|| "unknown".to_owned())),
        );
        self.techniques.extend(techniques(report));
        self.add_encoded(report);
        self.encoded.extend(encoded::encoded(report));
        if let Some(scan) = &report.scan {
            self.probes.extend(scan.probes.iter().map(|probe| probe.port));
            self.urls.extend(scan.exploits.iter().filter_map(|exploit| exploit.loader.clone()));
            self.requests.extend(scan.exploits.iter().map(Request::new));
        }
    }

    fn add_encoded(&mut self, report: &Report) {
        let mut add_key = |cipher: Cipher, key: Option<&miyaburi_model::Key>| {
            let key = key.filter(|_| cipher != Cipher::Plain);
            self.keys.extend(key.map(|key| format!("{} {key}", cipher_name(cipher))));
        };
        if let Some(table) = &report.string_table {
            add_key(table.cipher, table.effective_key.as_ref());
            self.table.clone_from(&table.sha256);
        }
        if let Some(list) = &report.credentials {
            add_key(list.cipher, list.effective_key.as_ref());
            self.credentials.clone_from(&list.sha256);
            let logins = list.entries.iter();
            self.logins.extend(logins.map(|it| (it.user.clone(), it.password.clone())));
        }
    }
}

/// The spelling of a cipher in reports.
fn cipher_name(cipher: Cipher) -> String {
    let name = serde_json::to_value(cipher).ok();
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Keeps the higher confidence.
fn raise<K: Ord>(all: &mut BTreeMap<K, Confidence>, key: K, confidence: Confidence) {
    all.entry(key).and_modify(|known| *known = confidence.max(*known)).or_insert(confidence);
}

impl Request {
    fn new(exploit: &Exploit) -> Self {
        Self { port: exploit.port, method: exploit.method.clone(), path: exploit.path.clone() }
    }
}
