//! Undoing what a packer did, before anything else looks at a file.

use miyaburi_image::Image;
use miyaburi_model::{HexBytes, Packer};
use miyaburi_unpackers::upx::{self, UpxError};
use miyaburi_unpackers::{Limits, stub, upx::Method};
use sha2::{Digest, Sha256};
use std::time::Instant;

use crate::Options;

/// The program in a packed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The file as it was before it was packed.
    pub file: Vec<u8>,
    /// How it was packed.
    pub packer: Packer,
    /// Why `file` is only its beginning, where it is.
    pub cut: Option<String>,
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

/// Most instructions of a stub: what is compressed with LZMA takes two hundred a byte.
const STUB_INSTRUCTIONS: u64 = 100_000_000;

/// What `repaired` says of a program that was taken out of memory.
const BY_STUB: &str = "stub_run";

/// Unpacks a file; `None` when it is not packed. What UPX packed and cannot be read any more, and
/// what nobody knows but [looks packed](stub::looks_packed), is run in the emulator until the program
/// is there.
///
/// # Errors
/// When a known packer made it, the program in it cannot be read, and does not come to be either.
pub fn unpack(bytes: &[u8], options: &Options) -> Result<Option<Unpacked>, UnpackError> {
    match undo_upx(bytes) {
        Ok(Some(unpacked)) => Ok(Some(unpacked)),
        Ok(None) => Ok(run_unknown(bytes, options)),
        Err(error) => {
            let repaired = vec![BY_STUB.to_owned()];
            let packer = Packer { repaired, ..*error.packer.clone() };
            run_stub(bytes, packer, options).map(Some).ok_or(error)
        }
    }
}

fn run_unknown(bytes: &[u8], options: &Options) -> Option<Unpacked> {
    let looks_packed = stub::looks_packed(bytes, &Image::parse(bytes).ok()?);
    looks_packed.then(|| run_stub(bytes, named("unknown"), options))?
}

fn run_stub(bytes: &[u8], packer: Packer, options: &Options) -> Option<Unpacked> {
    let budget = stub::Budget {
        instructions: options.max_instructions.min(STUB_INSTRUCTIONS),
        memory: options.max_bytes,
        deadline: options.time_limit.and_then(|limit| Instant::now().checked_add(limit / 2)),
    };
    // What keeps a file from being started keeps it from being analysed, which tells of it.
    let file = stub::run(bytes, &budget).ok()??;
    let unpacked_sha256 = Some(HexBytes::from(Sha256::digest(&file).to_vec()));
    Some(Unpacked { file, packer: Packer { unpacked_sha256, ..packer }, cut: None })
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
        let cut = unpacked.cut.map(|at| {
            format!("the packed file ends early (block at {at:#x}): only the beginning is there")
        });
        Unpacked { file: unpacked.file, packer, cut }
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
