//! Undoing what a packer did, before anything else looks at a file.

use miyaburi_model::{HexBytes, Packer};
use miyaburi_unpackers::upx::{self, UpxError};
use miyaburi_unpackers::{Limits, stub, upx::Method};
use sha2::{Digest, Sha256};

use crate::Options;

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

/// Most instructions of the stub of a packer that is not known, which loops over the program.
const STUB_INSTRUCTIONS: u64 = 50_000_000;

/// Unpacks a file; `None` when it is not packed. A file that no known packer made, but that has
/// memory to write code into, is run in the emulator until it does.
///
/// # Errors
/// When a known packer made it and the program in it cannot be read.
pub fn unpack(bytes: &[u8], options: &Options) -> Result<Option<Unpacked>, UnpackError> {
    Ok(undo_upx(bytes)?.or_else(|| run_stub(bytes, options)))
}

fn run_stub(bytes: &[u8], options: &Options) -> Option<Unpacked> {
    let instructions = options.max_instructions.min(STUB_INSTRUCTIONS);
    // What keeps a file from being started keeps it from being analysed, which tells of it.
    let file = stub::run(bytes, instructions).ok()??;
    let unpacked_sha256 = Some(HexBytes::from(Sha256::digest(&file).to_vec()));
    Some(Unpacked { file, packer: Packer { unpacked_sha256, ..named("unknown") } })
}

fn undo_upx(bytes: &[u8]) -> Result<Option<Unpacked>, UnpackError> {
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
