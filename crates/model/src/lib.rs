//! The report: one schema for everything Miyaburi finds in one file.
//!
//! [`Report`] is the only serialised contract. It depends on no engine: addresses, keys and byte
//! strings are newtypes of this crate with one spelling in JSON. Readers ignore fields they do
//! not know, so that a report of a newer version stays readable.

mod attack;
mod bytes;
mod comparison;
mod credentials;
mod endpoint;
mod evidence;
mod host;
mod program;
mod report;
mod sample;
mod scan;
mod schema;
mod strings;
mod timestamp;

pub use attack::{
    Attack, AttackOption, Constant, FieldDescriptor, FieldValue, KindMethod, OptionType, Packet,
};
pub use bytes::{HexBytes, HexError, Key, VirtualAddress};
pub use comparison::{
    ComparedValue, compared_value, credentials_sha256, printable, string_table_sha256,
};
pub use credentials::{Credential, Credentials};
pub use endpoint::{Endpoint, EndpointRole, ExternalSource, Method, Protocol, SourceKind};
pub use evidence::{Confidence, Diagnostic, Evidence, Level};
pub use host::{DomainName, Host, HostError};
pub use program::{DataItem, Function};
pub use report::{Family, Report, SCHEMA_VERSION, Verdict};
pub use sample::{Endian, FileFormat, Packer, Sample};
pub use scan::{Exploit, Probe, Scan};
pub use schema::schema;
pub use strings::{Cipher, EntryRole, EntryValue, LooseString, Reference, StringTable, TableEntry};
pub use timestamp::{Timestamp, TimestampError};
