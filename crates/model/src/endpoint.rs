//! Hosts the program talks to, and sources of a C2 outside the file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Confidence, Evidence};

/// A host the program talks to, or pretends to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// Domain name or address literal.
    pub host: String,
    /// Port, null when unknown.
    pub port: Option<u16>,
    /// Transport, null when unknown.
    pub protocol: Option<Protocol>,
    /// The whole URL, when the program holds one.
    pub url: Option<String>,
    /// What the program uses it for.
    pub role: EndpointRole,
    /// Position among the C2s in the order in which the program uses them, or chooses among them,
    /// from 1; null for other roles.
    pub order: Option<u32>,
    /// How it was found.
    pub method: Method,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it was read.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// Transport protocols.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What an endpoint is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EndpointRole {
    /// Command and control.
    C2,
    /// Takes the scanner's hits.
    ScanReceiver,
    /// Serves the binaries.
    Loader,
    /// A DNS resolver.
    Resolver,
    /// A place where the C2 is published.
    DeadDropResolver,
    /// Stands in the code to mislead the reader.
    Decoy,
    /// Loopback port that keeps a second instance away.
    SingleInstance,
    /// Another bot.
    Peer,
    /// Not known.
    Unknown,
}

/// How a value was found.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Read from the string table.
    Table,
    /// Read from a string outside the table.
    String,
    /// Read from constants in the code.
    Immediate,
    /// Observed while the program's own code ran.
    Emulation,
}

/// Where the C2 comes from when it is not in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExternalSource {
    /// Kind of source.
    pub source: SourceKind,
    /// The name that is asked for, when there is one.
    pub name: Option<String>,
    /// The DNS record type, when the source is DNS.
    pub record: Option<String>,
    /// What the program does to the answer, when it is more than reading it.
    pub transform: Option<String>,
    /// Where that was seen.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// Kinds of outside source.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A TXT record.
    DnsTxt,
    /// An address record whose answer is transformed.
    DnsA,
    /// A look-up at an OpenNIC resolver.
    Opennic,
    /// DNS over HTTPS.
    Doh,
    /// Ethereum Name Service.
    Ens,
    /// A command-line argument.
    Argv,
}
