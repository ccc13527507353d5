//! The state of the emulated CPU: registers, temporaries, register windows and memory.

use crate::memory::Memory;
use crate::registers::RegisterMap;
use crate::windows::{WINDOW_BYTES, Windows};
use miyaburi_image::{Address, Endian};
use miyaburi_pcode::{Context, Varnode};
use std::sync::Arc;

/// Everything that changes while code runs. Cloning makes a snapshot.
#[derive(Clone)]
pub struct State<'a> {
    /// Guest memory.
    pub memory: Memory<'a>,
    /// Registers, then the temporaries of the running block.
    pub(crate) bytes: Vec<u8>,
    pub(crate) registers: Arc<RegisterMap>,
    pub(crate) endian: Endian,
    pub(crate) address_mask: u64,
    /// Where the local and input registers lie, on a CPU with register windows.
    pub(crate) window_base: Option<u32>,
    /// What ARM's thread register reads.
    pub(crate) thread_pointer: u64,
    /// Where the rounding mode of floating-point numbers lies, on a CPU where programs change it.
    pub(crate) rounding_mode: Option<u32>,
    pub(crate) windows: Windows,
    pub(crate) pc: Address,
    pub(crate) context: Context,
    /// Blocks of fresh memory taken so far.
    pub(crate) fresh_blocks: u64,
}

impl State<'_> {
    /// The bytes of all registers, in an order that is the same for all states of one program: to
    /// compare states.
    #[must_use]
    pub fn register_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The value of a register of at most eight bytes.
    #[must_use]
    pub fn register(&self, varnode: &Varnode) -> u64 {
        let at = self.registers.place(varnode.offset, varnode.size);
        at.map_or(0, |at| self.read_state(at, varnode.size))
    }

    /// Sets a register of at most eight bytes.
    pub fn set_register(&mut self, varnode: &Varnode, value: u64) {
        if let Some(at) = self.registers.place(varnode.offset, varnode.size) {
            self.write_state(at, varnode.size, value);
        }
    }

    /// Sets the thread pointer of CPUs that keep it in no register of their own (ARM).
    pub fn set_thread_pointer(&mut self, value: u64) {
        self.thread_pointer = value;
    }

    /// Goes to an address in a decoding context; [`Emulator::run`](crate::Emulator::run) starts
    /// there.
    pub fn enter(&mut self, address: Address, context: Context) {
        (self.pc, self.context) = (address, context);
    }

    /// Where execution stands.
    #[must_use]
    pub fn pc(&self) -> Address {
        self.pc
    }

    #[inline(always)]
    pub(crate) fn read_state(&self, offset: u32, size: u32) -> u64 {
        let start = offset as usize;
        let Some(bytes) = self.bytes.get(start..start + (size as usize).min(8)) else { return 0 };
        self.endian.read_uint(bytes)
    }

    #[inline(always)]
    pub(crate) fn write_state(&mut self, offset: u32, size: u32, value: u64) {
        let start = offset as usize;
        let Some(bytes) = self.bytes.get_mut(start..start + size as usize) else { return };
        self.endian.write_uint(bytes, value);
    }

    /// The bytes of a register or temporary; empty when it lies outside, which no translated block
    /// does.
    pub(crate) fn state_bytes(&self, offset: u32, size: u32) -> &[u8] {
        self.bytes.get(offset as usize..offset as usize + size as usize).unwrap_or(&[])
    }

    pub(crate) fn state_bytes_mut(&mut self, offset: u32, size: u32) -> &mut [u8] {
        self.bytes.get_mut(offset as usize..offset as usize + size as usize).unwrap_or(&mut [])
    }

    /// Keeps the current window's local and input registers for the matching restore; false when
    /// windows nest too deep.
    #[must_use]
    pub(crate) fn save_window(&mut self) -> bool {
        let Some(base) = self.window_base else { return true };
        let mut window = [0; WINDOW_BYTES];
        if let Some(bytes) = self.bytes.get(base as usize..base as usize + WINDOW_BYTES) {
            window.copy_from_slice(bytes);
        }
        self.windows.push(window)
    }

    /// Brings back what [`State::save_window`] kept; without a match the registers stay.
    pub(crate) fn restore_window(&mut self) {
        let Some(base) = self.window_base else { return };
        let Some(window) = self.windows.pop() else { return };
        if let Some(bytes) = self.bytes.get_mut(base as usize..base as usize + WINDOW_BYTES) {
            bytes.copy_from_slice(&window);
        }
    }
}
