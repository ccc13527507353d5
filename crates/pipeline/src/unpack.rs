//! Undoing what a packer did, before anything else looks at a file.

use miyaburi_model::{HexBytes, Packer};
use miyaburi_unpackers::upx::{self, UpxError};
use miyaburi_unpackers::{Limits, upx::Method};
use sha2::{Digest, Sha256};

/// The program in a packed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The file as it was before it was packed.
    pub file: Vec<u8>,
    /// How it was packed.
    pub packer: Packer,
}

/// A file that is packed and could not be unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct UnpackError {
    /// What is known of the packing.
    pub packer: Box<Packer>,
    /// Why it could not be undone.
    pub reason: UpxError,
}

/// Unpacks a file; `None` when it is not packed.
///
/// # Errors
/// When it is packed and the program in it cannot be read.
pub fn unpack(bytes: &[u8]) -> Result<Option<Unpacked>, UnpackError> {
    let unpacked = match upx::unpack(bytes, Limits::default()) {
        Ok(unpacked) => unpacked,
        Err(reason) => {
            let packer = Packer { version: upx::version(bytes), ..named("upx") };
            return Err(UnpackError { packer: Box::new(packer), reason });
        }
    };
    Ok(unpacked.map(|unpacked| {
        let packer = Packer {
            version: unpacked.version,
            method: Some(unpacked.method).filter(|it| *it != Method::Stored).map(name),
            filter: (unpacked.filter != 0).then(|| format!("{:#04x}", unpacked.filter)),
            repaired: unpacked.repairs.iter().map(ToString::to_string).collect(),
            unpacked_sha256: Some(HexBytes::from(Sha256::digest(&unpacked.file).to_vec())),
            ..named("upx")
        };
        Unpacked { file: unpacked.file, packer }
    }))
}

fn name(method: Method) -> String {
    method.name().to_owned()
}

fn named(name: &str) -> Packer {
    Packer {
        name: name.to_owned(),
        version: None,
        method: None,
        filter: None,
        repaired: Vec::new(),
        unpacked_sha256: None,
    }
}
