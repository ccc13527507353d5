//! Rows of the tables.

use miyaburi_model::{Confidence, Exploit};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::RowProblem;
use super::pattern;

/// A public source that rows were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name that rows use, without blanks.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// Licence of the data, or `facts only`.
    pub licence: String,
}

impl Source {
    pub(super) fn check(&self) -> Result<(), RowProblem> {
        match () {
            () if self.id.is_empty() || self.id.contains(' ') => Err(RowProblem::Empty("id")),
            () if self.title.is_empty() => Err(RowProblem::Empty("title")),
            () if !self.url.starts_with("https://") => Err(RowProblem::Empty("url")),
            () => Ok(()),
        }
    }
}

/// A default login and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRow {
    /// User name.
    pub user: String,
    /// Password, empty for none.
    pub password: String,
    /// Vendor; empty when no source ties the pair to one.
    pub vendor: String,
    /// Product line or model; empty when no source names one.
    pub product: String,
    /// Kind of device, such as `camera`; empty when no source tells.
    pub kind: String,
    /// `high` when the password is peculiar to the vendor and a source names both, `medium` when
    /// one source ties them together, `low` when many vendors share the pair or the vendor follows
    /// from the password alone.
    pub confidence: Confidence,
    /// Ids of sources, with blanks between them.
    #[serde(deserialize_with = "words")]
    pub sources: Vec<String>,
}

impl CredentialRow {
    /// Whether the row can stand beside `other`.
    pub(super) fn against(&self, other: &Self) -> Result<(), RowProblem> {
        let is_same_pair = self.user == other.user && self.password == other.password;
        let is_same_device =
            same(&self.vendor, &other.vendor) && same(&self.product, &other.product);
        match () {
            () if self == other => Err(RowProblem::Repeated),
            () if is_same_pair && is_same_device => {
                Err(RowProblem::Contradicted("kind, confidence or sources".to_owned()))
            }
            () if is_same_pair && (self.vendor.is_empty() || other.vendor.is_empty()) => {
                Err(RowProblem::Contradicted("one has a vendor and one has none".to_owned()))
            }
            () => Ok(()),
        }
    }
}

/// A request and whose devices it exploits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExploitRow {
    /// HTTP method; empty for any.
    pub method: String,
    /// Path, in which `*` stands for any text.
    pub path: String,
    /// Port; empty for any.
    pub port: Option<u16>,
    /// Vendor.
    pub vendor: String,
    /// Product line or model; empty when the vendor's component is in many.
    pub product: String,
    /// Kind of device; empty when no source tells.
    pub kind: String,
    /// CVE identifiers with blanks between them; empty when none was assigned.
    #[serde(deserialize_with = "words")]
    pub cve: Vec<String>,
    /// How sure the request belongs to the product.
    pub confidence: Confidence,
    /// Ids of sources, with blanks between them.
    #[serde(deserialize_with = "words")]
    pub sources: Vec<String>,
}

impl ExploitRow {
    pub(super) fn check(&self) -> Result<(), RowProblem> {
        if self.path.trim_matches('*').is_empty() {
            return Err(RowProblem::Empty("path"));
        }
        if self.vendor.is_empty() {
            return Err(RowProblem::Empty("vendor"));
        }
        match self.cve.iter().find(|cve| !is_cve(cve)) {
            Some(wrong) => Err(RowProblem::NoCve(wrong.clone())),
            None => Ok(()),
        }
    }

    /// Whether the row can stand beside `other`.
    pub(super) fn against(&self, other: &Self) -> Result<(), RowProblem> {
        let is_same_request = self.method.eq_ignore_ascii_case(&other.method)
            && self.path == other.path
            && self.port == other.port;
        let is_same_device =
            same(&self.vendor, &other.vendor) && same(&self.product, &other.product);
        let shared = self.cve.iter().find(|cve| other.cve.contains(cve));
        match shared {
            _ if self == other => Err(RowProblem::Repeated),
            _ if is_same_request && is_same_device => {
                Err(RowProblem::Contradicted("kind, CVE, confidence or sources".to_owned()))
            }
            Some(cve) if !is_same_device => {
                Err(RowProblem::Contradicted(format!("{cve} is of two products")))
            }
            _ => Ok(()),
        }
    }

    /// Whether `exploit` is this request.
    pub(super) fn fits(&self, exploit: &Exploit) -> bool {
        let method = exploit.method.as_deref();
        let fits_method = self.method.is_empty()
            || method.is_some_and(|method| method.eq_ignore_ascii_case(&self.method));
        let fits_port = self.port.is_none() || self.port == exploit.port;
        let path = exploit.path.as_deref();
        fits_method && fits_port && path.is_some_and(|path| pattern::fits(&self.path, path))
    }
}

/// Whether two names are the same but for case.
fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn is_cve(text: &str) -> bool {
    let digits = |text: &str, least: usize| {
        text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut parts = text.splitn(3, '-');
    parts.next() == Some("CVE")
        && parts.next().is_some_and(|year| year.len() == 4 && digits(year, 4))
        && parts.next().is_some_and(|number| digits(number, 4))
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text.split_ascii_whitespace().map(str::to_owned).collect())
}
