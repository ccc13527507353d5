//! DNS: who asked for which name, by what servers write, and messages themselves.

mod bind;
mod dnsmasq;
mod message;
mod powerdns;
mod unbound;

pub(super) use bind::BindFile;
pub(super) use message::Message;
pub(super) use unbound::UnboundFile;

pub(super) use bind::message as bind_message;
pub(super) use dnsmasq::message as dnsmasq_message;
pub(super) use powerdns::message as powerdns_message;
pub(super) use unbound::message as unbound_message;
