//! Credentials in the terms of the report.

use super::at;
use super::strings::cipher_of;
use miyaburi_extractors::credentials::CredentialList;
use miyaburi_model::{Credential, Credentials, Evidence, Key, credentials_sha256, printable};

/// The list; one with gaps has no hash.
pub(super) fn credentials_of(list: &CredentialList) -> Credentials {
    let entries = list
        .pairs
        .iter()
        .map(|pair| Credential {
            user: printable(&pair.user),
            password: printable(&pair.password),
            weight: pair.weight,
            evidence: vec![Evidence::new(
                at(pair.added_at),
                Some(at(list.initialiser)),
                "added here",
            )],
        })
        .collect();
    let mut credentials = Credentials {
        effective_key: list.coding.effective_key.map(Key::from),
        cipher: cipher_of(list.coding.cipher),
        entries,
        sha256: None,
    };
    // The hash of a list with gaps would compare as another list.
    if list.unread.is_empty() {
        credentials.sha256 = Some(credentials_sha256(&credentials.entries));
    }
    credentials
}
