//! Counts the memory that the process has allocated.
//!
//! The only unsafe code of the project outside of dependencies: an allocator cannot be written
//! without. It hands everything on to the system's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static CAP: AtomicUsize = AtomicUsize::new(usize::MAX);

#[global_allocator]
static COUNTING: Counting = Counting;

/// The system's allocator, counted. Beyond the cap it has no memory, which ends the process.
struct Counting;

/// Takes memory; false when the cap does not allow it.
fn take(size: usize) -> bool {
    let live = LIVE.fetch_add(size, Ordering::Relaxed) + size;
    PEAK.fetch_max(live, Ordering::Relaxed);
    let fits = live <= CAP.load(Ordering::Relaxed);
    if !fits {
        give(size);
    }
    fits
}

fn give(size: usize) {
    LIVE.fetch_sub(size, Ordering::Relaxed);
}

// SAFETY: every call is handed on to `System` with the arguments it came with, and null is what
// an allocator returns when it has no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if take(layout.size()) { unsafe { System.alloc(layout) } } else { std::ptr::null_mut() }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if take(layout.size()) {
            unsafe { System.alloc_zeroed(layout) }
        } else {
            std::ptr::null_mut()
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        give(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both are there while the contents are copied.
        if !take(size) {
            return std::ptr::null_mut();
        }
        let moved = unsafe { System.realloc(pointer, layout, size) };
        give(if moved.is_null() { size } else { layout.size() });
        moved
    }
}

/// Bytes allocated at present.
pub(crate) fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// The most bytes that were allocated at once since [`restart_peak`].
pub(crate) fn peak() -> usize {
    PEAK.load(Ordering::Relaxed)
}

/// Forgets earlier peaks.
pub(crate) fn restart_peak() {
    PEAK.store(live(), Ordering::Relaxed);
}

/// Lets the process end when it allocates more than so many bytes.
pub(crate) fn set_cap(bytes: usize) {
    CAP.store(bytes, Ordering::Relaxed);
}
