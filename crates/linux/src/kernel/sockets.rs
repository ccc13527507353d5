//! Calls about sockets, direct or through `socketcall`.

use super::processes::{PROCESS, PROCESS_STEP};
use super::{Kernel, Reply, Request};
use crate::abi::calls::{Numbering, SystemCall};
use crate::abi::errno::Errno;
use crate::descriptors::{Open, Socket};
use crate::network::{
    NetworkAction, NetworkEvent, OWN_PORT, OWN_PORTS, Route, Transport, connected, handshake,
    socket_address, socket_address_bytes, unspecified,
};
use crate::script::Connections;
use core::net::SocketAddr;
use std::collections::VecDeque;

/// Bytes of one message.
const MAX_MESSAGE: u64 = 1 << 16;

/// `AF_INET6` on Linux.
const AF_INET6: u64 = 10;

/// Of raw sockets, the protocol that stands for any: packets come with their header (`man 7 raw`).
const RAW_PROTOCOL: u64 = 255;

/// TCP's number among IP's protocols.
const TCP: u8 = 6;

/// The level of IP's options, and the one that says that packets come with their header.
const IP_LEVEL: u64 = 0;
const IP_HEADER_INCLUDED: u64 = 3;

/// Bytes of a socket's option; each is 0 here, `SO_ERROR` too.
const OPTION_SIZE: u32 = 4;

/// `socketcall`'s first argument, from 1 (`linux/net.h`).
const MULTIPLEXED: [SystemCall; 20] = [
    SystemCall::Socket,
    SystemCall::Bind,
    SystemCall::Connect,
    SystemCall::Listen,
    SystemCall::Accept,
    SystemCall::Getsockname,
    SystemCall::Getpeername,
    SystemCall::Socketpair,
    SystemCall::Send,
    SystemCall::Recv,
    SystemCall::Sendto,
    SystemCall::Recvfrom,
    SystemCall::Shutdown,
    SystemCall::Setsockopt,
    SystemCall::Getsockopt,
    SystemCall::Sendmsg,
    SystemCall::Recvmsg,
    SystemCall::Accept4,
    SystemCall::Recvmmsg,
    SystemCall::Sendmmsg,
];

