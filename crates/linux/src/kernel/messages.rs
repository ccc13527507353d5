//! Calls that send or receive what a `struct msghdr` describes.

use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;

/// Messages of one call, and parts of one message (`UIO_MAXIOV`).
const MAX_COUNT: u64 = 1024;

/// Bytes of one message.
const MAX_MESSAGE: usize = 1 << 16;

/// Words of a `struct mmsghdr`: those of its `struct msghdr`, and the length that was moved.
const WORDS: u64 = 8;

/// A `struct msghdr`: an address with the length of it, and the parts of the message.
struct Message {
    address: u64,
    /// Where the length of the address stands.
    address_length: u64,
    /// Where each part is, and its length.
    parts: Vec<(u64, u64)>,
}

impl Kernel {
    pub(super) fn message_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let [descriptor, at, count, ..] = request.arguments;
        let reply = match call {
            SystemCall::Sendmsg => self.send_message(request, descriptor, at),
            SystemCall::Recvmsg => self.receive_message(request, descriptor, at),
            SystemCall::Sendmmsg => self.each(request, at, count, |kernel, request, at| {
                kernel.send_message(request, descriptor, at)
            }),
            SystemCall::Recvmmsg => self.each(request, at, count, |kernel, request, at| {
                kernel.receive_message(request, descriptor, at)
            }),
            _ => return None,
        };
        Some(reply.into())
    }

    /// Moves messages one after the other until one cannot be; how many were.
    fn each<'a>(
        &mut self,
        request: &mut Request<'_, 'a>,
        list: u64,
        count: u64,
        mut moves: impl FnMut(&mut Self, &mut Request<'_, 'a>, u64) -> Result<u64, Errno>,
    ) -> Result<u64, Errno> {
        let word = u64::from(self.word);
        let mut moved = 0;
        for at in (0..count.min(MAX_COUNT)).map(|index| list.wrapping_add(WORDS * word * index)) {
            match moves(self, request, at) {
                Ok(length) => request.store(at.wrapping_add((WORDS - 1) * word), 4, length)?,
                Err(error) if moved == 0 => return Err(error),
                Err(_) => break,
            }
            moved += 1;
        }
        Ok(moved)
    }

    fn message(&self, request: &mut Request<'_, '_>, at: u64) -> Result<Message, Errno> {
        let word = u64::from(self.word);
        let place = |index: u64| at.wrapping_add(word * index);
        let list = request.load(place(2), self.word)?;
        let count = request.load(place(3), self.word)?;
        if count > MAX_COUNT {
            return Err(Errno::Invalid);
        }
        let mut parts = Vec::new();
        for part in (0..count).map(|index| list.wrapping_add(2 * word * index)) {
            let start = request.load(part, self.word)?;
            parts.push((start, request.load(part.wrapping_add(word), self.word)?));
        }
        let address = request.load(at, self.word)?;
        Ok(Message { address, address_length: place(1), parts })
    }

    fn send_message(
        &mut self,
        request: &mut Request<'_, '_>,
        descriptor: u64,
        at: u64,
    ) -> Result<u64, Errno> {
        let message = self.message(request, at)?;
        let mut bytes = Vec::new();
        if self.may_send == 0 {
            return Err(Errno::NoMemory);
        }
        for (start, length) in message.parts {
            let room = (MAX_MESSAGE - bytes.len()) as u64;
            bytes.extend(request.bytes(start, length.min(room) as usize)?);
        }
        let length = request.load(message.address_length, 4)?;
        self.send_bytes(request, descriptor, bytes, (message.address, length))
    }

    fn receive_message(
        &mut self,
        request: &mut Request<'_, '_>,
        descriptor: u64,
        at: u64,
    ) -> Result<u64, Errno> {
        let message = self.message(request, at)?;
        let (from, bytes) = self.take_message(descriptor)?;
        let mut rest = bytes.as_slice();
        for (start, length) in message.parts {
            let (part, behind) = rest.split_at(rest.len().min(length as usize));
            request.write(start, part)?;
            rest = behind;
        }
        self.give_back(descriptor, from, rest)?;
        if message.address != 0 {
            self.give_address(request, from, message.address, message.address_length)?;
        }
        Ok((bytes.len() - rest.len()) as u64)
    }
}
