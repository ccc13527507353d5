//! Accesses to guest memory, and where they can go.

use miyaburi_image::Address;

/// Whether an access read or wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
}

/// Why an access failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Nothing is mapped there.
    #[error("{access:?} of unmapped memory at {address}")]
    Unmapped {
        /// First byte that is not mapped.
        address: Address,
        /// What was tried.
        access: Access,
    },
    /// The file should hold the bytes there and does not; a program that finds them would be another.
    #[error("{access:?} of bytes at {address} that are missing in the file")]
    Missing {
        /// First byte of the access.
        address: Address,
        /// What was tried.
        access: Access,
    },
    /// The budget of touched pages, or of writes that can be undone, is spent.
    #[error("memory budget spent at {address}")]
    Budget {
        /// The access that would have been one too many.
        address: Address,
    },
    /// The access touches watched memory; a run asks its hooks and goes on.
    #[error("{:?} of watched memory at {}", .0.access, .0.address)]
    Watched(WatchedAccess),
}

/// A load or store that touches watched memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchedAccess {
    /// First byte of the access.
    pub address: Address,
    /// Its size in bytes.
    pub size: u32,
    /// Whether it reads or writes.
    pub access: Access,
}

/// A range of addresses that may be touched; zero unless the image has bytes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First address.
    pub start: Address,
    /// Size in bytes.
    pub size: u64,
}

impl Region {
    /// Whether the region holds `address`.
    #[must_use]
    pub fn contains(&self, address: Address) -> bool {
        address.distance_from(self.start).is_some_and(|distance| distance < self.size)
    }
}