impl Kernel {
    pub(super) fn socket_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        if call == SystemCall::Socketcall {
            return self.multiplexed(request);
        }
        let [descriptor, at, length, _, address, address_length] = request.arguments;
        let reply = match call {
            SystemCall::Socket => self.make_socket(request),
            SystemCall::Connect => self.attach(request, NetworkAction::Connected),
            SystemCall::Bind => self.attach(request, NetworkAction::Bound),
            SystemCall::Listen | SystemCall::Shutdown => self.open.socket(descriptor).map(|_| 0),
            SystemCall::Setsockopt => self.set_option(request),
            SystemCall::Getsockopt => self.option(request),
            SystemCall::Accept | SystemCall::Accept4 => Err(Errno::Again),
            SystemCall::Getsockname => {
                let own = self.open.socket(descriptor).map(|socket| socket.own);
                own.and_then(|own| self.give_address(request, own, at, length))
            }
            SystemCall::Getpeername => {
                let peer = self.open.socket(descriptor).map(|socket| socket.peer);
                peer.and_then(|peer| peer.ok_or(Errno::NotConnected))
                    .and_then(|peer| self.give_address(request, peer, at, length))
            }
            SystemCall::Send => self.send(request, (0, 0)),
            SystemCall::Sendto => self.send(request, (address, address_length)),
            SystemCall::Recv => self.receive(request, (0, 0)),
            SystemCall::Recvfrom => self.receive(request, (address, address_length)),
            // What is written to a socket is sent.
            SystemCall::Write if self.open.socket(descriptor).is_ok() => self.send(request, (0, 0)),
            SystemCall::Read if self.open.socket(descriptor).is_ok() => {
                self.receive(request, (0, 0))
            }
            _ => return None,
        };
        Some(reply.into())
    }

    fn multiplexed(&mut self, request: &mut Request<'_, '_>) -> Option<Reply> {
        let [number, block, ..] = request.arguments;
        let call = *MULTIPLEXED.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
        for index in 0..crate::abi::ARGUMENTS {
            let at = block.wrapping_add(u64::from(self.word) * index as u64);
            // Most calls have fewer arguments than there may be memory for.
            let value = request.load(at, self.word).unwrap_or(0);
            if let Some(argument) = request.arguments.get_mut(index) {
                *argument = value;
            }
        }
        self.socket_call(call, request).or_else(|| self.message_call(call, request))
    }

    fn make_socket(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [family, kind, protocol, ..] = request.arguments;
        // The first two are the other way round on MIPS (`asm/socket.h`).
        let kind = match kind & 0xf {
            1 if self.abi.numbering == Numbering::Mips => 2,
            2 if self.abi.numbering == Numbering::Mips => 1,
            kind => kind,
        };
        let transport = match kind {
            1 => Transport::Tcp,
            2 => Transport::Udp,
            3 => Transport::Raw { protocol: protocol as u8, has_header: protocol == RAW_PROTOCOL },
            _ => return Err(Errno::Invalid),
        };
        let own = unspecified(family == AF_INET6);
        let socket = Socket { transport, own, peer: None, inbox: VecDeque::new() };
        self.open.add(Open::Socket(socket))
    }

    fn address(
        &self,
        request: &mut Request<'_, '_>,
        at: u64,
        length: u64,
    ) -> Result<SocketAddr, Errno> {
        const MAX_ADDRESS: u64 = 128;
        let bytes = request.bytes(at, length.min(MAX_ADDRESS) as usize)?;
        socket_address(self.endian, &bytes).ok_or(Errno::Invalid)
    }

    /// `connect` and `bind`: the address at `at` becomes the socket's peer, or its own.
    fn attach(
        &mut self,
        request: &mut Request<'_, '_>,
        action: NetworkAction,
    ) -> Result<u64, Errno> {
        let [descriptor, at, length, ..] = request.arguments;
        let address = self.address(request, at, length)?;
        let chosen = port_of((self.process - PROCESS) / PROCESS_STEP, descriptor);
        let socket = self.open.socket(descriptor)?;
        if socket.transport == Transport::Tcp && action == NetworkAction::Connected {
            let end = self.network.script.connection_to(address);
            if end != Connections::Succeed {
                let (transport, own) = (socket.transport, socket.own);
                let route = Route { site: request.site, transport, own, address };
                self.network.note(route.event(action));
                return Err(self.unconnected(end));
            }
        }
        match action {
            NetworkAction::Bound => socket.own = address,
            _ => {
                socket.peer = Some(address);
                socket.own = connected(socket.own, chosen);
            }
        }
        let (transport, own) = (socket.transport, socket.own);
        if transport == Transport::Tcp && action == NetworkAction::Connected {
            self.shake_hands(own, address);
        }
        self.network.note(Route { site: request.site, transport, own, address }.event(action));
        Ok(0)
    }

    /// How a connection fails.
    fn unconnected(&mut self, end: Connections) -> Errno {
        /// How long the kernel tries (`tcp_syn_retries`), in seconds.
        const PATIENCE: u64 = 127;
        if end == Connections::Hang {
            self.clock.wait(PATIENCE * crate::clock::SECOND);
            return Errno::TimedOut;
        }
        Errno::Refused
    }

    /// Shows the peer's answer to those who listen to raw TCP.
    fn shake_hands(&mut self, own: SocketAddr, peer: SocketAddr) {
        let Some(packet) = handshake(own, peer) else { return };
        for socket in self.open.sockets() {
            if matches!(socket.transport, Transport::Raw { protocol: TCP, .. }) {
                socket.take_in(SocketAddr::new(peer.ip(), 0), packet.clone());
            }
        }
    }

    /// `setsockopt`: but for one all are taken without a look.
    fn set_option(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [descriptor, level, option, at, ..] = request.arguments;
        let value = request.load(at, OPTION_SIZE);
        let socket = self.open.socket(descriptor)?;
        if (level, option) == (IP_LEVEL, IP_HEADER_INCLUDED)
            && let Transport::Raw { has_header, .. } = &mut socket.transport
        {
            *has_header = value? != 0;
        }
        Ok(0)
    }

    /// Sends to the address that is given, or to the peer.
    fn send(
        &mut self,
        request: &mut Request<'_, '_>,
        (to, to_length): (u64, u64),
    ) -> Result<u64, Errno> {
        let [descriptor, at, length, ..] = request.arguments;
        let bytes = request.bytes(at, length.min(MAX_MESSAGE) as usize)?;
        self.send_bytes(request, descriptor, bytes, (to, to_length))
    }

    /// Sends to the address at `to`, or to the peer.
    pub(super) fn send_bytes(
        &mut self,
        request: &mut Request<'_, '_>,
        descriptor: u64,
        bytes: Vec<u8>,
        (to, to_length): (u64, u64),
    ) -> Result<u64, Errno> {
        let given = if to == 0 { None } else { Some(self.address(request, to, to_length)?) };
        let socket = self.open.socket(descriptor)?;
        let address = given.or(socket.peer).ok_or(Errno::NotConnected)?;
        let route =
            Route { site: request.site, transport: socket.transport, own: socket.own, address };
        self.may_send = self.may_send.checked_sub(bytes.len() as u64).ok_or(Errno::NoMemory)?;
        if let Some(reply) = self.network.send(route, &bytes) {
            socket.take_in(address, reply);
        }
        Ok(bytes.len() as u64)
    }

    /// Takes what came in first.
    fn receive(
        &mut self,
        request: &mut Request<'_, '_>,
        (from, from_length): (u64, u64),
    ) -> Result<u64, Errno> {
        let [descriptor, at, length, ..] = request.arguments;
        let (address, mut bytes) = self.take_message(descriptor)?;
        let room = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
        let rest = bytes.split_off(room);
        self.give_back(descriptor, address, &rest)?;
        request.write(at, &bytes)?;
        if from != 0 {
            self.give_address(request, address, from, from_length)?;
        }
        Ok(bytes.len() as u64)
    }

    /// Keeps what there was no room for, to be read next. Of a datagram, that is lost.
    pub(super) fn give_back(
        &mut self,
        descriptor: u64,
        from: SocketAddr,
        rest: &[u8],
    ) -> Result<(), Errno> {
        let socket = self.open.socket(descriptor)?;
        if socket.transport == Transport::Tcp && !rest.is_empty() {
            socket.inbox.push_front((from, rest.to_vec()));
        }
        Ok(())
    }

    /// What came in first, and from whom.
    pub(super) fn take_message(&mut self, descriptor: u64) -> Result<(SocketAddr, Vec<u8>), Errno> {
        let socket = self.open.socket(descriptor)?;
        socket.inbox.pop_front().ok_or_else(|| {
            // A program that waits here waits for ever: time passes, as with a time-out of its own.
            self.clock.wait(crate::clock::SECOND);
            Errno::Again
        })
    }

    /// Writes an address to `at`, and its length to where the room for it stands.
    pub(super) fn give_address(
        &self,
        request: &mut Request<'_, '_>,
        address: SocketAddr,
        at: u64,
        length: u64,
    ) -> Result<u64, Errno> {
        let bytes = socket_address_bytes(self.endian, address);
        let room = request.load(length, 4)?.min(bytes.len() as u64) as usize;
        request.write(at, bytes.get(..room).unwrap_or(&[]))?;
        request.store(length, 4, bytes.len() as u64)?;
        Ok(0)
    }

    fn option(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [descriptor, _, _, at, length, _] = request.arguments;
        self.open.socket(descriptor)?;
        request.store(at, OPTION_SIZE, 0)?;
        request.store(length, 4, u64::from(OPTION_SIZE))?;
        Ok(0)
    }
}

