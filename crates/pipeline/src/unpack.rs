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
    /// How it was packed, the outermost packer first.
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

/// Most packers around each other.
const MAX_LAYERS: usize = 4;

/// Unpacks a file, and what comes out of it as long as that is packed, too; `None` when it is not
/// packed.
///
/// # Errors
/// When a known packer made it, the program in it cannot be read, and does not come to be either.
pub fn unpack(bytes: &[u8], options: &Options) -> Result<Option<Unpacked>, UnpackError> {
    let deadline = options.time_limit.and_then(|limit| Instant::now().checked_add(limit / 2));
    undo(bytes, options, deadline, MAX_LAYERS)
}

/// Undoes so many packers at most.
fn undo(
    bytes: &[u8],
    options: &Options,
    deadline: Option<Instant>,
    layers: usize,
) -> Result<Option<Unpacked>, UnpackError> {
    let Some(layers) = layers.checked_sub(1) else { return Ok(None) };
    let Some(outer) = undo_layer(bytes, options, deadline)? else { return Ok(None) };
    if outer.cut.is_some() {
        return Ok(Some(outer));
    }
    match undo(&outer.file, options, deadline, layers) {
        Ok(None) => Ok(Some(outer)),
        Ok(Some(inner)) => {
            Ok(Some(Unpacked { packer: around(inner.packer, outer.packer), ..inner }))
        }
        Err(UnpackError { packer, reason }) => {
            let packer = Box::new(around(*packer, outer.packer));
            Err(UnpackError { packer, reason })
        }
    }
}

/// A packer around another.
fn around(inner: Packer, outer: Packer) -> Packer {
    Packer { inner: Some(Box::new(inner)), ..outer }
}

/// Undoes the outermost packer. What UPX packed and cannot be read any more, and
/// what nobody knows but [looks packed](stub::looks_packed), is run in the emulator until the program
/// is there.
///
/// # Errors
/// When a known packer made it, the program in it cannot be read, and does not come to be either.
fn undo_layer(
    bytes: &[u8],
    options: &Options,
    deadline: Option<Instant>,
) -> Result<Option<Unpacked>, UnpackError> {
    match undo_upx(bytes) {
        Ok(Some(unpacked)) => Ok(Some(unpacked)),
        Ok(None) => Ok(run_unknown(bytes, options, deadline)),
        Err(error) => {
            let repaired = vec![BY_STUB.to_owned()];
            let packer = Packer { repaired, ..*error.packer.clone() };
            run_stub(bytes, packer, options, deadline).map(Some).ok_or(error)
        }
    }
}

fn run_unknown(bytes: &[u8], options: &Options, deadline: Option<Instant>) -> Option<Unpacked> {
    let looks_packed = stub::looks_packed(bytes, &Image::parse(bytes).ok()?);
    looks_packed.then(|| run_stub(bytes, named("unknown"), options, deadline))?
}

fn run_stub(
    bytes: &[u8],
    packer: Packer,
    options: &Options,
    deadline: Option<Instant>,
) -> Option<Unpacked> {
    let budget = stub::Budget {
        instructions: options.max_instructions.min(STUB_INSTRUCTIONS),
        memory: options.max_bytes,
        deadline,
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
        inner: None,
    }
}
