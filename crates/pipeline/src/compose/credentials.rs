//! Credentials in the terms of the report.

use super::at;
use miyaburi_extractors::credentials::CredentialList;
use miyaburi_model::{
    Cipher, Credential, Credentials, Evidence, Key, credentials_sha256, printable,
};

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
        effective_key: Some(Key::from(list.effective_key)),
        cipher: Cipher::Xor,
        entries,
        sha256: None,
    };
    // The hash of a list with gaps would compare as another list.
    if list.unread.is_empty() {
        credentials.sha256 = Some(credentials_sha256(&credentials.entries));
    }
    credentials
}