/// The port that the kernel chooses for a socket: another one for every seed. The descriptor may be
/// any number that a program names.
fn port_of(seed: u64, descriptor: u64) -> u16 {
    let port = (u64::from(OWN_PORT) + seed * u64::from(OWN_PORTS)).checked_add(descriptor);
    port.and_then(|port| u16::try_from(port).ok()).unwrap_or(OWN_PORT)
}

/// What happened on the network.
impl Kernel {
    /// What the process did on the network, in order.
    #[must_use]
    pub fn network_events(&self) -> &[NetworkEvent] {
        self.network.events()
    }

    /// Forgets what the process did on the network, to see what it does from here on.
    pub fn forget_network_events(&mut self) {
        self.network.forget();
    }

    /// The name whose address `host` is said to be.
    #[must_use]
    pub fn name_of(&self, host: core::net::IpAddr) -> Option<&str> {
        self.network.name_of(host)
    }
}

#[cfg(test)]
mod tests {
    use super::MULTIPLEXED;
    use super::{OWN_PORT, OWN_PORTS, port_of};
    use crate::abi::calls::SystemCall;

    #[test]
    fn multiplexed_calls_are_numbered_from_one() {
        assert_eq!(MULTIPLEXED.get(3 - 1), Some(&SystemCall::Connect));
        assert_eq!(MULTIPLEXED.get(11 - 1), Some(&SystemCall::Sendto));
        assert_eq!(MULTIPLEXED.get(15 - 1), Some(&SystemCall::Getsockopt));
        assert_eq!(MULTIPLEXED.get(20 - 1), Some(&SystemCall::Sendmmsg));
    }

    #[test]
    fn descriptors_that_nobody_has_lead_to_no_overflow() {
        assert_eq!(port_of(0, 3), OWN_PORT + 3);
        assert_eq!(port_of(1, 3), OWN_PORT + OWN_PORTS + 3);
        for descriptor in [u64::MAX, u64::MAX - u64::from(OWN_PORT), 1 << 16] {
            assert_eq!(port_of(1, descriptor), OWN_PORT);
        }
    }
}
