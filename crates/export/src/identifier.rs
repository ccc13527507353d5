//! Identifiers that follow from content (UUID version 5, RFC 9562), so that the same finding has the
//! same one in every export.

use serde_json::Value;
use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid, uuid};

/// The namespace of this program's identifiers, chosen once.
const NAMESPACE: Uuid = uuid!("5d0c1a9e-7f43-4b62-8c0d-3a4e9b1f6c27");

/// The identifier of what these values make one of its own.
pub(crate) fn identifier(seed: &Value) -> Uuid {
    named(NAMESPACE, &seed.to_string())
}

/// The identifier of a name in a namespace.
pub(crate) fn named(namespace: Uuid, name: &str) -> Uuid {
    let digest = Sha1::new().chain_update(namespace).chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, of_digest)| *byte = of_digest);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_identifier_of_the_standard() {
        // RFC 9562, appendix A.4.
        let dns = uuid!("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        let expected = uuid!("2ed6657d-e927-568b-95e1-2665a8aea6a2");
        assert_eq!(named(dns, "www.example.com"), expected);
    }
}
