//! Calls about sets of descriptors that are waited for (`epoll`).

use super::waiting::{FOR_EVER, MILLISECOND, READABLE, WRITABLE};
use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use crate::abi::status::event_data;
use crate::descriptors::{Interest, Open};
use std::collections::BTreeMap;

/// What `epoll_ctl` does (`linux/eventpoll.h`).
const ADD: u64 = 1;
const REMOVE: u64 = 2;
const CHANGE: u64 = 3;

/// Descriptors in one set.
const MAX_INTERESTS: usize = 1024;

impl Kernel {
    pub(super) fn event_set_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let reply = match call {
            SystemCall::EpollCreate | SystemCall::EpollCreate1 => {
                self.open.add(Open::Waiting(BTreeMap::new()))
            }
            SystemCall::EpollCtl => self.change_set(request),
            SystemCall::EpollWait | SystemCall::EpollPwait => self.wait_for_set(request),
            _ => return None,
        };
        Some(reply.into())
    }

    fn change_set(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [set, operation, descriptor, at, ..] = request.arguments;
        self.open.get(descriptor)?;
        let interest = match operation {
            REMOVE => None,
            _ => Some(Interest {
                events: request.load(at, 4)?,
                data: request.load(at.wrapping_add(event_data(self.abi.numbering)), 8)?,
            }),
        };
        let interests = self.open.waiting(set)?;
        let is_there = interests.contains_key(&descriptor);
        match (operation, interest) {
            (ADD, _) if is_there => return Err(Errno::Exists),
            (ADD, _) if interests.len() >= MAX_INTERESTS => return Err(Errno::NoMemory),
            (CHANGE | REMOVE, _) if !is_there => return Err(Errno::NoEntry),
            (ADD | CHANGE, Some(interest)) => interests.insert(descriptor, interest),
            (REMOVE, _) => interests.remove(&descriptor),
            _ => return Err(Errno::Invalid),
        };
        Ok(0)
    }

    /// The events that are there; time passes where there is none.
    fn wait_for_set(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [set, list, room, timeout, ..] = request.arguments;
        let offset = event_data(self.abi.numbering);
        let interests = self.open.waiting(set)?.clone();
        let mut found = 0;
        for (descriptor, interest) in interests {
            let (read, write) = self.open.readiness(descriptor).unwrap_or((false, false));
            let came = if read { READABLE } else { 0 } | if write { WRITABLE } else { 0 };
            let came = came & interest.events;
            if came == 0 || found >= room {
                continue;
            }
            let at = list.wrapping_add(found * (offset + 8));
            request.store(at, 4, came)?;
            request.store(at.wrapping_add(offset), 8, interest.data)?;
            found += 1;
        }
        if found == 0 {
            let timeout = u64::try_from(timeout as u32 as i32);
            self.clock.wait(timeout.map_or(FOR_EVER, |it| it * MILLISECOND));
        }
        Ok(found)
    }
}
